"""A SQLite file into an empty PostgreSQL database, row by row: the two ends of `python -m bot move`.

Every batch is written together with how far it goes (`move_progress`), so a move that breaks off anywhere goes on where
it was. What a move is of is known by its content: rows and SHA-256 of each table of the file. The tables by which a
worker finds its townships come last, in the transaction that has compared everything: before it there is none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import asyncpg

from storage.database import Refused, Unavailable, Work, Workers
from storage.engine.migrate_postgres import LONG_S
from storage.engine.one_worker import OneWorker
from storage.engine.postgres import CONNECT_S, PostgresTx, Talk
from storage.engine.postgres import connect as connect_postgres
from storage.engine.refusals import PASSING
from storage.engine.sqlite import SqliteTx, drive
from storage.engine.sqlite import connect as connect_sqlite
from storage.vault.vault import Vault

T = TypeVar("T")
Values = Sequence[Any]
LAST = ("turns", "townships")
HISTORY, PROGRESS = "schema_migrations", "move_progress"
LEAST_VERSION, BATCH_ROWS = 14, 2_000
LOCK, LOCK_WAIT_MS = 0x4A_58_4D_56, 20_000  # a connection that broke is noticed within seconds
MIGRATIONS = f"SELECT number, name, checksum FROM {HISTORY} ORDER BY number"
TABLES = (
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') ORDER BY c.relname"
)
MAKE_PROGRESS = (
    f"CREATE TABLE {PROGRESS} (name TEXT PRIMARY KEY, rows BIGINT NOT NULL, sha256 TEXT NOT NULL,"
    " copied BIGINT NOT NULL DEFAULT 0, last_key TEXT)"
)


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table, and the columns that make its key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def page(self, marks: Sequence[str] = ()) -> str:
        """The statement for rows in the order of the key; `marks` are placeholders for the key they come after."""
        key = _names(self.key)
        after = f" WHERE ({key}) > ({', '.join(marks)})" if marks else ""
        return f'SELECT {_names(self.columns)} FROM "{self.name}"{after} ORDER BY {key}'

    def key_of(self, row: Values) -> Values:
        """The key of a row."""
        return [row[self.columns.index(name)] for name in self.key]


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


@dataclass(frozen=True, slots=True)
class Content:
    """How many rows a table has, and the SHA-256 of all of them in the order of their key."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Copied:
    """How far a table is: what is to be copied, how many rows are, and the key of the last one."""

    content: Content
    rows: int
    last_key: Values | None


class TableDigest:
    """The content of a table, as rows of either engine are added."""

    def __init__(self) -> None:
        self._rows = 0
        self._hash = hashlib.sha256()

    def add(self, rows: Iterable[Values]) -> None:
        """The next rows, as tuples. What Python writes for a row is the same for the same values, and for no others."""
        for row in rows:
            self._hash.update(ascii(row).encode("ascii"))
            self._rows += 1

    @property
    def content(self) -> Content:
        """All rows so far."""
        return Content(self._rows, self._hash.hexdigest())


class OneMoment:
    """A `Database` that can only be read, as it is in one open transaction; what is sealed stays so."""

    vault: Vault | None = None

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        """Run `work` there."""
        raise NotImplementedError

    async def transaction(self, work: Work[T], *, township_id: int = 1, exclusive: bool = True, wait: bool = True) -> T:
        """Refused."""
        raise Refused("this is for reading")

    def workers(self) -> Workers:
        """Nobody else sees this transaction."""
        return OneWorker()

    def is_damaged(self) -> bool:
        """What is damaged ends the copying."""
        return False

    def watch(self, tell: Callable[[Unavailable | None], None]) -> None:
        """What is away ends it, too."""

    async def close(self) -> None:
        """Who opened it ends it."""


