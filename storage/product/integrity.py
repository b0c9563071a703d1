"""What must hold of rows, looked for as rows that break it; for `verify` and `doctor`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from storage.database import Row, Tx
from storage.product import accounts
from storage.product.versions import KEYS


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it must be: `code` and `fields` are data, told by whoever has the texts."""

    code: str
    fields: Mapping[str, str | int]


def broken(code: str, /, **fields: str | int) -> Flaw:
    """Shorthand for `Flaw(code, fields)`."""
    return Flaw(code, fields)


class Reference(NamedTuple):
    """A column of a table, and the table whose `id` it names."""

    table: str
    column: str
    other: str


async def version_faults(tx: Tx) -> list[Flaw]:
    """Rows of which a version is missing, or two are in force, a fault each; empty when there is none."""
    found = []
    for table, key in KEYS.items():
        rows = await tx.all(
            f"SELECT {key} AS id, COUNT(*) AS n, MAX(version) AS last FROM {table} WHERE township_id = :t"
            f" GROUP BY {key} HAVING COUNT(*) <> MAX(version)"
            f" OR SUM(CASE WHEN until_ms IS NULL THEN 1 ELSE 0 END) > 1 ORDER BY {key}"
        )
        found += [broken("versions", table=table, id=row["id"], count=row["n"], last=row["last"]) for row in rows]
    row = await tx.one("SELECT COUNT(*) AS n, MAX(version) AS last FROM policies WHERE township_id = :t")
    if row and row["n"] != (row["last"] or 0):
        found.append(broken("policies", count=row["n"], last=row["last"] or 0))
    return found


async def reference_faults(tx: Tx, references: Iterable[Reference]) -> list[Flaw]:
    """Look for columns that name rows which are not there, a fault each."""
    found = []
    for table, column, other in references:
        row = await tx.one(
            f"SELECT COUNT(*) AS n FROM {table} r WHERE r.township_id = :t AND r.{column} IS NOT NULL AND NOT EXISTS"
            f" (SELECT 1 FROM {other} o WHERE o.township_id = :t AND o.id = r.{column})"
        )
        if row and row["n"]:
            found.append(broken("reference", table=table, column=column, count=row["n"], other=other))
    return found


async def held_after_decision(tx: Tx) -> Sequence[Row]:
    """Cases whose decision has taken effect, with points on hold that do not wait for a month: number, balance."""
    return await tx.all(
        "SELECT c.number, b.balance FROM balances b JOIN cases c ON c.township_id = b.township_id"
        f" AND b.account = '{accounts.HELD}' || c.id WHERE b.township_id = :t AND b.account LIKE '{accounts.HELD}%'"
        " AND b.balance <> 0 AND c.decided_ms IS NOT NULL AND c.settles_ms IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM reward_holds h WHERE h.township_id = :t AND h.case_id = c.id AND h.ended_ms IS NULL)"
        " ORDER BY c.id"
    )


async def without_event(tx: Tx) -> Sequence[Row]:
    """Cases in a state that no event of theirs explains: number, state."""
    return await tx.all(
        "SELECT c.number, c.state FROM cases c WHERE c.township_id = :t AND NOT EXISTS (SELECT 1 FROM case_events e"
        " WHERE e.township_id = :t AND e.case_id = c.id AND e.event = c.state) ORDER BY c.id"
    )


async def decided_by_event_only(tx: Tx) -> Sequence[Row]:
    """Cases that an event has decided, and that wait all the same: number."""
    return await tx.all(
        "SELECT c.number FROM cases c WHERE c.township_id = :t AND c.state = 'registered' AND EXISTS"
        " (SELECT 1 FROM case_events e WHERE e.township_id = :t AND e.case_id = c.id"
        " AND e.event IN ('verified', 'rejected', 'duplicate') AND NOT EXISTS (SELECT 1 FROM reversals r"
        " WHERE r.township_id = :t AND r.entry_id = e.id)) ORDER BY c.id"
    )
