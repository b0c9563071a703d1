"""Film figures of a period, for digests and bulletins: sums of events, the same whenever they are run again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from storage.database import Row, Tx
from storage.sessions import in_list


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmFigures:
    """What happened in a period. Weights, fen and points are net of what was reversed in it.

    `tickets` counts those that began to count (weighed, or approved after waiting), `held` those that began to
    wait for staff, `objections` what households objected to, `reversed_tickets` what was taken back.
    """

    tickets: int = 0
    reversed_tickets: int = 0
    held: int = 0
    refused: int = 0
    objections: int = 0
    upheld: int = 0
    accepted_g: int = 0
    county_fen: int = 0
    township_fen: int = 0
    points: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing happened at all."""
        return self == FilmFigures()


def _count(kinds: str, name: str) -> str:
    return f"COALESCE(SUM(CASE WHEN kind IN ({kinds}) THEN 1 ELSE 0 END), 0) AS {name}"


_SUMS = ", ".join(
    (
        _count("'counted', 'approved'", "tickets"),
        _count("'reversed'", "reversed_tickets"),
        _count("'held'", "held"),
        _count("'refused'", "refused"),
        _count("'objected'", "objections"),
        _count("'upheld'", "upheld"),
        *(f"COALESCE(SUM({name}), 0) AS {name}" for name in ("accepted_g", "county_fen", "township_fen", "points")),
    )
)


async def figures(tx: Tx, *, from_ms: int, until_ms: int, village_ids: Collection[int]) -> FilmFigures:
    """The figures of `[from_ms, until_ms)` for some villages; `village_ids` empty gives zeros."""
    if not village_ids:
        return FilmFigures()
    names, params = in_list("v", sorted(village_ids))
    row = await tx.one(
        f"SELECT {_SUMS} FROM film_ticket_events WHERE township_id = :t AND village_id IN ({names})"
        " AND at_ms >= :from_ms AND at_ms < :until_ms",
        {"from_ms": from_ms, "until_ms": until_ms, **params},
    )
    assert row is not None
    return FilmFigures(**{name: int(row[name]) for name in FilmFigures.__slots__})


async def waiting(tx: Tx, *, until_ms: int, village_ids: Collection[int], limit: int) -> Sequence[Row]:
    """Tickets that waited for staff at `until_ms`, the longest first.

    kind (held|objected), since_ms, ticket_id, number, household_id, householder, village_id, net_g, note.
    """
    if not village_ids:
        return ()
    names, params = in_list("v", sorted(village_ids))
    return await tx.all(
        "SELECT e.kind, e.at_ms AS since_ms, e.ticket_id, k.number, k.household_id, h.householder, k.village_id,"
        " k.net_g, e.note FROM film_ticket_events e"
        " JOIN film_tickets k ON k.township_id = e.township_id AND k.id = e.ticket_id"
        " LEFT JOIN households h ON h.township_id = k.township_id AND h.household_id = k.household_id"
        " AND h.until_ms IS NULL"
        f" WHERE e.township_id = :t AND e.kind IN ('held', 'objected') AND e.village_id IN ({names})"
        " AND e.at_ms < :until_ms AND NOT EXISTS (SELECT 1 FROM film_ticket_events d"
        " WHERE d.township_id = e.township_id AND d.ticket_id = e.ticket_id AND d.id > e.id AND d.at_ms < :until_ms)"
        " ORDER BY e.at_ms, e.id LIMIT :limit",
        {"until_ms": until_ms, "limit": limit, **params},
    )
