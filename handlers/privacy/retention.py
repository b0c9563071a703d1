"""What was kept long enough is erased every night, a bounded batch at a time (PIPL 19, policy `retention`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

import orjson

from bot.talk.session import Session
from bot.talk.spans import DAY_MS
from handlers.declared import Portion
from handlers.world import Desk
from storage.machine import sessions
from storage.people import retention
from storage.vault import keys
from storage.vault.sealing import day_of
from storage.vault.vault import Purpose

RETENTION = "people.retention"
AT = time(3, 30)
BATCH_ROWS = 500
BATCH_SESSIONS = 2_000
SPARE_DAYS = 2  # for conversations that nobody has gone on with: their walk ends in the same night


async def plan(desk: Desk) -> None:
    """Once a day, early in the morning."""
    world = desk.world
    today = world.day(desk.now_ms)
    for day in (today, today + timedelta(days=1)):
        _later(desk, day.isoformat(), 0, world.moment_ms(day, AT))


def _later(desk: Desk, day: str, batch: int, fire_ms: int) -> None:
    desk.later(RETENTION, f"{RETENTION}:{day}:{batch}", fire_ms, day=day, batch=batch)


async def erase(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: one batch of everything; while any has more, the next batch follows at once."""
    portion = Portion(str(payload["day"]), int(payload["batch"]), BATCH_ROWS)
    more = [await forget.of_age(desk, portion) for forget in desk.world.declared.forgets if forget.of_age is not None]
    if any(more):
        _later(desk, portion.day, portion.number + 1, desk.now_ms)


async def words(desk: Desk, portion: Portion) -> bool:
    """Erase what was written to the program and by it, from and to whom, and the keys that it was sealed under.

    A report is a conversation too: none is kept longer than who reported.
    """
    kept = desk.world.policy.retention
    before_ms = desk.now_ms - min(kept.conversation_days, kept.reporter_identity_days) * DAY_MS
    if await retention.erase_ranges(desk.tx, retention.WORDS, before_ms=before_ms, limit=portion.rows):
        return True
    await keys.erase_keys(desk.tx, Purpose.WORDS, before_day=day_of(Purpose.WORDS, before_ms) - SPARE_DAYS)
    return False


async def errors(desk: Desk, portion: Portion) -> bool:
    """Erase why messages were not understood or not delivered."""
    before_ms = desk.now_ms - desk.world.policy.retention.delivery_days * DAY_MS
    return await retention.erase_ranges(desk.tx, retention.ERRORS, before_ms=before_ms, limit=portion.rows)


async def conversations(desk: Desk, _: Portion) -> bool:
    """Erase what was said in conversations that nobody has gone on with; the revision stays, for old buttons."""
    before_ms = desk.now_ms - desk.world.policy.retention.conversation_days * DAY_MS
    rows = await retention.next_sessions(desk.tx, limit=BATCH_SESSIONS)
    old = [row for row in rows if row["updated_ms"] < before_ms]
    emptied = [
        {"person_id": row["person_id"], "body": body, "updated_ms": row["updated_ms"]}
        for row in old
        if (body := _emptied(row["body"])) != row["body"]
    ]
    await sessions.save(desk.tx, emptied)
    return len(rows) == BATCH_SESSIONS


def _emptied(body: str) -> str:
    try:
        rev = Session.from_json(orjson.loads(body)).rev
    except (KeyError, TypeError, ValueError):
        rev = 0
    return orjson.dumps(Session(rev=rev).to_json()).decode()
