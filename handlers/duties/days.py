"""Which day a village's report is about: said, plain, or asked; and how old it may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Doubt, Option
from bot.talk.messages import Text, text
from handlers.duties import rules
from handlers.duties.week import cleanup_on, last_cleanup
from handlers.world import Turn, World

OLDEST_DAYS = 31
UNSAID = "unsaid"  # the day was not even meant to be said: a bare line on no clean-up day
NAMED_DAYS = 2  # 今天, 昨天, 前天


def _days(world: World, today: date) -> list[date]:
    """The days that a report may be about when none is said."""
    late_days = world.policy.friday.late_days
    return rules.report_days(today, lambda day: cleanup_on(world, day) is not None, late_days)


def the_day(world: World, today: date) -> date | None:
    """The day that a report is about when none is said; None where that must be asked."""
    days = _days(world, today)
    return days[0] if len(days) == 1 else None


def recent_cleanup(world: World, today: date) -> date | None:
    """The last clean-up, if it was so lately that a report may still be about it."""
    days = _days(world, today)
    return days[-2] if len(days) > 1 else None


async def days_near(turn: Turn, _: Mapping[str, Any]) -> Sequence[Option]:
    """The days to choose from: «昨天 11月20日 周五», «今天 11月21日 周六»; the last clean-up however long ago."""
    world = turn.world
    today = world.day(turn.now_ms)
    days = _days(world, today)
    last = last_cleanup(world, today) if len(days) == 1 else None
    if last is not None and last.day not in days:
        days.insert(0, last.day)
    return [Option(day.isoformat(), _named(world, day, today)) for day in days]


async def suppose_last(turn: Turn, answers: Mapping[str, Any]) -> Doubt | None:
    """The last clean-up, of a bare line that came a few days after it: to be confirmed («报昨天 11月20日 周五的？»)."""
    world = turn.world
    today = world.day(turn.now_ms)
    last = recent_cleanup(world, today) if answers.get(UNSAID) else None
    return Doubt(last.isoformat(), "last", {"day": _named(world, last, today)}) if last is not None else None


def _named(world: World, day: date, today: date) -> Text:
    away = (today - day).days
    return text(f"cleanup.day.{away if away <= NAMED_DAYS else 'other'}", day_ms=world.moment_ms(day, time()))


def check_day(turn: Turn, day: date, step: str | None) -> None:
    """Refuse a day to come, and one too long ago. Raises PersonError."""
    world = turn.world
    today = world.day(turn.now_ms)
    if day > today:
        raise PersonError("cleanup_not_yet", step=step, day_ms=world.moment_ms(day, time()))
    if day < today - timedelta(days=OLDEST_DAYS):
        raise PersonError("cleanup_too_old", step=step, days=OLDEST_DAYS)
