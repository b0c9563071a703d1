"""The figures of cases: what was reported, what was decided, and what waits to be verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.declared import Backlog, ByArea, Figure, Pending, Selection, Wait
from storage.database import Tx
from storage.product import case_deadlines, cases
from storage.product.cases import Case

OF_EVENT = {
    "registered": "cases.new",
    "verified": "cases.verified",
    "rejected": "cases.rejected",
    "duplicate": "cases.duplicate",
}


async def events(tx: Tx, from_ms: int, until_ms: int) -> Mapping[str, ByArea]:
    """Count what happened to cases, by area."""
    found: dict[str, dict[int, int]] = {}
    counted = await cases.events_by_area(tx, from_ms=from_ms, until_ms=until_ms)
    for (event, area_id), count in counted.items():
        if event in OF_EVENT:
            found.setdefault(OF_EVENT[event], {})[area_id] = count
    return found


FIGURES = tuple(Figure(name, "cases", events) for name in OF_EVENT.values())


async def by_area(tx: Tx, _: int, until_ms: int) -> Mapping[int, Backlog]:
    """Count undecided cases by area; late is what is past the policy's time for verifying it."""
    found = await cases.waiting_by_area(tx, until_ms=until_ms)
    return {area_id: Backlog(*counts) for area_id, counts in found.items()}


async def due(tx: Tx, until_ms: int, before_ms: int) -> ByArea:
    """Count undecided cases whose deadline is near, by area."""
    return await case_deadlines.due_by_area(tx, until_ms=until_ms, before_ms=before_ms)


async def rows(tx: Tx, wanted: Selection) -> Sequence[Pending]:
    """List undecided cases."""
    found = await cases.waiting(
        tx, until_ms=wanted.until_ms, area_ids=wanted.area_ids, limit=wanted.limit, late_only=wanted.late_only
    )
    return [_pending(case, wanted.until_ms) for case in found]


def _pending(case: Case, until_ms: int) -> Pending:
    late = case.late_ms < until_ms
    urgent, due_ms = case.urgent, case.late_ms
    return Pending(case.area_id, case.received_ms, case.number, case.kind, late=late, urgent=urgent, due_ms=due_ms)


UNDECIDED = Wait("cases", "verify_case", "/cases", "/case", "form.report.kind.option.", by_area, rows, due)
