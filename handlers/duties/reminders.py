"""The clean-up's timers: reminders to the people in charge of each village (D21), and at the end the roll-call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bot.talk.messages import Button, Say, Text, on_lines, text
from bot.turn import Dispatch
from handlers.duties import groups, rules
from handlers.duties.planning import drop, horizon, plan_timer
from handlers.duties.rollcall import load, seen_by
from handlers.duties.villages import office, reporters
from handlers.duties.week import CleanupDay, cleanup_on
from handlers.people.charge import when_awake
from handlers.people.rules import reminder_due_ms
from handlers.world import Desk
from storage.people import people
from storage.product import duties

CADENCE = "friday"


async def plan(desk: Desk) -> None:
    """Write the timers of the clean-ups to come (and of those missed): each reminder, and the roll-call."""
    planned = await horizon(desk, CADENCE)
    for day in planned.days:
        cleanup = cleanup_on(desk.world, day)
        if cleanup is None:
            continue
        for index, planned_ms in enumerate(cleanup.reminders_ms):
            plan_timer(desk, CADENCE, "reminder", day, planned_ms, planned.since_ms, index)
        plan_timer(desk, CADENCE, "rollcall", day, cleanup.until_ms, planned.since_ms)


async def reminder_due(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: remind everyone in charge whose village has not reported; too late, it is dropped and counted."""
    cleanup = cleanup_on(desk.world, date.fromisoformat(payload["day"]))
    index: int = payload["index"]
    if cleanup is None or payload["planned_ms"] not in cleanup.reminders_ms[index : index + 1]:
        return
    planned_ms = cleanup.reminders_ms[index]
    in_charge = await reporters(desk)
    if desk.now_ms - planned_ms > cleanup.late_ms or desk.now_ms >= cleanup.until_ms:
        await drop(desk, CADENCE, cleanup.period, str(index), planned_ms, len(in_charge))
        return
    done = {row["village_id"] for row in await duties.reports(desk.tx, cleanup.period)}
    too_late = 0
    for person_id, villages in in_charge.items():
        missing = [area_id for area_id in villages if area_id not in done]
        if missing:
            too_late += await _remind(desk, person_id, missing, cleanup, index)
    if too_late:
        await drop(desk, CADENCE, cleanup.period, str(index), planned_ms, too_late)
    due_ms = desk.world.after_quiet_ms(desk.now_ms)
    if due_ms < cleanup.until_ms:
        await groups.remind(desk, cleanup, index, done, _when(desk, cleanup, due_ms), due_ms)


async def _remind(desk: Desk, person_id: int, villages: Sequence[int], cleanup: CleanupDay, index: int) -> bool:
    """Remind one person who wants it, outside quiet hours; True when those last until it is too late."""
    row = await people.person(desk.tx, person_id)
    wanted_ms = reminder_due_ms(row, desk.now_ms) if row else None
    if wanted_ms is None or wanted_ms >= cleanup.until_ms:
        return False
    due_ms = desk.world.after_quiet_ms(wanted_ms)
    if due_ms >= cleanup.until_ms:
        return True
    await desk.tell(
        person_id,
        Say(_reminder(desk, villages, cleanup, due_ms), buttons(cleanup)),
        Dispatch(
            f"{CADENCE}:{cleanup.period}:{index}",
            due_ms=due_ms,
            expires_ms=min(due_ms + cleanup.late_ms, cleanup.until_ms),
        ),
    )
    return False


def _reminder(desk: Desk, villages: Sequence[int], cleanup: CleanupDay, due_ms: int) -> Text:
    areas = desk.world.places.areas
    return text(
        "cleanup.reminder",
        when=_when(desk, cleanup, due_ms),
        villages="、".join(areas[one].name for one in villages if one in areas),
        until_ms=cleanup.until_ms,
    )


def _when(desk: Desk, cleanup: CleanupDay, due_ms: int) -> Text:
    """«明天（11月20日 周五）», as it is when the reminder is read."""
    away = (cleanup.day - desk.world.day(due_ms)).days
    key = {0: "cleanup.today", 1: "cleanup.tomorrow"}.get(away, "cleanup.on")
    return text(key, day_ms=cleanup.from_ms)


def buttons(cleanup: CleanupDay) -> tuple[tuple[Button, ...], ...]:
    """Report now, later, never again."""
    return (
        (Button(text("cleanup.now"), f"/cleanup {cleanup.period}", "primary"),),
        (
            Button(text("cleanup.later"), "/snooze cleanup"),
            Button(text("cleanup.never"), "/reminders off"),
        ),
    )


async def rollcall_due(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer at the end of reporting: the one-page report to staff, each for their villages, and to the groups."""
    cleanup = cleanup_on(desk.world, date.fromisoformat(payload["day"]))
    if cleanup is None or cleanup.until_ms != payload["planned_ms"]:
        return
    if desk.now_ms - cleanup.until_ms > cleanup.late_ms:
        await drop(desk, "rollcall", cleanup.period, "final", cleanup.until_ms)
        return
    how = when_awake(desk, f"{CADENCE}:{cleanup.period}:rollcall")
    for person_id, roles in (await office(desk)).items():
        roll = await load(desk, cleanup.day, seen_by(roles), as_of_ms=cleanup.until_ms)
        if roll.villages:
            await desk.tell(person_id, Say(on_lines(rules.page_lines(roll))), how)
    await groups.send_page(desk, cleanup, desk.world.after_quiet_ms(desk.now_ms))
