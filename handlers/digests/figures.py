"""Reading a day's figures: what everybody's digest shares in one read a family, the rest by scope."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from bot.talk.spans import DAY_MS, HOUR_MS
from handlers.declared import Backlog, ByArea, Selection, read_figures
from handlers.digests import rules
from handlers.digests.rules import AreaThen, Figures, LateCase, Scope
from handlers.duties.rollcall import load
from handlers.duties.rules import Rollcall
from handlers.duties.week import cleanup_on
from handlers.policy.model import PolicyVersion
from handlers.policy.rules import NoPolicy
from handlers.world import Desk, World
from storage.database import Row
from storage.product import digests, duties


@dataclass(frozen=True, slots=True)
class Period:
    """A day's digest covers `[from_ms, until_ms)`; `over`: nothing more can happen in it; `ran`: it has a run."""

    day: date
    from_ms: int
    until_ms: int
    version: PolicyVersion
    is_cleanup: bool
    over: bool
    ran: bool


def policy_on(world: World, day: date) -> PolicyVersion | None:
    """The policy that a day begins with; None before the first."""
    try:
        return world.policy_at(world.moment_ms(day, time()))
    except NoPolicy:
        return None


def digest_ms(world: World, day: date) -> int | None:
    """When a day's digest is due; None before the first policy."""
    version = policy_on(world, day)
    return world.moment_ms(day, version.policy.digest.at) if version else None


async def period_of(desk: Desk, day: date) -> Period | None:
    """From the day before's digest to this one's (or to now); as it was when it ran. None before the first policy."""
    world = desk.world
    run = await digests.run_of(desk.tx, day.isoformat())
    if run is not None:
        version = next(one for one in world.policies.versions if one.version == run["policy_version"])
        return Period(day, run["from_ms"], run["until_ms"], version, bool(run["is_cleanup"]), over=True, ran=True)
    due_ms, version_now = digest_ms(world, day), policy_on(world, day)
    if due_ms is None or version_now is None:
        return None
    before = day - timedelta(days=1)
    run_before = await digests.run_of(desk.tx, before.isoformat())
    from_ms = run_before["until_ms"] if run_before else digest_ms(world, before)
    if from_ms is None:
        from_ms = world.moment_ms(before, version_now.policy.digest.at)
    over = due_ms <= desk.now_ms
    until_ms = due_ms if over else max(from_ms, desk.now_ms + 1)
    return Period(day, from_ms, until_ms, version_now, cleanup_on(world, day) is not None, over, ran=False)


async def since_closing(desk: Desk, period: Period) -> Period | None:
    """What came since today's digest was closed, until now: tomorrow's will count it. None of any other day's."""
    if not period.over or period.day != desk.world.day(desk.now_ms):
        return None
    following = await period_of(desk, period.day + timedelta(days=1))
    return replace(following, is_cleanup=False) if following else None  # tomorrow's clean-up has not begun


@dataclass(frozen=True, slots=True)
class Material:
    """What the digests of a period share, still by area."""

    period: Period
    areas: tuple[AreaThen, ...]
    values: Mapping[str, ByArea]
    backlogs: Mapping[str, Mapping[int, Backlog]]
    due: Mapping[str, ByArea]
    cleaned: tuple[Rollcall, ...]
    dropped: Mapping[str, int]
    undelivered: Sequence[Row] | None


def unread_ms(period: Period) -> int:
    """How long a message may wait for its reader before it counts as not delivered, by the period's policy."""
    return period.version.policy.digest.unread_days * DAY_MS


