"""PostgreSQL behind `Database`, through asyncpg (docs/decisions/0007).

A township's lock is its row of `turns`: an `exclusive` transaction holds it from the beginning, so the works
of one township run one after the other on however many workers, as they do on SQLite, and each statement sees what
the one before it committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, TypeVar, cast

import asyncpg

from storage.database import Damaged, ForeignAwait, Params, Refused, Row, Taken, Unavailable, Work, Workers
from storage.engine.condition import Condition
from storage.engine.leases import Leases
from storage.engine.parameters import numbered
from storage.engine.refusals import CONFLICTS, DAMAGE, PASSING, REFUSALS, reason_of
from storage.engine.running import Running
from storage.vault.vault import Sealing, Vault

T = TypeVar("T")
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
MOST_CONNECTIONS = 10
CONNECT_S, STATEMENT_S, IDLE_MS = 10, 120, 60_000
CACHED_STATEMENTS = 1_024
QUERIES_A_CONNECTION = 5_000  # then a new one: a plan made for an empty table must not outlive its growth
TRIES = 8
FIRST_PAUSE_S = 0.01
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresTx:
    """A transaction on a connection."""

    __slots__ = ("_connection", "_depth", "_talk", "sealing", "township_id")

    def __init__(self, connection: Connection, township_id: int, talk: Talk, sealing: Sealing | None = None) -> None:
        self._connection = connection
        self._depth = 0
        self._talk = talk
        self.sealing = sealing
        self.township_id = township_id

    def _bound(self, sql: str, params: Params | None) -> tuple[str, list[Any]]:
        text, names = numbered(sql)
        known = {"t": self.township_id, **params} if params else {"t": self.township_id}
        return text, [known[name] for name in names]

    async def one(self, sql: str, params: Params | None = None) -> Row | None:
        text, values = self._bound(sql, params)
        with self._talk:
            return cast("Row | None", await self._connection.fetchrow(text, *values))

    async def all(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        text, values = self._bound(sql, params)
        with self._talk:
            return cast("Sequence[Row]", await self._connection.fetch(text, *values))

    async def run(self, sql: str, params: Params | None = None) -> int:
        text, values = self._bound(sql, params)
        with self._talk:
            status = await self._connection.execute(text, *values)
        return int(status.rpartition(" ")[2])  # «UPDATE 3», «INSERT 0 1»

    async def many(self, sql: str, rows: Sequence[Params]) -> None:
        if not rows:
            return
        text, names = numbered(sql)
        with self._talk:
            await self._connection.executemany(text, [[row[name] for name in names] for row in rows])

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self._depth += 1
        name = f"s{self._depth}"
        try:
            await self._say(f"SAVEPOINT {name}")
            try:
                yield
                await self._say(f"RELEASE SAVEPOINT {name}")
            except GeneratorExit:  # a foreign await ends the whole work: nothing may be awaited any more
                raise
            except BaseException:
                await self._say(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
                if self.sealing is not None:
                    self.sealing.undo()
                raise
        finally:
            self._depth -= 1

    async def _say(self, sql: str) -> None:
        with self._talk:
            await self._connection.execute(sql)

    def at(self, township_id: int) -> PostgresTx:
        return PostgresTx(self._connection, township_id, self._talk, self.sealing)

    async def notify(self, topic: str, payload: str) -> None:
        with self._talk:
            await self._connection.execute("SELECT pg_notify($1, $2)", topic, payload)


class Talk:
    """Whether the work is waiting for the database, which is all that it may wait for."""

    __slots__ = ("under_way",)

    def __init__(self) -> None:
        self.under_way = False

    def __enter__(self) -> None:
        self.under_way = True

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.under_way = False
        if isinstance(error, REFUSALS):
            raise Refused(error.args[0]) from None  # its details quote the row, which may be about a person


class _Watched:
    """A work whose awaits are looked at: one that isn't for its database raises ForeignAwait, as on SQLite."""

    def __init__(self, work: Awaitable[T], talk: Talk) -> None:
        self._steps = work.__await__()
        self._talk = talk

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            waiting = next(self._steps)
            while True:
                if not self._talk.under_way:
                    self._steps.close()
                    raise ForeignAwait("a transaction awaited something that is not its own database")
                try:
                    yield waiting
                except BaseException as error:
                    waiting = self._steps.throw(error)
                else:
                    waiting = next(self._steps)
        except StopIteration as stop:
            return stop.value