class Source(OneMoment):
    """A SQLite file as it was when this was opened; nothing is written to it. Its methods block."""

    def __init__(self, path: Path) -> None:
        self._connection = connect_sqlite(path, read_only=True)
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()  # from here on it is one moment

    def end(self) -> None:
        """Close the file."""
        self._connection.close()

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        """Run `work` on that moment."""
        return drive(cast("Coroutine[Any, Any, T]", work(SqliteTx(self._connection, township_id))))

    def migrations(self) -> list[Values]:
        """number, name and checksum of what was applied."""
        return self._rows(MIGRATIONS) if HISTORY in self._names() else []

    def tables(self) -> list[CopiedTable]:
        """All that hold something of a township, in the order in which they are copied."""
        names = sorted(set(self._names()) - {HISTORY, *LAST})
        return [self._table(name) for name in (*names, *LAST)]

    def count(self, table: CopiedTable) -> int:
        """How many rows."""
        return int(self._rows(f'SELECT COUNT(*) FROM "{table.name}"')[0][0])

    def pages(self, table: CopiedTable, after: Values | None = None) -> Iterator[list[Values]]:
        """Rows in the order of the key, after that one."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        cursor.execute(table.page(["?"] * len(table.key) if after else ()), after or ())
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield rows

    def _names(self) -> list[str]:
        found = self._rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        return [name for (name,) in found if not name.startswith("sqlite_")]

    def _table(self, name: str) -> CopiedTable:
        columns = self._rows(f'PRAGMA table_info("{name}")')
        in_key = sorted((place, column) for _, column, _, _, _, place in columns if place)
        return CopiedTable(name, tuple(row[1] for row in columns), tuple(column for _, column in in_key))

    def _rows(self, sql: str) -> list[Values]:
        return [tuple(row) for row in self._connection.execute(sql).fetchall()]


class Target(OneMoment):
    """A connection to the PostgreSQL database that is to have it all."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def unfit(self) -> str:
        """Why it can't be used; "" when it can, and from now on nobody else moves anything there."""
        version = self._connection.get_server_version()
        if version.major < LEAST_VERSION:
            return f"it is PostgreSQL {version.major}, and has to be {LEAST_VERSION} or newer"
        encoding = await self._connection.fetchval("SHOW server_encoding")
        if encoding != "UTF8":
            return f"its encoding is {encoding}: make it with ENCODING 'UTF8' TEMPLATE template0"
        await self._connection.execute(
            f"SET idle_in_transaction_session_timeout = 0; SET lock_timeout = {LOCK_WAIT_MS}"
        )
        try:
            await self._connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        except asyncpg.LockNotAvailableError:
            return "another move is writing to it"
        return ""

    async def filled(self, tables: Sequence[CopiedTable]) -> list[str]:
        """What stands in the way of a new move: tables with rows, and tables that are none of ours."""
        ours = {table.name for table in tables} | {HISTORY}
        found = [name for (name,) in await self._connection.fetch(TABLES)]
        has_rows = [
            name
            for name in sorted(ours.intersection(found) - {HISTORY})
            if await self._connection.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{name}")')
        ]
        return [*has_rows, *(f"{name} (no table of this program)" for name in found if name not in ours)]

    async def migrations(self) -> list[Values]:
        """number, name and checksum of what was applied."""
        return [tuple(row) for row in await self._connection.fetch(MIGRATIONS)] if await self._has(HISTORY) else []

    async def progress(self) -> dict[str, Copied]:
        """How far each table of a move that broke off is; empty when there is none."""
        if not await self._has(PROGRESS):
            return {}
        rows = await self._connection.fetch(f"SELECT name, rows, sha256, copied, last_key FROM {PROGRESS}")
        return {
            name: Copied(Content(count, sha256), copied, None if last_key is None else json.loads(last_key))
            for name, count, sha256, copied, last_key in rows
        }

    async def begin(self, contents: Mapping[str, Content]) -> None:
        """Note what is to be copied."""
        async with self._connection.transaction():
            await self._connection.execute(MAKE_PROGRESS)
            await self._connection.executemany(
                f"INSERT INTO {PROGRESS} (name, rows, sha256) VALUES ($1, $2, $3)",
                [(name, content.rows, content.sha256) for name, content in contents.items()],
            )

    async def write(self, table: CopiedTable, rows: Sequence[Values]) -> None:
        """Add rows, and note the last one of them: both or neither. Raises Refused."""
        copy = self._connection.copy_records_to_table
        async with self._connection.transaction():
            try:
                await copy(table.name, records=rows, columns=table.columns, timeout=LONG_S)
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                raise Refused(f"{table.name}: {error.args[0]}") from None
            await self._connection.execute(
                f"UPDATE {PROGRESS} SET copied = copied + $2, last_key = $3 WHERE name = $1",
                table.name,
                len(rows),
                json.dumps(table.key_of(rows[-1])),
            )

    async def analyze(self, tables: Sequence[CopiedTable]) -> None:
        """Let the server learn what the tables hold, so that its first plans are good ones."""
        await self._connection.execute(f"ANALYZE {_names(table.name for table in tables)}", timeout=LONG_S)

    @asynccontextmanager
    async def ending(self) -> AsyncIterator[None]:
        """The last transaction, of one moment: all of it counts, or nothing when an exception leaves it."""
        async with self._connection.transaction(isolation="repeatable_read"):
            yield
            await self._connection.execute(f"DROP TABLE {PROGRESS}")

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        """Run `work` in the transaction that is open."""
        return await work(PostgresTx(self._connection, township_id, Talk()))

    async def pages(self, table: CopiedTable) -> AsyncIterator[Sequence[Values]]:
        """Every row in the order of the key."""
        after: Values = ()
        while True:
            marks = [f"${at}" for at in range(1, len(after) + 1)]
            found = await self._connection.fetch(f"{table.page(marks)} LIMIT {BATCH_ROWS}", *after)
            rows = [tuple(row) for row in found]
            if not rows:
                return
            yield rows
            after = table.key_of(rows[-1])

    async def _has(self, table: str) -> bool:
        return await self._connection.fetchval("SELECT to_regclass($1)", table) is not None


@asynccontextmanager
async def reach(url: str) -> AsyncIterator[Target]:
    """Connect to the database at `url`. Raises Unavailable, also when the connection is lost, and Refused."""
    with _told_apart():
        try:
            connection = await connect_postgres(url)
        except (asyncpg.ClientConfigurationError, ValueError):
            raise Refused("that is no address of a database") from None  # its text may quote a password
        try:
            yield Target(connection)
            await connection.close(timeout=CONNECT_S)
        finally:
            connection.terminate()


@contextmanager
def _told_apart() -> Iterator[None]:
    """What the server's and the driver's errors mean here, without their details: those quote rows."""
    try:
        yield
    except (*PASSING, asyncpg.InterfaceError) as error:
        said = error.args[-1] if error.args else "no answer in time"
        raise Unavailable(f"{type(error).__name__}: {said}") from None
    except asyncpg.PostgresError as error:
        raise Refused(f"{type(error).__name__}: {error.args[0]}") from None
