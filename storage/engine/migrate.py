"""Numbered, forward-only, checksummed migrations: `schema/NNNN_name.sql`, each applied once in a transaction.

A migration only adds, so that workers of the version before go on beside it; what may be done only when none of them
runs any more stands in a file of its own, `NNNN_name.after.sql`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.engine.planner import write_statistics
from storage.engine.sqlite import connect as connect_sqlite
from storage.engine.sqlite import telling_damage

SCHEMA_FOLDER = Path(__file__).parents[1] / "schema"
HISTORY = (
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms BIGINT NOT NULL)"
)


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

    @property
    def after(self) -> bool:
        """Whether it has to wait until no worker of the version before runs."""
        return is_after(self.name)


def is_after(name: str) -> bool:
    """Whether a migration of that name comes after the code."""
    return name.endswith(".after")


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


def pending_of(wanted: Sequence[Migration], applied: Iterable[Iterable[Any]], *, after: bool) -> list[Migration]:
    """What is still to be applied; `applied` has (number, name, checksum). Raises MigrationError.

    The database may be ahead of the program by migrations that only add: then a newer version runs beside it.
    """
    known = {migration.number: migration for migration in wanted}
    done = set()
    for number, name, checksum in applied:
        done.add(number)
        ours = known.get(number)
        if ours is None and is_after(name):
            raise MigrationError(f"the database has migration {number} ({name}), newer than this program: update it")
        if ours is not None and ours.checksum != checksum:
            raise MigrationError(f"migration {number} ({name}) was changed after it was applied: restore the file")
    return [one for one in wanted if one.number not in done and (after or not one.after)]


def migrate(path: Path, *, now_ms: int, migrations: list[Migration] | None = None) -> list[Migration]:
    """Bring the SQLite file at `path` up to date; the migrations applied now. One process has it, so all of them.

    Raises MigrationError and Damaged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    wanted = load_migrations() if migrations is None else migrations
    connection = connect_sqlite(path)
    with telling_damage(path), closing(connection):
        connection.execute(HISTORY)
        applied = connection.execute("SELECT number, name, checksum FROM schema_migrations").fetchall()
        pending = pending_of(wanted, applied, after=True)
        for migration in pending:
            apply(connection, migration, now_ms)
        if pending:
            write_statistics(connection)
        return pending


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
