"""A message in the pieces that WeChat takes one by one, and the rest of one as a message of its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.base import Letter
from bot.channels.wechat.words import shown
from bot.i18n import Catalogue
from bot.stored import dump_out
from bot.talk.messages import Out


@dataclass(frozen=True, slots=True)
class Piece:
    """One customer message: words, or a picture."""

    words: str = ""
    media_id: str = ""


def pieces_of(out: Out, catalogue: Catalogue, series: int = 0) -> list[Piece]:
    """A message in the pieces that WeChat takes: its words, then its pictures."""
    found = shown([out], catalogue, series=series)
    return [*(Piece(part) for part in found.parts), *(Piece(media_id=media_id) for media_id in found.media)]


def together(pieces: Sequence[Piece]) -> Out:
    """Pieces as one message again; its choices are words now, with the numbers that they have."""
    words = "\n".join(piece.words for piece in pieces if piece.words)
    return Out(words, media=tuple(piece.media_id for piece in pieces if piece.media_id))


def rest_key(letter_id: int) -> str:
    """The message key of a letter's rest: it has one."""
    return f"rest:{letter_id}"


def rest_row(letter: Letter, out: Out, *, message_id: int, now_ms: int, due_ms: int) -> dict[str, Any]:
    """The rest of a letter as a message of its own (a row for `outbox.put`)."""
    return {
        "id": message_id,
        "person_id": letter.person_id,
        "channel": letter.channel,
        "address": letter.address,
        "body": dump_out(out),
        "media": out.media,
        "message_key": rest_key(letter.id),
        "urgent": int(letter.urgent),
        "created_ms": now_ms,
        "due_ms": due_ms,
        "expires_ms": letter.expires_ms,
    }
