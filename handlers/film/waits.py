"""What waits in film: weights held for approval, and tickets that a household objected to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.declared import Backlog, Pending, Selection, Wait
from storage.database import Tx
from storage.product import film_figures


async def by_area(tx: Tx, from_ms: int, until_ms: int) -> Mapping[int, Backlog]:
    """Count tickets that wait for staff, by village."""
    found = await film_figures.waiting_by_village(tx, from_ms=from_ms, until_ms=until_ms)
    return {village_id: Backlog(*counts) for village_id, counts in found.items()}


async def rows(tx: Tx, wanted: Selection) -> Sequence[Pending]:
    """List tickets that wait for staff."""
    found = await film_figures.waiting(
        tx,
        until_ms=wanted.until_ms,
        village_ids=wanted.area_ids,
        before_ms=wanted.from_ms if wanted.late_only else None,
        limit=wanted.limit,
    )
    return [
        Pending(row["village_id"], row["since_ms"], row["number"], row["kind"], late=row["since_ms"] < wanted.from_ms)
        for row in found
    ]


# Staff decide both kinds, the one by approve_weight, the other by correct_film: the same roles have both.
WAITING = Wait("film", "approve_weight", "/todo film", "/ticket", "film.state.", by_area, rows)
