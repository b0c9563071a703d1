"""Many come at once: a newcomer's phone does the work that is asked of it, by itself, and what they wrote arrives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.chat import PATIENCE_MS, Chat
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ASKED = r"429 \(Too Many Requests\)"
NO_WEBCRYPTO = "Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined });"  # as on plain http


@pytest.fixture
def crowded(equipped: None, tmp_path: Path) -> Iterator[Program]:
    """A program that takes one newcomer a minute for nothing."""
    own = Program(tmp_path, WEB_NEW_PER_MINUTE="4")
    own.start()
    try:
        yield own
        own.stop()
    finally:
        own.kill()
    assert not own.complaints()


async def newcomer(phone: PhoneMaker, program: Program) -> Chat:
    """A phone on plain http, whose page has not been opened yet."""
    chat = await phone(program.url)
    chat.forgives = ASKED
    await chat.page.add_init_script(NO_WEBCRYPTO)
    return chat


async def test_a_newcomers_phone_works_by_itself_and_what_they_wrote_arrives_in_order(
    phone: PhoneMaker, crowded: Program
) -> None:
    first = await phone(crowded.url)
    await first.opens()
    await first.begins()
    aunt = await newcomer(phone, crowded)
    refused: list[int] = []
    aunt.page.on("response", lambda answer: refused.append(answer.status) if answer.status == 429 else None)
    await aunt.opens()
    await aunt.says("王家沟沟口有人倒垃圾")
    await aunt.says("是一辆蓝色的三轮车")
    await aunt.sees("同意")
    assert refused == [429], "once, for the first thing she wrote"
    assert await aunt.own_texts() == ["王家沟沟口有人倒垃圾", "是一辆蓝色的三轮车"]
    assert await aunt.page.evaluate("crypto.subtle") is None
    await expect(aunt.page.locator(".message.me.failed")).to_have_count(0)


async def test_what_was_written_when_too_many_came_waits_on_the_phone_and_goes_by_itself(
    phone: PhoneMaker, crowded: Program
) -> None:
    for _ in range(4):
        one = await newcomer(phone, crowded)
        await one.opens()
        await one.says("您好")
        await one.sees("同意")
    aunt = await newcomer(phone, crowded)
    await aunt.opens()
    await aunt.says("王家沟沟口有人倒垃圾")
    await expect(aunt.page.locator(".message.me").last).to_contain_text("自动发出去", timeout=PATIENCE_MS)
    await expect(aunt.bot("同意")).to_be_visible(timeout=3 * PATIENCE_MS)
    assert await aunt.own_texts() == ["王家沟沟口有人倒垃圾"]
