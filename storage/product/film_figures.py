"""Film figures of a period, for digests and bulletins: sums of events, the same whenever they are run again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from storage.database import Row, Tx
from storage.machine.sessions import in_list


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

    def __add__(self, other: FilmFigures) -> FilmFigures:
        """Two villages' or two days' figures together."""
        return FilmFigures(**{name: getattr(self, name) + getattr(other, name) for name in FilmFigures.__slots__})

    @property
    def empty(self) -> bool:
        """Whether nothing happened at all."""
        return self == FilmFigures()


_KINDS = {
    "counted": "tickets",
    "approved": "tickets",
    "reversed": "reversed_tickets",
    "held": "held",
    "refused": "refused",
    "objected": "objections",
    "upheld": "upheld",
}
_SUMMED = ("accepted_g", "county_fen", "township_fen", "points")


async def figures(tx: Tx, *, from_ms: int, until_ms: int, village_ids: Collection[int]) -> FilmFigures:
    """The figures of `[from_ms, until_ms)` for some villages together; `village_ids` empty gives zeros."""
    found = await figures_by_village(tx, from_ms=from_ms, until_ms=until_ms, village_ids=village_ids)
    return sum(found.values(), FilmFigures())


async def figures_by_village(
    tx: Tx, *, from_ms: int, until_ms: int, village_ids: Collection[int]
) -> dict[int, FilmFigures]:
    """The figures of each village in which something happened."""
    if not village_ids:
        return {}
    names, params = in_list("v", sorted(village_ids))
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    rows = await tx.all(
        f"SELECT village_id, kind, COUNT(*) AS n, {', '.join(f'SUM({name}) AS {name}' for name in _SUMMED)}"
        f" FROM film_ticket_events WHERE township_id = :t AND village_id IN ({names}) AND kind IN ({kinds})"
        " AND at_ms >= :from_ms AND at_ms < :until_ms GROUP BY village_id, kind",
        {"from_ms": from_ms, "until_ms": until_ms, **params},
    )
    found: dict[int, FilmFigures] = {}
    for row in rows:
        part = {_KINDS[row["kind"]]: int(row["n"]), **{name: int(row[name]) for name in _SUMMED}}
        found[row["village_id"]] = found.get(row["village_id"], FilmFigures()) + FilmFigures(**part)
    return found


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
        " WHERE d.township_id = :t AND d.ticket_id = e.ticket_id AND d.id > e.id AND d.at_ms < :until_ms)"
        " ORDER BY e.at_ms, e.id LIMIT :limit",
        {"until_ms": until_ms, "limit": limit, **params},
    )
