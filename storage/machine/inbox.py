"""Updates as they arrived. Stored before they are acknowledged; known again by (channel, update key)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage.database import Row, Tx
from storage.sql import in_list
from storage.vault.sealing import open_bodies, seal
from storage.vault.vault import Purpose

NUMBERED = ("inbox", "outbox", "timers", "transfers", "people")
INSERT = """
INSERT INTO inbox (township_id, id, channel, update_key, address, body, received_ms, due_ms)
VALUES (:t, :id, :channel, :update_key, :address, :body, :received_ms, :received_ms)
ON CONFLICT (township_id, channel, update_key) DO NOTHING
"""


async def put(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Store updates; one whose (channel, update_key) is there already is left alone.

    Each row: id, channel, update_key, address, body (bytes), received_ms.
    """
    sealed = [await seal(tx, Purpose.WORDS, row["received_ms"], row["body"]) for row in rows]
    await tx.many(INSERT, [{"t": tx.township_id, **row, "body": body} for row, body in zip(rows, sealed, strict=True)])


async def oldest_new(tx: Tx, *, now_ms: int, limit: int) -> Sequence[Row]:
    """The oldest unhandled updates that are due; one that was not put off is, also with the clock set back."""
    rows = await tx.all(
        "SELECT id, channel, update_key, address, body, received_ms, due_ms FROM inbox"
        " WHERE township_id = :t AND state = 'new' AND (due_ms <= :now_ms OR due_ms <= received_ms)"
        " ORDER BY id LIMIT :limit",
        {"now_ms": now_ms, "limit": limit},
    )
    return await open_bodies(tx, rows, blank=b"")


async def newest_alone(tx: Tx, *, now_ms: int, after_id: int, among: int, limit: int) -> Sequence[Row]:
    """Of the `among` newest unhandled updates after an id, as `oldest_new` has them, the newest that have no older
    unhandled one of the same address before them: handled now, they overtake nobody but strangers.
    """
    rows = await tx.all(
        "SELECT i.id, i.channel, i.update_key, i.address, i.body, i.received_ms, i.due_ms FROM"
        " (SELECT id FROM inbox WHERE township_id = :t AND state = 'new' AND id > :after_id"
        " ORDER BY id DESC LIMIT :among) AS n JOIN inbox i ON i.township_id = :t AND i.id = n.id"
        " WHERE (i.due_ms <= :now_ms OR i.due_ms <= i.received_ms) AND NOT EXISTS (SELECT 1 FROM inbox o"
        " WHERE o.township_id = :t AND o.address = i.address AND o.id < i.id AND o.state = 'new')"
        " ORDER BY i.id DESC LIMIT :limit",
        {"now_ms": now_ms, "after_id": after_id, "among": among, "limit": limit},
    )
    return await open_bodies(tx, rows, blank=b"")


async def townships_waiting(tx: Tx) -> Sequence[Row]:
    """Every township with unhandled updates, whichever `tx` is of: township_id, and due_ms of the earliest one (0 for
    one that was not put off).
    """
    return await tx.all(
        "SELECT w.township_id, w.due_ms FROM (SELECT t.township_id, (SELECT"
        " MIN(CASE WHEN i.due_ms <= i.received_ms THEN 0 ELSE i.due_ms END) FROM inbox i"
        " WHERE i.township_id = t.township_id AND i.state = 'new') AS due_ms FROM turns t) AS w"
        " WHERE w.due_ms IS NOT NULL"
    )


async def put_off_until(tx: Tx, addresses: Sequence[str]) -> Sequence[Row]:
    """Of those addresses, which have updates that were put off: address, and due_ms of the last one."""
    names, params = in_list("a", addresses)
    return await tx.all(
        "SELECT address, MAX(due_ms) AS due_ms FROM inbox WHERE township_id = :t AND state = 'new'"
        f" AND due_ms > received_ms AND address IN ({names}) GROUP BY address",
        params,
    )


