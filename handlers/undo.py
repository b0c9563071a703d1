"""Taking back what a person decided: for some minutes of the policy nobody else hears of it and nothing is paid.

The decision itself is written at once; what it sets going (points, words to others) is a timer of the entry, written in
the same transaction. Whoever takes the decision back in time ends that timer; both happen under the township's lock, so
that either the effects happen, once, or the decision is taken back. Later only a new entry corrects it.
"""

from __future__ import annotations

from typing import Any

import orjson

from bot.talk.messages import Button, Text, Words, text
from bot.talk.spans import MINUTE_MS
from handlers.people.actions import called
from handlers.world import Desk
from storage.machine import timers


async def hold(desk: Desk, kind: str, entry_id: int, **payload: Any) -> int:
    """Put off what an entry sets going, the timer `kind` with `payload`, by the policy's minutes; until when (ms)."""
    until_ms = desk.now_ms + desk.world.policy.undo.minutes * MINUTE_MS
    row = {
        "id": desk.ids.next(),
        "kind": kind,
        "timer_key": _key(kind, entry_id),
        "fire_ms": until_ms,
        "payload": orjson.dumps({"entry_id": entry_id, **payload}).decode(),
    }
    await timers.put(desk.tx, [row])  # at once: it may be taken back by the next update of this very transaction
    return until_ms


async def held_until_ms(desk: Desk, kind: str, entry_id: int) -> int | None:
    """Until when an entry can be taken back; None when its effects have happened, or were ended."""
    return await timers.due_ms_of(desk.tx, _key(kind, entry_id))


async def take_back(desk: Desk, kind: str, entry_id: int) -> bool:
    """End what an entry was to set going. False: it has happened, so that only a new entry corrects it."""
    return await timers.end(desk.tx, _key(kind, entry_id), now_ms=desk.now_ms)


def signed(state: Words, name: str, at_ms: int) -> Text:
    """Who decided what, and when, in one line for cards."""
    return text("undo.signed", state=state, by=called(name), at_ms=at_ms)


def withdraw_button(command: str) -> Button:
    """「撤回」 under a decision that can still be taken back; `command` takes it back and checks that it can be."""
    return Button(text("undo.withdraw"), command)


def _key(kind: str, entry_id: int) -> str:
    return f"{kind}:{entry_id}"
