"""The figures of film, net of what was taken back in the same period, and the tickets that wait for staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.declared import Backlog, ByArea, Figure, Pending, Selection, Unit, Wait
from storage.database import Tx
from storage.product import film_figures

UNITS: Mapping[str, Unit] = {
    "tickets": "tickets",
    "reversed_tickets": "tickets",
    "held": "tickets",
    "refused": "tickets",
    "objections": "tickets",
    "upheld": "tickets",
    "accepted_g": "g",
    "county_fen": "fen",
    "township_fen": "fen",
    "points": "points",
}


async def events(tx: Tx, from_ms: int, until_ms: int) -> Mapping[str, ByArea]:
    """Add up the events of tickets by village."""
    found = await film_figures.by_village(tx, from_ms=from_ms, until_ms=until_ms)
    return {f"film.{name}": {village: getattr(one, name) for village, one in found.items()} for name in UNITS}


FIGURES = tuple(Figure(f"film.{name}", unit, events) for name, unit in UNITS.items())


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
