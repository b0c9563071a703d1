"""What waits in cases: those that nobody has verified yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.declared import Backlog, Pending, Selection, Wait
from storage.database import Tx
from storage.product import cases


async def by_area(tx: Tx, _: int, until_ms: int) -> Mapping[int, Backlog]:
    """Count undecided cases by area; late is what is past the policy's time for verifying it."""
    found = await cases.waiting_by_area(tx, until_ms=until_ms)
    return {area_id: Backlog(*counts) for area_id, counts in found.items()}


async def rows(tx: Tx, wanted: Selection) -> Sequence[Pending]:
    """List undecided cases."""
    found = await cases.waiting(
        tx, until_ms=wanted.until_ms, area_ids=wanted.area_ids, limit=wanted.limit, late_only=wanted.late_only
    )
    return [
        Pending(
            row["area_id"],
            row["received_ms"],
            row["number"],
            row["kind"],
            late=row["late_ms"] < wanted.until_ms,
            urgent=bool(row["urgent"]),
        )
        for row in found
    ]


UNDECIDED = Wait("cases", "verify_case", "/cases", "/case", "form.report.kind.option.", by_area, rows)
