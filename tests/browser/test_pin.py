"""A PIN on the page: dots while it is typed, dots in the conversation, and dots after a reload."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
DIGITS, DOTS = "482913", "••••••"


async def test_the_digits_are_dots_from_the_first_key_on(phone: PhoneMaker, program: Program) -> None:
    clerk = await phone(join=program.invite("finance"))
    await clerk.says("设置密码")
    await clerk.sees("请设一个数字密码")
    field = clerk.page.locator("#text")
    await expect(field).to_have_class("secret")
    assert await clerk.ask("() => getComputedStyle(document.getElementById('text')).webkitTextSecurity") == "disc"
    for asked in ("再输一遍", "密码设好了"):
        await clerk.says(DIGITS)
        assert DIGITS not in "".join(await clerk.own_texts())
        await clerk.sees(asked)
    await expect(field).not_to_have_class("secret")
    window = Chat(await clerk.context.new_page(), clerk.url)
    await window.opens()
    await window.sees("密码设好了")
    for shown in (clerk, window):
        assert (await shown.own_texts())[-2:] == [DOTS, DOTS]
    await clerk.page.reload()
    await clerk.sees("密码设好了")
    assert (await clerk.own_texts())[-2:] == [DOTS, DOTS]
