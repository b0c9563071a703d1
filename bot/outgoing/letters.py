"""Stored messages on their way: as a transaction wrote them, and as they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels.base import Letter
from bot.talk.messages import Out

FIRST_BACKOFF_MS = 1_000
LAST_BACKOFF_MS = 300_000


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction wrote to a township's outbox: the letters that are due, the newest message before it, and
    the newest now.
    """

    township_id: int
    letters: Sequence[Letter]
    after_id: int
    last_id: int


def letter_of(row: Mapping[str, Any] | Any, out: Out, township_id: int) -> Letter:
    """A stored message, ready to be sent."""
    return Letter(
        row["id"],
        township_id,
        row["person_id"],
        row["channel"],
        row["address"],
        out,
        row["created_ms"],
        row["expires_ms"],
        row["attempts"],
        bool(row["urgent"]),
        "series" in row.keys() and row["series"] == 0,  # noqa: SIM118  # a Row is no dict
        (row["changes_ref"] or "") if row["changes"] is not None else "",
    )


def backoff_ms(attempts: int) -> int:
    """How long to wait after that many failures."""
    return min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS << min(attempts, 20))
