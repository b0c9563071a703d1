"""The digest in WeCom's groups, and after it what waits too long, with calls to those who can do something about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from handlers.digests import rules
from handlers.digests.figures import Material, figures, village_in
from handlers.digests.rules import Figures, Overdue
from handlers.robots.rules import Matter
from handlers.robots.telling import groups, tell
from handlers.world import Desk


async def send(desk: Desk, material: Material, *, due_ms: int, expires_ms: int) -> None:
    """To every group its area's digest, and its overdue list when there is one; each once for the day."""
    world = desk.world
    if not world.robots:
        return
    day, waits = material.period.day.isoformat(), world.declared.waits
    tickets, claims = _late(material, "film"), _late(material, "claims")
    for area in groups(world):
        found = await figures(desk, material, {area.area_id})
        say = rules.for_group(found) if material.areas else rules.no_data(found)
        await tell(desk, area, say, key=f"digest:{day}", due_ms=due_ms, expires_ms=expires_ms)
        overdue = rules.overdue(Overdue(found, _named(material, found, tickets), _named(material, found, claims)))
        if overdue is not None:
            about = [
                *(Matter(waits["cases"].right, case.area_id) for case in found.late_cases),
                *(Matter(waits["film"].right, village_id) for village_id in tickets if found.scope.covers(village_id)),
                *(Matter(waits["claims"].right, village_id) for village_id in claims if found.scope.covers(village_id)),
            ]
            key = f"overdue:{day}"
            await tell(desk, area, overdue, key=key, due_ms=due_ms, expires_ms=expires_ms, about=about)


def _late(material: Material, wait: str) -> Mapping[int, int]:
    """How many things of one kind wait too long in each village."""
    by_id = {area.area_id: area for area in material.areas}
    found = Counter[int]()
    for area_id, backlog in material.backlogs[wait].items():
        village = village_in(by_id, area_id)
        if backlog.late and village is not None:
            found[village.area_id] += backlog.late
    return found


def _named(material: Material, found: Figures, counts: Mapping[int, int]) -> Mapping[str, int]:
    """The counts of the villages of a digest's scope, by name."""
    return {
        area.name: counts[area.area_id]
        for area in material.areas
        if area.area_id in counts and found.scope.covers(area.area_id)
    }
