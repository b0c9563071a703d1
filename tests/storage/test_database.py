"""What every engine behind `Database` promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import ForeignAwait, Tx, Unavailable
from storage.sqlite import SqliteDatabase, connect


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    path = tmp_path / "a.db"
    connection = connect(path)
    connection.execute("CREATE TABLE notes (township_id INTEGER, id INTEGER PRIMARY KEY, words TEXT) STRICT")
    connection.close()
    opened = await SqliteDatabase.open(path)
    yield opened
    await opened.close()


async def add(tx: Tx, note_id: int, words: str = "x") -> None:
    await tx.run("INSERT INTO notes VALUES (:t, :id, :words)", {"id": note_id, "words": words})


async def ids(database: SqliteDatabase) -> list[int]:
    async def work(tx: Tx) -> list[int]:
        return [row["id"] for row in await tx.all("SELECT id FROM notes WHERE township_id = :t ORDER BY id")]

    return await database.read(work)


async def test_a_transaction_is_all_or_nothing(database: SqliteDatabase) -> None:
    async def broken(tx: Tx) -> None:
        await add(tx, 1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.transaction(broken)
    assert await ids(database) == []
    await database.transaction(lambda tx: add(tx, 2))
    assert await ids(database) == [2]


@pytest.mark.parametrize(("pause_s", "refusal"), [(0, ForeignAwait), (0.001, RuntimeError)])
async def test_awaiting_anything_else_is_refused_and_rolled_back(
    database: SqliteDatabase, pause_s: float, refusal: type[Exception]
) -> None:
    async def dreamer(tx: Tx) -> None:
        await add(tx, 1)
        await asyncio.sleep(pause_s)

    with pytest.raises(refusal):
        await database.transaction(dreamer)
    assert await ids(database) == []


async def test_a_cancelled_caller_tears_nothing(database: SqliteDatabase) -> None:
    async def work(tx: Tx, note_id: int) -> None:
        await add(tx, note_id * 2)
        await add(tx, note_id * 2 + 1)

    async def one(note_id: int) -> None:
        await database.transaction(lambda tx: work(tx, note_id))

    tasks = [asyncio.create_task(one(at)) for at in range(200)]
    for at, task in enumerate(tasks):
        if at % 3 == 0:
            await asyncio.sleep(0)
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await database.transaction(lambda tx: add(tx, 10_000))
    stored = await ids(database)
    assert all((one ^ 1) in stored for one in stored if one < 10_000)
    done = {at for at, task in enumerate(tasks) if not task.cancelled()}
    assert done <= {one // 2 for one in stored}


async def test_a_savepoint_undoes_only_its_block(database: SqliteDatabase) -> None:
    async def work(tx: Tx) -> None:
        await add(tx, 1)
        with pytest.raises(KeyError):
            async with tx.savepoint():
                await add(tx, 2)
                async with tx.savepoint():
                    await add(tx, 3)
                raise KeyError("out")
        await add(tx, 4)

    await database.transaction(work)
    assert await ids(database) == [1, 4]


async def test_a_reader_can_not_write(database: SqliteDatabase) -> None:
    with pytest.raises(Unavailable, match="readonly"):
        await database.read(lambda tx: add(tx, 1))


async def test_a_reader_sees_the_last_commit(database: SqliteDatabase) -> None:
    for at in range(50):
        await database.transaction(lambda tx, at=at: add(tx, at))
        assert len(await ids(database)) == at + 1


async def test_commits_are_durable_before_they_return(database: SqliteDatabase) -> None:
    async def work(tx: Tx) -> tuple[int, str]:
        synchronous = await tx.one("PRAGMA synchronous")
        journal = await tx.one("PRAGMA journal_mode")
        assert synchronous is not None and journal is not None
        return synchronous[0], journal[0]

    assert await database.transaction(work) == (2, "wal")


async def test_closing_waits_for_what_runs(tmp_path: Path, database: SqliteDatabase) -> None:
    other = await SqliteDatabase.open(database.path)
    task = asyncio.create_task(other.transaction(lambda tx: add(tx, 77)))
    await asyncio.sleep(0)
    await other.close()
    await task
    assert await ids(database) == [77]
