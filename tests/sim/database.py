"""`Database` on one connection of a real SQLite file, run in the loop's own thread, with a fault before each step."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from storage.database import Work
from storage.sqlite import SqliteTx, connect, run_work
from tests.sim.faults import Chaos, Crashed, DiskTrouble

T = TypeVar("T")
NAMES = {"BEGIN IMMEDIATE": "begin", "BEGIN": "begin", "COMMIT": "commit"}


class Mortal(Protocol):
    """The run of the program that a fault ends."""

    chaos: Chaos
    dead: bool

    def point(self, name: str) -> None:
        """Raise Crashed when the program dies here, or is dead already."""
        ...


class Wire:
    """The connection as `run_work` and `SqliteTx` see it."""

    def __init__(self, connection: sqlite3.Connection, life: Mortal) -> None:
        self._connection = connection
        self._life = life

    def execute(self, sql: str, params: Any = ()) -> sqlite3.Cursor:
        name = NAMES.get(sql, "statement")
        self._before(name if sql != "ROLLBACK" else "")
        cursor = self._connection.execute(sql, params)
        if name == "commit":
            self._life.point("committed")
        return cursor

    def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
        self._before("statement")
        return self._connection.executemany(sql, rows)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def _before(self, name: str) -> None:
        if not name:
            if self._life.dead:
                raise Crashed
            return
        self._life.point(name)
        if self._life.chaos.chance(self._life.chaos.weather.disk_trouble):
            raise DiskTrouble(f"disk I/O error before {name}")


class SimDatabase:
    """Writers queue and hear of their commits in order, as from one writer thread; readers come in between."""

    def __init__(self, path: Path, life: Mortal) -> None:
        self._life = life
        self.raw = connect(path, synchronous="OFF")
        self._wire: Any = Wire(self.raw, life)
        self._writer = asyncio.Lock()
        self._answered_s = 0.0

    async def transaction(self, work: Work[T], *, township_id: int = 1) -> T:
        return await self._shielded(self._write(work, township_id))

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        return await self._shielded(self._read(work, township_id))

    async def _shielded(self, running: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(running)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _write(self, work: Work[T], township_id: int) -> T:
        loop = asyncio.get_running_loop()
        result: Any = None
        error: Exception | None = None
        async with self._writer:
            await self._hop()
            try:
                result = self._run("BEGIN IMMEDIATE", work, township_id)
            except Exception as problem:
                error = problem
            answer_s = self._answered_s = max(self._answered_s + 1e-6, loop.time() + self._delay_s())
        await asyncio.sleep(answer_s - loop.time())
        if error is not None:
            raise error
        return cast(T, result)

    async def _read(self, work: Work[T], township_id: int) -> T:
        await self._hop()
        before = self.raw.total_changes
        result = self._run("BEGIN", work, township_id)
        assert self.raw.total_changes == before, "a read wrote"
        await self._hop()
        return result

    def _run(self, begin: str, work: Work[T], township_id: int) -> T:
        return run_work(self._wire, begin, work, SqliteTx(self._wire, township_id))

    async def _hop(self) -> None:
        await asyncio.sleep(self._delay_s())

    def _delay_s(self) -> float:
        chaos = self._life.chaos
        if not chaos.chance(chaos.weather.slow_disk):
            return 0.0
        return chaos.dice.choice((0.001, 0.01, 0.3))

    async def close(self) -> None:
        self.raw.close()
