"""When somebody may see who reported. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from bot.talk.spans import HOUR_MS

REASONS = ("pay", "ask", "law", "other")
State = Literal["none", "waits", "open", "declined", "over"]


class Happened(Protocol):
    """One entry of a request."""

    @property
    def event(self) -> str: ...

    @property
    def person_id(self) -> int | None: ...

    @property
    def at_ms(self) -> int: ...


def state_of(entries: Sequence[Happened], now_ms: int, *, needs_second: bool, valid_hours: int) -> State:
    """How a request stands (its entries in order): waits for a second person, open for whoever asked, declined, over.

    A confirmation counts only of somebody else than who asked. What was asked can be confirmed for `valid_hours`, what
    was confirmed can be looked at for as long.
    """
    asked = next((one for one in entries if one.event == "asked"), None)
    if asked is None:
        return "none"
    if any(one.event == "declined" for one in entries):
        return "declined"
    confirmed = next(
        (one for one in entries if one.event == "confirmed" and one.person_id != asked.person_id and one.person_id),
        None,
    )
    begins = confirmed or asked
    if now_ms >= begins.at_ms + valid_hours * HOUR_MS:
        return "over"
    return "open" if confirmed is not None or not needs_second else "waits"
