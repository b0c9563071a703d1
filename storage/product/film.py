"""Film tickets, what became of them, and the figures of a period. Rows are only ever added.

A ticket's state is the kind of its last event; sums are sums of events (`village_id` is the household's).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal

import orjson

from storage.database import Row, Tx
from storage.product import film_figures
from storage.sql import in_list
from storage.vault.sealing import open_columns

Fund = Literal["county", "township"]
EventKind = Literal["counted", "held", "approved", "refused", "objected", "upheld", "reversed"]
NOT_VOID = (
    " AND NOT EXISTS (SELECT 1 FROM film_ticket_events v WHERE v.township_id = :t"
    " AND v.ticket_id = k.id AND v.kind IN ('refused', 'reversed'))"
)
STATE = (
    "(SELECT e.kind FROM film_ticket_events e WHERE e.township_id = :t AND e.ticket_id = k.id"
    " ORDER BY e.id DESC LIMIT 1) AS state"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One weigh-in with everything its amounts are worked out from; `state` is its last event's kind."""

    id: int
    number: str
    household_id: int
    village_id: int
    area_id: int
    station_id: int | None
    operator_id: int
    kind: str
    gross_g: int
    tare_g: int
    net_g: int
    impurity_bp: int
    accepted_g: int
    policy_version: int
    county_rate_e4: int
    township_rate_e4: int
    points_rate_e4: int
    county_left_fen: int | None
    township_left_fen: int | None
    points_left: int
    county_period: str
    township_period: str
    county_fen: int
    township_fen: int
    points: int
    held_for: tuple[str, ...]
    photos: tuple[str, ...]
    corrects: int | None
    weighed_ms: int
    created_ms: int
    state: str = ""

    @property
    def total_fen(self) -> int:
        """Both funds together, for the eye only."""
        return self.county_fen + self.township_fen

    @property
    def ref(self) -> str:
        """What its transfers are about."""
        return f"ticket:{self.id}"


COLUMNS = tuple(one.name for one in fields(Ticket) if one.name != "state")
SELECT = f"SELECT {', '.join(f'k.{name}' for name in COLUMNS)}, {STATE} FROM film_tickets k WHERE k.township_id = :t"
INSERT_TICKET = (
    f"INSERT INTO film_tickets (township_id, {', '.join(COLUMNS)})"
    f" VALUES (:t, {', '.join(f':{name}' for name in COLUMNS)})"
)
INSERT_EVENT = (
    "INSERT INTO film_ticket_events (township_id, id, ticket_id, kind, by_person, note, village_id, accepted_g,"
    " county_fen, township_fen, points, at_ms) VALUES (:t, :id, :ticket_id, :kind, :by_person, :note, :village_id,"
    " :accepted_g, :county_fen, :township_fen, :points, :at_ms)"
)


def _ticket(row: Row) -> Ticket:
    values = {name: row[name] for name in COLUMNS}
    values["held_for"] = tuple(filter(None, row["held_for"].split(",")))
    values["photos"] = tuple(orjson.loads(row["photos"]))
    return Ticket(**values, state=row["state"] or "")


async def add_ticket(tx: Tx, ticket: Ticket) -> None:
    """Write a ticket; its first event is written with `add_event`."""
    values = asdict(ticket)
    values["held_for"] = ",".join(ticket.held_for)
    values["photos"] = orjson.dumps(ticket.photos).decode()
    del values["state"]
    await tx.run(INSERT_TICKET, values)


async def add_event(
    tx: Tx, ticket: Ticket, kind: EventKind, *, id: int, at_ms: int, by_person: int | None, note: str = ""
) -> None:
    """Write what happened to a ticket, with what that adds to (or takes from) the figures."""
    sign = {"counted": 1, "approved": 1, "reversed": -1}.get(kind, 0)
    await tx.run(
        INSERT_EVENT,
        {
            "id": id,
            "ticket_id": ticket.id,
            "kind": kind,
            "by_person": by_person,
            "note": note,
            "village_id": ticket.village_id,
            "accepted_g": sign * ticket.accepted_g,
            "county_fen": sign * ticket.county_fen,
            "township_fen": sign * ticket.township_fen,
            "points": sign * ticket.points,
            "at_ms": at_ms,
        },
    )
    await film_figures.follow_wait(
        tx, ticket_id=ticket.id, village_id=ticket.village_id, event_id=id, kind=kind, at_ms=at_ms
    )


async def ticket(tx: Tx, ticket_id: int) -> Ticket | None:
    """One ticket by its id."""
    row = await tx.one(f"{SELECT} AND k.id = :id", {"id": ticket_id})
    return _ticket(row) if row else None


async def ticket_by_number(tx: Tx, number: str) -> Ticket | None:
    """One ticket by its number."""
    row = await tx.one(f"{SELECT} AND k.number = :number", {"number": number})
    return _ticket(row) if row else None


async def corrected_by(tx: Tx, ticket_id: int) -> Ticket | None:
    """The ticket that was written in place of this one."""
    row = await tx.one(f"{SELECT} AND k.corrects = :id", {"id": ticket_id})
    return _ticket(row) if row else None


