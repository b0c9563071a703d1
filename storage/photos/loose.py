"""Photos that came in and belong to nothing: neither to what was filed nor to a conversation that is going on."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.machine import sessions
from storage.photos.owners import owner
from storage.sql import in_list


async def waiting(tx: Tx, *, before_ms: int, limit: int) -> Sequence[Row]:
    """Photos that have belonged to nothing since before a moment: id, ref, sha256, sealed.

    One that its channel is still to give is left out: its row settles first.
    """
    return await tx.all(
        "SELECT id, ref, sha256, sealed FROM media WHERE township_id = :t AND loose_ms < :before_ms"
        " AND state <> 'fetching' ORDER BY created_ms LIMIT :limit",
        {"before_ms": before_ms, "limit": limit},
    )


async def in_a_draft(tx: Tx, row: Row) -> bool:
    """Whether a conversation that its sender has not finished holds a photo (a row of `waiting`)."""
    person_id, address = await owner(tx, row)
    if person_id is None and address is not None:
        contact = await tx.one(
            "SELECT person_id FROM contacts WHERE township_id = :t AND address = :address AND state <> 'erased'",
            {"address": address},
        )
        person_id = contact["person_id"] if contact is not None else None
    session = None if person_id is None else await sessions.of_person(tx, person_id)
    return session is not None and (row["ref"] or row["id"]) in session["body"]


async def go_on_waiting(tx: Tx, media_ids: Sequence[str], *, now_ms: int) -> None:
    """Look at these photos again as late as if they had come now."""
    if media_ids:
        names, params = in_list("m", media_ids)
        await tx.run(
            f"UPDATE media SET loose_ms = :now_ms WHERE township_id = :t AND id IN ({names})",
            {**params, "now_ms": now_ms},
        )
