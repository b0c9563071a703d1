"""Originals over the wire: only of one's own photo that was filed, the very same picture, counted for themselves."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.web.context import ORIGINALS_PER_MINUTE
from tests.channels.website import HEADERS, Page
from tests.security.desk import Desk, desk
from tests.stories.test_originals import SIDES, original, smaller


async def sends(page: Page, photo: str, content: bytes) -> tuple[int, Any]:
    url = f"{page.url}/api/media"
    async with page.http.post(url, params={"of": photo}, data=io.BytesIO(content), headers=HEADERS) as response:
        return response.status, await response.json()


async def wanted(page: Page, photo: str) -> str:
    async with page.http.get(f"{page.url}/api/media", params={"of": photo}) as response:
        assert response.status == 200
        return str((await response.json())["wanted"])


async def has_sent(office: Desk, page: Page) -> str:
    """Somebody sends a photo that a form takes; its id."""
    status, answer = await page.uploads(smaller())
    assert status == 201
    await page.post(kind="media", media=[answer["id"]])
    await office.until(lambda: office.says(page, "在哪里"))
    return str(answer["id"])


async def files_it(office: Desk, page: Page) -> None:
    await page.says("王家沟桥头有人倒垃圾")
    await office.handled()
    await office.presses(page, "提交举报")
    await office.until(lambda: office.says(page, "编号"))


async def test_it_is_taken_once_it_belongs_to_something_and_then_no_more(tmp_path: Path, sqlite_template: Path) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        page, other = await office.villager(), await office.villager()
        assert (await page.open())["originals"] is True
        photo = await has_sent(office, page)
        assert await wanted(page, photo) == "later"
        status, answer = await sends(page, photo, original())
        assert (status, answer["error"]) == (425, "not_yet")
        await files_it(office, page)
        assert (await wanted(page, photo), await wanted(other, photo)) == ("yes", "no")
        status, answer = await sends(page, photo, original(2))
        assert (status, answer["error"]) == (415, "other_picture"), "no other picture takes the place of the evidence"
        status, answer = await sends(page, photo, smaller()[:-400])
        assert status == 415
        assert (await sends(other, photo, original()))[0] == 404
        status, first = await sends(page, photo, original())
        assert status == 201 and await wanted(page, photo) == "no"
        assert await sends(page, photo, original()) == (201, first), "its acknowledgement may be lost on the way"
        status, answer = await page.post(kind="media", media=[first["id"]])
        assert status == 422, "an original is no photo to be sent"


async def test_it_is_shown_to_those_who_see_the_photo(tmp_path: Path, sqlite_template: Path) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        page, other = await office.villager(), await office.villager()
        photo = await has_sent(office, page)
        await files_it(office, page)
        assert (await page.get(f"/media/{photo}?size=full"))[0] == 404
        _, body, _ = await page.get(f"/api/media/{photo}")
        assert body == b'{"original_bytes":0}'
        await sends(page, photo, original())
        status, full, headers = await page.get(f"/media/{photo}?size=full")
        assert status == 200 and Image.open(io.BytesIO(full)).size == SIDES and b"Exif" not in full
        _, body, _ = await page.get(f"/api/media/{photo}")
        assert body == b'{"original_bytes":%d}' % len(full)
        status, part, _ = await page.get(f"/media/{photo}?size=full", Range="bytes=2-9")
        assert (status, part) == (206, full[2:10])
        assert headers["ETag"] != (await page.get(f"/media/{photo}"))[2]["ETag"]
        for path in (f"/media/{photo}?size=full", f"/api/media/{photo}"):
            assert (await other.get(path))[0] == 404


async def test_without_consent_and_without_end_nothing_is_taken(tmp_path: Path, sqlite_template: Path) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        stranger, page = await office.page(), await office.villager()
        status, answer = await sends(stranger, "i" + "0" * 31, original())
        assert (status, answer["error"]) == (422, "consent_first")
        answers = [(await sends(page, f"i{at:031x}", b"x"))[0] for at in range(ORIGINALS_PER_MINUTE + 1)]
        assert answers == [404] * ORIGINALS_PER_MINUTE + [429]
        assert (await page.uploads(smaller()))[0] == 201, "photos of messages are counted apart"
        assert office.files() and len(office.files()) == 3


@pytest.mark.parametrize("photo", ["", "x", "../etc/passwd", "i" + "g" * 31, "v" + "0" * 31])
async def test_what_is_no_photo_has_no_original(tmp_path: Path, sqlite_template: Path, photo: str) -> None:
    async with desk(tmp_path, sqlite_template) as office:
        page = await office.villager()
        assert await wanted(page, photo) == "no"
        assert (await sends(page, photo, original()))[0] == 404
