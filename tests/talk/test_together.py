"""Calls at the same time go together, each with its own result."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bot.coalescing import Coalescer


class Work:
    """Takes a while, and remembers what went together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.go.wait()
        if 13 in items:
            raise ValueError("unlucky")
        return [10 * item for item in items]


async def calls(at_once: Coalescer[int, int], *items: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(at_once(item)) for item in items]
    await asyncio.sleep(0.01)
    return tasks


async def test_what_comes_meanwhile_is_the_next_batch_in_its_order() -> None:
    work = Work()
    at_once = Coalescer(work, most=3)
    tasks = await calls(at_once, 1, 2, 3, 4, 5)
    work.go.set()
    assert await asyncio.gather(*tasks) == [10, 20, 30, 40, 50]
    assert work.batches == [[1], [2, 3, 4], [5]]


async def test_an_error_is_everybodys_of_that_batch_only() -> None:
    work = Work()
    at_once = Coalescer(work)
    first, second, third = await calls(at_once, 1, 13, 3)
    work.go.set()
    assert await first == 10
    for task in (second, third):
        with pytest.raises(ValueError, match="unlucky"):
            await task
    assert await at_once(4) == 40


async def test_who_is_cancelled_leaves_the_others_in_good_hands() -> None:
    work = Work()
    at_once = Coalescer(work)
    first, second, third = await calls(at_once, 1, 2, 3)
    first.cancel()
    await asyncio.sleep(0.01)
    work.go.set()
    assert await asyncio.gather(second, third) == [20, 30]
    assert first.cancelled() and work.batches[-1] == [1, 2, 3], "what was begun is done again, with the rest"
