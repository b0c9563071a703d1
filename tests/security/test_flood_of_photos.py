"""Made-up browsers send photos: nothing is stored before its sender has agreed, and honest ones get theirs through."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes.pictures import photo
from tests.security.desk import desk


async def test_sixty_photos_without_consent_store_nothing(tmp_path: Path, sqlite_template: Path) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        crowd = [await office.page() for _ in range(20)]
        answers = await asyncio.gather(*(page.uploads(photo(at)) for at, page in enumerate(crowd * 3)))
        assert {status for status, _ in answers} == {422}
        assert {answer["error"] for _, answer in answers} == {"consent_first"}
        assert all("同意" in answer["text"] for _, answer in answers)
        assert await office.rows("SELECT id FROM media WHERE township_id = :t") == []
        assert office.files() == []


async def test_who_has_written_but_not_agreed_is_no_exception(tmp_path: Path, sqlite_template: Path) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        page = await office.page()
        await page.says("您好")
        await office.handled()
        status, answer = await page.uploads(photo(1))
        assert (status, answer["error"]) == (422, "consent_first")
        assert office.files() == []
        await office.agrees(page)
        status, answer = await page.uploads(photo(1))
        assert status == 201, "the same photo, sent afterwards"
        status, _ = await page.post(kind="media", media=[answer["id"]])
        assert status == 202
        await office.until(lambda: office.says(page, "在哪里"))


async def test_who_was_erased_is_a_stranger_again(tmp_path: Path, sqlite_template: Path) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        page = await office.villager()
        await page.says("删除我的信息")
        await office.handled()
        await office.presses(page, "删除")
        await office.handled()
        await page.open()
        status, answer = await page.uploads(photo(2))
        assert (status, answer["error"]) == (422, "consent_first")
        assert await office.rows("SELECT id FROM media WHERE township_id = :t") == []
