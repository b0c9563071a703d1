"""The `Workers` of a database that one process has to itself."""

from __future__ import annotations

from collections.abc import Callable


class OneWorker:
    """Has every duty it wants; there is nobody to tell anything."""

    number = 0

    def __init__(self) -> None:
        self._duties: set[str] = set()

    async def start(self) -> None:
        """Nothing to prepare."""

    async def take(self, duty: str) -> bool:
        """Always."""
        self._duties.add(duty)
        return True

    async def leave(self, duty: str) -> None:
        """Give a duty up."""
        self._duties.discard(duty)

    def has(self, duty: str) -> bool:
        """Whether it was taken."""
        return duty in self._duties

    async def join(self, kind: str) -> None:
        """There is one of each kind."""

    async def count(self, kind: str) -> int:
        """This one."""
        return 1

    def listen(self, topic: str, hear: Callable[[str], None]) -> None:
        """Nobody else speaks."""

    async def stop(self) -> None:
        """Nothing to give back."""
        self._duties.clear()
