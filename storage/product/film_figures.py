"""Film figures of a period, for digests and bulletins: sums of events, the same whenever they are run again.

And the tickets that wait for staff: from an event (held, objected) until the next one. That is worked out from the
events as they are written, and kept in `film_waits`, so that what waits is found without walking all that ever did.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from storage.database import Row, Tx
from storage.sql import in_list


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


# Every village there ever was: with it each figure is found by the index on villages.
_VILLAGES = "SELECT area_id FROM areas WHERE township_id = :t AND level = 'village'"


async def by_village(tx: Tx, *, from_ms: int, until_ms: int) -> dict[int, FilmFigures]:
    """The figures of `[from_ms, until_ms)` for each village in which something happened."""
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    rows = await tx.all(
        f"SELECT village_id, kind, COUNT(*) AS n, {', '.join(f'SUM({name}) AS {name}' for name in _SUMMED)}"
        f" FROM film_ticket_events WHERE township_id = :t AND village_id IN ({_VILLAGES}) AND kind IN ({kinds})"
        " AND at_ms >= :from_ms AND at_ms < :until_ms GROUP BY village_id, kind",
        {"from_ms": from_ms, "until_ms": until_ms},
    )
    found: dict[int, FilmFigures] = {}
    for row in rows:
        part = {_KINDS[row["kind"]]: int(row["n"]), **{name: int(row[name]) for name in _SUMMED}}
        found[row["village_id"]] = found.get(row["village_id"], FilmFigures()) + FilmFigures(**part)
    return found


async def of_weigher(tx: Tx, person_id: int, *, from_ms: int, until_ms: int) -> Sequence[Row]:
    """What happened in `[from_ms, until_ms)` to tickets that a person weighed, the newest first.

    ticket_id, kind, at_ms, and what that event added or took: accepted_g, county_fen, township_fen, points. The sums
    of all who weigh are the township's (`by_village`), whoever wrote an event.
    """
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    return await tx.all(
        f"SELECT e.ticket_id, e.kind, e.at_ms, {', '.join(f'e.{name}' for name in _SUMMED)} FROM film_ticket_events e"
        " JOIN film_tickets k ON k.township_id = e.township_id AND k.id = e.ticket_id"
        f" WHERE e.township_id = :t AND e.village_id IN ({_VILLAGES}) AND e.kind IN ({kinds})"
        " AND e.at_ms >= :from_ms AND e.at_ms < :until_ms AND (k.operator_id = :person_id OR (SELECT p.merged_into"
        " FROM people p WHERE p.township_id = :t AND p.id = k.operator_id) = :person_id) ORDER BY e.id DESC",
        {"from_ms": from_ms, "until_ms": until_ms, "person_id": person_id},
    )


def added_up(rows: Sequence[Row]) -> FilmFigures:
    """The figures of some events."""
    found = FilmFigures()
    for row in rows:
        found += FilmFigures(**{_KINDS[row["kind"]]: 1, **{name: int(row[name]) for name in _SUMMED}})
    return found


_WAITS = ("held", "objected")


async def follow_wait(tx: Tx, *, ticket_id: int, village_id: int, event_id: int, kind: str, at_ms: int) -> None:
    """End what a ticket waited for, as an event of it was written; with some it waits anew."""
    await tx.run(
        "UPDATE film_waits SET until_ms = :at_ms"
        " WHERE township_id = :t AND ticket_id = :ticket_id AND until_ms IS NULL",
        {"ticket_id": ticket_id, "at_ms": at_ms},
    )
    if kind in _WAITS:
        await tx.run(
            "INSERT INTO film_waits (township_id, event_id, ticket_id, village_id, kind, since_ms)"
            " VALUES (:t, :event_id, :ticket_id, :village_id, :kind, :at_ms)",
            {"event_id": event_id, "ticket_id": ticket_id, "village_id": village_id, "kind": kind, "at_ms": at_ms},
        )


async def catch_up_waits(tx: Tx) -> None:
    """Add what workers of a version before wrote beside this one, which knew only events."""
    await tx.run(
        "INSERT INTO film_waits (township_id, event_id, ticket_id, village_id, kind, since_ms)"
        " SELECT e.township_id, e.id, e.ticket_id, e.village_id, e.kind, e.at_ms FROM film_ticket_events e"
        " WHERE e.township_id = :t AND e.kind IN ('held', 'objected') AND NOT EXISTS"
        " (SELECT 1 FROM film_waits w WHERE w.township_id = :t AND w.event_id = e.id)"
    )
    await tx.run(
        "UPDATE film_waits SET until_ms = (SELECT d.at_ms FROM film_ticket_events d WHERE d.township_id = :t"
        " AND d.ticket_id = film_waits.ticket_id AND d.id > film_waits.event_id ORDER BY d.id LIMIT 1)"
        " WHERE township_id = :t AND until_ms IS NULL"
    )


# What waited at a moment: what still does, and what has ended since; of all that ever did, only the end is read.
_WAITED = (
    "(SELECT event_id, ticket_id, village_id, kind, since_ms FROM film_waits"
    " WHERE township_id = :t AND until_ms IS NULL AND since_ms < :until_ms"
    " UNION ALL SELECT event_id, ticket_id, village_id, kind, since_ms FROM film_waits"
    " WHERE township_id = :t AND until_ms >= :until_ms AND since_ms < :until_ms) w"
)


async def broken_waits(tx: Tx) -> Sequence[Row]:
    """Tickets whose waiting is not what their events say: number; from the first event on, so for `verify` alone."""
    return await tx.all(
        "SELECT DISTINCT k.number FROM film_tickets k"
        " LEFT JOIN film_ticket_events e ON e.township_id = :t AND e.ticket_id = k.id"
        " AND e.kind IN ('held', 'objected')"
        " LEFT JOIN film_waits w ON w.township_id = :t AND w.event_id = e.id"
        " WHERE k.township_id = :t AND e.id IS NOT NULL AND (w.event_id IS NULL OR w.since_ms <> e.at_ms"
        " OR (w.until_ms IS NULL) = EXISTS (SELECT 1 FROM film_ticket_events d WHERE d.township_id = :t"
        " AND d.ticket_id = k.id AND d.id > e.id)) ORDER BY k.number"
    )


async def waiting_by_village(tx: Tx, *, from_ms: int, until_ms: int) -> dict[int, tuple[int, int]]:
    """How many tickets of each village waited for staff at `until_ms`, and how many of them already at `from_ms`."""
    rows = await tx.all(
        "SELECT w.village_id, COUNT(*) AS tickets, SUM(CASE WHEN w.since_ms < :from_ms THEN 1 ELSE 0 END) AS late"
        f" FROM {_WAITED} GROUP BY w.village_id ORDER BY w.village_id",
        {"from_ms": from_ms, "until_ms": until_ms},
    )
    return {row["village_id"]: (int(row["tickets"]), int(row["late"])) for row in rows}


async def waiting(
    tx: Tx, *, until_ms: int, village_ids: Collection[int] | None = None, before_ms: int | None = None, limit: int
) -> Sequence[Row]:
    """Tickets that waited for staff at `until_ms`, the longest first; perhaps only those since before `before_ms`.

    kind (held|objected), since_ms, number, village_id.
    """
    if village_ids is not None and not village_ids:
        return ()
    names, params = in_list("v", sorted(village_ids)) if village_ids is not None else ("", {})
    places = f" AND w.village_id IN ({names})" if names else ""
    before = " AND w.since_ms < :before_ms" if before_ms is not None else ""
    return await tx.all(
        f"SELECT w.kind, w.since_ms, k.number, k.village_id FROM {_WAITED}"
        f" JOIN film_tickets k ON k.township_id = :t AND k.id = w.ticket_id{places}{before}"
        " ORDER BY w.since_ms, w.event_id LIMIT :limit",
        {"until_ms": until_ms, "before_ms": before_ms, "limit": limit, **params},
    )
