"""What the web chat reads of the machine's tables."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.vault.sealing import open_bodies

LAST_FEW = 10


async def received(tx: Tx, update_key: str) -> Row | None:
    """The stored update of that key: id, received_ms."""
    return await tx.one(
        "SELECT id, received_ms FROM inbox WHERE township_id = :t AND channel = 'web' AND update_key = :update_key",
        {"update_key": update_key},
    )


async def sent_after(tx: Tx, address: str, *, after_id: int, limit: int) -> Sequence[Row]:
    """What an address sent after an id, oldest first: id, body, received_ms."""
    rows = await tx.all(
        "SELECT id, body, received_ms FROM inbox WHERE township_id = :t AND address = :address AND id > :after_id"
        " ORDER BY id LIMIT :limit",
        {"address": address, "after_id": after_id, "limit": limit},
    )
    return await open_bodies(tx, rows, blank=b"")


async def newest_id(tx: Tx, address: str) -> int:
    """The id of the newest message from or to an address, 0 without one."""
    row = await tx.one(
        "SELECT (SELECT MAX(id) FROM inbox WHERE township_id = :t AND address = :address) AS received,"
        " (SELECT MAX(id) FROM outbox WHERE township_id = :t AND address = :address) AS written",
        {"address": address},
    )
    return max(row["received"] or 0, row["written"] or 0) if row else 0


async def whose(tx: Tx, address: str) -> Row | None:
    """Who is at an address: consent_version, and how many `roles` they have; None when nobody is known there."""
    return await tx.one(
        "SELECT p.consent_version, (SELECT COUNT(*) FROM roles r WHERE r.township_id = :t AND r.person_id = p.id"
        " AND r.until_ms IS NULL) AS roles"
        " FROM contacts c JOIN people p ON p.township_id = c.township_id AND p.id = c.person_id"
        " WHERE c.township_id = :t AND c.address = :address AND c.state <> 'erased' AND p.state = 'active'",
        {"address": address},
    )


async def has_written(tx: Tx, address: str) -> bool:
    """Whether something has come from an address, though perhaps nobody has looked at it yet."""
    row = await tx.one(
        "SELECT 1 AS found FROM inbox WHERE township_id = :t AND address = :address LIMIT 1", {"address": address}
    )
    return row is not None


async def has_history(tx: Tx, address: str) -> bool:
    """Whether somebody is or was known at an address, or something has come from it."""
    row = await tx.one(
        "SELECT 1 AS found FROM contacts WHERE township_id = :t AND address = :address", {"address": address}
    )
    return row is not None or await has_written(tx, address)


async def is_coming_before(tx: Tx, address: str, message_id: int, *, now_ms: int) -> bool:
    """Whether one of the last few messages to an address before this one is on its way, or being put aside."""
    rows = await tx.all(
        "SELECT state, due_ms FROM outbox WHERE township_id = :t AND address = :address AND id < :message_id"
        f" ORDER BY id DESC LIMIT {LAST_FEW}",
        {"address": address, "message_id": message_id},
    )
    return any(row["state"] == "due" and row["due_ms"] <= now_ms for row in rows)


async def language_of(tx: Tx, address: str) -> str | None:
    """The language of the person behind an address, None when nobody is known there."""
    row = await tx.one(
        "SELECT p.language FROM contacts c JOIN people p ON p.township_id = c.township_id AND p.id = c.person_id"
        " WHERE c.township_id = :t AND c.address = :address AND c.state <> 'erased' AND p.state = 'active'",
        {"address": address},
    )
    return row["language"] if row else None
