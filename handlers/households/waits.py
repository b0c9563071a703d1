"""What waits among people: who says that a household is theirs, or that they act for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.declared import Backlog, Pending, Selection, Wait
from storage.database import Tx
from storage.people import claims


async def by_area(tx: Tx, from_ms: int, until_ms: int) -> Mapping[int, Backlog]:
    """Count claims that nobody has decided yet, by the household's area. What was decided since does not count."""
    found = await claims.pending_by_area(tx, from_ms=from_ms, until_ms=until_ms)
    return {area_id: Backlog(*counts) for area_id, counts in found.items()}


async def rows(tx: Tx, wanted: Selection) -> Sequence[Pending]:
    """List those claims by the household's card."""
    before_ms = wanted.from_ms if wanted.late_only else wanted.until_ms
    found = [
        Pending(row["area_id"], row["created_ms"], row["card_no"], row["relation"], row["created_ms"] < wanted.from_ms)
        for row in await claims.all_pending(tx)
        if row["created_ms"] < before_ms and (wanted.area_ids is None or row["area_id"] in wanted.area_ids)
    ]
    return found[: wanted.limit]


CLAIMS = Wait("claims", "confirm_household", "/claims", "", "", by_area, rows)
