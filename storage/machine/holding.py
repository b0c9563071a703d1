"""Messages that are held: for their moment, or until their reader comes; and how they take their place then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from storage.database import Row, Tx
from storage.sql import in_list
from storage.vault.sealing import seal_text
from storage.vault.vault import Purpose


async def release_for(tx: Tx, person_ids: Sequence[int], *, now_ms: int) -> int:
    """These people are here now: what is held only so as not to wake them is due; how many messages."""
    names, params = in_list("p", person_ids)
    return await tx.run(
        "UPDATE outbox SET due_ms = :now_ms WHERE township_id = :t AND state = 'due' AND held IS NOT NULL AND held = 1"
        f" AND due_ms > :now_ms AND person_id IN ({names})",
        {"now_ms": now_ms, **params},
    )


async def townships_holding(tx: Tx, *, now_ms: int) -> Sequence[int]:
    """Every township with held messages whose time has come, whichever `tx` is of."""
    rows = await tx.all(
        "SELECT t.township_id FROM turns t WHERE EXISTS (SELECT 1 FROM outbox x WHERE x.township_id = t.township_id"
        " AND x.state = 'due' AND x.held IS NOT NULL AND x.due_ms <= :now_ms) ORDER BY t.township_id",
        {"now_ms": now_ms},
    )
    return [row["township_id"] for row in rows]


async def held_until(tx: Tx, *, now_ms: int, limit: int) -> Sequence[Row]:
    """Held messages whose time has come, in the order in which they are to arrive; id, channel, card."""
    return await tx.all(
        "SELECT id, channel, card FROM outbox WHERE township_id = :t AND state = 'due' AND held IS NOT NULL"
        " AND due_ms <= :now_ms ORDER BY due_ms, id LIMIT :limit",
        {"now_ms": now_ms, "limit": limit},
    )


async def release(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Hold messages no longer: id, new_id (its place among all others), ref, now_ms (when it was let go)."""
    await tx.many(
        "UPDATE outbox SET id = :new_id, held = NULL, ref = :ref, created_ms = :now_ms, due_ms = :now_ms"
        " WHERE township_id = :t AND id = :id",
        [{"t": tx.township_id, **row} for row in rows],
    )


async def reword(tx: Tx, message_id: int, body: str, *, now_ms: int) -> None:
    """Give a message that nobody has seen yet other words."""
    sealed = await seal_text(tx, Purpose.WORDS, now_ms, body)
    await tx.run(
        "UPDATE outbox SET body = :body WHERE township_id = :t AND id = :id", {"id": message_id, "body": sealed}
    )
