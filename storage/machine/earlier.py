"""Words that were stored before there was a vault, sealed a batch at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import orjson

from storage.database import Row, Tx
from storage.machine import outbox
from storage.photos import owners
from storage.vault.sealing import is_sealed, seal, seal_text
from storage.vault.vault import Purpose
from storage.walks import set_through, through

ROWS = 1_000
# the walk → the rows after an id, and how a sealed one is written
WALKS: Mapping[str, tuple[str, str]] = {
    "seal.inbox": (
        "SELECT id, body, received_ms AS at_ms FROM inbox WHERE township_id = :t AND id > :after"
        " ORDER BY id LIMIT :limit",
        "UPDATE inbox SET body = :body WHERE township_id = :t AND id = :id",
    ),
    "seal.outbox": (
        "SELECT id, body, created_ms AS at_ms, person_id, message_key, card FROM outbox WHERE township_id = :t"
        " AND id > :after ORDER BY id LIMIT :limit",
        "UPDATE outbox SET body = :body WHERE township_id = :t AND id = :id",
    ),
    "seal.sessions": (
        "SELECT person_id AS id, body, updated_ms AS at_ms FROM sessions WHERE township_id = :t AND person_id > :after"
        " ORDER BY person_id LIMIT :limit",
        "UPDATE sessions SET body = :body WHERE township_id = :t AND person_id = :id",
    ),
}
NOTHING = (b"", "{}")
HIDDEN = re.compile(r"[0-9a-f]{32}")


async def seal_words(tx: Tx) -> bool:
    """Seal a batch of each kind of words; whether there may be more."""
    more = [await _seal_some(tx, what, *walk) for what, walk in WALKS.items()]
    return any(more)


async def _seal_some(tx: Tx, what: str, select: str, update: str) -> bool:
    rows = await tx.all(select, {"after": await through(tx, what), "limit": ROWS})
    if not rows:
        return False
    if what == "seal.outbox":
        await _grant_photos(tx, rows)
        await _hide_names(tx, rows)
    sealed = [
        {"t": tx.township_id, "id": row["id"], "body": await _sealed(tx, row["body"], row["at_ms"])}
        for row in rows
        if row["body"] not in NOTHING and not is_sealed(row["body"])
    ]
    await tx.many(update, sealed)
    await set_through(tx, what, rows[-1]["id"])
    return len(rows) == ROWS


async def _sealed(tx: Tx, body: str | bytes, at_ms: int) -> str | bytes:
    if isinstance(body, str):
        return await seal_text(tx, Purpose.WORDS, at_ms, body)
    return await seal(tx, Purpose.WORDS, at_ms, body)


async def _grant_photos(tx: Tx, rows: Sequence[Row]) -> None:
    """Who was sent a photo may look at it: that was read from the message's words before."""
    for row in rows:
        if not is_sealed(row["body"]) and '"media":' in row["body"]:
            await owners.grant(tx, orjson.loads(row["body"])["media"], row["person_id"])


async def _hide_names(tx: Tx, rows: Sequence[Row]) -> None:
    """What messages are known by, and the cards they show."""
    named = [row for row in rows if _is_plain(row["message_key"]) or _is_plain(row["card"])]
    await tx.many(
        "UPDATE outbox SET message_key = :message_key, card = :card WHERE township_id = :t AND id = :id",
        [
            {
                "t": tx.township_id,
                "id": row["id"],
                "message_key": await outbox.hidden(tx, row["message_key"]),
                "card": await outbox.hidden(tx, row["card"]),
            }
            for row in named
        ],
    )


def _is_plain(name: str | None) -> bool:
    return name is not None and not HIDDEN.fullmatch(name)
