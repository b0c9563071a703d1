"""In which order pictures are worked on, one at a time: who is known goes first, nobody's many delay another's, and
what nobody waits for comes after all that.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Order:
    """A lock; next is what somebody waits for, then who is known, then who has fewest waiting before this one, then
    who came first.
    """

    def __init__(self) -> None:
        self._held = False
        self._waiting: list[tuple[bool, bool, int, int, asyncio.Future[None]]] = []
        self._of: Counter[str] = Counter()
        self._numbers = count()

    @asynccontextmanager
    async def turn(self, whose: str, *, known: bool, last: bool = False) -> AsyncIterator[None]:
        """Hold it, for somebody's work; `whose` tells theirs from other people's. `last`: nobody waits for it."""
        await self._take(whose, known, last)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, whose: str, known: bool, last: bool) -> None:
        if not self._held:
            self._held = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (last, not known, self._of[whose], next(self._numbers), mine))
        self._of[whose] += 1
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._pass_on()  # it was given just as nobody wanted it any more
            raise
        finally:
            self._of[whose] -= 1
            if not self._of[whose]:
                del self._of[whose]

    def _pass_on(self) -> None:
        while self._waiting:
            *_, following = heapq.heappop(self._waiting)
            if not following.done():
                following.set_result(None)
                return
        self._held = False
