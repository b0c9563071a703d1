"""What PostgreSQL adds: works that wait for each other, conflicts, a server that goes away, several workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from storage.database import Database, ForeignAwait, Refused, Taken, Tx, Unavailable
from storage.engine.opening import bring_up_to_date, open_database
from storage.engine.postgres import MOST_CONNECTIONS, PostgresDatabase
from tests.postgres import PostgresServer

BARRIER = 77
MANY = 3 * MOST_CONNECTIONS
WAIT = "SELECT pg_advisory_xact_lock_shared(77)"


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await open_database(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
async def outside(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else on the same database."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def count(tx: Tx) -> int:
    """Read, decide, write: what goes wrong when two do it at once."""
    row = await tx.one("SELECT last FROM case_counters WHERE township_id = :t AND year = 1")
    if row is None:
        await tx.run("INSERT INTO case_counters VALUES (:t, 1, 1)")
        return 1
    await tx.run("UPDATE case_counters SET last = :next WHERE township_id = :t AND year = 1", {"next": row["last"] + 1})
    return int(row["last"]) + 1


async def counted(database: Database, township_id: int = 1) -> int:
    async def work(tx: Tx) -> int:
        row = await tx.one("SELECT last FROM case_counters WHERE township_id = :t AND year = 1")
        return int(row["last"]) if row else 0

    return await database.read(work, township_id=township_id)


@asynccontextmanager
async def turn_taken(connection: asyncpg.Connection, township_id: int) -> AsyncIterator[None]:
    """Another worker has the township's turn."""
    await connection.execute("INSERT INTO turns VALUES ($1) ON CONFLICT DO NOTHING", township_id)
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM turns WHERE township_id = $1 FOR UPDATE", township_id)
        yield


async def until_waiting(connection: asyncpg.Connection, how_many: int) -> None:
    """Until that many on this database wait for a lock. (Each look is a round to the server, so others go on.)"""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(30):
        while await connection.fetchval(waiting) < how_many:
            await connection.execute("SELECT pg_stat_clear_snapshot()")


async def idle_in_transaction(connection: asyncpg.Connection) -> int:
    """How many connections have left a transaction open."""
    return int(
        await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
            " AND datname = current_database()"
        )
    )


# -- turns


async def test_works_of_a_township_run_one_after_the_other_on_several_workers(postgres_url: str) -> None:
    workers = [await open_database(postgres_url) for _ in range(3)]
    numbers = await asyncio.gather(*(one.transaction(count) for one in workers for _ in range(MANY)))
    assert sorted(numbers) == list(range(1, 3 * MANY + 1))
    for one in workers:
        await one.close()


async def test_two_townships_run_side_by_side(database: Database, outside: asyncpg.Connection) -> None:
    """A queue in one of them, longer than the pool has connections, holds nobody else up."""
    async with turn_taken(outside, 1):
        waiting = [asyncio.create_task(database.transaction(count)) for _ in range(MANY)]
        await until_waiting(outside, 1)
        assert [await database.transaction(count, township_id=2) for _ in range(3)] == [1, 2, 3]
        assert await counted(database, 2) == 3
        await database.transaction(lambda tx: tx.run("INSERT INTO film_numbers VALUES (:t, 1, 1)"), exclusive=False)
        assert not any(task.done() for task in waiting)
    assert await asyncio.gather(*waiting) == list(range(1, MANY + 1))


async def test_who_does_not_wait_is_told_that_the_turn_is_taken(
    database: Database, outside: asyncpg.Connection
) -> None:
    async with turn_taken(outside, 1):
        with pytest.raises(Taken):
            await database.transaction(count, wait=False)
        queued = asyncio.create_task(database.transaction(count))
        await until_waiting(outside, 1)
        with pytest.raises(Taken):
            await database.transaction(count, wait=False)
        assert await database.transaction(count, wait=False, township_id=2) == 1
    assert await queued == 1
    assert await database.transaction(count, wait=False) == 2


