"""The digest in WeCom's groups, and after it what waits too long, with calls to those who can do something about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from handlers.digests import rules
from handlers.digests.figures import Material, figures
from handlers.digests.rules import Figures, Overdue
from handlers.robots.rules import Matter
from handlers.robots.telling import groups, tell
from handlers.world import Desk
from storage.people import claims
from storage.product import digests

# What waits at a village, and who answers for it.
TICKETS, CLAIMS, CASES = "approve_weight", "confirm_household", "verify_case"
ByVillage = Mapping[int, int]


async def send(desk: Desk, material: Material, *, due_ms: int, expires_ms: int) -> None:
    """To every group its area's digest, and its overdue list when there is one; each once for the day."""
    world = desk.world
    if not world.robots:
        return
    day = material.period.day.isoformat()
    tickets, waiting_claims = await _long_waits(desk, material)
    for area in groups(world):
        found = await figures(desk, material, {area.area_id})
        say = rules.for_group(found) if material.areas else rules.no_data(found)
        await tell(desk, area, say, key=f"digest:{day}", due_ms=due_ms, expires_ms=expires_ms)
        late = rules.overdue(Overdue(found, _named(material, found, tickets), _named(material, found, waiting_claims)))
        if late is not None:
            about = [
                *(Matter(CASES, case.area_id) for case in found.cases.waiting),
                *(Matter(TICKETS, village_id) for village_id in tickets if found.scope.covers(village_id)),
                *(Matter(CLAIMS, village_id) for village_id in waiting_claims if found.scope.covers(village_id)),
            ]
            key = f"overdue:{day}"
            await tell(desk, area, late, key=key, due_ms=due_ms, expires_ms=expires_ms, about=about)


async def _long_waits(desk: Desk, material: Material) -> tuple[ByVillage, ByVillage]:
    """Tickets and household links of each village that wait since before the digest of the day before."""
    from_ms, until_ms = material.period.from_ms, material.period.until_ms
    rows = await digests.tickets_waiting(desk.tx, until_ms=until_ms, since_ms=from_ms)
    pending = await claims.all_pending(desk.tx)
    return (
        {row["village_id"]: row["tickets"] for row in rows},
        Counter(row["village_id"] for row in pending if row["created_ms"] < from_ms),
    )


def _named(material: Material, found: Figures, counts: ByVillage) -> Mapping[str, int]:
    """The counts of the villages of a digest's scope, by name."""
    return {
        area.name: counts[area.area_id]
        for area in material.areas
        if area.area_id in counts and found.scope.covers(area.area_id)
    }
