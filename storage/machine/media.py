"""Photos and videos: rows of facts (the bytes are files), and who may look at them.

An id is a letter for the kind (`i` image, `v` video) and 31 characters that can't be guessed. Whose
a photo is stands in `storage.photos.owners`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from storage.database import Row, Tx
from storage.photos.owners import door_of, owner, sealed_owner, viewer_of
from storage.sql import in_list

Kind = Literal["image", "video"]
ID_CHARS = 32
COLUMNS = (
    "id, kind, channel, ref, owner_address, person_id, state, error, sha256, mime, size_bytes, width_px, height_px,"
    " lat, lng, datum, taken_ms, likeness, created_ms, sealed, original_of"
)
FACTS = ("sha256", "mime", "size_bytes", "width_px", "height_px", "lat", "lng", "datum", "taken_ms", "likeness")


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """How large a photo or video may be; the program itself takes no more than these."""

    photo_bytes: int = 20 * 1024 * 1024
    photo_px: int = 120_000_000
    video_bytes: int = 20 * 1024 * 1024


class TokenSource(Protocol):
    """Where unguessable ids come from."""

    def token(self) -> str: ...


def new_id(dice: TokenSource, kind: Kind) -> str:
    """A fresh id."""
    return kind[0] + hashlib.sha256(dice.token().encode()).hexdigest()[: ID_CHARS - 1]


def is_id(value: object) -> bool:
    """Whether a value from outside has the shape of an id."""
    return (
        isinstance(value, str)
        and len(value) == ID_CHARS
        and value[0] in "iv"
        and all(character in "0123456789abcdef" for character in value[1:])
    )


def kind_of(media_id: str) -> Kind:
    """The kind that an id names: what it was taken for before its content was seen."""
    return "video" if media_id.startswith("v") else "image"


async def add(
    tx: Tx,
    *,
    media_id: str,
    channel: str,
    now_ms: int,
    state: str = "ready",
    ref: str = "",
    owner_address: str | None = None,
    person_id: int | None = None,
    content: bytes | None = None,
    facts: Mapping[str, Any] | None = None,
    loose: bool = False,
) -> None:
    """A new row; `facts` are what `bot.media.pictures` found (see FACTS). `loose`: it belongs to nothing yet."""
    found = facts or {}
    await tx.run(
        "INSERT INTO media (township_id, id, kind, channel, ref, owner_address, person_id, state, sha256, mime,"
        " size_bytes, width_px, height_px, lat, lng, datum, taken_ms, likeness, content, created_ms, sealed, loose_ms)"
        " VALUES (:t, :id, :kind, :channel, :ref, :owner_address, :person_id, :state, :sha256, :mime, :size_bytes,"
        " :width_px, :height_px, :lat, :lng, :datum, :taken_ms, :likeness, :content, :now_ms, :sealed, :loose_ms)",
        {
            "id": media_id,
            "kind": kind_of(media_id),
            "channel": channel,
            "ref": ref,
            "owner_address": None if owner_address is None else await door_of(tx, owner_address),
            "person_id": None if person_id is None else await viewer_of(tx, person_id),
            "sealed": await sealed_owner(tx, person_id, owner_address, now_ms),
            "state": state,
            "content": content,
            "now_ms": now_ms,
            "loose_ms": now_ms if loose else None,
            **{name: found.get(name) for name in FACTS},
        },
    )


async def get(tx: Tx, media_id: str) -> Row | None:
    """One row, without its content."""
    return await tx.one(f"SELECT {COLUMNS} FROM media WHERE township_id = :t AND id = :id", {"id": media_id})


async def get_many(tx: Tx, media_ids: Sequence[str]) -> Sequence[Row]:
    """Rows in the order of `media_ids`; unknown ids are left out."""
    if not media_ids:
        return []
    names, params = in_list("m", media_ids)
    rows = await tx.all(f"SELECT {COLUMNS} FROM media WHERE township_id = :t AND id IN ({names})", params)
    by_id = {row["id"]: row for row in rows}
    return [by_id[one] for one in media_ids if one in by_id]


async def content(tx: Tx, media_id: str) -> bytes | None:
    """The bytes of a small picture that the program made; None when it is a file."""
    row = await tx.one("SELECT content FROM media WHERE township_id = :t AND id = :id", {"id": media_id})
    return row["content"] if row else None


async def owned(tx: Tx, address: str, media_ids: Sequence[str]) -> set[str]:
    """Which of the ids were uploaded from that address, to be sent, and are ready; no original that followed one."""
    if not media_ids:
        return set()
    names, params = in_list("m", media_ids)
    rows = await tx.all(
        "SELECT id FROM media WHERE township_id = :t AND owner_address = :address AND state = 'ready'"
        f" AND original_of IS NULL AND id IN ({names})",
        {"address": await door_of(tx, address), **params},
    )
    return {row["id"] for row in rows}


async def same_upload(tx: Tx, address: str, sha256: str, *, now_ms: int) -> str | None:
    """The id under which that address uploaded the same bytes before; if they belong to nothing, they wait anew."""
    row = await tx.one(
        "SELECT id FROM media WHERE township_id = :t AND owner_address = :address AND sha256 = :sha256"
        " AND state = 'ready' AND original_of IS NULL ORDER BY id LIMIT 1",
        {"address": await door_of(tx, address), "sha256": sha256},
    )
    if row is not None:
        await tx.run(
            "UPDATE media SET loose_ms = :now_ms WHERE township_id = :t AND id = :id AND loose_ms IS NOT NULL",
            {"id": row["id"], "now_ms": now_ms},
        )
    return row["id"] if row else None


async def attach(
    tx: Tx,
    dice: TokenSource,
    person_id: int,
    channel: str,
    media: Sequence[Sequence[Any]],
    *,
    now_ms: int,
    loose: bool = False,
) -> tuple[list[str], list[tuple[str, int]]]:
    """Make the photos of an answer (`[[kind, ref, size_bytes], …]`) a person's; each photo once.

    Their ids in order, and (id, which of the photos) of those whose bytes are still to be fetched.

    What was uploaded to the web chat has its row already. For another channel a row in state `fetching` is made; the
    same photo of the same person keeps its id. `channel` is where the answer was finished; a photo may have come from
    the person's other contact. What can't be found is left out. `loose`: what they belong to will be said later.
    """
    found: list[str] = []
    made: set[str] = set()
    expected: list[tuple[str, int]] = []
    for number, (kind, ref, size_bytes) in enumerate(media, 1):
        if is_id(ref):
            media_id = await _claim(tx, person_id, ref)
        else:
            source = await _source(tx, person_id, channel)
            media_id = await _known(tx, person_id, source, ref)
            if media_id is None:
                media_id = new_id(dice, kind)
                facts = {"size_bytes": size_bytes or 0}
                await add(
                    tx,
                    media_id=media_id,
                    channel=source,
                    ref=ref,
                    person_id=person_id,
                    state="fetching",
                    now_ms=now_ms,
                    facts=facts,
                    loose=loose,
                )
                made.add(media_id)
                expected.append((media_id, number))
        if media_id is not None and media_id not in found:
            found.append(media_id)
    if not loose and (kept := [one for one in found if one not in made]):
        names, params = in_list("m", kept)
        await tx.run(
            f"UPDATE media SET loose_ms = NULL WHERE township_id = :t AND loose_ms IS NOT NULL AND id IN ({names})",
            params,
        )
    return found, expected


async def _source(tx: Tx, person_id: int, channel: str) -> str:
    """The channel of a photo that is not the web chat's."""
    if channel != "web":
        return channel
    row = await tx.one(
        "SELECT channel FROM contacts WHERE township_id = :t AND person_id = :person_id AND channel <> 'web'"
        " ORDER BY last_in_ms DESC LIMIT 1",
        {"person_id": person_id},
    )
    return row["channel"] if row else channel


