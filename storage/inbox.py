"""Updates as they arrived. Stored before they are acknowledged; known again by (channel, update key)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.database import Row, Tx

NUMBERED = ("inbox", "outbox", "timers", "transfers", "people")
INSERT = """
INSERT INTO inbox (township_id, id, channel, update_key, address, body, received_ms, due_ms)
VALUES (:t, :id, :channel, :update_key, :address, :body, :received_ms, :due_ms)
ON CONFLICT (township_id, channel, update_key) DO NOTHING
"""


async def put(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Store updates; one whose (channel, update_key) is there already is left alone.

    Each row: id, channel, update_key, address, body (bytes), received_ms, due_ms (later only in a flood).
    """
    await tx.many(INSERT, [{"t": tx.township_id, **row} for row in rows])


async def oldest_new(tx: Tx, *, now_ms: int, limit: int) -> Sequence[Row]:
    """The oldest unhandled updates that are due; one that was not put off is, also with the clock set back."""
    return await tx.all(
        "SELECT id, channel, update_key, address, body, received_ms FROM inbox"
        " WHERE township_id = :t AND state = 'new' AND (due_ms <= :now_ms OR due_ms <= received_ms)"
        " ORDER BY id LIMIT :limit",
        {"now_ms": now_ms, "limit": limit},
    )


async def next_due_ms(tx: Tx) -> int | None:
    """When the earliest unhandled update is due."""
    row = await tx.one("SELECT MIN(due_ms) AS due_ms FROM inbox WHERE township_id = :t AND state = 'new'")
    return row["due_ms"] if row else None


async def done(tx: Tx, ids: Sequence[int]) -> None:
    """Mark updates as handled."""
    await tx.many(
        "UPDATE inbox SET state = 'done' WHERE township_id = :t AND id = :id",
        [{"t": tx.township_id, "id": one} for one in ids],
    )


async def quarantine(tx: Tx, update_id: int, error: str) -> None:
    """Set aside an update that can't be handled."""
    await tx.run(
        "UPDATE inbox SET state = 'quarantined', error = :error WHERE township_id = :t AND id = :id",
        {"id": update_id, "error": error[:2000]},
    )


async def deferred(tx: Tx) -> Sequence[Row]:
    """For each address with unhandled updates: the latest moment one is due, and how many there are."""
    return await tx.all(
        "SELECT address, MAX(due_ms) AS due_ms, COUNT(*) AS waiting FROM inbox"
        " WHERE township_id = :t AND state = 'new' AND due_ms > received_ms GROUP BY address"
    )


async def counts(tx: Tx) -> dict[str, int]:
    """How many updates are new and how many are in quarantine."""
    row = await tx.one(
        "SELECT (SELECT COUNT(*) FROM inbox WHERE township_id = :t AND state = 'new') AS new,"
        " (SELECT COUNT(*) FROM inbox WHERE township_id = :t AND state = 'quarantined') AS quarantined"
    )
    return {state: row[state] for state in ("new", "quarantined") if row and row[state]}


async def last_id(tx: Tx) -> int:
    """The newest id in use, so that new ids go on from there after a clock change.

    Whatever the program does writes a row of one of these tables, last or at the same moment.
    """
    newest = " UNION ALL ".join(f"SELECT MAX(id) AS n FROM {table} WHERE township_id = :t" for table in NUMBERED)
    row = await tx.one(f"SELECT MAX(n) AS n FROM ({newest}) AS newest")
    return int(row["n"] or 0) if row else 0


async def of_address(tx: Tx, address: str, *, before_id: int, limit: int) -> Sequence[Row]:
    """What one address sent, newest first: id, update_key, body, received_ms."""
    return await tx.all(
        "SELECT id, update_key, body, received_ms FROM inbox"
        " WHERE township_id = :t AND address = :address AND id < :before_id ORDER BY id DESC LIMIT :limit",
        {"address": address, "before_id": before_id, "limit": limit},
    )


async def forget(tx: Tx, address: str) -> int:
    """Blank the bodies of what an address sent (erasure); the keys stay, so that nothing is taken twice."""
    return await tx.run(
        "UPDATE inbox SET body = :empty WHERE township_id = :t AND address = :address",
        {"address": address, "empty": b""},
    )
