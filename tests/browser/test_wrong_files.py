"""Files that are no photos of a dump get a kind answer, and the page goes on."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.chat import PATIENCE_MS, file_of
from tests.browser.conftest import PhoneMaker
from tests.fakes.pictures import photo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
HUGE_BYTES = 30_000_000


def packed() -> bytes:
    """A zip archive."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("notes.txt", "nothing to see")
    return stored.getvalue()


async def test_a_text_file_is_named_and_refused_on_the_phone(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await aunt.sends_files(file_of("你好".encode(), "名单.txt", "text/plain"))
    await expect(aunt.page.locator("#hint-text")).to_have_text("“名单.txt”不是照片或录像，发不了。")
    await aunt.page.get_by_role("button", name="关闭").click()
    await expect(aunt.page.locator("#hint")).to_be_hidden()


async def test_a_zip_called_jpg_is_refused_kindly_and_can_be_dropped(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    aunt.forgives = "415"
    await aunt.sends_files(file_of(packed(), "photo.jpg"))
    refused = aunt.page.locator(".message.me[data-state=failed]")
    await expect(refused).to_contain_text("没有发出去", timeout=PATIENCE_MS)
    await expect(refused).to_contain_text("照片")
    await refused.get_by_role("button", name="删除").click()
    await expect(refused).to_have_count(0)
    await aunt.sends_files(file_of(photo(5)))
    await aunt.sees("在哪里")


async def test_of_two_files_the_good_one_can_go_alone(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    aunt.forgives = "415"
    await aunt.sends_files(file_of(photo(6)), file_of(packed(), "other.jpg"))
    await aunt.page.get_by_role("button", name="只发其余 1 个").click()
    await aunt.sees("在哪里")


async def test_a_photo_of_30_mb_is_refused_with_its_size(phone: PhoneMaker, tmp_path: Path) -> None:
    huge = tmp_path / "大照片.jpg"
    huge.write_bytes(photo(7) + bytes(HUGE_BYTES))
    aunt = await phone(agreed=True)
    await aunt.page.set_input_files("#pick-album", huge)
    await expect(aunt.page.locator("#hint-text")).to_contain_text("超过 20 MB", timeout=PATIENCE_MS)
    await expect(aunt.page.locator("#hint-text")).to_contain_text("大照片.jpg")
    await aunt.says("我的积分")
    await aunt.sees("积分")