async def _claim(tx: Tx, person_id: int, media_id: str) -> str | None:
    row = await get(tx, media_id)
    if row is not None and row["person_id"] is None:
        _, address = await owner(tx, row)
        await tx.run(
            "UPDATE media SET person_id = :viewer, sealed = :sealed WHERE township_id = :t AND id = :id",
            {
                "viewer": await viewer_of(tx, person_id),
                "sealed": await sealed_owner(tx, person_id, address, row["created_ms"]),
                "id": media_id,
            },
        )
    return None if row is None else media_id


async def _known(tx: Tx, person_id: int, channel: str, ref: str) -> str | None:
    """The id under which a photo of that person is known already."""
    row = await tx.one(
        "SELECT id FROM media WHERE township_id = :t AND channel = :channel AND ref = :ref AND ref <> ''"
        " AND person_id = :person_id",
        {"channel": channel, "ref": ref, "person_id": await viewer_of(tx, person_id)},
    )
    return str(row["id"]) if row is not None else None


async def put_generated(tx: Tx, dice: TokenSource, png: bytes, *, now_ms: int, person_id: int | None = None) -> str:
    """Store a small picture that the program made (a QR code) and return its id; who gets it must be granted it."""
    media_id = new_id(dice, "image")
    facts = {"mime": "image/png", "size_bytes": len(png)}
    await add(tx, media_id=media_id, channel="generated", person_id=person_id, content=png, now_ms=now_ms, facts=facts)
    return media_id


async def fetched(tx: Tx, media_id: str, facts: Mapping[str, Any]) -> bool:
    """The bytes are in the store, and their content says the kind; False when the row was settled before."""
    changed = await tx.run(
        "UPDATE media SET state = 'ready', kind = COALESCE(:kind, kind), sha256 = :sha256, mime = :mime,"
        " size_bytes = :size_bytes, width_px = :width_px, height_px = :height_px, lat = :lat, lng = :lng,"
        " datum = :datum, taken_ms = :taken_ms, likeness = :likeness"
        " WHERE township_id = :t AND id = :id AND state = 'fetching'",
        {"id": media_id, "kind": facts.get("kind"), **{name: facts.get(name) for name in FACTS}},
    )
    return changed == 1


async def refused(tx: Tx, media_id: str, code: str) -> bool:
    """The photo can't be used: `error.media.<code>` says why. False when the row was settled before."""
    changed = await tx.run(
        "UPDATE media SET state = 'refused', error = :code WHERE township_id = :t AND id = :id AND state = 'fetching'",
        {"id": media_id, "code": code},
    )
    return changed == 1


async def files(tx: Tx, first: str) -> list[str]:
    """The hashes of the files that are needed, of those that begin with `first` (two hexadecimal digits)."""
    rows = await tx.all(
        "SELECT DISTINCT sha256 FROM media WHERE township_id = :t AND sha256 >= :first AND sha256 < :after"
        " AND state <> 'erased' ORDER BY sha256",
        {"first": first, "after": f"{first}g"},
    )
    return [row["sha256"] for row in rows]


async def counts(tx: Tx) -> dict[str, int]:
    """How many photos are still to be fetched and how many were refused."""
    rows = await tx.all(
        "SELECT state, COUNT(*) AS n FROM media WHERE township_id = :t AND state IN ('fetching', 'refused')"
        " GROUP BY state"
    )
    return {row["state"]: row["n"] for row in rows}
