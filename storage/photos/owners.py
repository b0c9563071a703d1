"""Whose photos are, and who may look at them: nobody reads that out of the rows.

`person_id` and `owner_address` stand for the person and the address (`viewer_of`, `door_of`), in `media_grants` too;
`sealed` holds both, for whoever has to tell the sender something.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from storage.database import Row, Tx
from storage.sql import in_list
from storage.vault.sealing import index_of, index_of_words, seal, unsealed
from storage.vault.vault import Purpose
from storage.walks import is_open, set_through

EARLIER = "seal.photos"
MAY_SEE = """
SELECT 1 FROM media m WHERE m.township_id = :t AND m.id = :id AND (
    m.owner_address = :door OR m.person_id = :viewer
    OR EXISTS (SELECT 1 FROM media_grants g WHERE g.township_id = :t AND g.media_id IN (m.id, m.original_of)
        AND g.person_id = :viewer))
"""


async def viewer_of(tx: Tx, person_id: int) -> int:
    """What stands for a person with their photos, and with those they may look at."""
    return await index_of(tx, "viewer", person_id)


async def door_of(tx: Tx, address: str) -> str:
    """What stands for an address with the photos that were uploaded from there."""
    return await index_of_words(tx, "upload", address)


async def sealed_owner(tx: Tx, person_id: int | None, address: str | None, at_ms: int) -> bytes | None:
    """Whose a photo is, sealed; None for nobody's."""
    if person_id is None and address is None:
        return None
    return await seal(tx, Purpose.REPORTERS, at_ms, orjson.dumps([person_id, address]))


async def owner(tx: Tx, row: Row) -> tuple[int | None, str | None]:
    """The person and the address whose a photo is; None when nobody knows (any more)."""
    plain = await unsealed(tx, row["sealed"]) if row["sealed"] is not None else None
    if plain is None:
        return None, None
    person_id, address = orjson.loads(plain)
    return person_id, address


async def grant(tx: Tx, media_ids: Sequence[str], person_id: int) -> None:
    """Let a person look at photos (they were written to in a message that carries them)."""
    viewer = await viewer_of(tx, person_id)
    await tx.many(
        "INSERT INTO media_grants (township_id, media_id, person_id) VALUES (:t, :media_id, :viewer)"
        " ON CONFLICT (township_id, media_id, person_id) DO NOTHING",
        [{"t": tx.township_id, "media_id": one, "viewer": viewer} for one in media_ids],
    )


async def may_see(tx: Tx, media_id: str, address: str) -> bool:
    """Whether someone at that address may look: the owner, someone granted, or who was sent it; at an original also
    whoever may look at the photo that it followed.
    """
    row = await tx.one(
        "SELECT person_id FROM contacts WHERE township_id = :t AND address = :address AND state <> 'erased'",
        {"address": address},
    )
    viewer = await viewer_of(tx, row["person_id"]) if row is not None else None
    found = await tx.one(MAY_SEE, {"id": media_id, "door": await door_of(tx, address), "viewer": viewer})
    return found is not None


async def forget(tx: Tx, person_id: int, addresses: Sequence[str]) -> None:
    """Unlink a person from their photos (erasure); what a case needs as evidence stays, without an owner."""
    values = {"viewer": await viewer_of(tx, person_id)}
    await tx.run("DELETE FROM media_grants WHERE township_id = :t AND person_id = :viewer", values)
    blank = "UPDATE media SET owner_address = NULL, person_id = NULL, sealed = NULL, ref = '' WHERE township_id = :t"
    await tx.run(f"{blank} AND state <> 'fetching' AND person_id = :viewer", values)
    if addresses:
        names, params = in_list("a", [await door_of(tx, one) for one in addresses])
        await tx.run(f"{blank} AND owner_address IN ({names})", params)


async def move(tx: Tx, *, from_person: int, to_person: int) -> None:
    """The two are the same human: what one owned or may look at is the other's."""
    both = {"from_person": await viewer_of(tx, from_person), "to_person": await viewer_of(tx, to_person)}
    await tx.run(
        "UPDATE media SET person_id = :to_person WHERE township_id = :t AND person_id = :from_person"
        " AND NOT EXISTS (SELECT 1 FROM media m WHERE m.township_id = :t AND m.channel = media.channel"
        " AND m.ref = media.ref AND m.ref <> '' AND m.person_id = :to_person)",
        both,
    )
    await tx.run(
        "INSERT INTO media_grants (township_id, media_id, person_id)"
        " SELECT township_id, media_id, :to_person FROM media_grants"
        " WHERE township_id = :t AND person_id = :from_person"
        " ON CONFLICT (township_id, media_id, person_id) DO NOTHING",
        both,
    )


async def seal_earlier(tx: Tx) -> None:
    """Seal whose the photos of before there was a vault are, and who may look at them; all at once, only once."""
    if not await is_open(tx, EARLIER):
        return
    rows = await tx.all(
        "SELECT id, person_id, owner_address, created_ms FROM media WHERE township_id = :t"
        " AND (person_id IS NOT NULL OR owner_address IS NOT NULL) ORDER BY id"
    )
    for row in rows:
        person_id, address = row["person_id"], row["owner_address"]
        await tx.run(
            "UPDATE media SET person_id = :viewer, owner_address = :door, sealed = :sealed"
            " WHERE township_id = :t AND id = :id",
            {
                "id": row["id"],
                "viewer": None if person_id is None else await viewer_of(tx, person_id),
                "door": None if address is None else await door_of(tx, address),
                "sealed": await sealed_owner(tx, person_id, address, row["created_ms"]),
            },
        )
    for row in await tx.all("SELECT DISTINCT person_id FROM media_grants WHERE township_id = :t ORDER BY person_id"):
        await tx.run(
            "UPDATE media_grants SET person_id = :viewer WHERE township_id = :t AND person_id = :person_id",
            {"viewer": await viewer_of(tx, row["person_id"]), "person_id": row["person_id"]},
        )
    await set_through(tx, EARLIER, 1)
