"""Keyboard, screen reader, large text, dark screens."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser import looks
from tests.browser.chat import Chat, file_of
from tests.browser.conftest import PhoneMaker
from tests.fakes.pictures import photo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
MOST_TABS = 40
DOUBLE_TEXT = "() => { document.documentElement.style.fontSize = '225%'; }"
FOCUSED = (
    "() => (document.activeElement?.getAttribute('aria-label') || document.activeElement?.textContent || '').trim()"
)


async def tab_to(chat: Chat, name: str) -> None:
    """Press Tab until the control of that name has the focus."""
    for _ in range(MOST_TABS):
        await chat.page.keyboard.press("Tab")
        if (await chat.ask(FOCUSED)) == name:
            return
    raise AssertionError(f"Tab never reaches «{name}»")


async def test_a_report_with_the_keyboard_alone(phone: PhoneMaker) -> None:
    aunt = await phone()
    await aunt.opens()
    await tab_to(aunt, "开始")
    await aunt.page.keyboard.press("Enter")
    await aunt.sees("您同意吗")
    await tab_to(aunt, "同意")
    await aunt.page.keyboard.press("Space")
    await aunt.sees("看见乱倒垃圾")
    await tab_to(aunt, "写消息")
    await aunt.page.keyboard.type("张家坪桥头有人倒垃圾")
    await aunt.page.keyboard.press("Enter")
    await aunt.sees("照片")
    await tab_to(aunt, "跳过")
    await aunt.page.keyboard.press("Enter")
    await aunt.sees("请看对不对")
    await tab_to(aunt, "提交举报")
    await aunt.page.keyboard.press("Enter")
    assert await aunt.case_number()


async def test_a_screen_reader_hears_the_chat_and_names_every_control(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await aunt.sends_files(file_of(photo(8)))
    await aunt.sees("在哪里")
    log = aunt.page.get_by_role("log", name="聊天记录")
    await expect(log).to_have_attribute("aria-live", "polite")  # it is silent while history is put in
    assert await log.get_by_role("button", name="发送我的位置").count() == 1
    assert await aunt.page.evaluate("document.documentElement.lang") == "zh-CN"
    await aunt.page.get_by_role("button", name="更多：照片、位置、设置").click()
    assert await aunt.page.get_by_role("group", name="更多：照片、位置、设置").get_by_role("button").count() == 5
    assert await looks.nameless(aunt) == []
    await log.get_by_role("button", name="放大看").click()
    viewer = aunt.page.get_by_role("dialog", name="看图")
    assert await viewer.get_by_role("img").count() == 1
    assert await looks.nameless(aunt) == []
    await aunt.page.keyboard.press("Escape")
    await viewer.wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_texts_stand_out_from_what_is_behind_them(phone: PhoneMaker, scheme: str) -> None:
    aunt = await phone(agreed=True, color_scheme=scheme)
    assert await looks.contrast_faults(aunt) == []
    await aunt.says("张家坪桥头有人倒垃圾")
    await aunt.sees("跳过")
    assert await looks.contrast_faults(aunt) == []
    await aunt.taps("跳过")
    await aunt.sees("请看对不对")
    assert await looks.contrast_faults(aunt) == []


async def test_text_of_twice_the_size_needs_no_sideways_scrolling(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await aunt.ask(DOUBLE_TEXT)
    assert await looks.layout_faults(aunt) == []
    await aunt.sends_files(file_of(photo(9)))
    await aunt.sees("在哪里")
    assert await looks.layout_faults(aunt) == []
    await aunt.says("张家坪桥头")
    await aunt.sees("请看对不对")
    await aunt.page.get_by_role("button", name="更多：照片、位置、设置").click()
    assert await looks.layout_faults(aunt) == []
