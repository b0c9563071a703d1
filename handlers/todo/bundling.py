"""Notices of what waits, one by one while they are few; above the policy's number in an hour they come together.

What is urgent has a higher number of its own, and the first of each village in an hour always comes at once. A bundle
says what waits of what has come, as «待办» counts it, and nothing once colleagues have decided all of it; it ends by
itself, as soon as an hour has fewer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from bot.talk.messages import Button, Say, Text, on_lines, text
from bot.talk.spans import DAY_MS, MINUTE_MS
from bot.turn import Dispatch, Role
from handlers.declared import Leaver, Pending, Selection
from handlers.people.actions import area_name
from handlers.people.charge import tell_each, when_awake
from handlers.todo.rules import NoticeSeries, Tally, tallied
from handlers.waiting import areas_of, waiting_for
from handlers.world import Desk
from storage.people import bundles, people

BUNDLE = "todo.bundle"
COUNTED = 10_000


async def tell_of_waiting(
    desk: Desk,
    person_ids: Iterable[int],
    wait: str,
    pending: Pending,
    say: Say | Callable[[str], Say],
    how: Dispatch,
    *,
    about: str = "",
) -> int:
    """Tell each of those who decide of one more thing of a kind that waits; how many are told, now or in a bundle.

    `pending`: as `wait`'s rows give it. `about`: what else there is to be told of such things than that they came.
    """
    series, told = NoticeSeries(wait, about, how.urgent), 0
    for person_id in dict.fromkeys(person_ids):
        if await _one_by_one(desk, person_id, series, pending):
            told += await tell_each(desk, [person_id], say, how)
        else:
            await bundles.gather(desk.tx, person_id, series.name, pending.number)
            told += 1
    return told


async def _one_by_one(desk: Desk, person_id: int, series: NoticeSeries, pending: Pending) -> bool:
    """Whether somebody is to be told of this one now; else it is gathered."""
    village = desk.world.places.village_of(pending.area_id)
    first = series.urgent and await _is_first(desk, person_id, series, village.area_id if village else pending.area_id)
    return await _counted(desk, person_id, series) or first


async def _is_first(desk: Desk, person_id: int, series: NoticeSeries, place_id: int) -> bool:
    """Whether it is the first of its place in an hour."""
    name = series.of_place(place_id)
    row = await bundles.tally(desk.tx, person_id, name)
    before = Tally(row["from_ms"], row["told"]) if row is not None else None
    after = tallied(before, desk.now_ms, desk.now_ms, 1)
    if after.gathered_ms is not None:
        return False
    await bundles.put(desk.tx, person_id, name, from_ms=after.from_ms, told=after.told, gathered_ms=None)
    return True


async def _counted(desk: Desk, person_id: int, series: NoticeSeries) -> bool:
    """Count one more, and plan a bundle when it is one too many. What quiet hours hold back arrives together when they
    end, and counts as that hour's.
    """
    policy, world = desk.world.policy.notices, desk.world
    most = policy.urgent_one_by_one_an_hour if series.urgent else policy.one_by_one_an_hour
    minutes = policy.urgent_bundle_minutes if series.urgent else policy.bundle_minutes
    arrives_ms = desk.now_ms if series.urgent else world.after_quiet_ms(desk.now_ms)
    row = await bundles.tally(desk.tx, person_id, series.name)
    before = Tally(row["from_ms"], row["told"], row["since_ms"]) if row is not None else None
    after = tallied(before, arrives_ms, desk.now_ms, most)
    if after == before:  # a bundle is open already
        return False
    await bundles.put(
        desk.tx, person_id, series.name, from_ms=after.from_ms, told=after.told, gathered_ms=after.gathered_ms
    )
    if after.gathered_ms is None:
        return True
    if before is None or before.gathered_ms is None:
        fire_ms = arrives_ms + minutes * MINUTE_MS
        key = f"{BUNDLE}:{person_id}:{series.name}:{after.gathered_ms}"
        fire_ms = fire_ms if series.urgent else world.after_quiet_ms(fire_ms)
        desk.later(BUNDLE, key, fire_ms, person_id=person_id, wait=series.name)
    return False


async def tell_bundle(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: say how many have come that still wait, with the button that lists them; of what is urgent also where."""
    person_id, series = int(payload["person_id"]), NoticeSeries.named(str(payload["wait"]))
    row = await bundles.tally(desk.tx, person_id, series.name)
    if row is None or row["since_ms"] is None or series.wait not in desk.world.declared.waits:
        return
    await bundles.put(desk.tx, person_id, series.name, from_ms=row["from_ms"], told=row["told"], gathered_ms=None)
    roles = [Role(one["role"], one["area_id"]) for one in await people.roles_of_person(desk.tx, person_id)]
    came = await _still_waiting(desk, roles, series, await bundles.take(desk.tx, person_id, series.name))
    if not came:
        return
    all_of_it = (await waiting_for(desk, roles))[series.wait].all
    lines = [text(f"todo.came.{series.name}", count=len(came), all=all_of_it), *(_places(desk, came, series))]
    say = Say(on_lines(lines), ((Button(text("todo.look"), f"/todo {series.wait}", "primary"),),))
    key = f"{BUNDLE}:{person_id}:{series.name}:{row['since_ms']}"
    await desk.tell(person_id, say, when_awake(desk, key, urgent=series.urgent))


async def _still_waiting(
    desk: Desk, roles: Collection[Role], series: NoticeSeries, gathered: Collection[str]
) -> list[Pending]:
    """What was gathered for somebody with these roles and is not decided yet."""
    wait = desk.world.declared.waits[series.wait]
    theirs = areas_of(desk, roles, wait, desk.world.places.areas)
    wanted = Selection(desk.now_ms - DAY_MS, desk.now_ms + 1, limit=COUNTED, area_ids=theirs)
    rows = await wait.rows(desk.tx, wanted) if theirs else ()
    return [one for one in rows if one.number in gathered]


def _places(desk: Desk, came: Iterable[Pending], series: NoticeSeries) -> list[Text]:
    """Where what is urgent has come from, the most first."""
    counted = Counter(one.area_id for one in came).most_common() if series.urgent else ()
    places = desk.world.places
    return [text("todo.came.place", area=area_name(places, area_id), count=count) for area_id, count in counted]


async def of_person(desk: Desk, leaver: Leaver) -> None:
    """Remove what somebody who leaves was told."""
    await bundles.forget(desk.tx, leaver.person_id)
