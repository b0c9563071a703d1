"""A transaction that is not alone: others commit between what it reads and what it writes.

One SQLite file has one writer, so the work is run twice: first to hear what it reads, undone, and a while later to
write, with the answers of before. What it reads after it has written is as it is by then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from storage.database import Work

T = TypeVar("T")
Question = tuple[str, str, Any]


class Rehearsed(Exception):
    """Undoes what was written to hear what would be read."""


class Tape:
    """What was asked, and what the answers were."""

    def __init__(self) -> None:
        self.heard: deque[tuple[Question, Any]] = deque()

    def answer(self, question: Question) -> tuple[Any] | None:
        """The answer of before, when the same is asked next; else the tape is of no more use."""
        if self.heard and self.heard[0][0] == question:
            return (self.heard.popleft()[1],)
        self.heard.clear()
        return None


class Taped:
    """A transaction whose answers are written down, or come from there."""

    def __init__(self, tx: Any, tape: Tape, live: bool) -> None:
        self._tx = tx
        self._tape = tape
        self._live = live

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def one(self, sql: str, params: Any = None) -> Any:
        return await self._ask("one", sql, params)

    async def all(self, sql: str, params: Any = None) -> Any:
        return await self._ask("all", sql, params)

    async def run(self, sql: str, params: Any = None) -> Any:
        self._writes()
        return await self._tx.run(sql, params)

    async def many(self, sql: str, rows: Any) -> None:
        self._writes()
        await self._tx.many(sql, rows)

    def _writes(self) -> None:
        if not self._live:
            self._tape.heard.clear()

    def at(self, township_id: int) -> Taped:
        return Taped(self._tx.at(township_id), self._tape, self._live)

    async def _ask(self, how: str, sql: str, params: Any) -> Any:
        asked = {name: value for name, value in (params or {}).items() if not name.endswith("_ms")}  # time goes on
        question = how, sql, (self._tx.township_id, asked)
        if self._live:
            answer = await getattr(self._tx, how)(sql, params)
            self._tape.heard.append((question, answer))
            return answer
        known = self._tape.answer(question)
        return known[0] if known else await getattr(self._tx, how)(sql, params)


def rehearsal(work: Work[T], tape: Tape) -> Callable[[Any], Awaitable[T]]:
    """`work`, to hear what it reads. Always raises."""

    async def run(tx: Any) -> T:
        await work(Taped(tx, tape, live=True))  # type: ignore[arg-type]
        raise Rehearsed

    return run


def replay(work: Work[T], tape: Tape) -> Callable[[Any], Awaitable[T]]:
    """`work`, with what it read then."""

    async def run(tx: Any) -> T:
        return await work(Taped(tx, tape, live=False))  # type: ignore[arg-type]

    return run
