"""The figures of points: what people were given, and what was taken back."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.declared import ByArea, Figure
from storage.database import Tx
from storage.product import digests


async def moved(tx: Tx, from_ms: int, until_ms: int) -> Mapping[str, ByArea]:
    """Add up points by the area of the case or ticket that they were for."""
    rows = await digests.points(tx, from_ms=from_ms, until_ms=until_ms)
    return {
        "points.given": {row["area_id"]: int(row["given"]) for row in rows},
        "points.taken": {row["area_id"]: int(row["taken"]) for row in rows},
    }


FIGURES = (Figure("points.given", "points", moved), Figure("points.taken", "points", moved))
