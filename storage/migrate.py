"""Numbered, forward-only, checksummed migrations: `schema/NNNN_name.sql`, each applied once in a transaction."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from storage.sqlite import connect
from storage.statistics import write_statistics

SCHEMA_FOLDER = Path(__file__).parent / "schema"


class MigrationError(RuntimeError):
    """The database and the program's migrations do not fit; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the schema folder."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text: an applied migration may never change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(folder: Path = SCHEMA_FOLDER) -> list[Migration]:
    """All migrations in order; raises MigrationError on a gap or a repeated number."""
    found = [
        Migration(int(path.name[:4]), path.stem[5:], path.read_text("utf-8"))
        for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations in {folder} are not numbered 1 to {len(found)}")
    return found


def statements(sql: str) -> list[str]:
    """The complete statements of a script (a trigger's body holds semicolons of its own)."""
    found, current = [], ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            found.append(current.strip())
            current = ""
    if current.strip():
        raise MigrationError(f"a migration ends inside a statement: {current.strip()[:60]}")
    return found


def migrate(path: Path, *, now_ms: int, migrations: list[Migration] | None = None) -> list[Migration]:
    """Bring the SQLite file at `path` up to date; the migrations applied now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wanted = load_migrations() if migrations is None else migrations
    connection = connect(path)
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            "number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms INTEGER NOT NULL)"
            " STRICT"
        )
        applied = {row["number"]: row for row in connection.execute("SELECT * FROM schema_migrations")}
        check_history(wanted, {number: (row["name"], row["checksum"]) for number, row in applied.items()})
        pending = [migration for migration in wanted if migration.number not in applied]
        for migration in pending:
            apply(connection, migration, now_ms)
        if pending:
            write_statistics(connection)
        return pending
    finally:
        connection.close()


def check_history(wanted: list[Migration], applied: dict[int, tuple[str, str]]) -> None:
    """Raise MigrationError when the database is newer than the program or an applied migration was changed."""
    known = {migration.number: migration for migration in wanted}
    for number, (name, checksum) in applied.items():
        if number not in known:
            raise MigrationError(f"the database has migration {number} ({name}), newer than this program: update it")
        if known[number].checksum != checksum:
            raise MigrationError(f"migration {number} ({name}) was changed after it was applied: restore the file")


def apply(connection: sqlite3.Connection, migration: Migration, now_ms: int) -> None:
    """Run one migration and record it, both or neither."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements(migration.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
            (migration.number, migration.name, migration.checksum, now_ms),
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
