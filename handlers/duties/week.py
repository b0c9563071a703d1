"""The clean-up of a day as the policy in force and the working calendar have it (D21)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta

from bot.talk.spans import MINUTE_MS
from handlers.duties import rules
from handlers.policy.cadence import Friday
from handlers.policy.rules import NoPolicy
from handlers.world import World

LOOK_DAYS = 21


@dataclass(frozen=True, slots=True)
class CleanupDay:
    """A clean-up: its day, when its reminders are due, until when villages answer, the policy it follows."""

    day: date
    from_ms: int
    reminders_ms: tuple[int, ...]
    until_ms: int
    friday: Friday

    @property
    def period(self) -> str:
        """The day as the keys of its timers and messages name it."""
        return self.day.isoformat()

    @property
    def late_ms(self) -> int:
        """How late a reminder may still be sent."""
        return self.friday.late_drop_minutes * MINUTE_MS


def friday_policy(world: World, day: date) -> Friday | None:
    """The clean-up's policy on a day; None before the first policy."""
    try:
        return world.policy_at(world.moment_ms(day, time())).policy.friday
    except NoPolicy:
        return None


def cleanup_on(world: World, day: date) -> CleanupDay | None:
    """The clean-up that takes place on a day, if any."""
    for nominal in rules.week_of(day):
        friday = friday_policy(world, nominal)
        if friday is None or friday.weekday != nominal.isoweekday():
            continue
        if rules.cleanup_day(nominal, friday.on_holiday, world.calendar.is_workday) == day:
            return _cleanup(world, day, friday)
    return None


def _cleanup(world: World, day: date, friday: Friday) -> CleanupDay:
    reminders = (
        world.moment_ms(rules.reminder_day(day, friday.weekday, one.weekday), one.at) for one in friday.reminders
    )
    return CleanupDay(
        day, world.moment_ms(day, time()), tuple(reminders), world.moment_ms(day, friday.report_until), friday
    )


def _nearest(world: World, day: date, step: int, found: Callable[[CleanupDay], bool]) -> CleanupDay | None:
    for away in range(LOOK_DAYS):
        cleanup = cleanup_on(world, day + timedelta(days=step * away))
        if cleanup is not None and found(cleanup):
            return cleanup
    return None


def last_cleanup(world: World, day: date) -> CleanupDay | None:
    """The clean-up of that day, or the last one before it."""
    return _nearest(world, day, -1, lambda _: True)


def next_cleanup(world: World, now_ms: int) -> CleanupDay | None:
    """The next clean-up that is not over yet."""
    return _nearest(world, world.day(now_ms), 1, lambda cleanup: cleanup.until_ms > now_ms)


def skipped_this_week(world: World, day: date) -> date | None:
    """The day on which this week's clean-up would have been, when a holiday takes it away."""
    for nominal in rules.week_of(day):
        friday = friday_policy(world, nominal)
        if friday is not None and friday.weekday == nominal.isoweekday():
            moved = rules.cleanup_day(nominal, friday.on_holiday, world.calendar.is_workday)
            return nominal if moved is None else None
    return None
