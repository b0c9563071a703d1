"""Planning a cadence ahead, with rows: each period gets its timers once, also after a long downtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from handlers.world import Desk
from storage.product import duties

AHEAD_DAYS = 8
BEHIND_DAYS = 62


@dataclass(frozen=True, slots=True)
class Horizon:
    """The days to plan now; nothing was due before `since_ms`, when the cadence was planned for the first time."""

    days: Sequence[date]
    since_ms: int


async def horizon(desk: Desk, cadence: str) -> Horizon:
    """The days from where planning stopped (at most `BEHIND_DAYS` ago) to `AHEAD_DAYS` ahead; remembers it."""
    today = desk.world.day(desk.now_ms)
    last = today + timedelta(days=AHEAD_DAYS)
    known = await duties.cadence(desk.tx, cadence)
    since_ms = known["since_ms"] if known else desk.now_ms
    first = today
    if known is not None:
        stopped = date.fromisoformat(known["planned_through"]) + timedelta(days=1)
        first = max(min(today, stopped), today - timedelta(days=BEHIND_DAYS))
    if known is None or known["planned_through"] != last.isoformat():
        await duties.planned(desk.tx, cadence, since_ms=since_ms, through=last.isoformat())
    return Horizon([first + timedelta(days=at) for at in range((last - first).days + 1)], since_ms)


def plan_timer(desk: Desk, cadence: str, part: str, day: date, planned_ms: int, since_ms: int, index: int = 0) -> None:
    """Write one timer of a period. The time is part of its key, so that a changed policy plans it anew.

    The timer's action checks that its time is still the policy's; messages carry a key of their period, so that
    nobody is told twice either way.
    """
    if planned_ms >= since_ms:
        key = f"{cadence}:{day.isoformat()}:{part}:{index}:{planned_ms}"
        desk.later(f"{cadence}.{part}", key, planned_ms, day=day.isoformat(), index=index, planned_ms=planned_ms)


async def drop(desk: Desk, cadence: str, period: str, part: str, planned_ms: int, people: int = 0) -> None:
    """Count something that came too late to be sent."""
    await duties.add_drop(
        desk.tx,
        drop_id=desk.ids.next(),
        cadence=cadence,
        period=period,
        part=part,
        people=people,
        planned_ms=planned_ms,
        now_ms=desk.now_ms,
    )
