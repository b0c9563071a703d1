"""Signing out on the page: it asks first, and the next one to open it is a stranger who sees nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.chat import PATIENCE_MS, Chat
from tests.browser.conftest import PhoneMaker

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
KEPT = "async () => [localStorage.length, (await indexedDB.databases()).length]"


async def settings(chat: Chat) -> None:
    await chat.page.click("#more")
    await chat.page.click("[data-act=settings]")


async def test_who_signs_out_leaves_nothing_to_the_next_one(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await aunt.says("改称呼")
    await aunt.sees("怎么称呼您")
    await settings(aunt)
    await aunt.page.click("#sign-out")
    await expect(aunt.page.locator("#sign-out-said")).to_contain_text("找不回来")
    assert len(await aunt.context.cookies()) == 2, "nothing happens before it is sure"
    await aunt.page.get_by_role("button", name="确定退出").click()
    await expect(aunt.page.locator("#begin")).to_be_visible(timeout=PATIENCE_MS)
    assert await aunt.own_texts() == [] and await aunt.bot_texts() == []
    await aunt.page.click("#begin")
    await aunt.sees("您同意吗")


async def test_closing_the_settings_forgets_that_it_was_asked(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await settings(aunt)
    await aunt.page.click("#sign-out")
    await aunt.page.get_by_role("button", name="好了").click()
    await settings(aunt)
    await expect(aunt.page.get_by_role("button", name="退出（不再用这台设备）")).to_be_visible()
    await expect(aunt.page.locator("#sign-out-said")).to_be_hidden()


async def test_a_second_window_that_stays_open_forgets_as_well(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    aunt.forgives = "401"
    window = Chat(await aunt.context.new_page(), aunt.url, forgives="401")
    await window.opens()
    await window.sees("看见乱倒垃圾")
    await settings(aunt)
    await aunt.page.click("#sign-out")
    await aunt.page.get_by_role("button", name="确定退出").click()
    await expect(aunt.page.locator("#begin")).to_be_visible(timeout=PATIENCE_MS)
    await window.page.reload()
    await expect(window.page.locator("#begin")).to_be_visible(timeout=PATIENCE_MS)
    assert await window.bot_texts() == []


async def test_said_in_the_chat_the_page_shows_that_it_is_over_and_sends_nothing_more(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    aunt.forgives = "401"
    await aunt.says("退出登录")
    await aunt.sees("真的要退出吗")
    await aunt.taps("退出")
    await aunt.says("这句不该发出去")
    await expect(aunt.page.locator("#hint-text")).to_contain_text("登录已经结束", timeout=PATIENCE_MS)
    await expect(aunt.page.locator("#begin")).to_be_visible(timeout=PATIENCE_MS)
    assert await aunt.own_texts() == [] and await aunt.bot_texts() == []
    assert (await aunt.ask(KEPT))[0] <= 3, "of before nothing is kept"
