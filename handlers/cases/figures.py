"""The figures of cases: what was reported and what was decided."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.declared import ByArea, Figure
from storage.database import Tx
from storage.product import cases

OF_EVENT = {
    "registered": "cases.new",
    "verified": "cases.verified",
    "rejected": "cases.rejected",
    "duplicate": "cases.duplicate",
}


async def events(tx: Tx, from_ms: int, until_ms: int) -> Mapping[str, ByArea]:
    """Count what happened to cases, by area."""
    found: dict[str, dict[int, int]] = {}
    for row in await cases.events_by_area(tx, from_ms=from_ms, until_ms=until_ms):
        if row["event"] in OF_EVENT:
            found.setdefault(OF_EVENT[row["event"]], {})[row["area_id"]] = row["cases"]
    return found


FIGURES = tuple(Figure(name, "cases", events) for name in OF_EVENT.values())
