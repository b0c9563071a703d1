"""Migrations: numbered, once each, checksummed, never half."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from storage.database import Database, Refused, Tx
from storage.engine.dialect import to_postgres
from storage.engine.migrate import Migration, MigrationError, load_migrations, migrate, statements
from storage.engine.migrate_postgres import migrate_postgres
from storage.engine.opening import SQLITE, bring_up_to_date, sqlite_path
from storage.engine.postgres import connect
from tests.postgres import PostgresServer
from tests.storage import rows

ONE = "CREATE TABLE a (township_id INTEGER NOT NULL, PRIMARY KEY (township_id)) STRICT, WITHOUT ROWID;\n"
TWO = "CREATE TABLE b (township_id INTEGER NOT NULL, PRIMARY KEY (township_id)) STRICT, WITHOUT ROWID;\n"


def numbered(*texts: tuple[str, str]) -> list[Migration]:
    return [Migration(at, name, sql) for at, (name, sql) in enumerate(texts, 1)]


async def tables(url: str) -> set[str]:
    path = sqlite_path(url)
    if path is not None:
        with sqlite3.connect(path) as connection:
            return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    server = await connect(url)
    try:
        return {row[0] for row in await server.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    finally:
        await server.close()


async def bring(url: str, migrations: Sequence[Migration], *, after: bool = False) -> list[str]:
    """The names of the migrations applied."""
    path = sqlite_path(url)
    if path is not None:
        return [one.name for one in migrate(path, now_ms=1, migrations=list(migrations))]
    return [one.name for one in await migrate_postgres(url, now_ms=1, after=after, migrations=list(migrations))]


@pytest.fixture
async def postgres_empty_url(postgres: PostgresServer) -> str:
    return await postgres.fresh()


@pytest.fixture
def sqlite_empty_url(tmp_path: Path) -> str:
    return f"{SQLITE}{tmp_path / 'a.db'}"


@pytest.fixture(params=("sqlite", "postgres"))
def empty(request: pytest.FixtureRequest) -> str:
    """The address of a database without any table, on one engine and then on the other."""
    return str(request.getfixturevalue(f"{request.param}_empty_url"))


async def test_a_new_database_gets_everything_and_a_second_run_changes_nothing(empty: str) -> None:
    assert len(await bring_up_to_date(empty, now_ms=1)) == len(load_migrations())
    assert await bring_up_to_date(empty, now_ms=2) == []
    wanted = {name for one in load_migrations() for name in one.sql.split() if name.isidentifier()}
    found = await tables(empty)
    assert {"inbox", "outbox", "sessions", "timers", "people", "transfers", "balances"} <= found <= wanted | {
        "schema_migrations", "sqlite_stat1", "sqlite_stat4",
    }  # fmt: skip


async def test_a_migration_that_fails_leaves_nothing(empty: str) -> None:
    with pytest.raises((sqlite3.OperationalError, asyncpg.DuplicateTableError)):
        await bring(empty, numbered(("bad", TWO + ONE + ONE)))
    assert await tables(empty) & {"a", "b"} == set()
    assert await bring(empty, numbered(("good", ONE))) == ["good"]


async def test_a_changed_migration_is_refused(empty: str) -> None:
    await bring(empty, numbered(("one", ONE)))
    with pytest.raises(MigrationError, match="changed"):
        await bring(empty, numbered(("one", TWO)))


async def test_the_version_before_works_on_a_newer_database_until_something_is_taken_away(empty: str) -> None:
    old = numbered(("one", ONE))
    newer = numbered(("one", ONE), ("two", TWO))
    newest = numbered(("one", ONE), ("two", TWO), ("three.after", "DROP TABLE a;\n"))
    await bring(empty, newer)
    assert await bring(empty, old) == []
    await bring(empty, newest, after=True)
    assert "a" not in await tables(empty)
    with pytest.raises(MigrationError, match="newer"):
        await bring(empty, old)


async def test_what_comes_after_the_code_waits_on_postgres(postgres_empty_url: str) -> None:
    all_of_it = numbered(("one", ONE), ("two.after", "DROP TABLE a;\n"), ("three", TWO))
    assert await bring(postgres_empty_url, all_of_it) == ["one", "three"]
    assert await bring(postgres_empty_url, all_of_it) == []
    assert await bring(postgres_empty_url, all_of_it, after=True) == ["two.after"]


async def test_workers_that_start_together_migrate_once(postgres_empty_url: str) -> None:
    applied = await asyncio.gather(*(bring_up_to_date(postgres_empty_url, now_ms=1) for _ in range(4)))
    assert sorted(len(one) for one in applied) == [0, 0, 0, len(load_migrations())]


async def test_a_migration_waits_for_a_table_in_use_without_holding_others_up(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.engine.migrate_postgres.LOCK_WAIT_MS", 10)
    monkeypatch.setattr("storage.engine.migrate_postgres.PAUSE_S", 0.01)
    monkeypatch.setattr("storage.engine.migrate_postgres.TRIES", 3_000)
    wanted = load_migrations()
    wanted.append(Migration(len(wanted) + 1, "more", "ALTER TABLE inbox ADD COLUMN more INTEGER;\n"))
    using, reading = await connect(postgres_url), await connect(postgres_url)
    await using.execute("BEGIN; SELECT * FROM inbox")
    task = asyncio.create_task(migrate_postgres(postgres_url, now_ms=1, migrations=wanted))
    for _ in range(200):
        assert await reading.fetch("SELECT 1 FROM inbox", timeout=30) == []
    assert not task.done()
    await using.execute("COMMIT")
    assert [one.name for one in await task] == ["more"]
    for connection in (using, reading):
        await connection.close()


def test_a_trigger_is_one_statement() -> None:
    script = "CREATE TRIGGER a BEFORE UPDATE ON b\nBEGIN SELECT 1;\nSELECT 2; END;\nSELECT 3;\n"
    assert len(statements(script)) == 2
    with pytest.raises(MigrationError, match="inside a statement"):
        statements("CREATE TABLE a (x INTEGER)\n")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW a AS SELECT 1;",
        "CREATE TABLE a (x INTEGER);",
        "CREATE TRIGGER a AFTER INSERT ON b BEGIN DELETE FROM c; END;",
        "PRAGMA journal_mode = DELETE;",
        "ALTER TABLE a ALTER COLUMN x TYPE TEXT;",
    ],
)
def test_a_form_that_is_not_known_on_both_engines_is_refused(statement: str) -> None:
    with pytest.raises(ValueError, match="not told how"):
        to_postgres(statement)


async def test_every_table_begins_its_key_with_the_township(sqlite_url: str) -> None:
    path = sqlite_path(sqlite_url)
    assert path is not None
    with sqlite3.connect(path) as connection:
        for table in sorted(one for one in await tables(sqlite_url) if not one.startswith(("sqlite_", "schema_"))):
            columns = list(connection.execute(f"PRAGMA table_info({table})"))
            assert columns[0][1] == "township_id", table
            assert [c[1] for c in columns if c[5] == 1] == ["township_id"], f"{table}: the key must lead with it"
            for _, index, *_ in connection.execute(f"PRAGMA index_list({table})").fetchall():
                first = connection.execute(f"PRAGMA index_info({index})").fetchone()
                assert first[2] == "township_id", f"{index}: it must lead with the township"


async def test_both_engines_have_the_same_columns_and_indexes(sqlite_url: str, postgres_url: str) -> None:
    path = sqlite_path(sqlite_url)
    assert path is not None
    names = sorted(one for one in await tables(postgres_url) if one != "schema_migrations")
    assert names == sorted(one for one in await tables(sqlite_url) if not one.startswith(("sqlite_", "schema_")))
    server = await connect(postgres_url)
    with sqlite3.connect(path) as connection:
        for table in names:
            ours = {(c[1], c[3]) for c in connection.execute(f"PRAGMA table_info({table})")}
            theirs = await server.fetch(
                "SELECT column_name, (is_nullable = 'NO')::int FROM information_schema.columns WHERE table_name = $1",
                table,
            )
            assert {tuple(one) for one in theirs} == ours, table
            mine = {row[1] for row in connection.execute(f"PRAGMA index_list({table})") if row[3] == "c"}
            found = await server.fetch("SELECT indexname FROM pg_indexes WHERE tablename = $1", table)
            assert {one[0] for one in found if not one[0].endswith("_pkey")} == mine, table
    await server.close()


def never_changed() -> list[str]:
    """The tables that a trigger guards, from the schema itself."""
    found = {
        line.rpartition(" ON ")[2]
        for one in load_migrations()
        for line in one.sql.splitlines()
        if line.startswith("CREATE TRIGGER")
    }
    assert {"transfers", "cases", "case_events", "film_tickets", "effort_entries"} <= found
    return sorted(found)


@pytest.mark.parametrize("table", never_changed())
async def test_what_is_for_ever_can_not_be_deleted(database: Database, table: str) -> None:
    async def work(tx: Tx) -> None:
        await rows.fill(tx, 1)
        await tx.run(f"DELETE FROM {table} WHERE township_id = :t")

    with pytest.raises(Refused, match="never"):
        await database.transaction(work)