async def events(tx: Tx, ticket_id: int) -> Sequence[Row]:
    """What became of a ticket, in order: kind, by_person, name (of that person), note, at_ms."""
    rows = await tx.all(
        "SELECT e.kind, e.by_person, COALESCE(n.name, p.name, '') AS name, e.note, e.at_ms FROM film_ticket_events e"
        " LEFT JOIN people p ON p.township_id = e.township_id AND p.id = e.by_person"
        " LEFT JOIN people n ON n.township_id = p.township_id AND n.id = p.merged_into"
        " WHERE e.township_id = :t AND e.ticket_id = :ticket_id ORDER BY e.id",
        {"ticket_id": ticket_id},
    )
    return await open_columns(tx, rows, name="")


async def numbers(tx: Tx, ticket_ids: Sequence[int]) -> dict[int, str]:
    """The numbers of tickets by id."""
    if not ticket_ids:
        return {}
    names, params = in_list("i", ticket_ids)
    rows = await tx.all(f"SELECT id, number FROM film_tickets WHERE township_id = :t AND id IN ({names})", params)
    return {row["id"]: row["number"] for row in rows}


async def tickets(tx: Tx, ticket_ids: Sequence[int]) -> dict[int, Ticket]:
    """Tickets by id."""
    if not ticket_ids:
        return {}
    names, params = in_list("i", ticket_ids)
    rows = await tx.all(f"{SELECT} AND k.id IN ({names})", params)
    return {row["id"]: _ticket(row) for row in rows}


async def of_household(tx: Tx, household_id: int, *, since_ms: int, limit: int) -> list[Ticket]:
    """A household's tickets weighed since a moment, newest first."""
    rows = await tx.all(
        f"{SELECT} AND k.household_id = :household_id AND k.weighed_ms >= :since_ms"
        " ORDER BY k.weighed_ms DESC, k.id DESC LIMIT :limit",
        {"household_id": household_id, "since_ms": since_ms, "limit": limit},
    )
    return [_ticket(row) for row in rows]


async def same_again(tx: Tx, *, household_id: int, operator_id: int, net_g: int, since_ms: int) -> Ticket | None:
    """The newest ticket of the same household, weight and operator since a moment, unless it is void."""
    row = await tx.one(
        f"{SELECT} AND k.operator_id = :operator_id AND k.created_ms > :since_ms"
        f" AND k.household_id = :household_id AND k.net_g = :net_g{NOT_VOID}"
        " ORDER BY k.created_ms DESC, k.id DESC LIMIT 1",
        {"household_id": household_id, "operator_id": operator_id, "net_g": net_g, "since_ms": since_ms},
    )
    return _ticket(row) if row else None


async def given(tx: Tx, household_id: int, *, from_ms: int, until_ms: int) -> tuple[int, int]:
    """(accepted_g, points) of a household's tickets weighed in a period: those held too, void ones not."""
    row = await tx.one(
        "SELECT COALESCE(SUM(k.accepted_g), 0) AS accepted_g, COALESCE(SUM(k.points), 0) AS points"
        " FROM film_tickets k WHERE k.township_id = :t AND k.household_id = :household_id"
        f" AND k.weighed_ms >= :from_ms AND k.weighed_ms < :until_ms{NOT_VOID}",
        {"household_id": household_id, "from_ms": from_ms, "until_ms": until_ms},
    )
    assert row is not None
    return int(row["accepted_g"]), int(row["points"])


async def spent_fen(tx: Tx, fund: Fund, period: str) -> int:
    """What tickets have taken of a fund's cap in its period."""
    row = await tx.one(
        "SELECT spent_fen FROM film_budgets WHERE township_id = :t AND fund = :fund AND period = :period",
        {"fund": fund, "period": period},
    )
    return int(row["spent_fen"]) if row else 0


async def spend(tx: Tx, fund: Fund, period: str, change_fen: int) -> None:
    """Take from a fund's cap, or (negative) give back; a fund without a period has no cap."""
    if period and change_fen:
        await tx.run(
            "INSERT INTO film_budgets (township_id, fund, period, spent_fen) VALUES (:t, :fund, :period, 0)"
            " ON CONFLICT (township_id, fund, period) DO NOTHING",
            {"fund": fund, "period": period},
        )
        await tx.run(
            "UPDATE film_budgets SET spent_fen = spent_fen + :change"
            " WHERE township_id = :t AND fund = :fund AND period = :period",
            {"fund": fund, "period": period, "change": change_fen},
        )


async def broken_budgets(tx: Tx) -> Sequence[Row]:
    """Caps whose use differs from their tickets, for `doctor`: fund, period, spent_fen, derived_fen."""
    parts = " UNION ALL ".join(
        f"SELECT '{fund}' AS fund, k.{fund}_period AS period, 0 AS spent, k.{fund}_fen AS derived"
        f" FROM film_tickets k WHERE k.township_id = :t AND k.{fund}_period <> ''{NOT_VOID}"
        for fund in ("county", "township")
    )
    return await tx.all(
        "SELECT fund, period, SUM(spent) AS spent_fen, SUM(derived) AS derived_fen FROM ("
        "SELECT fund, period, spent_fen AS spent, 0 AS derived FROM film_budgets WHERE township_id = :t"
        f" UNION ALL {parts}) AS sides GROUP BY fund, period HAVING SUM(spent) <> SUM(derived)"
    )


async def page_of_tickets(tx: Tx, *, after_id: int, limit: int) -> list[Ticket]:
    """Every ticket in the order of ids, a page at a time, for `doctor`."""
    values = {"after_id": after_id, "limit": limit}
    rows = await tx.all(f"{SELECT} AND k.id > :after_id ORDER BY k.id LIMIT :limit", values)
    return [_ticket(row) for row in rows]