async def put_off(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Handle updates later: id, due_ms."""
    await tx.many(
        "UPDATE inbox SET due_ms = :due_ms WHERE township_id = :t AND id = :id",
        [{"t": tx.township_id, **row} for row in rows],
    )


async def done(tx: Tx, ids: Sequence[int]) -> None:
    """Mark updates as handled."""
    await tx.many(
        "UPDATE inbox SET state = 'done' WHERE township_id = :t AND id = :id",
        [{"t": tx.township_id, "id": one} for one in ids],
    )


async def rewrite(tx: Tx, update_id: int, body: bytes, *, received_ms: int) -> None:
    """Put other bytes in place of what an update said, sealed like it."""
    sealed = await seal(tx, Purpose.WORDS, received_ms, body)
    await tx.run("UPDATE inbox SET body = :body WHERE township_id = :t AND id = :id", {"id": update_id, "body": sealed})


async def quarantine(tx: Tx, update_id: int, error: str) -> bool:
    """Set aside an update that can't be handled; False if it was handled or set aside meanwhile."""
    return (
        await tx.run(
            "UPDATE inbox SET state = 'quarantined', error = :error"
            " WHERE township_id = :t AND id = :id AND state = 'new'",
            {"id": update_id, "error": error[:2000]},
        )
    ) > 0


async def counts(tx: Tx) -> dict[str, int]:
    """How many updates are new and how many are in quarantine."""
    row = await tx.one(
        "SELECT (SELECT COUNT(*) FROM inbox WHERE township_id = :t AND state = 'new') AS new,"
        " (SELECT COUNT(*) FROM inbox WHERE township_id = :t AND state = 'quarantined') AS quarantined"
    )
    return {state: row[state] for state in ("new", "quarantined") if row and row[state]}


async def last_id(tx: Tx) -> int:
    """The newest id in use in any township, so that new ids go on from there after a clock change.

    Whatever the program does writes a row of one of these tables, last or at the same moment.
    """
    newest = " UNION ALL ".join(
        f"SELECT (SELECT MAX(x.id) FROM {table} x WHERE x.township_id = t.township_id) AS n FROM turns t"
        for table in NUMBERED
    )
    row = await tx.one(f"SELECT MAX(n) AS n FROM ({newest}) AS newest")
    return int(row["n"] or 0) if row else 0


async def newest_id(tx: Tx) -> int:
    """The newest id in use in the township: whoever has its turn makes only newer ones, whatever its clock says."""
    newest = " UNION ALL ".join(f"SELECT MAX(id) AS n FROM {table} WHERE township_id = :t" for table in NUMBERED)
    row = await tx.one(f"SELECT MAX(n) AS n FROM ({newest}) AS newest")
    return int(row["n"] or 0) if row else 0


async def ids_of(tx: Tx, channel: str, update_keys: Sequence[str]) -> dict[str, int]:
    """The ids of a channel's updates by update key."""
    names, params = in_list("k", update_keys)
    rows = await tx.all(
        f"SELECT update_key, id FROM inbox WHERE township_id = :t AND channel = :channel AND update_key IN ({names})",
        {"channel": channel, **params},
    )
    return {row["update_key"]: row["id"] for row in rows}


async def by_key(tx: Tx, channel: str, update_key: str) -> Row | None:
    """An update by the platform's own id for it: id, address, state."""
    return await tx.one(
        "SELECT id, address, state FROM inbox"
        " WHERE township_id = :t AND channel = :channel AND update_key = :update_key",
        {"channel": channel, "update_key": update_key},
    )


async def of_address(tx: Tx, address: str, *, before_id: int, limit: int) -> Sequence[Row]:
    """What one address sent, newest first: id, update_key, body, received_ms."""
    rows = await tx.all(
        "SELECT id, update_key, body, received_ms FROM inbox"
        " WHERE township_id = :t AND address = :address AND id < :before_id ORDER BY id DESC LIMIT :limit",
        {"address": address, "before_id": before_id, "limit": limit},
    )
    return await open_bodies(tx, rows, blank=b"")
