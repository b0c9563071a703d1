"""The clean-up in WeCom's groups: reminders, the roll-call, and the day's photos in each village's own group."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import orjson

from bot.talk.messages import Say, Text, on_lines, text
from handlers.areas.places import Area
from handlers.duties import rules
from handlers.duties.rollcall import load
from handlers.duties.week import CleanupDay
from handlers.robots.rules import Matter
from handlers.robots.telling import groups, show, tell
from handlers.world import Desk
from storage.product import duties

# Who reports at an area answers for what is missing there.
ANSWERS = "report_cleanup"


async def remind(desk: Desk, cleanup: CleanupDay, index: int, done: Collection[int], when: Text, due_ms: int) -> None:
    """A village's group is reminded like its people; the office's is told on the day itself who is missing."""
    world = desk.world
    expires_ms = min(due_ms + cleanup.late_ms, cleanup.until_ms)
    for area in groups(world):
        if area.level == "village" and area.area_id not in done:
            say = Say(text("cleanup.group", when=when, villages=area.name, until_ms=cleanup.until_ms))
            missing: Iterable[int] = (area.area_id,)
        elif area.level == "town" and world.day(due_ms) == cleanup.day:
            roll = await load(desk, cleanup.day, {area.area_id})
            if not roll.missing:
                continue
            missing = [village.area_id for village in roll.missing]
            lines = [*rules.rollcall_lines(roll), text("rollcall.as_of", at_ms=roll.as_of_ms)]
            say = Say(on_lines(lines))
        else:
            continue
        key = f"friday:{cleanup.period}:{index}"
        await tell(desk, area, say, key=key, due_ms=due_ms, expires_ms=expires_ms, about=_matters(missing))


async def send_page(desk: Desk, cleanup: CleanupDay, due_ms: int) -> None:
    """The one-page report to every group, with calls to those whose villages are missing; each is kept for a while,
    so that one that is put off by quiet hours is not late.
    """
    for area in groups(desk.world):
        roll = await load(desk, cleanup.day, {area.area_id}, as_of_ms=cleanup.until_ms)
        if not roll.villages:
            continue
        missing = [village.area_id for village in roll.missing]
        say = Say(on_lines(rules.group_page(roll)))
        key, expires_ms = f"friday:{cleanup.period}:rollcall", due_ms + cleanup.late_ms
        told = await tell(desk, area, say, key=key, due_ms=due_ms, expires_ms=expires_ms, about=_matters(missing))
        if told and area.level == "village":
            await _show_photos(desk, cleanup, area, due_ms)


async def _show_photos(desk: Desk, cleanup: CleanupDay, area: Area, due_ms: int) -> None:
    """The village's photos of the day, a letter each, so that a crash repeats no more than one."""
    day, expires_ms = cleanup.period, due_ms + cleanup.late_ms
    for row in await duties.reports(desk.tx, day, until_ms=cleanup.until_ms, village_id=area.area_id):
        for media_id in orjson.loads(row["photos"]):
            await show(desk, area, media_id, key=f"friday:{day}:{media_id}", due_ms=due_ms, expires_ms=expires_ms)


def _matters(village_ids: Iterable[int]) -> list[Matter]:
    return [Matter(ANSWERS, area_id, below=True) for area_id in village_ids]
