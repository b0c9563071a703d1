"""Erasing what was kept long enough (PIPL 19), a bounded batch at a time. Figures, histories and ledgers stay.

In tables whose ids grow with time, `erased_through` remembers how far it has come, so that nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.database import Row, Tx
from storage.machine.sessions import EMPTY as EMPTY_SESSION
from storage.photos.following import with_originals
from storage.sql import in_list
from storage.vault.sealing import open_bodies
from storage.walks import set_through, through

# what is erased → its table, its moment, and the statement that erases a range of ids
WORDS: Mapping[str, tuple[str, str, str]] = {
    "inbox.words": (
        "inbox",
        "received_ms",
        "UPDATE inbox SET body = :nothing, address = '', update_key = 'past:' || CAST(id AS TEXT)"
        " WHERE township_id = :t AND id > :after AND id <= :through AND state <> 'new'",
    ),
    "outbox.words": (
        "outbox",
        "created_ms",
        "UPDATE outbox SET body = '{}', address = '', person_id = 0, message_key = NULL, card = NULL,"
        " state = CASE WHEN state IN ('due', 'waiting') THEN 'expired' ELSE state END"
        " WHERE township_id = :t AND id > :after AND id <= :through",
    ),
}
ERRORS: Mapping[str, tuple[str, str, str]] = {
    "inbox.errors": (
        "inbox",
        "received_ms",
        "UPDATE inbox SET error = NULL WHERE township_id = :t AND id > :after AND id <= :through AND error IS NOT NULL",
    ),
    "outbox.errors": (
        "outbox",
        "created_ms",
        "UPDATE outbox SET error = NULL WHERE township_id = :t AND id > :after AND id <= :through"
        " AND error IS NOT NULL",
    ),
}
PLACES: Mapping[str, tuple[str, str, str]] = {
    "cases.places": (
        "cases",
        "received_ms",
        "UPDATE cases SET lat = NULL, lng = NULL, datum = NULL, cell = NULL, landmark_id = NULL, statement = '',"
        " place = COALESCE((SELECT a.name FROM areas a WHERE a.township_id = :t"
        " AND a.area_id = cases.area_id AND a.until_ms IS NULL), '')"
        " WHERE township_id = :t AND id > :after AND id <= :through",
    ),
}


async def erase_ranges(tx: Tx, steps: Mapping[str, tuple[str, str, str]], *, before_ms: int, limit: int) -> bool:
    """Erase one batch of each of WORDS, ERRORS or PLACES from before a moment; whether there may be more."""
    more = [await _erase_range(tx, what, step, before_ms=before_ms, limit=limit) for what, step in steps.items()]
    return any(more)


async def _erase_range(tx: Tx, what: str, step: tuple[str, str, str], *, before_ms: int, limit: int) -> bool:
    table, moment, statement = step
    after = await through(tx, what)
    rows = await tx.all(
        f"SELECT id, {moment} AS at_ms FROM {table} WHERE township_id = :t AND id > :after ORDER BY id LIMIT :limit",
        {"after": after, "limit": limit},
    )
    last = max((row["id"] for row in rows if row["at_ms"] < before_ms), default=None)
    if last is None:
        return False
    values = {"after": after, "through": last}
    await tx.run(statement, {**values, "nothing": b""} if ":nothing" in statement else values)
    await set_through(tx, what, last)
    return len(rows) == limit and rows[-1]["id"] == last


async def next_sessions(tx: Tx, *, limit: int) -> Sequence[Row]:
    """The next conversations on a walk through all of them: person_id, body, updated_ms. Empty at its end.

    Where a conversation stands is written with each message, so its age has no index; the walk begins anew after
    its end.
    """
    rows = await tx.all(
        "SELECT person_id, body, updated_ms FROM sessions WHERE township_id = :t AND person_id > :after"
        " ORDER BY person_id LIMIT :limit",
        {"after": await through(tx, "sessions"), "limit": limit},
    )
    await set_through(tx, "sessions", rows[-1]["person_id"] if rows else 0)
    return await open_bodies(tx, rows, blank=EMPTY_SESSION)


async def erase_media(tx: Tx, *, before_ms: int, limit: int) -> tuple[int, list[str]]:
    """Mark photos and videos of before a moment as erased; how many, and the hashes of their files."""
    rows = await tx.all(
        "SELECT id, sha256 FROM media WHERE township_id = :t AND state <> 'erased' AND created_ms < :before_ms"
        " ORDER BY created_ms LIMIT :limit",
        {"before_ms": before_ms, "limit": limit},
    )
    return len(rows), await erase_photos(tx, rows)


async def erase_photos(tx: Tx, rows: Sequence[Row]) -> list[str]:
    """Mark photos (id, sha256) and their originals as erased; the hashes of their files."""
    rows = await with_originals(tx, rows)
    if rows:
        names, params = in_list("m", [row["id"] for row in rows])
        await tx.run(
            "UPDATE media SET state = 'erased', ref = '', owner_address = NULL, person_id = NULL, sealed = NULL,"
            " lat = NULL, lng = NULL, datum = NULL, taken_ms = NULL, likeness = NULL, content = NULL, error = NULL,"
            " loose_ms = NULL"
            f" WHERE township_id = :t AND id IN ({names})",
            params,
        )
        await tx.run(f"DELETE FROM media_grants WHERE township_id = :t AND media_id IN ({names})", params)
    return sorted({row["sha256"] for row in rows if row["sha256"] is not None})


async def erase_photo_places(tx: Tx, *, before_ms: int, limit: int) -> int:
    """Blank where and when photos of before a moment were taken; how many."""
    rows = await tx.all(
        "SELECT id FROM media WHERE township_id = :t AND lat IS NOT NULL AND created_ms < :before_ms"
        " ORDER BY created_ms LIMIT :limit",
        {"before_ms": before_ms, "limit": limit},
    )
    if rows:
        names, params = in_list("m", [row["id"] for row in rows])
        await tx.run(
            "UPDATE media SET lat = NULL, lng = NULL, datum = NULL, taken_ms = NULL"
            f" WHERE township_id = :t AND id IN ({names})",
            params,
        )
    return len(rows)


async def needed_files(tx: Tx, sha256s: Sequence[str]) -> set[str]:
    """Which of these hashes a photo that is kept still needs."""
    if not sha256s:
        return set()
    names, params = in_list("h", sha256s)
    rows = await tx.all(
        f"SELECT DISTINCT sha256 FROM media WHERE township_id = :t AND sha256 IN ({names}) AND state <> 'erased'",
        params,
    )
    return {row["sha256"] for row in rows}
