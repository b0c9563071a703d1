"""Migrations: numbered, once each, checksummed, never half."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from storage.migrate import Migration, MigrationError, load_migrations, migrate, statements


def tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_a_new_database_gets_everything_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    assert len(migrate(path, now_ms=1)) == len(load_migrations())
    assert migrate(path, now_ms=2) == []
    assert {"inbox", "outbox", "sessions", "timers", "people", "transfers", "balances"} <= tables(path)


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    bad = Migration(1, "bad", "CREATE TABLE a (x INTEGER) STRICT;\nCREATE TABLE a (x INTEGER) STRICT;\n")
    with pytest.raises(sqlite3.OperationalError):
        migrate(path, now_ms=1, migrations=[bad])
    assert "a" not in tables(path)


def test_a_changed_migration_and_a_newer_database_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first = Migration(1, "one", "CREATE TABLE a (x INTEGER) STRICT;\n")
    migrate(path, now_ms=1, migrations=[first])
    with pytest.raises(MigrationError, match="changed"):
        migrate(path, now_ms=1, migrations=[Migration(1, "one", "CREATE TABLE b (x INTEGER) STRICT;\n")])
    with pytest.raises(MigrationError, match="newer"):
        migrate(path, now_ms=1, migrations=[])


def test_a_trigger_is_one_statement() -> None:
    script = "CREATE TRIGGER a BEFORE UPDATE ON b\nBEGIN SELECT 1;\nSELECT 2; END;\nSELECT 3;\n"
    assert len(statements(script)) == 2


def test_every_table_begins_its_key_with_the_township(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrate(path, now_ms=1)
    with sqlite3.connect(path) as connection:
        for table in sorted(
            tables(path) - {"schema_migrations"} - {t for t in tables(path) if t.startswith("sqlite_")}
        ):
            columns = list(connection.execute(f"PRAGMA table_info({table})"))
            assert columns[0][1] == "township_id", table
            assert [c[1] for c in columns if c[5] == 1] == ["township_id"], f"{table}: the key must lead with it"


@pytest.mark.parametrize("sql", ["UPDATE transfers SET amount = 2", "DELETE FROM transfers"], ids=["update", "delete"])
def test_transfers_can_be_neither_changed_nor_deleted(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "a.db"
    migrate(path, now_ms=1)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO transfers (township_id, id, source, destination, amount, unit, transfer_key, input_hash,"
            " reason, ref, policy_version, at_ms) VALUES (1, 1, 'a', 'b', 1, 'fen', 'k', 'h', 'r', 'x', 1, 1)"
        )
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(sql)
