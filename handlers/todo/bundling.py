"""Notices of what waits, one by one while they are few; above the policy's number in an hour they come together.

What is urgent is never gathered. A bundle says what waits of what has come, as «待办» counts it, and nothing once
colleagues have decided all of it; it ends by itself, as soon as an hour has fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.talk.messages import Button, Say, text
from bot.talk.spans import DAY_MS, MINUTE_MS
from bot.turn import Dispatch, Role
from handlers.declared import Leaver, Selection
from handlers.people.charge import tell_each, when_awake
from handlers.todo.rules import Tally, tallied
from handlers.waiting import areas_of, waiting_for
from handlers.world import Desk
from storage.people import bundles, people

BUNDLE = "todo.bundle"
COUNTED = 10_000


async def tell_of_waiting(
    desk: Desk, person_ids: Iterable[int], wait: str, number: str, say: Say, how: Dispatch
) -> int:
    """Tell each of those who decide of one more thing of a kind that waits; how many are told, now or in a bundle.

    `number`: what `wait`'s rows call it.
    """
    if how.urgent:
        return await tell_each(desk, person_ids, say, how)
    told = 0
    for person_id in dict.fromkeys(person_ids):
        if await _one_by_one(desk, person_id, wait):
            told += await tell_each(desk, [person_id], say, how)
        else:
            await bundles.gather(desk.tx, person_id, wait, number)
            told += 1
    return told


async def _one_by_one(desk: Desk, person_id: int, wait: str) -> bool:
    """Whether somebody is to be told of this one now; else it is gathered. What quiet hours hold back arrives together
    when they end, and counts as that hour's.
    """
    policy, arrives_ms = desk.world.policy.notices, desk.world.after_quiet_ms(desk.now_ms)
    row = await bundles.tally(desk.tx, person_id, wait)
    before = Tally(row["from_ms"], row["told"], row["since_ms"]) if row is not None else None
    after = tallied(before, arrives_ms, desk.now_ms, policy.one_by_one_an_hour)
    if after == before:  # a bundle is open already
        return False
    await bundles.put(desk.tx, person_id, wait, from_ms=after.from_ms, told=after.told, gathered_ms=after.gathered_ms)
    if after.gathered_ms is None:
        return True
    if before is None or before.gathered_ms is None:
        fire_ms = desk.world.after_quiet_ms(arrives_ms + policy.bundle_minutes * MINUTE_MS)
        key = f"{BUNDLE}:{person_id}:{wait}:{after.gathered_ms}"
        desk.later(BUNDLE, key, fire_ms, person_id=person_id, wait=wait)
    return False


async def tell_bundle(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: say how many have come that still wait, with the button that lists them."""
    person_id, name = int(payload["person_id"]), str(payload["wait"])
    row, wait = await bundles.tally(desk.tx, person_id, name), desk.world.declared.waits.get(name)
    if row is None or row["since_ms"] is None or wait is None:
        return
    await bundles.put(desk.tx, person_id, name, from_ms=row["from_ms"], told=row["told"], gathered_ms=None)
    roles = [Role(one["role"], one["area_id"]) for one in await people.roles_of_person(desk.tx, person_id)]
    theirs = areas_of(desk, roles, wait, desk.world.places.areas)
    wanted = Selection(desk.now_ms - DAY_MS, desk.now_ms + 1, limit=COUNTED, area_ids=theirs)
    rows = await wait.rows(desk.tx, wanted) if theirs else ()
    gathered = await bundles.take(desk.tx, person_id, name)
    came = sum(one.number in gathered for one in rows)
    if not came:
        return
    all_of_it = (await waiting_for(desk, roles))[name].all
    say = Say(
        text(f"todo.came.{name}", count=came, all=all_of_it),
        ((Button(text("todo.look"), f"/todo {name}", "primary"),),),
    )
    await desk.tell(person_id, say, when_awake(desk, f"{BUNDLE}:{person_id}:{name}:{row['since_ms']}"))


async def of_person(desk: Desk, leaver: Leaver) -> None:
    """Remove what somebody who leaves was told."""
    await bundles.forget(desk.tx, leaver.person_id)
