"""«Typing…» for whoever waits longer than a moment."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from bot.channels.base import Channels, Raw
from bot.incoming import waiting as rule
from bot.incoming.waiting import Waiting


class Chat:
    name = "telegram"

    def __init__(self) -> None:
        self.shown: list[str] = []

    def busy(self, address: str) -> None:
        self.shown.append(address)


@pytest.fixture
def chat() -> Chat:
    return Chat()


def raws(*addresses: str) -> list[Raw]:
    return [Raw("telegram", address, address, b"{}", 1) for address in addresses]


async def moment(waiting: Waiting, at_s: float, *addresses: str) -> None:
    """These addresses wrote at that time."""
    waiting.begin(raws(*addresses))
    for chat in waiting._since:
        waiting._since[chat] = at_s


def waiting_in(chat: Chat) -> Waiting:
    one: Any = chat
    return Waiting(Channels([one]))


async def test_a_quick_answer_needs_no_typing(chat: Chat) -> None:
    waiting = waiting_in(chat)
    await moment(waiting, 0, "a")
    waiting.tell(0.5)
    waiting.end(raws("a"))
    waiting.tell(30)
    assert chat.shown == []


async def test_who_waits_sees_typing_again_and_again_but_not_for_ever(chat: Chat) -> None:
    waiting = waiting_in(chat)
    await moment(waiting, 0, "a", "b")
    waiting.tell(1)
    waiting.tell(2)
    assert sorted(chat.shown) == ["a", "b"]
    waiting.end(raws("b"))
    waiting.tell(5)
    assert chat.shown.count("a") == 2 and chat.shown.count("b") == 1
    waiting.tell(61)
    waiting.tell(70)
    assert chat.shown.count("a") == 2


async def test_it_is_told_by_itself_also_to_who_comes_after_a_pause(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule, "LOOK_S", 0.001)
    monkeypatch.setattr(rule, "FIRST_S", 0.0)
    waiting = waiting_in(chat)
    telling = asyncio.create_task(waiting.keep_telling())
    async with asyncio.timeout(20):
        for address in ("a", "b"):
            await asyncio.sleep(0.01)  # nobody waits
            waiting.begin(raws(address))
            while address not in chat.shown:
                await asyncio.sleep(0.001)
            waiting.end(raws(address))
    telling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await telling
