"""What those in charge of the whole township must know of the system itself, said with the digest: what does not work
or did not for a while, letters that were set aside, next year's holidays.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from bot.talk.messages import Say, Words, on_lines, text
from handlers.world import Desk
from storage.machine import channel_faults, outbox

DAY_MS = 86_400_000
WORTH_SAYING_MS = 300_000  # what was over sooner, nobody has noticed
CALENDAR_MONTH = 12  # the State Council announces next year's holidays in November


def is_calendar_day(day: date) -> bool:
    """Whether a day's digest speaks of the calendar unasked: on Mondays and on the first of the month."""
    return day.isoweekday() == 1 or day.day == 1


async def troubles(desk: Desk, roots: Collection[int], *, calendar: bool = True) -> Say | None:
    """The faults there are now; None without any, or for somebody who has only a part of the township.

    `calendar`: also the announcement of public holidays that is missing, from December on that of next year.
    """
    world = desk.world
    town = next((area.area_id for area in world.places.areas.values() if area.level == "town"), None)
    if town not in roots:
        return None
    lines = [
        text(
            "trouble.line",
            channel=_part(row["channel"]),
            since_ms=row["since_ms"],
            what=text(f"trouble.{row['fault']}|trouble.other", fault=row["fault"]),
        )
        for row in await channel_faults.every(desk.tx)
    ]
    over = await channel_faults.lately(desk.tx, after_ms=desk.now_ms - DAY_MS, least_ms=WORTH_SAYING_MS)
    lines += [
        text(
            "trouble.was",
            channel=_part(row["channel"]),
            since_ms=row["since_ms"],
            until_ms=row["until_ms"],
            what=text(f"trouble.{row['was']}|trouble.other", fault=row["was"]),
        )
        for row in over
    ]
    aside = await outbox.unreadable(desk.tx, after_ms=desk.now_ms - DAY_MS)
    lines += [text("trouble.unreadable", count=aside)] if aside else []
    lines = [text("trouble.title"), *lines] if lines else []
    year = world.calendar.missing(world.day(desk.now_ms), CALENDAR_MONTH) if calendar else None
    lines += [text("trouble.calendar", year=str(year))] if year is not None else []
    return Say(on_lines(lines)) if lines else None


def _part(name: str) -> Words:
    return text(f"channel.{name}|trouble.part.{name}|trouble.part.other", name=name)
