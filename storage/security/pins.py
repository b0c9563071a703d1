"""People's PINs: a hash of each, and what became of it. The digits are nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.vault.sealing import index_of_words

WHAT = "pin"


async def hash_of(tx: Tx, person_id: int) -> str | None:
    """What is kept of a person's PIN (`storage.vault.slow`); None when they have none."""
    row = await tx.one(
        "SELECT hash FROM pins WHERE township_id = :t AND person_id = :person_id", {"person_id": person_id}
    )
    return row["hash"] if row is not None else None


async def keep(tx: Tx, person_id: int, hash_: str | None, *, now_ms: int) -> None:
    """Put a hash in the place of a person's earlier one; None: they have no PIN any more."""
    await tx.run(
        "INSERT INTO pins (township_id, person_id, hash, changed_ms) VALUES (:t, :person_id, :hash, :now_ms)"
        " ON CONFLICT (township_id, person_id) DO UPDATE SET hash = excluded.hash, changed_ms = excluded.changed_ms",
        {"person_id": person_id, "hash": hash_, "now_ms": now_ms},
    )


async def add_event(
    tx: Tx, *, event_id: int, person_id: int, event: str, at_ms: int, address: str = "", by_id: int | None = None
) -> None:
    """Append what became of a person's PIN, in the chat of that address."""
    await tx.run(
        "INSERT INTO pin_events (township_id, id, person_id, event, door, by_id, at_ms)"
        " VALUES (:t, :event_id, :person_id, :event, :door, :by_id, :at_ms)",
        {
            "event_id": event_id,
            "person_id": person_id,
            "event": event,
            "door": await index_of_words(tx, WHAT, address) if address else None,
            "by_id": by_id,
            "at_ms": at_ms,
        },
    )


async def newest(tx: Tx, person_id: int, *, limit: int) -> Sequence[Row]:
    """What became of a person's PIN, the newest first: event, at_ms."""
    return await tx.all(
        "SELECT event, at_ms FROM pin_events WHERE township_id = :t AND person_id = :person_id"
        " ORDER BY id DESC LIMIT :limit",
        {"person_id": person_id, "limit": limit},
    )


async def given_since(tx: Tx, person_id: int, address: str, *, since_ms: int) -> bool:
    """Whether the right PIN was given in that chat since then, and nothing has ended that.

    A role that was given or taken, and whatever was joined or reset, ends it.
    """
    row = await tx.one(
        "SELECT 1 AS found FROM pin_events e WHERE e.township_id = :t AND e.person_id = :person_id AND e.door = :door"
        " AND e.event IN ('right', 'set', 'changed') AND e.at_ms > :since_ms"
        " AND NOT EXISTS (SELECT 1 FROM pin_events o WHERE o.township_id = :t AND o.person_id = :person_id"
        " AND o.event IN ('over', 'reset') AND o.id > e.id)"
        " AND NOT EXISTS (SELECT 1 FROM roles r WHERE r.township_id = :t AND r.person_id = :person_id"
        " AND (r.from_ms > e.at_ms OR r.until_ms > e.at_ms)) LIMIT 1",
        {"person_id": person_id, "door": await index_of_words(tx, WHAT, address), "since_ms": since_ms},
    )
    return row is not None


async def all_newest(tx: Tx, *, limit: int) -> Sequence[Row]:
    """What became of everybody's PINs, the newest first: person_id, event, by_id, at_ms."""
    return await tx.all(
        "SELECT person_id, event, by_id, at_ms FROM pin_events WHERE township_id = :t AND event <> 'over'"
        " ORDER BY id DESC LIMIT :limit",
        {"limit": limit},
    )


async def hand_over(tx: Tx, *, from_person: int, to_person: int, now_ms: int) -> None:
    """The two are the same human, who keeps one PIN: that of the one who stays, else the other's."""
    if await hash_of(tx, to_person) is None and (theirs := await hash_of(tx, from_person)) is not None:
        await keep(tx, to_person, theirs, now_ms=now_ms)
    await tx.run(
        "UPDATE pins SET hash = NULL, changed_ms = :now_ms WHERE township_id = :t AND person_id = :from_person",
        {"from_person": from_person, "now_ms": now_ms},
    )


async def forget(tx: Tx, person_id: int) -> None:
    """Erase the hash, and in which chats it was given, of somebody who leaves."""
    for statement in (
        "UPDATE pins SET hash = NULL WHERE township_id = :t AND person_id = :person_id",
        "UPDATE pin_events SET door = NULL WHERE township_id = :t AND person_id = :person_id",
    ):
        await tx.run(statement, {"person_id": person_id})
