"""The daily digest: planned, sent at its hour to everyone with the right, and any day again on demand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.errors import PersonError
from bot.talk.form import read_day
from bot.talk.messages import Say
from bot.talk.spans import DAY_MS, MINUTE_MS
from bot.turn import Dispatch, Role
from handlers.digests import groups, rules
from handlers.digests.figures import (
    Material,
    Period,
    digest_ms,
    figures,
    period_of,
    policy_on,
    read,
    since_closing,
    unread_ms,
)
from handlers.digests.troubles import is_calendar_day, troubles
from handlers.duties.planning import drop, horizon, plan_timer
from handlers.people.actions import private
from handlers.people.rules import may, roles_with
from handlers.world import Desk, Turn
from storage.people import people
from storage.product import digests

CADENCE = "digest"
RIGHT = "see_digest"


async def plan(desk: Desk) -> None:
    """Write the timers of the digests to come, and of those missed."""
    planned = await horizon(desk, CADENCE)
    for day in planned.days:
        due_ms = digest_ms(desk.world, day)
        if due_ms is not None:
            plan_timer(desk, CADENCE, "send", day, due_ms, planned.since_ms)


async def digest_due(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: record the run, then send it to everyone who may see it and to the groups; too late, it is counted."""
    day = date.fromisoformat(payload["day"])
    version = policy_on(desk.world, day)
    period = await period_of(desk, day)
    if version is None or period is None or not period.over or payload["planned_ms"] != digest_ms(desk.world, day):
        return
    period = await _record(desk, period)
    late_ms = version.policy.digest.late_drop_minutes * MINUTE_MS
    if desk.now_ms - period.until_ms > late_ms:
        await drop(desk, CADENCE, day.isoformat(), "", period.until_ms)
        return
    due_ms = desk.world.after_quiet_ms(desk.now_ms)
    expires_ms = max(period.until_ms + late_ms, due_ms + late_ms)
    roles = await _readers(desk)
    if not (roles or desk.world.robots):
        return
    material = await read(desk, period)
    for person_id, say in (await _digests(desk, material, roles)).items():
        await desk.tell(person_id, say, Dispatch(f"{CADENCE}:{day.isoformat()}", due_ms=due_ms, expires_ms=expires_ms))
        trouble = await troubles(desk, _roots(roles[person_id]), calendar=is_calendar_day(day))
        if trouble is not None:
            key = f"trouble:{day.isoformat()}"
            await desk.tell(person_id, trouble, Dispatch(key, due_ms=due_ms, expires_ms=expires_ms))
    await groups.send(desk, material, due_ms=due_ms, expires_ms=expires_ms)


async def _record(desk: Desk, period: Period) -> Period:
    """Write down, once, what no event will tell again; from then on the period is that of its run."""
    await digests.add_run(
        desk.tx,
        period.day.isoformat(),
        from_ms=period.from_ms,
        until_ms=period.until_ms,
        policy_version=period.version.version,
        is_cleanup=period.is_cleanup,
        unread_ms=unread_ms(period),
        now_ms=desk.now_ms,
    )
    return await period_of(desk, period.day) or period


async def _readers(desk: Desk) -> Mapping[int, tuple[Role, ...]]:
    """Everyone with the right, and the roles that give it."""
    roles: dict[int, tuple[Role, ...]] = {}
    for row in await people.holders(desk.tx, sorted(roles_with(RIGHT))):
        roles[row["person_id"]] = (*roles.get(row["person_id"], ()), Role(row["role"], row["area_id"]))
    return roles


async def _digests(desk: Desk, material: Material, readers: Mapping[int, tuple[Role, ...]]) -> Mapping[int, Say]:
    """Everyone's digest by person; people in charge of the same areas share one."""
    composed: dict[tuple[frozenset[int], bool, frozenset[str]], Say] = {}
    found: dict[int, Say] = {}
    for person_id, held in readers.items():
        key = _roots(held), may(held, "see_cases"), _decides(desk, held)
        if key not in composed:
            composed[key] = await _say(desk, material, *key)
        found[person_id] = composed[key]
    return found


def _roots(roles: tuple[Role, ...]) -> frozenset[int]:
    """The areas for which roles show the digest."""
    allowed = roles_with(RIGHT)
    return frozenset(role.area_id for role in roles if role.name in allowed)


def _decides(desk: Desk, roles: tuple[Role, ...]) -> frozenset[str]:
    """The waits that somebody with these roles may decide."""
    return frozenset(name for name in rules.WAITS if may(roles, desk.world.declared.waits[name].right))


async def _say(
    desk: Desk,
    material: Material,
    roots: frozenset[int],
    with_buttons: bool,
    decides: frozenset[str],
    since: Material | None = None,
) -> Say:
    found = await figures(desk, material, roots)
    if not material.areas:
        return rules.no_data(found)
    later = await figures(desk, since, roots) if since is not None else None
    return rules.compose(found, with_buttons=with_buttons, decides=decides, since=later)


def is_asked_for_now(said: str) -> bool:
    """Whether a digest is asked for as of now, not by a date, of which it says the same for ever."""
    return not said.strip()[:1].isdigit()


async def read_since(desk: Desk, period: Period) -> Material | None:
    """What came since today's digest was closed; None of any other day's."""
    running = await since_closing(desk, period)
    return await read(desk, running) if running is not None else None


async def digest(turn: Turn, args: str) -> None:
    """`/digest [day]`: the figures of today until now, or any day's again, the same as they were."""
    private(turn)
    world = turn.world
    today = world.day(turn.now_ms)
    said = args.strip()
    day = read_day(said, today) if said else today
    if day is None:
        raise PersonError("digest_day", said=said[:20])
    if day > today:
        raise PersonError("digest_not_yet")
    period = await period_of(turn, day)
    if period is None:
        raise PersonError("digest_before")
    if period.over and not period.ran and turn.now_ms - period.until_ms < DAY_MS:
        period = await _record(turn, period)
    roles = turn.person.roles
    material = await read(turn, period)
    since = await read_since(turn, period) if is_asked_for_now(said) else None
    turn.reply(await _say(turn, material, _roots(roles), may(roles, "see_cases"), _decides(turn, roles), since))
    trouble = await troubles(turn, _roots(roles)) if day == today else None
    if trouble is not None:
        turn.reply(trouble)
