"""The figures of film: tickets, weights, subsidies, points; net of what was taken back in the same period."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.declared import ByArea, Figure, Unit
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
