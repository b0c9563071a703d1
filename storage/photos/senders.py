"""Whether whoever sends a photo has a history here, or came only just now."""

from __future__ import annotations

from storage.database import Row, Tx
from storage.photos.owners import owner

HAS_HISTORY = (
    " AND p.state = 'active' AND (p.consent_ms < :before_ms OR EXISTS (SELECT 1 FROM roles r"
    " WHERE r.township_id = :t AND r.person_id = p.id AND r.until_ms IS NULL))"
)


async def at_address_has_history(tx: Tx, address: str, *, before_ms: int) -> bool:
    """Whether the person at an address agreed before a moment, or holds a role."""
    row = await tx.one(
        "SELECT p.id FROM contacts c JOIN people p ON p.township_id = c.township_id AND p.id = c.person_id"
        f" WHERE c.township_id = :t AND c.address = :address AND c.state <> 'erased'{HAS_HISTORY}",
        {"address": address, "before_ms": before_ms},
    )
    return row is not None


async def of_photo_has_history(tx: Tx, row: Row, *, before_ms: int) -> bool:
    """The same of the sender of a photo (`media.get`)."""
    person_id, _ = await owner(tx, row)
    found = await tx.one(
        f"SELECT p.id FROM people p WHERE p.township_id = :t AND p.id = :person_id{HAS_HISTORY}",
        {"person_id": person_id, "before_ms": before_ms},
    )
    return found is not None
