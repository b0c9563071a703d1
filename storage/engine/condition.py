"""How an open database is: what it can't do now, and what it found damaged, which is never forgotten."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from storage.database import Damaged, Unavailable

log = structlog.get_logger()


class Condition:
    """Of one open database. Reads may work while writes fail (a full disk): it is well again when both do."""

    def __init__(self) -> None:
        self.is_damaged = False
        self._unsure = {True}  # whether writing; reading is seen to work by whoever opened it
        self._tell: Callable[[Unavailable | None], None] = lambda _: None

    def watch(self, tell: Callable[[Unavailable | None], None]) -> None:
        """Call `tell` with each error by which the database could not work, and with None once it works again."""
        self._tell = tell

    def failed(self, error: Unavailable, *, writing: bool) -> None:
        """It could not work. A work may have raised such an error by itself: that says nothing of the database."""
        if isinstance(error, Damaged) and not self.is_damaged:
            self.is_damaged = True
            log.error("database.damaged", where=error.where, error=str(error), action="restore a backup")
        elif error.reason:
            self._unsure.add(writing)
            self._tell(error)

    def works(self, *, writing: bool) -> None:
        """It did some work."""
        if writing in self._unsure:
            self._unsure.discard(writing)
            if not self._unsure:
                self._tell(None)
