"""What was kept long enough is erased every night, a bounded batch at a time (PIPL 19, policy `retention`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

import orjson

from bot.talk.session import Session
from handlers.world import Desk
from storage.machine import sessions, wecom
from storage.people import retention

RETENTION, FILES = "people.retention", "media.erase"
AT = time(3, 30)
DAY_MS = 86_400_000
BATCH_ROWS = 500
BATCH_SESSIONS = 2_000
BATCH_PHOTOS = 60


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
    kept = desk.world.policy.retention
    day, batch = str(payload["day"]), int(payload["batch"])
    if batch == 0:
        await wecom.forget_without_role(desk.tx)
    more = [
        await _conversations(desk, desk.now_ms - kept.conversation_days * DAY_MS),
        await _ranges(desk, retention.WORDS, desk.now_ms - kept.conversation_days * DAY_MS),
        await _ranges(desk, retention.ERRORS, desk.now_ms - kept.delivery_days * DAY_MS),
        await _ranges(desk, retention.PLACES, desk.now_ms - kept.position_days * DAY_MS),
        await _photo_places(desk, desk.now_ms - kept.position_days * DAY_MS),
        await _photos(desk, desk.now_ms - kept.photo_days * DAY_MS, f"{day}:{batch}"),
    ]
    if any(more):
        _later(desk, day, batch + 1, desk.now_ms)


async def _ranges(desk: Desk, steps: Mapping[str, tuple[str, str, str]], before_ms: int) -> bool:
    more = [
        await retention.erase_range(desk.tx, what, step, before_ms=before_ms, limit=BATCH_ROWS)
        for what, step in steps.items()
    ]
    return any(more)


async def _conversations(desk: Desk, before_ms: int) -> bool:
    """Forget what was said in conversations that nobody has gone on with; the revision stays, for old buttons."""
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


async def _photo_places(desk: Desk, before_ms: int) -> bool:
    return await retention.erase_photo_places(desk.tx, before_ms=before_ms, limit=BATCH_ROWS) == BATCH_ROWS


async def _photos(desk: Desk, before_ms: int, key: str) -> bool:
    """Mark photos as erased; an errand removes the files, which a transaction can't touch."""
    count, sha256s = await retention.erase_media(desk.tx, before_ms=before_ms, limit=BATCH_PHOTOS)
    if sha256s:
        desk.later(FILES, f"{FILES}:{key}", desk.now_ms, sha256s=sha256s)
    return count == BATCH_PHOTOS
