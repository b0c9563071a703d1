"""Weak networks and dying servers: what a person wrote arrives, once."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.chat import PATIENCE_MS
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
RECONNECT_MS = 60_000
NO_NETWORK = r"Failed to load resource|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|ERR_NETWORK|ERR_INCOMPLETE"


async def test_what_was_written_without_a_network_arrives_once(phone: PhoneMaker, program: Program) -> None:
    aunt = await phone(agreed=True)
    aunt.forgives = NO_NETWORK
    await aunt.context.set_offline(True)
    await expect(aunt.page.locator("#link-state")).to_contain_text("没有网络", timeout=PATIENCE_MS)
    await aunt.says("李家湾桥头有人倒垃圾，一辆蓝色三轮车")
    waiting = aunt.page.locator(".message.me").last
    await expect(waiting).to_contain_text("连上就自动发出", timeout=PATIENCE_MS)
    await aunt.page.reload()  # the service worker opens the page, the phone still has the words
    await expect(waiting).to_contain_text("一辆蓝色三轮车")
    await aunt.context.set_offline(False)
    await aunt.taps("跳过")
    assert "李家湾村" in await aunt.sees("请看对不对")
    await expect(aunt.page.locator("#link-state")).to_be_empty()
    await aunt.taps("提交举报")
    number = await aunt.case_number()
    said = "SELECT number FROM cases WHERE statement LIKE '%李家湾桥头有人倒垃圾，一辆蓝色三轮车%'"
    assert program.rows(said) == [{"number": number}]
    assert (await aunt.own_texts()).count("李家湾桥头有人倒垃圾，一辆蓝色三轮车") == 1


async def test_a_killed_server_costs_nobody_anything(phone: PhoneMaker, mortal: Program) -> None:
    aunt = await phone(mortal.url)
    aunt.forgives = NO_NETWORK
    await aunt.opens()
    await aunt.begins()
    await aunt.says("柳树湾桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.sees("请看对不对")
    mortal.kill()
    await expect(aunt.page.locator("#link-state")).to_contain_text("正在连接", timeout=PATIENCE_MS)
    await aunt.taps("提交举报")
    await expect(aunt.page.locator(".message.me").last).to_contain_text("自动发出", timeout=PATIENCE_MS)
    mortal.start()
    await expect(aunt.bot("收到了")).to_be_visible(timeout=RECONNECT_MS)
    number = await aunt.case_number()
    assert mortal.rows("SELECT number FROM cases") == [{"number": number}]
    before = await aunt.bot_texts()
    assert sum("收到了" in text for text in before) == 1
    await aunt.page.reload()
    await aunt.sees(number)
    assert await aunt.bot_texts() == before


async def test_a_button_pressed_too_late_gets_an_answer(phone: PhoneMaker, program: Program) -> None:
    aunt = await phone(agreed=True)
    aunt.forgives = NO_NETWORK
    await aunt.says("张家坪小学有人倒垃圾，已经看不清")
    await aunt.taps("跳过")
    await aunt.sees("请看对不对")
    await aunt.context.set_offline(True)
    await aunt.taps("取消")
    await aunt.taps("提交举报")  # nothing seemed to happen, so she presses on
    await aunt.context.set_offline(False)
    await aunt.sees("先不办了", "过时")
    assert program.rows("SELECT number FROM cases WHERE statement LIKE '%已经看不清%'") == []