async def read(desk: Desk, period: Period) -> Material:
    """Read the figures of the period and what waited at its end, once for everybody's digest."""
    declared = desk.world.declared
    tx, from_ms, until_ms = desk.tx, period.from_ms, period.until_ms
    soon_ms = until_ms + period.version.policy.digest.soon_hours * HOUR_MS
    rows = await duties.areas_at(tx, until_ms)
    undelivered: Sequence[Row] | None = None
    if period.ran:
        undelivered = await digests.undelivered_then(tx, period.day.isoformat())
    elif not period.over:
        undelivered = await digests.undelivered_now(tx, from_ms=from_ms, until_ms=until_ms, unread_ms=unread_ms(period))
    return Material(
        period=period,
        areas=tuple(
            AreaThen(row["area_id"], row["parent_id"], row["level"], row["name"], bool(row["gone"])) for row in rows
        ),
        values=await read_figures((declared.figures[name] for name in rules.FIGURES), tx, from_ms, until_ms),
        backlogs={name: await declared.waits[name].by_area(tx, from_ms, until_ms) for name in rules.WAITS},
        due={name: await due(tx, until_ms, soon_ms) for name in rules.WAITS if (due := declared.waits[name].due)},
        cleaned=await _cleaned(desk, period),
        dropped=await duties.drops(tx, from_ms=from_ms, until_ms=until_ms),
        undelivered=undelivered,
    )


async def _cleaned(desk: Desk, period: Period) -> tuple[Rollcall, ...]:
    """The roll of the period's own clean-up, and of every day about which villages wrote in the period."""
    days = set(await duties.days_reported(desk.tx, from_ms=period.from_ms, until_ms=period.until_ms))
    if period.is_cleanup:
        days.add(period.day.isoformat())
    return tuple([await load(desk, date.fromisoformat(day), as_of_ms=period.until_ms) for day in sorted(days)])


async def figures(desk: Desk, material: Material, roots: Collection[int]) -> Figures:
    """The figures of a period for somebody in charge of `roots`."""
    world = desk.world
    period, scope = material.period, rules.scope_of(material.areas, roots)
    backlogs = {
        name: sum((one for area_id, one in by_area.items() if scope.covers(area_id)), Backlog())
        for name, by_area in material.backlogs.items()
    }
    return Figures(
        township=world.name,
        day_ms=world.moment_ms(period.day, time()),
        from_ms=period.from_ms,
        until_ms=period.until_ms,
        over=period.over,
        scope=scope,
        values={name: _sum(by_area, scope) for name, by_area in material.values.items()},
        waiting={name: backlog.all for name, backlog in backlogs.items()},
        late={name: backlog.late for name, backlog in backlogs.items()},
        soon={name: _sum(by_area, scope) for name, by_area in material.due.items()},
        late_cases=await _late_cases(desk, material, scope) if backlogs["cases"].late else (),
        cleaning=tuple(roll.within(scope.village_ids) for roll in material.cleaned if scope.village_ids),
        dropped=material.dropped,
        undelivered=_undelivered(material.undelivered, scope),
    )


def _sum(by_area: ByArea, scope: Scope) -> int:
    return sum(value for area_id, value in by_area.items() if scope.covers(area_id))


async def _late_cases(desk: Desk, material: Material, scope: Scope) -> tuple[LateCase, ...]:
    """The cases of a scope that wait too long, the longest first, as many as the policy shows."""
    period = material.period
    wanted = Selection(
        period.from_ms,
        period.until_ms,
        limit=period.version.policy.digest.waiting_shown_largest,
        area_ids=None if scope.whole else scope.area_ids,
        late_only=True,
    )
    by_id = {area.area_id: area for area in material.areas}
    return tuple(
        LateCase(one.number, one.kind, _village(by_id, one.area_id), period.until_ms - one.since_ms, one.area_id)
        for one in await desk.world.declared.waits["cases"].rows(desk.tx, wanted)
    )


def village_in(by_id: Mapping[int, AreaThen], area_id: int) -> AreaThen | None:
    """The village that an area was or lay in at the period's end; the town itself."""
    area = by_id.get(area_id)
    if area is not None and area.level == "hamlet" and area.parent_id is not None:
        return by_id.get(area.parent_id, area)
    return area


def _village(by_id: Mapping[int, AreaThen], area_id: int) -> str:
    area = village_in(by_id, area_id)
    return area.name if area else ""


def _undelivered(rows: Sequence[Row] | None, scope: Scope) -> Mapping[str, int] | None:
    if rows is None:
        return None
    found: dict[str, int] = {}
    for row in rows:
        if scope.covers(row["area_id"]):
            found[row["state"]] = found.get(row["state"], 0) + row["messages"]
    return found
