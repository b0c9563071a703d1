"""What became of a person's contacts (joined, refused, disconnected): rows are added, erased by age, never changed."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.sql import in_list


async def add(tx: Tx, *, row_id: int, person_id: int, channel: str, event: str, now_ms: int) -> None:
    """Note that a contact on that channel was `joined`, `refused` or `disconnected`."""
    await tx.run(
        "INSERT INTO contact_events (township_id, id, person_id, channel, event, at_ms)"
        " VALUES (:t, :row_id, :person_id, :channel, :event, :now_ms)",
        {"row_id": row_id, "person_id": person_id, "channel": channel, "event": event, "now_ms": now_ms},
    )


async def newest_of(tx: Tx, person_id: int, *, limit: int) -> Sequence[Row]:
    """A person's newest events, the newest first: channel, event, at_ms."""
    return await tx.all(
        "SELECT channel, event, at_ms FROM contact_events WHERE township_id = :t AND person_id = :person_id"
        " ORDER BY id DESC LIMIT :limit",
        {"person_id": person_id, "limit": limit},
    )


async def erase_before(tx: Tx, *, before_ms: int, limit: int) -> int:
    """Delete events and wrong codes of before a moment, at most so many of each; how many."""
    deleted = 0
    for table in ("contact_events", "wrong_codes"):
        rows = await tx.all(
            f"SELECT id FROM {table} WHERE township_id = :t AND at_ms < :before_ms ORDER BY id LIMIT :limit",
            {"before_ms": before_ms, "limit": limit},
        )
        if rows:
            names, params = in_list("e", [row["id"] for row in rows])
            deleted += await tx.run(f"DELETE FROM {table} WHERE township_id = :t AND id IN ({names})", params)
    return deleted
