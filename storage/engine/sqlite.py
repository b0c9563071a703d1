"""SQLite behind `Database`: one writer in WAL mode with `synchronous=FULL`, read-only connections beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

from storage.database import Damaged, ForeignAwait, Params, Refused, Row, Unavailable, Work, Workers
from storage.engine.condition import Condition
from storage.engine.one_worker import OneWorker
from storage.engine.running import Running
from storage.vault.vault import Sealing, Vault

T = TypeVar("T")
BUSY_TIMEOUT_MS = 10_000
READERS = 2
CHECKPOINT_PAGES = 4_000  # pages that many updates touch are copied into the file once, not a dozen times
FAULTS_LARGEST = 3  # of a damaged file: one is enough to know it
# Measured with a million people, 8 MiB for the writer are a tenth slower than 2, and never given back.
WRITER_CACHE_KIB, READER_CACHE_KIB = 2_048, 512
STATEMENT_CACHE = 512
WRITE = "BEGIN IMMEDIATE"
PASSING = {  # and which trouble it is
    sqlite3.SQLITE_BUSY: "database_busy",
    sqlite3.SQLITE_LOCKED: "database_busy",
    sqlite3.SQLITE_NOMEM: "no_memory",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_IOERR: "disk_fails",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_CANTOPEN: "read_only",
}
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class _Health:
    """Whether a statement was refused: then none may follow it, as on PostgreSQL."""

    __slots__ = ("refused",)

    def __init__(self) -> None:
        self.refused = False

    def __enter__(self) -> None:
        if self.refused:
            raise Refused("a statement before this one was refused: only a savepoint would let the work go on")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.IntegrityError):
            self.refused = True
            raise Refused(str(error)) from error


class SqliteTx:
    """A transaction on a connection of this thread. Its awaits never suspend."""

    __slots__ = ("_connection", "_depth", "_health", "sealing", "township_id")

    def __init__(
        self,
        connection: sqlite3.Connection,
        township_id: int,
        health: _Health | None = None,
        sealing: Sealing | None = None,
    ) -> None:
        self._connection = connection
        self._depth = 0
        self._health = health or _Health()
        self.sealing = sealing
        self.township_id = township_id

    def _bound(self, params: Params | None) -> dict[str, Any]:
        return {"t": self.township_id, **params} if params else {"t": self.township_id}

    def _do(self, sql: str, params: Params | None) -> sqlite3.Cursor:
        with self._health:
            return self._connection.execute(sql, self._bound(params))

    async def one(self, sql: str, params: Params | None = None) -> Row | None:
        return cast("Row | None", self._do(sql, params).fetchone())

    async def all(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        return self._do(sql, params).fetchall()

    async def run(self, sql: str, params: Params | None = None) -> int:
        return self._do(sql, params).rowcount

    async def many(self, sql: str, rows: Sequence[Params]) -> None:
        if rows:
            with self._health:
                self._connection.executemany(sql, cast("Sequence[dict[str, Any]]", rows))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        name = f"s{self._depth + 1}"
        with self._health:
            self._connection.execute(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
            self.end()
        except BaseException:
            self._connection.execute(f"ROLLBACK TO {name}")
            self._health.refused = False
            if self.sealing is not None:
                self.sealing.undo()
            raise
        finally:
            self._connection.execute(f"RELEASE {name}")
            self._depth -= 1

    def at(self, township_id: int) -> SqliteTx:
        return SqliteTx(self._connection, township_id, self._health, self.sealing)

    def end(self) -> None:
        """Raises Refused when a statement was, and the work went on nevertheless."""
        with self._health:
            pass

    async def notify(self, topic: str, payload: str) -> None:
        """Nobody else is there: one process has the file."""


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that awaits only a `SqliteTx`; raises ForeignAwait if it awaits anything else."""
    try:
        work.send(None)
    except StopIteration as stop:
        return cast(T, stop.value)
    work.close()
    raise ForeignAwait("a transaction awaited something that is not its own database")


def code_of(error: BaseException) -> int:
    """SQLite's primary result code; 0 for what is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def telling_damage(path: Path) -> Iterator[None]:
    """What SQLite finds damaged in that file is Damaged."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if code_of(error) in DAMAGE:
            raise Damaged(str(error), str(path)) from error
        raise


