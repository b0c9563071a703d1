"""`Database` on one connection of a real SQLite file, run in the loop's own thread, with a fault before each step.

With one worker it is SQLite: writers queue. With several it is what they see of PostgreSQL: a township's lock that
is held for a while, transactions that end in conflict and are run again, and, for one that is not exclusive, others
that commit between its reading and its writing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from storage.database import Taken, Unavailable, Work, Workers
from storage.engine.leases import Leases
from storage.engine.one_worker import OneWorker
from storage.engine.running import Running
from storage.engine.sqlite import SqliteTx, connect, run_work
from storage.vault.vault import Sealing
from tests.sim.faults import Chaos, Conflict, Crashed, DiskTrouble
from tests.sim.machine.overlap import Rehearsed, Tape, rehearsal, replay
from tests.sim.machine.server import Client, Server
from tests.sim.sealed import new_vault

T = TypeVar("T")
NAMES = {"BEGIN IMMEDIATE": "begin", "BEGIN": "begin", "COMMIT": "commit"}
WRITE, READ = "BEGIN IMMEDIATE", "BEGIN"
TRIES = 8
NETWORK_S = (0.0, 0.001, 0.002, 0.01)
HELD_S = (0.0, 0.0, 0.001, 0.003, 0.02, 0.1)


class Mortal(Client, Protocol):
    """The run of the program that a fault ends."""

    chaos: Chaos

    def point(self, name: str) -> None:
        """Raise Crashed when the program dies here, or is dead already."""
        ...

    def refused(self, reason: str) -> None:
        """A constraint of the schema forbade something."""
        ...


class Wire:
    """The connection as `run_work` and `SqliteTx` see it."""

    def __init__(self, connection: sqlite3.Connection, life: Mortal, server: Server | None) -> None:
        self._connection = connection
        self._life = life
        self._server = server
        self.said: list[tuple[str, str]] = []
        self._writes = False

    def execute(self, sql: str, params: Any = ()) -> sqlite3.Cursor:
        if sql == "ROLLBACK":  # also of the dead: the server does it for them
            cursor = self._connection.execute(sql)
            self.said.clear()
            if self._life.dead:
                raise Crashed
            return cursor
        name = NAMES.get(sql, "statement")
        if name == "begin":
            self._writes = sql == WRITE
        self._before(name)
        try:
            cursor = self._connection.execute(sql, params)
        except sqlite3.IntegrityError as error:
            self._life.refused(str(error))
            raise
        if name == "commit":
            self._committed()
        return cursor

    def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
        self._before("statement")
        try:
            return self._connection.executemany(sql, rows)
        except sqlite3.IntegrityError as error:
            self._life.refused(str(error))
            raise

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def _before(self, name: str) -> None:
        life, weather = self._life, self._life.chaos.weather
        life.point(name)
        if life.chaos.chance(weather.disk_trouble):
            raise DiskTrouble(f"disk I/O error before {name}")
        if name == "commit" and self._among_others and life.chaos.chance(weather.conflict):
            raise Conflict

    @property
    def _among_others(self) -> bool:
        return self._server is not None and self._writes

    def _committed(self) -> None:
        said, self.said = self.said, []
        if self._server is not None:
            self._server.notify(said)
        self._life.point("committed")
        if self._among_others and self._life.chaos.chance(self._life.chaos.weather.commit_unknown):
            raise DiskTrouble("the connection broke in the COMMIT")


class SimTx(SqliteTx):
    """A transaction that can tell other workers something."""

    __slots__ = ()

    def at(self, township_id: int) -> SimTx:
        return SimTx(self._connection, township_id, self._health, self.sealing)

    async def notify(self, topic: str, payload: str) -> None:
        cast(Any, self._connection).said.append((topic, payload))


class SimDatabase:
    """One worker's way to the file. `server` is what it shares with others; None when it is alone."""

    def __init__(self, path: Path, life: Mortal, server: Server | None) -> None:
        self._life = life
        self._server = server
        self.vault = new_vault()
        self.raw = connect(path, synchronous="OFF")
        self._wire: Any = Wire(self.raw, life, server)
        self._writer = asyncio.Lock()
        self._turns: dict[int, asyncio.Lock] = {}
        self._answered_s = 0.0
        self._running = Running()
        self._workers: Workers = OneWorker() if server is None else Leases(lambda: server.connect(life))

    def workers(self) -> Workers:
        return self._workers

    def is_damaged(self) -> bool:
        return False

    def watch(self, tell: Any) -> None:
        """Nobody asks how it is."""

    async def transaction(self, work: Work[T], *, township_id: int = 1, exclusive: bool = True, wait: bool = True) -> T:
        if self._server is None:
            return await self._running.finish(self._queued(work, township_id))
        if exclusive:
            return await self._running.finish(self._alone(self._server, work, township_id, wait))
        return await self._running.finish(self._among_others(work, township_id))

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        return await self._running.finish(self._read(work, township_id))

    # -- one worker: writers queue and hear of their commits in order, as from one writer thread

    async def _queued(self, work: Work[T], township_id: int) -> T:
        loop = asyncio.get_running_loop()
        result: Any = None
        error: Exception | None = None
        async with self._writer:
            await self._life.hop()
            try:
                result = self._run(WRITE, work, township_id)
            except Exception as problem:
                error = problem
            answer_s = self._answered_s = max(self._answered_s + 1e-6, loop.time() + delay_s(self._life.chaos))
        await asyncio.sleep(answer_s - loop.time())
        if error is not None:
            raise error
        return cast(T, result)

    # -- several workers

    async def _alone(self, server: Server, work: Work[T], township_id: int, wait: bool) -> T:
        turn = server.turn(township_id)
        own = self._turns.setdefault(township_id, asyncio.Lock())
        if not wait and own.locked():
            raise Taken
        async with own:
            await self._life.hop()
            if not wait and turn.locked():
                raise Taken
            await turn.acquire()
            try:
                await asyncio.sleep(self._life.chaos.dice.choice(HELD_S))
                await self._life.hop()
                result = await self._again_and_again(lambda: self._run(WRITE, work, township_id))
            finally:
                server.give_back(turn, self._life)
            await self._life.hop()
            return result

    async def _among_others(self, work: Work[T], township_id: int) -> T:
        await self._life.hop()
        if not self._life.chaos.chance(self._life.chaos.weather.overlap):
            result = await self._again_and_again(lambda: self._run(WRITE, work, township_id))
        else:
            tape = Tape()
            with suppress(Rehearsed, Unavailable, Conflict):
                self._run(WRITE, rehearsal(work, tape), township_id)
            await asyncio.sleep(self._life.chaos.dice.choice(HELD_S))
            await self._life.hop()
            result = await self._again_and_again(lambda: self._run(WRITE, replay(work, tape), township_id))
        await self._life.hop()
        return result

    async def _again_and_again(self, run: Callable[[], T]) -> T:
        for attempt in range(TRIES):
            try:
                return run()
            except Conflict:
                await asyncio.sleep(0.01 * 2**attempt)
        raise Unavailable(f"still in conflict after {TRIES} tries")

    # -- both

    async def _read(self, work: Work[T], township_id: int) -> T:
        await self._life.hop()
        before = self.raw.total_changes
        result = self._run(READ, work, township_id)
        assert self.raw.total_changes == before, "a read wrote"
        await self._life.hop()
        return result

    def _run(self, begin: str, work: Callable[[Any], Awaitable[T]], township_id: int) -> T:
        return run_work(
            self._wire, begin, work, SimTx(self._wire, township_id, sealing=Sealing(self.vault, writes=begin == WRITE))
        )

    async def close(self) -> None:
        """As the engine does it: finish, and give the duties back."""
        await self._running.drain()
        await self._workers.stop()
        self.raw.close()


def delay_s(chaos: Chaos) -> float:
    """How long the disk takes, or, with several workers, the network."""
    if chaos.chance(chaos.weather.slow_disk):
        return chaos.dice.choice((0.001, 0.01, 0.3))
    return 0.0 if chaos.alone else chaos.dice.choice(NETWORK_S)