async def test_a_township_that_has_no_turn_yet_gets_one(database: Database, postgres_url: str) -> None:
    other = await open_database(postgres_url)
    found = await asyncio.gather(
        *(one.transaction(count, township_id=at // 4) for at, one in enumerate([database, other] * 20))
    )
    assert sorted(found) == sorted([1, 2, 3, 4] * 10)
    assert await other.transaction(count, township_id=99, wait=False) == 1
    await other.close()


# -- conflicts


async def test_a_deadlock_is_tried_again_and_counts_once(database: Database, outside: asyncpg.Connection) -> None:
    tries = []
    for year in (1, 2):
        await outside.execute("INSERT INTO case_counters VALUES (1, $1, 0)", year)

    def both(first: int, second: int) -> Any:
        async def work(tx: Tx) -> None:
            tries.append(first)
            await tx.all("SET LOCAL deadlock_timeout = '10ms'")
            add = "UPDATE case_counters SET last = last + 1 WHERE township_id = :t AND year = :year"
            await tx.run(add, {"year": first})
            await tx.all(WAIT)
            await tx.run(add, {"year": second})

        return database.transaction(work, exclusive=False)

    await outside.execute("SELECT pg_advisory_lock($1)", BARRIER)
    tasks = [asyncio.create_task(both(1, 2)), asyncio.create_task(both(2, 1))]
    await until_waiting(outside, 2)
    await outside.execute("SELECT pg_advisory_unlock($1)", BARRIER)
    await asyncio.gather(*tasks)
    assert len(tries) == 3, "one of the two was the victim, once"
    assert [row["last"] for row in await outside.fetch("SELECT last FROM case_counters ORDER BY year")] == [2, 2]


async def test_a_serialisation_failure_is_tried_again_and_counts_once(
    database: Database, outside: asyncpg.Connection
) -> None:
    tries = []

    async def work(tx: Tx) -> int:
        tries.append(1)
        await tx.all("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await tx.one("SELECT last FROM case_counters WHERE township_id = :t")
        await tx.all(WAIT)
        return await count(tx)

    await outside.execute("INSERT INTO case_counters VALUES (1, 1, 5)")
    await outside.execute("SELECT pg_advisory_lock($1)", BARRIER)
    task = asyncio.create_task(database.transaction(work, exclusive=False))
    await until_waiting(outside, 1)
    await outside.execute("UPDATE case_counters SET last = 9")
    await outside.execute("SELECT pg_advisory_unlock($1)", BARRIER)
    assert await task == 10
    assert len(tries) == 2
    assert await counted(database) == 10


async def test_a_conflict_without_end_is_unavailable(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    async def work(tx: Tx) -> None:
        tries.append(1)
        await tx.run("INSERT INTO film_numbers VALUES (:t, 1, 1)")
        await tx.all("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    monkeypatch.setattr("storage.engine.postgres.FIRST_PAUSE_S", 0)
    with pytest.raises(Unavailable, match="conflict"):
        await database.transaction(work)
    assert len(tries) == 8
    assert await database.transaction(lambda tx: tx.run("DELETE FROM film_numbers WHERE township_id = :t")) == 0


async def test_a_refusal_says_nothing_of_what_stands_in_the_row(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await tx.run("INSERT INTO sessions VALUES (:t, 1, :body, NULL)", {"body": "张大娘 13900000000"})

    with pytest.raises(Refused, match="updated_ms") as caught:
        await database.transaction(work)
    assert "张大娘" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


# -- what a work may not do, and what its caller may


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a savepoint"])
async def test_a_foreign_await_leaves_no_open_transaction(
    database: Database, outside: asyncpg.Connection, inside: bool
) -> None:
    tidied = []

    async def dreamer(tx: Tx) -> None:
        await count(tx)
        try:
            if inside:
                async with tx.savepoint():
                    await count(tx)
                    await asyncio.get_running_loop().create_future()
            await asyncio.get_running_loop().create_future()
        finally:
            tidied.append(1)

    for _ in range(MOST_CONNECTIONS + 1):
        with pytest.raises(ForeignAwait):
            await database.transaction(dreamer)
    assert len(tidied) == MOST_CONNECTIONS + 1
    assert await idle_in_transaction(outside) == 0
    assert await database.transaction(count) == 1


async def test_a_cancelled_caller_leaves_the_work_to_its_end(database: Database, outside: asyncpg.Connection) -> None:
    async with turn_taken(outside, 1):
        task = asyncio.create_task(database.transaction(count))
        await until_waiting(outside, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await counted(database) == 0
    assert await database.transaction(count) == 2
    assert await idle_in_transaction(outside) == 0


async def test_closing_waits_for_a_work_whose_caller_has_gone(postgres_url: str, outside: asyncpg.Connection) -> None:
    leaving = await open_database(postgres_url)
    async with turn_taken(outside, 1):
        task = asyncio.create_task(leaving.transaction(count))
        await until_waiting(outside, 1)
        task.cancel()
        closing = asyncio.create_task(leaving.close())
        await asyncio.sleep(0)
        assert not closing.done()
    await closing
    assert await outside.fetchval("SELECT last FROM case_counters") == 1


async def test_a_reader_sees_one_moment(database: Database, outside: asyncpg.Connection) -> None:
    await outside.execute("INSERT INTO case_counters VALUES (1, 1, 5)")

    async def work(tx: Tx) -> list[int]:
        found = []
        for _ in range(2):
            row = await tx.one("SELECT last FROM case_counters WHERE township_id = :t")
            assert row is not None
            found.append(row["last"])
            await tx.all(WAIT)
        return found

    await outside.execute("SELECT pg_advisory_lock($1)", BARRIER)
    task = asyncio.create_task(database.read(work))
    await until_waiting(outside, 1)
    await outside.execute("UPDATE case_counters SET last = 9")
    await outside.execute("SELECT pg_advisory_unlock($1)", BARRIER)
    assert await task == [5, 5]


# -- a server that goes away


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server that keeps what it has acknowledged, to be restarted."""
    server = PostgresServer(durable=True)
    yield server
    server.stop()


async def test_a_restarted_server_is_unavailable_and_then_works_again(mortal: PostgresServer) -> None:
    url = await mortal.fresh()
    await bring_up_to_date(url, now_ms=0)
    database = await open_database(url)
    outside = await asyncpg.connect(url)
    assert await asyncio.gather(*(database.transaction(count) for _ in range(5))) == [1, 2, 3, 4, 5]
    await outside.execute("BEGIN; SELECT 1 FROM turns WHERE township_id = 1 FOR UPDATE")
    held = [asyncio.create_task(database.transaction(count)) for _ in range(3)]
    held.append(asyncio.create_task(database.read(lambda tx: tx.all("SELECT pg_sleep(600)"))))
    await until_waiting(outside, 1)
    restarting = asyncio.create_task(asyncio.to_thread(mortal.restart))
    for task in held:
        with pytest.raises(Unavailable):
            await task
    await restarting
    outside.terminate()
    found = [await asyncio.gather(counted(database), return_exceptions=True) for _ in range(MOST_CONNECTIONS + 1)]
    assert found[-1] == [5], "each connection may fail once more, then all are new"
    assert {type(one) for [one] in found} <= {int, Unavailable}
    assert await database.transaction(count) == 6
    await database.close()
    with pytest.raises(Unavailable):
        await database.transaction(count)


async def test_no_server_at_all_is_unavailable(mortal: PostgresServer) -> None:
    nowhere = "postgresql://postgres@127.0.0.1:1/postgres"
    with pytest.raises(Unavailable):
        await open_database(nowhere)
    with pytest.raises(Unavailable):
        await bring_up_to_date(nowhere, now_ms=0)
    with pytest.raises(Unavailable):
        await PostgresDatabase.open(mortal.url("no_such_database"))
    with pytest.raises(Unavailable):
        await bring_up_to_date(mortal.url("no_such_database"), now_ms=0)
