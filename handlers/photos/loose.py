"""What was uploaded and filed with nothing goes within a day, with its file: nobody keeps pictures here for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any

from bot.talk.spans import HOUR_MS
from handlers.photos.forgetting import BATCH_PHOTOS, FILES
from handlers.world import Desk
from storage.people import retention
from storage.photos import loose

LOOSE = "photos.loose"
AT = tuple(time(hour, 20) for hour in (0, 6, 12, 18))


async def plan(desk: Desk) -> None:
    """Look four times a day."""
    world = desk.world
    today = world.day(desk.now_ms)
    for day in (today, today + timedelta(days=1)):
        for clock in AT:
            _later(desk, f"{day.isoformat()}T{clock:%H}", 0, world.moment_ms(day, clock))


def _later(desk: Desk, period: str, batch: int, fire_ms: int) -> None:
    desk.later(LOOSE, f"{LOOSE}:{period}:{batch}", fire_ms, period=period, batch=batch)


async def erase(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: one batch; while there is more, the next follows at once. What stands in somebody's unfinished
    conversation waits on, for people come back after days.
    """
    period, batch = str(payload["period"]), int(payload["batch"])
    before_ms = desk.now_ms - desk.world.policy.retention.loose_photo_hours * HOUR_MS
    rows = await loose.waiting(desk.tx, before_ms=before_ms, limit=BATCH_PHOTOS)
    kept = [row["id"] for row in rows if await loose.in_a_draft(desk.tx, row)]
    await loose.go_on_waiting(desk.tx, kept, now_ms=desk.now_ms)
    sha256s = await retention.erase_photos(desk.tx, [row for row in rows if row["id"] not in kept])
    if sha256s:
        desk.later(FILES, f"{FILES}:loose:{period}:{batch}", desk.now_ms, sha256s=sha256s)
    if len(rows) == BATCH_PHOTOS:
        _later(desk, period, batch + 1, desk.now_ms)