class PostgresDatabase:
    """A pool of connections, and a lasting one: for leases and for what other workers say."""

    def __init__(self, url: str, pool: asyncpg.Pool) -> None:
        self.url = url
        self._pool = pool
        self._running = Running()
        self._locks: dict[int, asyncio.Lock] = {}
        self._workers = Leases(lambda: connect(url))
        self._condition = Condition()
        self.vault: Vault | None = None

    @classmethod
    async def open(cls, url: str, *, connections: int = MOST_CONNECTIONS) -> PostgresDatabase:
        """Connect to the server at `url`. Raises Unavailable."""
        pool = asyncpg.create_pool(
            url,
            min_size=0,  # else the pool logs a page whenever it looks for a server that is away
            init_size=1,
            max_size=connections,
            max_queries=QUERIES_A_CONNECTION,
            connect=connect,
            reset=_nothing,  # every transaction here ends in COMMIT or ROLLBACK; there is nothing else to reset
        )
        with_pool = cls(url, pool)
        await with_pool._passing(pool.__aenter__, writing=False)
        return with_pool

    async def transaction(self, work: Work[T], *, township_id: int = 1, exclusive: bool = True, wait: bool = True) -> T:
        if exclusive:
            return await self._running.finish(self._exclusively(work, township_id, wait))
        return await self._running.finish(self._again_and_again("BEGIN", work, township_id, True))

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        return await self._running.finish(self._again_and_again(READ, work, township_id, True))

    async def _exclusively(self, work: Work[T], township_id: int, wait: bool) -> T:
        """This process's works of a township queue here: on the server they would take every connection to wait."""
        skip = "" if wait else " SKIP LOCKED"
        begin = f"BEGIN; SELECT 1 FROM turns WHERE township_id = {township_id:d} FOR UPDATE{skip}"
        lock = self._locks.setdefault(township_id, asyncio.Lock())
        if not wait and lock.locked():
            raise Taken
        try:
            async with asyncio.timeout(STATEMENT_S):
                await lock.acquire()
        except TimeoutError as error:
            busy = Unavailable(f"waited {STATEMENT_S} s for the lock of township {township_id}", "database_busy")
            self._condition.failed(busy, writing=True)
            raise busy from error
        try:
            return await self._again_and_again(begin, work, township_id, wait)
        finally:
            lock.release()

    async def _again_and_again(self, begin: str, work: Work[T], township_id: int, wait: bool) -> T:
        """Run the whole again after a conflict with another worker, a little later each time."""
        for attempt in range(TRIES):
            try:
                act = lambda: self._once(begin, work, township_id, wait)  # noqa: E731
                return await self._passing(act, writing=begin != READ)
            except CONFLICTS as error:
                reason = error
            await asyncio.sleep(FIRST_PAUSE_S * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
        raise Unavailable(f"still in conflict after {TRIES} tries: {reason}")

    async def _passing(self, act: Callable[[], Awaitable[T]], *, writing: bool) -> T:
        """What passes by itself (a restart, a broken connection) is Unavailable; what never does, Damaged."""
        try:
            result = await act()
        except PASSING as error:
            failure = Unavailable(f"{type(error).__name__}: {error}", reason_of(error))
            self._condition.failed(failure, writing=writing)
            raise failure from error
        except DAMAGE as error:
            damaged = Damaged(f"{type(error).__name__}: {error}")
            self._condition.failed(damaged, writing=writing)
            raise damaged from error
        except asyncpg.InterfaceError as error:
            if "clos" not in str(error):  # asyncpg has no other sign: «connection is closed», «pool is closing»
                raise
            failure = Unavailable(str(error), "no_answer")
            self._condition.failed(failure, writing=writing)
            raise failure from error
        self._condition.works(writing=writing)
        return result

    async def _once(self, begin: str, work: Work[T], township_id: int, wait: bool) -> T:
        async with self._pool.acquire(timeout=CONNECT_S) as connection:
            talk = Talk()
            try:
                if await connection.execute(begin) == "SELECT 0":
                    await self._turn(connection, township_id, wait)
                sealing = Sealing(self.vault, writes=begin != READ) if self.vault is not None else None
                result = await _Watched(work(PostgresTx(connection, township_id, talk, sealing)), talk)
                if await connection.execute("COMMIT") != "COMMIT":
                    raise Refused("the work went on after a statement that was refused: nothing of it is written")
            except BaseException:
                await _roll_back(connection)
                raise
            return cast(T, result)

    async def _turn(self, connection: Connection, township_id: int, wait: bool) -> None:
        """The township's row is taken, or isn't there yet: then this makes it, and has it."""
        add = "INSERT INTO turns (township_id) VALUES ($1) ON CONFLICT DO NOTHING"
        if await connection.execute(add, township_id) == "INSERT 0 1":
            return
        if not wait:
            raise Taken
        await connection.execute("SELECT 1 FROM turns WHERE township_id = $1 FOR UPDATE", township_id)

    def workers(self) -> Workers:
        return self._workers

    def is_damaged(self) -> bool:
        return self._condition.is_damaged

    def watch(self, tell: Callable[[Unavailable | None], None]) -> None:
        self._condition.watch(tell)

    async def close(self) -> None:
        await self._running.drain()
        await self._workers.stop()
        try:
            await asyncio.wait_for(self._pool.close(), CONNECT_S)
        except (TimeoutError, *PASSING):
            self._pool.terminate()


async def _roll_back(connection: Connection) -> None:
    """A connection on which it can't be done is broken, and of no use any more."""
    try:
        await connection.execute("ROLLBACK")
    except (asyncpg.InterfaceError, *PASSING):
        with contextlib.suppress(asyncpg.InterfaceError):  # the pool may have let go of it already
            connection.terminate()


async def _nothing(connection: asyncpg.Connection) -> None:
    """There is nothing to reset."""


async def connect(*arguments: Any, **named: Any) -> asyncpg.Connection:
    """A connection with this project's settings. A worker that hangs loses its lock after IDLE_MS."""
    named |= {
        "timeout": CONNECT_S,
        "command_timeout": STATEMENT_S,
        "statement_cache_size": CACHED_STATEMENTS,
        "server_settings": {
            "application_name": "jingxiang",
            "idle_in_transaction_session_timeout": str(IDLE_MS),
            "timezone": "UTC",
            "tcp_keepalives_idle": "3",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "2",
        },
    }
    connection: asyncpg.Connection = await asyncpg.connect(*arguments, **named)
    # a sum of integers is NUMERIC there; every such figure is whole
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=_whole, format="text")
    return connection


def _whole(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)
