"""Several workers on one PostgreSQL database: numbers, leases, hints, and a connection that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from storage.database import Database, Tx, Unavailable, Workers
from storage.engine.leases import Leases, key_of
from storage.engine.opening import open_database
from storage.engine.postgres import PostgresDatabase
from tests.postgres import PostgresServer

LEASE = "clock"


@dataclass
class Heard:
    """What a worker was told."""

    all: list[str] = field(default_factory=list)
    something: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, payload: str) -> None:
        self.all.append(payload)
        self.something.set()

    async def until(self, payload: str) -> list[str]:
        """Everything heard, once that was."""
        async with asyncio.timeout(30):
            while payload not in self.all:
                self.something.clear()
                await self.something.wait()
        return self.all


@dataclass
class Worker:
    """A process, as far as the database knows."""

    database: Database
    heard: Heard
    workers: Workers


Hire = Callable[[], Awaitable[Worker]]


@pytest.fixture
async def hire(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hire]:
    """Start another worker."""
    monkeypatch.setattr("storage.engine.leases.BEAT_S", 0.02)
    hired = []

    async def hire() -> Worker:
        database = await open_database(postgres_url)
        worker = Worker(database, Heard(), database.workers())
        worker.workers.listen("news", worker.heard)
        await worker.workers.start()
        hired.append(worker)
        return worker

    yield hire
    for worker in hired:
        await worker.database.close()


@pytest.fixture
async def outside(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The server's operator."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    """Until it is so; each look is a round to the server."""
    async with asyncio.timeout(30):
        while not await look():
            await asyncio.sleep(0)  # who has no connection answers at once


async def break_connection(outside: asyncpg.Connection, name: str) -> None:
    """End the connection that holds a lock of that name."""
    key = key_of(name) & ((1 << 64) - 1)
    ended = await outside.fetchval(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        " AND classid = $1::bigint::oid AND objid = $2::bigint::oid AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        key >> 32,
        key & 0xFFFFFFFF,
    )
    assert ended


async def test_workers_have_different_numbers_and_a_free_one_is_given_again(
    hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.engine.leases.NUMBERS", 3)
    first, second, third = await hire(), await hire(), await hire()
    before = [one.workers.number for one in (first, second, third)]
    assert sorted(before) == [0, 1, 2]
    await second.workers.stop()
    await asyncio.gather(*(one.workers.start() for one in (first, third)))  # again: nothing changes
    fourth = await hire()
    assert [one.workers.number for one in (first, fourth, third)] == before


async def test_a_lease_has_one_holder_who_may_leave_it(hire: Hire) -> None:
    first, second = await hire(), await hire()
    taken = await asyncio.gather(*(one.workers.take(LEASE) for one in (first, second)))
    assert sorted(taken) == [False, True]
    holder, other = (first, second) if taken[0] else (second, first)
    assert (holder.workers.has(LEASE), other.workers.has(LEASE)) == (True, False)
    assert await holder.workers.take(LEASE), "it has it already"
    assert await other.workers.take("something else")
    await holder.workers.leave(LEASE)
    assert await other.workers.take(LEASE)
    assert not await holder.workers.take(LEASE)
    await other.database.close()
    await until(lambda: holder.workers.take(LEASE))


async def test_a_broken_connection_loses_its_leases_and_comes_back_by_itself(
    hire: Hire, outside: asyncpg.Connection
) -> None:
    first, second = await hire(), await hire()
    number = first.workers.number
    assert await first.workers.take(LEASE)
    await break_connection(outside, LEASE)
    await until(lambda: second.workers.take(LEASE))
    assert "" in await first.heard.until(""), "it may have missed something"
    assert not first.workers.has(LEASE)
    assert not await first.workers.take(LEASE)
    assert first.workers.number == number
    await second.database.transaction(lambda tx: tx.notify("news", "after"))
    await first.heard.until("after")
    await second.workers.leave(LEASE)
    assert await first.workers.take(LEASE)


async def test_without_a_connection_nothing_is_taken_and_everything_goes_on_afterwards(
    hire: Hire, outside: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await hire()
    monkeypatch.setattr("storage.engine.leases.BEAT_S", 3600)
    assert await worker.workers.take(LEASE)
    await break_connection(outside, LEASE)

    async def lost() -> bool:
        await outside.fetchval("SELECT 1")
        return not worker.workers.has(LEASE)

    await until(lost)
    assert not await worker.workers.take(LEASE)
    await worker.workers.leave(LEASE)
    await worker.workers.stop()
    await worker.workers.start()
    assert await worker.workers.take(LEASE)


async def test_what_is_told_is_heard_after_the_commit_and_not_after_a_rollback(hire: Hire) -> None:
    speaker, hearer, other = await hire(), await hire(), await hire()

    async def broken(tx: Tx) -> None:
        await tx.notify("news", "rolled back")
        raise KeyError("out")

    async def undone(tx: Tx) -> None:
        with pytest.raises(KeyError):
            async with tx.savepoint():
                await tx.notify("news", "undone")
                raise KeyError("out")
        await tx.notify("other topic", "elsewhere")
        await tx.notify("news", "张三 said 'x'")

    with pytest.raises(KeyError):
        await speaker.database.transaction(broken)
    assert hearer.heard.all == []
    await speaker.database.transaction(undone)
    await speaker.database.transaction(lambda tx: tx.notify("news", "last"), exclusive=False)
    for one in (hearer, other):
        assert await one.heard.until("last") == ["张三 said 'x'", "last"]


async def test_workers_of_a_kind_are_counted(hire: Hire, outside: asyncpg.Connection) -> None:
    first, second, third = await hire(), await hire(), await hire()
    assert await first.workers.count("intake") == 1
    for one in (first, second, third):
        await one.workers.join("intake")
    await third.workers.join("web")
    assert [await one.workers.count("intake") for one in (first, second, third)] == [3, 3, 3]
    assert [await one.workers.count("web") for one in (first, second)] == [1, 1]
    await third.database.close()

    async def two() -> bool:
        return await first.workers.count("intake") == 2

    await until(two)
    assert await second.workers.take(LEASE)
    await break_connection(outside, LEASE)
    await second.heard.until("")
    assert await first.workers.count("intake") == 2, "who comes back is counted again"


async def test_workers_start_when_the_server_is_there(postgres: PostgresServer) -> None:
    url = await postgres.fresh()
    database = await PostgresDatabase.open(url)
    workers = database.workers()
    await workers.stop()
    await postgres.drop(url)
    with pytest.raises(Unavailable):
        await workers.start()
    assert not await workers.take(LEASE)
    assert await workers.count("intake") == 1
    await database.close()


class Brittle:
    """A connection that answers what it is told to."""

    def __init__(self, answer: Callable[[str], Awaitable[object]]) -> None:
        self._answer = answer
        self.ended = False

    async def fetchval(self, sql: str, *values: object) -> object:
        return await self._answer(sql)

    async def add_listener(self, topic: str, hear: object) -> None:
        """Nobody speaks here."""

    def add_termination_listener(self, hear: object) -> None:
        """It does not end by itself."""

    def get_server_pid(self) -> int:
        return 1

    def terminate(self) -> None:
        self.ended = True


@pytest.mark.parametrize(
    "fault", [asyncpg.InternalClientError, asyncpg.InterfaceError, OSError, TimeoutError, KeyError]
)
async def test_whatever_breaks_the_connection_a_new_one_is_made(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    monkeypatch.setattr("storage.engine.leases.BEAT_S", 0)
    made: list[Brittle] = []
    faults = iter([None, fault, None, None])

    async def answer(sql: str) -> object:
        if sql == "SELECT 1" and len(made) == 1:
            raise fault("broken")
        return True

    async def connect() -> Any:
        told = next(faults)
        if told is not None:
            raise told("not yet")
        made.append(Brittle(answer))
        return made[-1]

    heard = Heard()
    workers = Leases(connect)
    workers.listen("news", heard)
    await workers.start()
    await heard.until("")
    assert [one.ended for one in made] == [True, False]
    assert await workers.take(LEASE)
    await workers.stop()
    assert made[-1].ended


async def test_stopping_ends_though_a_driver_swallows_that_it_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.engine.leases.BEAT_S", 0)
    asked = asyncio.Event()

    async def answer(sql: str) -> object:
        if sql == "SELECT 1":
            asked.set()
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                return True
        return True

    async def connect() -> Any:
        return Brittle(answer)

    workers = Leases(connect)
    await workers.start()
    await asked.wait()
    async with asyncio.timeout(30):
        await workers.stop()
