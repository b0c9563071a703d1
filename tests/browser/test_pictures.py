"""Every main screen of a phone of 360 × 740, measured: nothing overlaps, is cut, or is too small for a thumb.

The pictures are kept in pytest's folder for the run (`--basetemp=FOLDER` chooses it), to be looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser import looks
from tests.browser.chat import PATIENCE_MS, Chat, file_of
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program
from tests.browser.scene import dump_at_the_bridge

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
LARGE_TEXT = "() => { document.documentElement.style.fontSize = '225%'; }"


class Album:
    """Takes pictures and remembers what was wrong in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []

    async def take(self, chat: Chat, name: str) -> None:
        """A picture of what is on the screen now."""
        await chat.images_are_there()
        await chat.page.screenshot(path=self.folder / f"{name}.png")
        self.faults += [f"{name}: {fault}" for fault in await looks.layout_faults(chat)]


async def report(chat: Chat, album: Album, suffix: str) -> str:
    """From the first screen to the case number → that."""
    await chat.opens()
    await album.take(chat, f"welcome{suffix}")
    await chat.page.click("#begin")
    await chat.sees("您同意吗")
    await album.take(chat, f"consent{suffix}")
    await chat.taps("同意")
    await chat.sees("看见乱倒垃圾")
    await album.take(chat, f"menu{suffix}")
    await chat.taps("我要举报")
    await chat.sees("看到什么")
    await album.take(chat, f"question{suffix}")
    await chat.taps("乱倒垃圾")
    await chat.sees("拍张照片")
    await album.take(chat, f"asking-for-photos{suffix}")
    await chat.sends_files(file_of(dump_at_the_bridge()), file_of(dump_at_the_bridge(12)))
    await chat.sees("还有就接着发")
    await album.take(chat, f"photos-sent{suffix}")
    await chat.taps("发完了")
    await chat.sees("在哪里")
    await album.take(chat, f"place{suffix}")
    await chat.says("红土坡桥头")
    await chat.sees("请看对不对")
    await album.take(chat, f"review{suffix}")
    main = await chat.button("提交举报").bounding_box()
    change = await chat.button("改照片").bounding_box()
    assert main and change and main["y"] < change["y"]
    assert suffix == "-large" or main["width"] > 2 * change["width"]
    await chat.taps("提交举报")
    number = await chat.case_number()
    await album.take(chat, f"reported{suffix}")
    await chat.page.click("#more")
    await album.take(chat, f"panel{suffix}")
    return number


@pytest.mark.parametrize("style", ["light", "dark", "large"])
async def test_a_report_looks_right(phone: PhoneMaker, tmp_path: Path, style: str) -> None:
    album = Album(tmp_path)
    aunt = await phone(color_scheme="dark" if style == "dark" else "light")
    if style == "large":
        await aunt.page.add_init_script(f"addEventListener('DOMContentLoaded', {LARGE_TEXT})")
    await report(aunt, album, f"-{style}")
    assert album.faults == []


async def test_trouble_looks_right(phone: PhoneMaker, tmp_path: Path) -> None:
    album = Album(tmp_path)
    aunt = await phone(agreed=True)
    aunt.forgives = "Failed to load resource|ERR_INTERNET_DISCONNECTED"
    await aunt.sends_files(file_of(dump_at_the_bridge()), file_of(b"no photo", "other.jpg"))
    await aunt.page.get_by_role("button", name="只发其余 1 个").wait_for()
    await album.take(aunt, "refused-file")
    await aunt.page.get_by_role("button", name="只发其余 1 个").click()
    await aunt.sees("在哪里")
    await expect(aunt.page.locator(".thumb")).to_have_count(1)
    await aunt.page.get_by_role("button", name="发送我的位置").click()
    await expect(aunt.page.locator("#hint-text")).to_contain_text("没有允许使用位置", timeout=PATIENCE_MS)
    await album.take(aunt, "place-refused")
    await aunt.page.get_by_role("button", name="关闭").click()
    await aunt.context.set_offline(True)
    await aunt.says("红土坡桥头")
    await expect(aunt.page.locator(".message.me").last).to_contain_text("连上就自动发出", timeout=PATIENCE_MS)
    await album.take(aunt, "offline")
    await aunt.page.get_by_role("button", name="放大看").click()
    await album.take(aunt, "viewer")
    assert album.faults == []


async def test_the_screens_of_staff_and_cleaner_look_right(phone: PhoneMaker, program: Program, tmp_path: Path) -> None:
    album = Album(tmp_path)
    staff = await phone(join=program.invite("staff"))
    await album.take(staff, "staff-menu")
    cleaner = await phone(join=program.invite("cleaner", "王家沟"))
    await cleaner.says("张三 三十一斤半")
    await cleaner.sees("请看对不对")
    await album.take(cleaner, "weighing")
    await cleaner.taps("记账")
    await cleaner.sees("记好了")
    await album.take(cleaner, "ticket")
    await cleaner.says("称重")
    await cleaner.sees("谁家的膜")
    await cleaner.says("张")
    await cleaner.sees("户对得上")
    await album.take(cleaner, "which-household")
    aunt = await phone(agreed=True)
    await aunt.sends_files(file_of(dump_at_the_bridge()))
    await aunt.sees("在哪里")
    await aunt.says("红土坡桥头")
    await aunt.taps("提交举报")
    await staff.sees(await aunt.case_number())
    await album.take(staff, "case-for-staff")
    await staff.taps("属实")
    await aunt.sees("有结果了")
    await album.take(aunt, "result")
    await staff.says("日报")
    await staff.sees("镇日报")  # after the digest hour of the day of the import it has no figures yet
    await album.take(staff, "digest")
    await staff.says("发邀请")
    await staff.sees("邀请")
    await album.take(staff, "invitation")
    await staff.taps("保洁员")
    await staff.says("王家沟")
    await staff.taps("生成邀请")
    await staff.sees("只能用一次")
    await staff.page.locator(".thumb.square").wait_for()
    await album.take(staff, "qr-code")
    assert album.faults == []
