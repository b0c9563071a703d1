"""Originals that follow photos which a browser had made smaller: of which photo, once, and gone with it.

A row of `media` whose `original_of` names the smaller photo. What that one says of its owner, moment, place and
likeness is not said again; its owner's marks are copied, so that whoever leaves or joins two chats has both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.database import Row, Tx
from storage.machine.media import ID_CHARS
from storage.photos.owners import door_of, viewer_of
from storage.sql import in_list


class Followed(NamedTuple):
    """A photo whose original may follow: what it looks like (None: nothing to see in it), its sides, and its state.

    `is_filed`: it belongs to something. `original`: the id of its original, "" while there is none.
    """

    likeness: str | None
    sides_px: tuple[int, int]
    is_filed: bool
    original: str


async def followed(tx: Tx, address: str, media_id: str, *, since_ms: int) -> Followed | None:
    """The photo that was uploaded from an address since a moment; None for anything else, or when it was erased."""
    row = await tx.one(
        "SELECT m.likeness, m.width_px, m.height_px, m.loose_ms, o.id AS original FROM media m"
        " LEFT JOIN media o ON o.township_id = m.township_id AND o.original_of = m.id"
        " WHERE m.township_id = :t AND m.id = :id AND m.owner_address = :door AND m.state = 'ready'"
        " AND m.kind = 'image' AND m.original_of IS NULL AND m.created_ms >= :since_ms",
        {"id": media_id, "door": await door_of(tx, address), "since_ms": since_ms},
    )
    if row is None:
        return None
    sides_px = (row["width_px"] or 0, row["height_px"] or 0)
    return Followed(row["likeness"], sides_px, row["loose_ms"] is None, row["original"] or "")


async def add_original(
    tx: Tx,
    address: str,
    photo: str,
    *,
    sha256: str,
    mime: str,
    size_bytes: int,
    sides_px: tuple[int, int],
) -> str | None:
    """Write the row of a photo's original; its id, also when it is there already. None when the photo is not that
    address's any more.

    The id follows from the photo's, which only those know who may look at either: so there is never a second one.
    """
    media_id = "i" + hashlib.sha256(f"original of {photo}".encode()).hexdigest()[: ID_CHARS - 1]
    await tx.run(
        "INSERT INTO media (township_id, id, kind, channel, owner_address, person_id, sealed, state, sha256, mime,"
        " size_bytes, width_px, height_px, created_ms, original_of)"
        " SELECT township_id, :id, kind, channel, owner_address, person_id, sealed, 'ready', :sha256, :mime,"
        " :size_bytes, :width_px, :height_px, created_ms, id FROM media"
        " WHERE township_id = :t AND id = :photo AND owner_address = :door AND state = 'ready'"
        " ON CONFLICT (township_id, id) DO NOTHING",
        {
            "id": media_id,
            "photo": photo,
            "door": await door_of(tx, address),
            "sha256": sha256,
            "mime": mime,
            "size_bytes": size_bytes,
            "width_px": sides_px[0],
            "height_px": sides_px[1],
        },
    )
    row = await tx.one(
        "SELECT id FROM media WHERE township_id = :t AND id = :id AND owner_address = :door",
        {"id": media_id, "door": await door_of(tx, address)},
    )
    return None if row is None else str(row["id"])


async def originals_of(tx: Tx, media_ids: Sequence[str]) -> list[str]:
    """The ids of the originals of these photos that can be looked at, in their order."""
    if not media_ids:
        return []
    names, params = in_list("m", media_ids)
    rows = await tx.all(
        f"SELECT id, original_of FROM media WHERE township_id = :t AND state <> 'erased' AND original_of IN ({names})",
        params,
    )
    by_photo: dict[Any, str] = {row["original_of"]: row["id"] for row in rows}
    return [by_photo[one] for one in media_ids if one in by_photo]


async def with_originals(tx: Tx, photos: Sequence[Row]) -> list[Row]:
    """Photos (id, sha256) and the originals that followed them, each once."""
    found = {row["id"]: row for row in photos}
    if found:
        names, params = in_list("m", list(found))
        rows = await tx.all(
            f"SELECT id, sha256 FROM media WHERE township_id = :t AND state <> 'erased' AND original_of IN ({names})",
            params,
        )
        found |= {row["id"]: row for row in rows}
    return list(found.values())


async def of_person(tx: Tx, person_id: int) -> Sequence[Row]:
    """Originals that a person has sent: id, sha256."""
    return await tx.all(
        "SELECT id, sha256 FROM media WHERE township_id = :t AND person_id = :viewer AND original_of IS NOT NULL"
        " AND state <> 'erased' ORDER BY id",
        {"viewer": await viewer_of(tx, person_id)},
    )


async def left_behind(tx: Tx) -> Sequence[Row]:
    """Originals whose photo is gone, or is itself an original; there may be none: id."""
    return await tx.all(
        "SELECT o.id FROM media o WHERE o.township_id = :t AND o.original_of IS NOT NULL AND o.state <> 'erased'"
        " AND NOT EXISTS (SELECT 1 FROM media m WHERE m.township_id = :t AND m.id = o.original_of"
        " AND m.state <> 'erased' AND m.original_of IS NULL) ORDER BY o.id"
    )
