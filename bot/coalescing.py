"""Calls at the same time as one: what comes while one is under way goes together as the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Coalescer(Generic[Item, Result]):
    """`work` does several at once, in the order of the calls: a result for each. It may be given the same again when
    a caller was cancelled meanwhile.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], most: int = 200) -> None:
        self._work = work
        self._most = most
        self._one_at_a_time = asyncio.Lock()
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []

    async def __call__(self, item: Item) -> Result:
        """The result for one; raises what `work` raises for all that go together."""
        mine: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, mine))
        while not mine.done():
            async with self._one_at_a_time:
                if not mine.done():
                    await self._do_some()
        return mine.result()

    async def _do_some(self) -> None:
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            results = await self._work([item for item, _ in batch])
        except asyncio.CancelledError:
            self._waiting = batch + self._waiting
            raise
        except Exception as error:
            for _, future in batch:
                future.set_exception(error)
                future.exception()  # whoever has gone meanwhile does not look
            return
        for (_, future), result in zip(batch, results, strict=True):
            future.set_result(result)
