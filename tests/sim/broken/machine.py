"""Laws of the machine, each broken on purpose."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.channels.base import Letter, Raw
from bot.clock import TimeIds
from bot.incoming.intake import Intake
from bot.outgoing.delivery import Delivery
from bot.outgoing.outcomes import Outcomes
from bot.schedule import Schedule
from bot.talk import engine
from bot.talk.messages import In
from storage.database import Database, Tx
from storage.machine import outbox
from tests.sim.broken.ways import Laws, built, patched
from tests.sim.machine.life import Parts


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
    """A transaction in which one kind of statement is left out, and kept."""

    def __init__(self, tx: Tx, left_out: str, kept: list[tuple[str, Any]]) -> None:
        self._tx = tx
        self._left_out = left_out
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def run(self, sql: str, params: Any = None) -> int:
        if not sql.startswith(self._left_out):
            return await self._tx.run(sql, params)
        self._kept.append((sql, {"t": self._tx.township_id, **params}))
        return 0

    async def many(self, sql: str, rows: Sequence[Any]) -> None:
        if sql.startswith(self._left_out):
            self._kept += [(sql, row) for row in rows]
        else:
            await self._tx.many(sql, rows)


class TwoTransactions:
    """A database that writes one kind of statement in a transaction of its own, after the rest."""

    def __init__(self, database: Database, later: str) -> None:
        self._database = database
        self._later = later

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def transaction(self, work: Callable[[Any], Awaitable[Any]], **named: Any) -> Any:
        kept: list[tuple[str, Any]] = []

        async def most(tx: Tx) -> Any:
            kept.clear()
            return await work(Undone(tx, self._later, kept))

        async def rest(tx: Tx) -> None:
            for sql, row in kept:
                await tx.run(sql, row)

        result = await self._database.transaction(most, **named)
        if kept:
            await self._database.transaction(rest, **{**named, "wait": True})
        return result


class DoneLater(Intake):
    """Writes the effects in one transaction and «done» in the next."""

    def __init__(self, database: Database, *rest: Any, **named: Any) -> None:
        later: Any = TwoTransactions(database, "UPDATE inbox SET state = 'done'")
        super().__init__(later, *rest, **named)


class TimerDoneLater(Schedule):
    """Runs a timer in one transaction and marks it in the next."""

    def __init__(self, database: Database, *rest: Any, **named: Any) -> None:
        later: Any = TwoTransactions(database, "UPDATE timers SET state = 'done'")
        super().__init__(later, *rest, **named)


class MarksFirst(Delivery):
    """Marks a message as sent, then sends it."""

    async def _send(self, letter: Letter) -> int | None:
        sent = [{"id": letter.id, "sent_ms": self._clock.now_ms()}]
        await self._database.transaction(
            lambda tx: outbox.mark(tx, sent=sent), township_id=self._township_id, exclusive=False
        )
        return await super()._send(letter)


class EachAlone(Delivery):
    """Sends every message by itself, in no order."""

    def _hold(self, letters: Sequence[Letter], *, trying: bool = False) -> None:
        for letter in letters:
            if letter.id not in self._held:
                self._held.add(letter.id)
                self._lanes[f"{letter.id}"] = deque((letter,))
                task = asyncio.ensure_future(self._lane(f"{letter.id}"))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)


class NoMarks(Outcomes):
    """Forgets what was sent."""

    async def write(self) -> None:
        self._settled += [row["id"] for row in self._sent]
        self._sent.clear()
        await super().write()
        self._written, self._batch = self._batch, self._batch + 1
        self._writing.set()
        self._writing.clear()


class NeverMarks(Delivery):
    """Sends, and forgets that it did."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._outcomes = NoMarks(self._database, self._township_id, self._lose)


class ForgetfulIds(TimeIds):
    """Counts from the clock alone, also when it was set back."""

    def __init__(self, clock: Any, after: int = 0, worker: Any = None) -> None:
        super().__init__(clock, worker=worker)

    def follow(self, newest: int) -> None:
        pass


def _any_tap(form: Any, frame: Any, event: In, *rest: Any) -> Any:
    if event.kind == "tap":
        event = replace(event, data=f"{frame.rev}.{event.data.partition('.')[2]}")
    return _advance(form, frame, event, *rest)


_advance = engine.advance


LAWS: Laws = {
    "acknowledges-before-commit": lambda: built(Parts(intake=Acknowledges)),
    "duplicates-by-highest-id": lambda: built(Parts(intake=ByHighestId)),
    "no-duplicates-known": lambda: built(Parts(intake=KnowsNoDuplicates)),
    "done-in-another-transaction": lambda: built(Parts(intake=DoneLater)),
    "marked-before-sent": lambda: built(Parts(delivery=MarksFirst)),
    "never-marked": lambda: built(Parts(delivery=NeverMarks)),
    "no-order-of-messages": lambda: built(Parts(delivery=EachAlone)),
    "timer-done-in-another-transaction": lambda: built(Parts(schedule=TimerDoneLater)),
    "ids-by-the-clock-alone": lambda: built(Parts(ids=ForgetfulIds)),
    "stale-taps-applied": lambda: patched(engine, "advance", _any_tap),
}
