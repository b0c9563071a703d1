"""What waits for somebody: counted for the menu and «待办», by the waits that capabilities declare."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from bot.talk.spans import DAY_MS
from handlers.declared import Backlog, Wait
from handlers.people.rules import Held, may, roles_with
from handlers.world import Desk


async def waiting_for(desk: Desk, roles: Iterable[Held]) -> Mapping[str, Backlog]:
    """Count what waits for somebody with these roles: wait id → how many things, how many of them too long.

    Kinds of which nothing waits are left out; what has no deadline of its own waits too long after a day. It takes
    one query, on an index, for each kind that the person may decide, and none for a person who may decide nothing.
    """
    held = tuple(roles)
    found: dict[str, Backlog] = {}
    for wait in desk.world.declared.waits.values():
        allowed = roles_with(wait.right)
        if not any(role.name in allowed for role in held):
            continue
        by_area = await wait.by_area(desk.tx, desk.now_ms - DAY_MS, desk.now_ms + 1)
        theirs = areas_of(desk, held, wait, by_area)
        total = sum((by_area[area_id] for area_id in theirs), Backlog())
        if total.all:
            found[wait.id] = total
    return found


def areas_of(desk: Desk, roles: Iterable[Held], wait: Wait, area_ids: Iterable[int]) -> Collection[int]:
    """Pick those of some areas in which somebody with these roles decides about what waits."""
    held, covers = tuple(roles), desk.world.places.covers
    return [area_id for area_id in area_ids if may(held, wait.right, area_id, covers)]
