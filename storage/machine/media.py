"""Photos and videos: rows of facts (the bytes are files), and who may look at them.

An id is a letter for the kind (`i` image, `v` video) and 31 characters that can't be guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from storage.database import Row, Tx
from storage.sql import in_list

Kind = Literal["image", "video"]
ID_CHARS = 32
COLUMNS = (
    "id, kind, channel, ref, owner_address, person_id, state, error, sha256, mime, size_bytes, width_px, height_px,"
    " lat, lng, datum, taken_ms, likeness, created_ms"
)
FACTS = ("sha256", "mime", "size_bytes", "width_px", "height_px", "lat", "lng", "datum", "taken_ms", "likeness")
MAY_SEE = """
SELECT 1 FROM media m WHERE m.township_id = :t AND m.id = :id AND (
    m.owner_address = :address
    OR EXISTS (SELECT 1 FROM contacts c WHERE c.township_id = :t AND c.address = :address AND c.state <> 'erased' AND (
        c.person_id = m.person_id
        OR EXISTS (SELECT 1 FROM media_grants g
                   WHERE g.township_id = :t AND g.media_id = :id AND g.person_id = c.person_id))))
"""


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
) -> None:
    """A new row; `facts` are what `bot.media.pictures` found (see FACTS)."""
    found = facts or {}
    await tx.run(
        "INSERT INTO media (township_id, id, kind, channel, ref, owner_address, person_id, state, sha256, mime,"
        " size_bytes, width_px, height_px, lat, lng, datum, taken_ms, likeness, content, created_ms) VALUES (:t, :id,"
        " :kind, :channel, :ref, :owner_address, :person_id, :state, :sha256, :mime, :size_bytes, :width_px,"
        " :height_px, :lat, :lng, :datum, :taken_ms, :likeness, :content, :now_ms)",
        {
            "id": media_id,
            "kind": kind_of(media_id),
            "channel": channel,
            "ref": ref,
            "owner_address": owner_address,
            "person_id": person_id,
            "state": state,
            "content": content,
            "now_ms": now_ms,
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
    """Which of the ids were uploaded from that address and are ready."""
    if not media_ids:
        return set()
    names, params = in_list("m", media_ids)
    rows = await tx.all(
        "SELECT id FROM media WHERE township_id = :t AND owner_address = :address AND state = 'ready'"
        f" AND id IN ({names})",
        {"address": address, **params},
    )
    return {row["id"] for row in rows}


async def same_upload(tx: Tx, address: str, sha256: str) -> str | None:
    """The id under which that address uploaded the same bytes before."""
    row = await tx.one(
        "SELECT id FROM media WHERE township_id = :t AND owner_address = :address AND sha256 = :sha256"
        " AND state = 'ready' ORDER BY id LIMIT 1",
        {"address": address, "sha256": sha256},
    )
    return row["id"] if row else None


async def attach(
    tx: Tx, dice: TokenSource, person_id: int, channel: str, media: Sequence[Sequence[Any]], *, now_ms: int
) -> tuple[list[str], list[tuple[str, int]]]:
    """Make the photos of an answer (`[[kind, ref, size_bytes], …]`) a person's; each photo once.

    Their ids in order, and (id, which of the photos) of those whose bytes are still to be fetched.

    What was uploaded to the web chat has its row already. For another channel a row in state `fetching` is made; the
    same photo of the same person keeps its id. `channel` is where the answer was finished; a photo may have come from
    the person's other contact. What can't be found is left out.
    """
    found: list[str] = []
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
                )
                expected.append((media_id, number))
        if media_id is not None and media_id not in found:
            found.append(media_id)
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
    await tx.run(
        "UPDATE media SET person_id = :person_id WHERE township_id = :t AND id = :id AND person_id IS NULL",
        {"person_id": person_id, "id": media_id},
    )
    return media_id if await get(tx, media_id) is not None else None


async def _known(tx: Tx, person_id: int, channel: str, ref: str) -> str | None:
    """The id under which a photo of that person is known already."""
    row = await tx.one(
        "SELECT id FROM media WHERE township_id = :t AND channel = :channel AND ref = :ref AND ref <> ''"
        " AND person_id = :person_id",
        {"channel": channel, "ref": ref, "person_id": person_id},
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


async def grant(tx: Tx, media_ids: Sequence[str], person_id: int) -> None:
    """Let a person look at photos (they were written to in a message that carries them)."""
    await tx.many(
        "INSERT INTO media_grants (township_id, media_id, person_id) VALUES (:t, :media_id, :person_id)"
        " ON CONFLICT (township_id, media_id, person_id) DO NOTHING",
        [{"t": tx.township_id, "media_id": one, "person_id": person_id} for one in media_ids],
    )


async def may_see(tx: Tx, media_id: str, address: str) -> bool:
    """Whether someone at that address may look: the owner, someone granted, or who was sent it."""
    found = await tx.one(MAY_SEE, {"id": media_id, "address": address})
    return found is not None


async def forget(tx: Tx, person_id: int, addresses: Sequence[str]) -> None:
    """Unlink a person from their photos (erasure); what a case needs as evidence stays, without an owner."""
    await tx.run("DELETE FROM media_grants WHERE township_id = :t AND person_id = :person_id", {"person_id": person_id})
    blank = "UPDATE media SET owner_address = NULL, person_id = NULL, ref = '' WHERE township_id = :t"
    await tx.run(f"{blank} AND state <> 'fetching' AND person_id = :person_id", {"person_id": person_id})
    if addresses:
        names, params = in_list("a", addresses)
        await tx.run(f"{blank} AND owner_address IN ({names})", params)


async def move(tx: Tx, *, from_person: int, to_person: int) -> None:
    """The two are the same human: what one owned or may look at is the other's."""
    both = {"from_person": from_person, "to_person": to_person}
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
