"""Two workers that poll one bot for a moment: whatever their clocks say, a person's updates keep their order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from bot.channels.base import Channels, Raw
from bot.clock import EPOCH_MS, Seams, SystemDice, TimeIds
from bot.incoming.intake import Intake
from storage.database import Database, Unavailable
from storage.machine import inbox
from tests.sim.machine.overlap import Rehearsed, Tape, rehearsal, replay

Meanwhile = Callable[[], Awaitable[None]]
PERSON, OTHER = "telegram:7", "telegram:8"


class Chat:
    """A channel that nobody else has to hear of."""

    name = "telegram"

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        return ""


class Clock:
    """A machine's clock; no two agree."""

    def __init__(self, ahead_ms: int) -> None:
        self.ahead_ms = ahead_ms

    def now_ms(self) -> int:
        return EPOCH_MS + 1_000_000 + self.ahead_ms


class Overtaken:
    """A database in which others commit between what a transaction reads and what it writes, once."""

    def __init__(self, database: Database, meanwhile: Meanwhile) -> None:
        self._database = database
        self._meanwhile: Meanwhile | None = meanwhile

    async def transaction(self, work: Any, *, township_id: int = 1, exclusive: bool = True, wait: bool = True) -> Any:
        tape = Tape()
        if self._meanwhile is not None:
            with suppress(Rehearsed):
                await self._database.transaction(rehearsal(work, tape), township_id=township_id, exclusive=exclusive)
            meanwhile, self._meanwhile = self._meanwhile, None
            await meanwhile()
        return await self._database.transaction(replay(work, tape), township_id=township_id, exclusive=exclusive)


def worker(database: Any, ahead_ms: int) -> Intake:
    nothing: Any = None
    channels: Any = Channels([Chat()])  # type: ignore[list-item]
    clock = Clock(ahead_ms)
    seams = Seams(clock, TimeIds(clock), SystemDice())
    return Intake(database, nothing, channels, nothing, seams, nothing, only_worker=False)


def updates(*keys: str, address: str = PERSON) -> list[Raw]:
    return [Raw("telegram", key, address, b"{}", 1) for key in keys]


async def order(database: Database, address: str = PERSON) -> list[str]:
    """The keys of what a person sent, as they are handled."""
    rows = await database.read(lambda tx: inbox.of_address(tx, address, before_id=1 << 53, limit=99))
    return [row["update_key"] for row in reversed(rows)]


@pytest.mark.parametrize("ahead_ms", [-500, 0, 500])
async def test_what_another_poller_stored_meanwhile_comes_before_what_follows_it(
    database: Database, ahead_ms: int
) -> None:
    before = worker(database, ahead_ms)

    async def stores_the_first() -> None:
        await before.accept(updates("1"))

    after = worker(Overtaken(database, stores_the_first), 0)
    brought = [*updates("1", "2"), *updates("3", address=OTHER)]
    with suppress(Unavailable):
        await after.accept(brought)
    await after.accept(brought)  # what was not stored comes again
    await after.accept(updates("4"))
    assert await order(database) == ["1", "2", "4"] and await order(database, OTHER) == ["3"]


async def test_a_batch_out_of_order_is_not_stored_at_all(database: Database) -> None:
    async def stores_the_first() -> None:
        await worker(database, 60_000).accept(updates("1"))

    after = worker(Overtaken(database, stores_the_first), 0)
    with pytest.raises(Unavailable):
        await after.accept([*updates("3", address=OTHER), *updates("1", "2")])
    assert await order(database) == ["1"] and await order(database, OTHER) == []


@pytest.mark.parametrize("brought", [("5", "2"), ("2", "2", "5"), ("2", "5", "1", "6")])
async def test_what_is_brought_again_holds_up_nothing_new(database: Database, brought: Sequence[str]) -> None:
    one = worker(database, 0)
    await one.accept(updates("1", "2"))
    await one.accept(updates(*brought))
    assert await order(database) == sorted({"1", "2", *brought})
