"""Laws of the design, each broken on purpose. The simulator must notice every one of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from bot.channels.base import Letter, Raw
from bot.clock import TimeIds
from bot.delivery import Delivery
from bot.intake import Batch, Intake
from bot.schedule import Schedule
from bot.talk import engine
from bot.talk.messages import In
from storage import inbox, outbox, timers
from storage.database import Database, Row, Tx
from tests.sim.life import Parts


class Acknowledges(Intake):
    """Acknowledges before the commit: «stored» is said while it is still being stored."""

    async def accept(self, raws: Sequence[Raw]) -> None:
        self._hurry = asyncio.ensure_future(super().accept(raws))
        await asyncio.sleep(0)


class ByHighestId(Intake):
    """Knows duplicates by the highest id seen instead of by membership."""

    _highest = 0

    async def accept(self, raws: Sequence[Raw]) -> None:
        fresh = []
        for raw in raws:
            if int(raw.key) > self._highest:
                self._highest = int(raw.key)
                fresh.append(raw)
        await super().accept(fresh)


class KnowsNoDuplicates(Intake):
    """Takes every update for a new one."""

    async def accept(self, raws: Sequence[Raw]) -> None:
        await super().accept([replace(raw, key=f"{raw.key}#{self._ids.next()}") for raw in raws])


class Undone:
    """A transaction in which one kind of statement is left out."""

    def __init__(self, tx: Tx, left_out: str) -> None:
        self._tx = tx
        self._left_out = left_out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def run(self, sql: str, params: Any = None) -> int:
        return 0 if sql.startswith(self._left_out) else await self._tx.run(sql, params)

    async def many(self, sql: str, rows: Sequence[Any]) -> None:
        if not sql.startswith(self._left_out):
            await self._tx.many(sql, rows)


class Undoing:
    """A database of such transactions."""

    def __init__(self, database: Database, left_out: str) -> None:
        self._database = database
        self._left_out = left_out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def transaction(self, work: Callable[[Any], Awaitable[Any]], **named: Any) -> Any:
        return await self._database.transaction(lambda tx: work(Undone(tx, self._left_out)), **named)


class TwoTransactions(Intake):
    """Writes the effects in one transaction and «done» in the next."""

    async def _batch(self, tx: Tx, limit: int) -> tuple[Batch, int]:
        rows = await inbox.oldest_new(tx, now_ms=self._clock.now_ms(), limit=limit)
        self._ids_done = [row["id"] for row in rows]
        undone: Any = Undone(tx, "UPDATE inbox SET state = 'done'")
        return await super()._batch(undone, limit)

    async def step(self) -> int:
        count = await super().step()
        await self._database.transaction(lambda tx: inbox.done(tx, self._ids_done))
        return count


class MarksFirst(Delivery):
    """Marks a message as sent, then sends it."""

    async def _send(self, letter: Letter) -> int | None:
        sent = [{"id": letter.id, "sent_ms": self._clock.now_ms()}]
        await self._database.transaction(lambda tx: outbox.mark(tx, sent=sent))
        return await super()._send(letter)


class EachAlone(Delivery):
    """Sends every message by itself, in no order."""

    def _hold(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            if letter.id not in self._held:
                self._held.add(letter.id)
                self._lanes[f"{letter.id}"] = deque((letter,))
                task = asyncio.ensure_future(self._lane(f"{letter.id}"))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)


class NeverMarks(Delivery):
    """Sends, and forgets that it did."""

    async def _mark(self) -> None:
        self._settled += [row["id"] for row in self._sent]
        self._sent.clear()
        await super()._mark()
        self._written = self._batch


class TimerTwice(Schedule):
    """Runs a timer in one transaction and marks it in the next."""

    def __init__(self, database: Database, *rest: Any, **named: Any) -> None:
        self._whole = database
        undoing: Any = Undoing(database, "UPDATE timers SET state = 'done'")
        super().__init__(undoing, *rest, **named)

    async def _fire(self, row: Row, result: Mapping[str, Any]) -> None:
        await super()._fire(row, result)
        await self._whole.transaction(lambda tx: timers.done(tx, row["id"], now_ms=self._clock.now_ms()))


class ForgetfulIds(TimeIds):
    """Counts from the clock alone, also when it was set back."""

    def __init__(self, clock: Any, after: int = 0) -> None:
        super().__init__(clock)


def _any_tap(form: Any, frame: Any, event: In, *rest: Any) -> Any:
    if event.kind == "tap":
        event = replace(event, data=f"{frame.rev}.{event.data.partition('.')[2]}")
    return _advance(form, frame, event, *rest)


_advance = engine.advance


@contextmanager
def _with(parts: Parts) -> Iterator[Parts]:
    yield parts


@contextmanager
def _applies_stale_taps() -> Iterator[Parts]:
    """Applies a button of an old screen to the present one."""
    with mock.patch.object(engine, "advance", _any_tap):
        yield Parts()


BROKEN: Mapping[str, Callable[[], Any]] = {
    "acknowledges-before-commit": lambda: _with(Parts(intake=Acknowledges)),
    "duplicates-by-highest-id": lambda: _with(Parts(intake=ByHighestId)),
    "no-duplicates-known": lambda: _with(Parts(intake=KnowsNoDuplicates)),
    "done-in-another-transaction": lambda: _with(Parts(intake=TwoTransactions)),
    "marked-before-sent": lambda: _with(Parts(delivery=MarksFirst)),
    "never-marked": lambda: _with(Parts(delivery=NeverMarks)),
    "no-order-of-messages": lambda: _with(Parts(delivery=EachAlone)),
    "timer-done-in-another-transaction": lambda: _with(Parts(schedule=TimerTwice)),
    "ids-by-the-clock-alone": lambda: _with(Parts(ids=ForgetfulIds)),
    "stale-taps-applied": _applies_stale_taps,
}
