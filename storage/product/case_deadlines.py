"""Cases whose deadline is near, counted as they stood at a moment."""

from __future__ import annotations

from storage.database import Tx
from storage.product.cases import UNDECIDED


async def due_by_area(tx: Tx, *, until_ms: int, before_ms: int) -> dict[int, int]:
    """How many cases of each area were not decided at `until_ms` and had to be in `[until_ms, before_ms)`."""
    each = " UNION ALL ".join(
        f"SELECT area_id FROM cases WHERE township_id = :t AND {condition} AND received_ms < :until_ms"
        " AND late_ms >= :until_ms AND late_ms < :before_ms"
        for condition in UNDECIDED
    )
    rows = await tx.all(
        f"SELECT area_id, COUNT(*) AS n FROM ({each}) AS due GROUP BY area_id",
        {"until_ms": until_ms, "before_ms": before_ms},
    )
    return {row["area_id"]: int(row["n"]) for row in rows}
