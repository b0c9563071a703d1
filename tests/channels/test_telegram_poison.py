"""Updates that are not shaped as updates: none stops the poll, the webhook, or what comes after a commit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.channels.base import Raw
from bot.channels.telegram.api import read_json
from bot.channels.telegram.channel import Telegram
from bot.clock import SystemClock
from bot.settings import Settings
from tests.channels.test_telegram_wire import BOT, CHAT, NAMES, USER, anything, corpus, message_of

SECRET = "s" * 20
GOOD = {"update_id": 1_000_000, "message": message_of({"text": "王家沟桥头有人倒垃圾"})}
DEEP: Any = "x"
for _ in range(300):
    DEEP = [DEEP]
OLD_FAULTS: list[Any] = [
    {"update_id": 5, "message": message_of({"text": "x"}, user={"id": "x"})},
    {"update_id": 5, "message": {"from": "x"}},
    {"update_id": 5, "callback_query": {"from": USER, "data": "x"}},
    {"update_id": 5, "message": message_of({"text": DEEP})},
]
queries = st.fixed_dictionaries({}, optional={"id": anything, "from": anything | st.just(USER), "data": anything})
updates = (
    anything
    | st.sampled_from([*OLD_FAULTS, *corpus().values()])
    | st.builds(lambda number, query: {"update_id": number, "callback_query": query}, st.integers(1, 9), queries)
    | st.builds(
        lambda number, name, part: {"update_id": number, name: part},
        st.integers(1, 9),
        st.sampled_from(["message", "edited_message", "my_chat_member"]),
        st.dictionaries(st.sampled_from(NAMES), anything | st.sampled_from([USER, CHAT]), max_size=5),
    )
)


class Api:
    """A Bot API that has some updates, and then none."""

    def __init__(self, brought: Sequence[Any]) -> None:
        self.brought = list(brought)
        self.offsets: list[int] = []

    async def call(self, method: str, values: dict[str, Any], **_: Any) -> Any:
        if method == "getUpdates":
            self.offsets.append(values["offset"])
            if len(self.offsets) == 1:
                return self.brought
            await asyncio.Event().wait()
        return True

    async def stop(self) -> None:
        """Nothing is open."""


def telegram_with(api: Any, mode: str = "poll") -> Telegram:
    """A bot over that API."""
    options = {"telegram_mode": mode, "telegram_webhook_secret": SECRET, "public_url": "https://town.example"}
    found = Settings(_env_file=None, data_dir=Path("/nowhere"), telegram_token="1:x", **options)
    telegram = Telegram(found, SystemClock(), None, token="1:x", township_id=1)  # type: ignore[arg-type]
    telegram._api = api
    telegram.identity.learn(BOT)
    return telegram


def used(telegram: Telegram, raws: Sequence[Raw]) -> None:
    """All that is done with a stored update, before the commit and after it: nothing of it raises."""
    for raw in raws:
        telegram.decode(raw)
        telegram.handled(raw)


@settings(max_examples=60, deadline=None)
@given(st.lists(updates, max_size=6))
def test_a_poison_update_never_stops_the_poll(poisons: list[Any]) -> None:
    api = Api([*poisons, GOOD])
    telegram = telegram_with(api)
    taken: list[Raw] = []

    async def accept(raws: Sequence[Raw]) -> None:
        taken.extend(raws)

    async def work() -> None:
        telegram._accept = accept
        polling = asyncio.create_task(telegram.fetch_updates())
        async with asyncio.timeout(0.9):  # no pause of a failed poll
            while len(api.offsets) < 2:
                await asyncio.sleep(0)
        polling.cancel()
        used(telegram, taken)
        await telegram.stop()

    asyncio.run(work())
    assert api.offsets[1] > GOOD["update_id"]
    assert telegram.decode(taken[-1]).event.text == "王家沟桥头有人倒垃圾"


@settings(max_examples=60, deadline=None)
@given(body=(updates.map(lambda one: json.dumps(one).encode("utf-8", "replace")) | st.binary(max_size=40)))
def test_whatever_is_brought_is_stored_or_refused(body: bytes) -> None:
    telegram = telegram_with(Api([]), "webhook")
    taken: list[Raw] = []

    async def accept(raws: Sequence[Raw]) -> None:
        taken.extend(raws)

    async def work() -> int:
        telegram._accept = accept
        transport = httpx.ASGITransport(Starlette(routes=list(telegram.routes())))  # what it raises comes through
        async with httpx.AsyncClient(transport=transport, base_url="http://town") as client:
            headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
            answer = await client.post("/telegram", content=body, headers=headers)
        used(telegram, taken)
        await telegram.stop()
        return answer.status_code

    assert asyncio.run(work()) in (200, 400)


def test_half_a_character_spoils_only_its_words() -> None:
    found = read_json(b'{"ok":true,"result":[{"update_id":5,"message":{"text":"\\ud83d \\u738b"}}]}')
    assert found["result"][0]["message"]["text"].endswith("王")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000])
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_json(body)
