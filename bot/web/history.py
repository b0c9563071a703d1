"""A conversation out of the database: what an address sent and what was written to it, in the order of the ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.webchat_wire import bot_message, own_message, read_body
from bot.i18n import Catalogue, Catalogues
from bot.stored import load_out
from storage.database import Row, Tx
from storage.machine import inbox, outbox, webchat

MAX_ROUNDS = 10
NEWEST = 1 << 60


@dataclass(frozen=True, slots=True)
class Line:
    """A message of the page; `waiting` while nobody was there to read it."""

    id: int
    message: dict[str, Any]
    waiting: bool = False


def bot_line(row: Row) -> Line | None:
    """A line of the outbox; None when it was blanked or can't be read."""
    try:
        out = load_out(row["body"])
    except ValueError:
        return None
    if not (out.text or out.media or out.rows or out.links):
        return None
    changes = str(row["changes"]) if row["changes"] is not None else ""
    message = bot_message(row["id"], max(row["created_ms"], row["due_ms"]), out, changes)
    return Line(row["id"], message, row["state"] == "waiting")


def own_line(row: Row, catalogue: Catalogue) -> Line | None:
    """A line of the inbox; None when it was blanked or can't be read, and for a press that changes a message there."""
    try:
        read = read_body(row["body"])
    except ValueError:
        return None
    if read.get("under"):
        return None
    return Line(row["id"], own_message(row["id"], row["received_ms"], read, catalogue))


async def catalogue_of(tx: Tx, address: str, catalogues: Catalogues) -> Catalogue:
    """The texts of the person's language."""
    return catalogues[await webchat.language_of(tx, address) or catalogues.default]


async def before(
    tx: Tx, address: str, catalogues: Catalogues, *, before_id: int, limit: int, now_ms: int
) -> tuple[list[Line], bool]:
    """The newest `limit` lines before an id, oldest first, and whether there are more."""
    catalogue = await catalogue_of(tx, address, catalogues)
    found: list[Line] = []
    for _ in range(MAX_ROUNDS):  # lines that were blanked may fill whole pages
        own = await inbox.of_address(tx, address, before_id=before_id, limit=limit + 1)
        bot = await outbox.of_address(tx, address, now_ms=now_ms, before_id=before_id, limit=limit + 1, newest=True)
        both = sorted([*_tagged(own, "me"), *_tagged(bot, "bot")], key=lambda pair: -pair[1]["id"])[: limit + 1]
        for side, row in both:
            line = own_line(row, catalogue) if side == "me" else bot_line(row)
            if line is not None:
                found.append(line)
        if len(found) > limit or len(both) <= limit:
            break
        before_id = both[-1][1]["id"]
    return found[:limit][::-1], len(found) > limit


async def after(
    tx: Tx, address: str, catalogues: Catalogues, *, after_id: int, limit: int, now_ms: int
) -> tuple[list[Line], int | None]:
    """Up to `limit` lines after an id, oldest first, and the id to go on after (None: that was all)."""
    catalogue = await catalogue_of(tx, address, catalogues)
    own = await webchat.sent_after(tx, address, after_id=after_id, limit=limit)
    bot = await outbox.of_address(tx, address, now_ms=now_ms, after_id=after_id, limit=limit)
    both = sorted([*_tagged(own, "me"), *_tagged(bot, "bot")], key=lambda pair: pair[1]["id"])[:limit]
    lines = [own_line(row, catalogue) if side == "me" else bot_line(row) for side, row in both]
    return [line for line in lines if line is not None], both[-1][1]["id"] if len(both) == limit else None


async def waiting(tx: Tx, address: str) -> list[Line]:
    """What was kept for someone who was away, oldest first."""
    lines = [bot_line(row) for row in await outbox.waiting_for(tx, address)]
    return [line for line in lines if line is not None]


def _tagged(rows: Sequence[Row], side: str) -> list[tuple[str, Row]]:
    return [(side, row) for row in rows]