def run_work(connection: sqlite3.Connection, begin: str, work: Work[T], tx: SqliteTx) -> T:
    """BEGIN, the work, COMMIT, in this thread; ROLLBACK on any exception. Raises Unavailable for disk trouble, and
    Damaged.
    """
    try:
        connection.execute(begin)
        result = drive(cast("Coroutine[Any, Any, T]", work(tx)))
        tx.end()
        connection.execute("COMMIT")  # may fail too, and must not leave its transaction open
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError) and code_of(error) in PASSING:
            raise Unavailable(str(error), PASSING[code_of(error)]) from error
        if isinstance(error, sqlite3.DatabaseError) and code_of(error) in DAMAGE:
            raise Damaged(str(error)) from error
        raise
    return result


def connect(path: Path, *, read_only: bool = False, synchronous: str = "FULL") -> sqlite3.Connection:
    """Open a connection with this project's pragmas. Raises Damaged for a file that is no database."""
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, cached_statements=STATEMENT_CACHE, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    try:
        with telling_damage(path):
            _prepare(connection, read_only, synchronous)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, read_only: bool, synchronous: str) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA cache_size=-{READER_CACHE_KIB if read_only else WRITER_CACHE_KIB}")
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        connection.execute("PRAGMA secure_delete=ON")  # what is erased or sealed leaves nothing in what was freed


def check_integrity(path: Path, *, quick: bool = False) -> None:
    """Read the whole file. Raises Damaged, which says what is wrong on one line.

    `quick` leaves out whether each index agrees with its table, which takes twenty times as long.
    """
    pragma = "quick_check" if quick else "integrity_check"
    with telling_damage(path), closing(connect(path, read_only=True)) as connection:
        faults = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}({FAULTS_LARGEST})")]
    if faults != ["ok"]:
        raise Damaged("; ".join(" ".join(fault.split()) for fault in faults), str(path))


class SqliteDatabase:
    """One file. Writers queue on one connection; readers take turns on theirs and see the last commit."""

    def __init__(self, path: Path, writer: aiosqlite.Connection, readers: list[aiosqlite.Connection]) -> None:
        self.path = path
        self._writer = writer
        self._readers = readers
        self._next_reader = 0
        self._running = Running()
        self._workers = OneWorker()
        self._condition = Condition()
        self.vault: Vault | None = None

    @classmethod
    async def open(cls, path: Path) -> SqliteDatabase:
        """Open (and make) the file at `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = await aiosqlite.Connection(lambda: connect(path), 64)
        readers = [await aiosqlite.Connection(lambda: connect(path, read_only=True), 64) for _ in range(READERS)]
        return cls(path, writer, readers)

    async def transaction(self, work: Work[T], *, township_id: int = 1, exclusive: bool = True, wait: bool = True) -> T:
        """Every transaction is exclusive: there is one writer."""
        return await self._run(self._writer, WRITE, work, township_id)

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        self._next_reader = (self._next_reader + 1) % len(self._readers)
        return await self._run(self._readers[self._next_reader], "BEGIN", work, township_id)

    async def _run(self, connection: aiosqlite.Connection, begin: str, work: Work[T], township_id: int) -> T:
        def whole() -> T:
            raw = connection._conn
            sealing = Sealing(self.vault, writes=begin == WRITE) if self.vault is not None else None
            return run_work(raw, begin, work, SqliteTx(raw, township_id, sealing=sealing))

        # aiosqlite has no public way to run a function in its thread; `_execute` is what all its methods use.
        # The function runs there to its end even if this caller is cancelled, so nothing is ever torn.
        try:
            result: T = await self._running.finish(connection._execute(whole))  # type: ignore[no-untyped-call]
        except Unavailable as error:
            if isinstance(error, Damaged):
                error.where = str(self.path)
            self._condition.failed(error, writing=begin == WRITE)
            raise
        self._condition.works(writing=begin == WRITE)
        return result

    def workers(self) -> Workers:
        return self._workers

    def is_damaged(self) -> bool:
        return self._condition.is_damaged

    def watch(self, tell: Callable[[Unavailable | None], None]) -> None:
        self._condition.watch(tell)

    async def close(self) -> None:
        await self._running.drain()
        for connection in (*self._readers, self._writer):
            await connection.close()
