"""What every engine behind `Database` promises."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storage.database import Database, ForeignAwait, Refused, Tx, Unavailable
from storage.engine.opening import open_database
from storage.engine.sqlite import SqliteDatabase

HUGE = (1 << 53) + 1
ADD = "INSERT INTO sessions (township_id, person_id, body, updated_ms) VALUES (:t, :id, :words, 1)"


async def add(tx: Tx, note_id: int, words: str = "x") -> None:
    """A row of a plain table."""
    await tx.run(
        ADD,
        {"id": note_id, "words": words},
    )


async def seen(tx: Tx) -> list[int]:
    rows = await tx.all("SELECT person_id FROM sessions WHERE township_id = :t ORDER BY person_id")
    return [row["person_id"] for row in rows]


async def ids(database: Database, township_id: int = 1) -> list[int]:
    return await database.read(seen, township_id=township_id)


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    async def broken(tx: Tx) -> None:
        await add(tx, 1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.transaction(broken)
    assert await ids(database) == []
    await database.transaction(lambda tx: add(tx, 2))
    assert await ids(database) == [2]


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a savepoint"])
@pytest.mark.parametrize("pause_s", [0, 0.001])
async def test_awaiting_anything_else_is_refused_and_rolled_back(
    database: Database, pause_s: float, inside: bool
) -> None:
    async def dreamer(tx: Tx) -> None:
        await add(tx, 1)
        if inside:
            async with tx.savepoint():
                await add(tx, 2)
                await asyncio.sleep(pause_s)
        await asyncio.sleep(pause_s)

    in_its_thread = isinstance(database, SqliteDatabase) and pause_s  # where asyncio itself says no
    with pytest.raises(RuntimeError if in_its_thread else ForeignAwait):
        await database.transaction(dreamer)
    assert await ids(database) == []
    await database.transaction(lambda tx: add(tx, 1))
    assert await ids(database) == [1]


async def test_a_cancelled_caller_tears_nothing(database: Database) -> None:
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


async def test_a_savepoint_undoes_only_its_block(database: Database) -> None:
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


async def test_after_a_refused_statement_a_savepoint_lets_the_work_go_on(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await add(tx, 1)
        with pytest.raises(Refused):
            async with tx.savepoint():
                await add(tx, 2)
                await add(tx, 1)
        await add(tx, 3)

    await database.transaction(work)
    assert await ids(database) == [1, 3]


@pytest.mark.parametrize("more", [True, False], ids=["with a statement after it", "at its end"])
@pytest.mark.parametrize("inside", [False, True], ids=["plain", "swallowed in a savepoint"])
async def test_a_work_that_swallows_a_refusal_writes_nothing(database: Database, more: bool, inside: bool) -> None:
    async def swallowing(tx: Tx) -> None:
        await add(tx, 1)
        with pytest.raises(Refused):
            await add(tx, 1)
        if more:
            await add(tx, 2)

    async def work(tx: Tx) -> None:
        await add(tx, 5)
        if inside:
            async with tx.savepoint():
                await swallowing(tx)
        else:
            await swallowing(tx)

    with pytest.raises(Refused):
        await database.transaction(work)
    assert await ids(database) == []


async def test_a_reader_can_not_write(database: Database) -> None:
    with pytest.raises(Unavailable, match=r"read-?only"):
        await database.read(lambda tx: add(tx, 1))


async def test_a_reader_sees_the_last_commit_and_nothing_later(database: Database) -> None:
    for at in range(50):
        await database.transaction(lambda tx, at=at: add(tx, at))
        assert len(await ids(database)) == at + 1


async def test_closing_waits_for_what_runs(url: str, database: Database) -> None:
    other = await open_database(url)
    task = asyncio.create_task(other.transaction(lambda tx: add(tx, 77)))
    await asyncio.sleep(0)
    await other.close()
    await task
    assert await ids(database) == [77]


async def test_sqlite_commits_are_durable_before_they_return(sqlite_database: Database) -> None:
    async def work(tx: Tx) -> tuple[int, str]:
        synchronous = await tx.one("PRAGMA synchronous")
        journal = await tx.one("PRAGMA journal_mode")
        assert synchronous is not None and journal is not None
        return synchronous[0], journal[0]

    assert await sqlite_database.transaction(work) == (2, "wal")


async def test_counters_that_many_ask_for_at_once_count_each_once(database: Database) -> None:
    async def count(tx: Tx) -> int:
        row = await tx.one("SELECT last FROM case_counters WHERE township_id = :t AND year = 1")
        last = row["last"] if row else 0
        if last:
            await tx.run("UPDATE case_counters SET last = :next WHERE township_id = :t", {"next": last + 1})
        else:
            await tx.run("INSERT INTO case_counters (township_id, year, last) VALUES (:t, 1, 1)")
        return last + 1

    numbers = await asyncio.gather(*(database.transaction(count) for _ in range(60)))
    assert sorted(numbers) == list(range(1, 61))
    await asyncio.gather(*(database.transaction(count, township_id=at, wait=False) for at in (8, 9)))


async def test_one_transaction_may_write_to_a_second_township(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await add(tx, 1)
        other = tx.at(2)
        assert (tx.township_id, other.township_id) == (1, 2)
        await add(other, 2)
        with pytest.raises(KeyError):
            async with tx.savepoint():
                await add(other, 3)
                async with other.savepoint():
                    await add(tx, 4)
                raise KeyError("out")

    await database.transaction(work)
    assert (await ids(database, 1), await ids(database, 2)) == ([1], [2])
    await database.transaction(lambda tx: tx.notify("anything", "words"))


@pytest.mark.parametrize("value", ["", "张三 'x' \"y\" :t $1 \\ %", "a\nb", "😀"])
async def test_texts_come_back_as_they_were(database: Database, value: str) -> None:
    async def work(tx: Tx) -> Any:
        await add(tx, HUGE, value)
        row = await tx.one("SELECT body, ':t' AS said, person_id FROM sessions WHERE township_id = :t")
        assert row is not None
        assert (row[0], row[1], row[2]) == (row["body"], row["said"], row["person_id"])
        return row["body"], row["said"], row["person_id"]

    assert await database.transaction(work) == (value, ":t", HUGE)


async def test_bytes_fractions_and_nothing_come_back_as_they_were(database: Database) -> None:
    columns = {"content": bytes(range(256)), "lat": 0.1 + 0.2, "lng": -104.0, "datum": "WGS-84", "sha256": None}

    async def work(tx: Tx) -> dict[str, Any]:
        names = ", ".join(columns)
        await tx.run(
            f"INSERT INTO media (township_id, id, kind, channel, state, created_ms, {names})"
            f" VALUES (:t, 'i', 'image', 'web', 'ready', 1, {', '.join(f':{name}' for name in columns)})",
            columns,
        )
        row = await tx.one(f"SELECT {names} FROM media WHERE township_id = :t")
        assert row is not None
        return {name: row[name] for name in columns}

    assert await database.transaction(work) == columns


async def test_sums_and_counts_are_whole_numbers(database: Database) -> None:
    async def work(tx: Tx) -> None:
        for at in (1, 2, 3):
            await add(tx, HUGE + at)
        row = await tx.one(
            "SELECT SUM(person_id) AS sum, COUNT(*) AS n, MAX(person_id) AS newest, SUM(-person_id) AS less,"
            " (SELECT SUM(id) FROM people WHERE township_id = :t) AS none_there"
            " FROM sessions WHERE township_id = :t"
        )
        assert row is not None
        assert (row["sum"], row["n"], row["newest"], row["less"]) == (3 * HUGE + 6, 3, HUGE + 3, -3 * HUGE - 6)
        assert {type(row[name]) for name in ("sum", "n", "less")} == {int}
        assert row["none_there"] is None

    await database.transaction(work)


async def test_how_many_rows_were_touched_is_told(database: Database) -> None:
    async def work(tx: Tx) -> None:
        rows = [{"t": tx.township_id, "id": at, "words": "x"} for at in range(5)]
        await tx.many(ADD, rows)
        await tx.many(ADD, [])
        assert await tx.run("UPDATE sessions SET body = 'y' WHERE township_id = :t AND person_id > 1") == 3
        assert await tx.run("UPDATE sessions SET body = 'y' WHERE township_id = :t AND person_id > 9") == 0
        again = f"{ADD} ON CONFLICT (township_id, person_id) DO NOTHING"
        assert [await tx.run(again, {"id": at, "words": "x"}) for at in (4, 5)] == [0, 1]
        assert await tx.run("DELETE FROM sessions WHERE township_id = :t AND person_id < 2") == 2
        assert await tx.one("SELECT 1 FROM sessions WHERE township_id = :t AND person_id = 0") is None
        assert list(await tx.all("SELECT 1 FROM sessions WHERE township_id = :t AND person_id = 0")) == []
        assert await seen(tx) == [2, 3, 4, 5]

    await database.transaction(work)


async def test_words_are_ordered_alike(database: Database) -> None:
    said = ["b", "B", "a", "Z", "_", "1", "10", "2", "é", "张", "李", "a b", "ab", ""]

    async def work(tx: Tx) -> list[str]:
        for at, words in enumerate(said):
            await add(tx, at, words)
        return [row["body"] for row in await tx.all("SELECT body FROM sessions WHERE township_id = :t ORDER BY body")]

    assert await database.transaction(work) == sorted(said, key=lambda words: words.encode())
