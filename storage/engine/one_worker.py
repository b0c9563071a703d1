"""The `Workers` of a database that one process has to itself."""

from __future__ import annotations

from collections.abc import Callable


class OneWorker:
    """Holds every lease it asks for; there is nobody to tell anything."""

    number = 0

    def __init__(self) -> None:
        self._leases: set[str] = set()

    async def start(self) -> None:
        """Nothing to prepare."""

    async def take(self, lease: str) -> bool:
        """Always."""
        self._leases.add(lease)
        return True

    async def leave(self, lease: str) -> None:
        """Give a lease back."""
        self._leases.discard(lease)

    def has(self, lease: str) -> bool:
        """Whether it was taken."""
        return lease in self._leases

    async def join(self, kind: str) -> None:
        """There is one of each kind."""

    async def count(self, kind: str) -> int:
        """This one."""
        return 1

    def listen(self, topic: str, hear: Callable[[str], None]) -> None:
        """Nobody else speaks."""

    async def stop(self) -> None:
        """Nothing to give back."""
        self._leases.clear()
