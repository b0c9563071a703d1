"""Whose villages: which ones a person reports for, which ones they see, who reports for a village."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.turn import Role
from handlers.areas.places import Area
from handlers.people.rules import Held, may, named_for, roles_with
from handlers.world import Desk, World
from storage.people import people


def reports_for(world: World, roles: Iterable[Held]) -> list[Area]:
    """The villages that somebody may report for: those they cover, and the one that their hamlet belongs to."""
    held = tuple(roles)
    home = {
        village.area_id
        for role in held
        if role.name in roles_with("report_cleanup") and (village := world.places.village_of(role.area_id))
    }
    return [
        village
        for village in world.places.villages
        if village.area_id in home or may(held, "report_cleanup", village.area_id, world.places.covers)
    ]


async def reporters(desk: Desk) -> Mapping[int, Sequence[int]]:
    """The people in charge of villages (their keepers and cleaners): person id → village ids, each person once."""
    world = desk.world
    found: dict[int, list[int]] = {}
    for row in await people.holders(desk.tx, sorted(named_for("report_cleanup"))):
        village = world.places.village_of(row["area_id"])
        if village is not None:
            villages = found.setdefault(row["person_id"], [])
            if village.area_id not in villages:
                villages.append(village.area_id)
    return found


async def office(desk: Desk) -> Mapping[int, tuple[Role, ...]]:
    """Those who get the roll-call: person id → their roles at the township."""
    found: dict[int, tuple[Role, ...]] = {}
    for row in await people.holders(desk.tx, sorted(roles_with("get_rollcall"))):
        found[row["person_id"]] = (*found.get(row["person_id"], ()), Role(row["role"], row["area_id"]))
    return found
