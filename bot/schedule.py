"""Time: APScheduler ticks in memory, everything that matters in timer rows.

A tick runs the timers that are due, each in a transaction of its own; another plans the product's periods ahead
(a row a period, its key unique), so that each runs once, also after a day of downtime. An errand is what a timer
needs from outside (a photo's bytes): it runs before the transaction and hands its result in. People come first:
while updates keep coming in by the dozen, errands wait, up to PATIENCE_MS (docs/decisions/0005).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.channels.base import Letter
from bot.clock import Clock, Dice, Ids
from bot.delivery import backoff_ms, letter_of
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogues
from bot.turn import Desk, Product
from storage import outbox, timers
from storage.database import Database, Row, Tx, Unavailable

TICK_S = 1
PLAN_S = 600
BATCH_ROWS = 50
ERRANDS_AT_ONCE = 4
MAX_ATTEMPTS = 8
PATIENCE_MS = 300_000
Errand = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
log = structlog.get_logger()


class Schedule:
    """Runs timers and plans periods."""

    def __init__(
        self,
        database: Database,
        product: Product,
        catalogues: Catalogues,
        *,
        clock: Clock,
        ids: Ids,
        dice: Dice,
        deliver: Callable[[Sequence[Letter]], None],
        errands: Mapping[str, Errand] | None = None,
        calm: Callable[[], bool] = lambda: True,
        township_id: int = 1,
    ) -> None:
        self._database = database
        self._product = product
        self._catalogues = catalogues
        self._calm = calm
        self._clock = clock
        self._ids = ids
        self._dice = dice
        self._deliver = deliver
        self._errands = errands or {}
        self._township_id = township_id
        self._running: dict[int, asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(ERRANDS_AT_ONCE)
        self._ticks = AsyncIOScheduler(job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})

    def start(self) -> None:
        """Begin to tick in the running loop."""
        self._ticks.add_job(self._guarded, IntervalTrigger(seconds=TICK_S), args=(self.run_due,))
        self._ticks.add_job(self._guarded, IntervalTrigger(seconds=PLAN_S), args=(self.plan,))
        self._ticks.start()

    def stop(self) -> None:
        """Stop ticking; what is due stays due."""
        if self._ticks.running:
            self._ticks.shutdown(wait=False)
        for task in self._running.values():
            task.cancel()

    async def _guarded(self, job: Callable[[], Awaitable[object]]) -> None:
        try:
            await job()
        except Exception:
            log.exception("schedule.tick_failed", job=job.__name__)

    async def plan(self) -> None:
        """Write the timers of the periods to come (and of those missed while the program was down)."""

        async def work(tx: Tx) -> list[Letter]:
            desk = await self._desk(tx)
            await self._product.plan(desk)
            return await self._write(desk)

        self._deliver(await self._database.transaction(work, township_id=self._township_id))

    async def run_due(self) -> int:
        """Run every timer that is due (errands in the background); how many were begun."""
        now_ms = self._clock.now_ms()
        rows = await self._due(now_ms, errands=False)
        for row in rows:
            await self._fire(row, {})
        begun = 0
        if len(self._running) < ERRANDS_AT_ONCE:
            for row in await self._due(now_ms, errands=True):
                if row["id"] not in self._running and (self._calm() or now_ms - row["fire_ms"] > PATIENCE_MS):
                    begun += 1
                    task = self._running[row["id"]] = asyncio.ensure_future(self._run_errand(row))
                    task.add_done_callback(lambda _, timer_id=row["id"]: self._running.pop(timer_id, None))  # type: ignore[misc]
        return len(rows) + begun

    async def _due(self, now_ms: int, *, errands: bool) -> Sequence[Row]:
        kinds = tuple(self._errands)
        if errands and not kinds:
            return ()
        return await self._database.read(
            lambda tx: timers.due(tx, now_ms=now_ms, limit=BATCH_ROWS, kinds=kinds, among=errands),
            township_id=self._township_id,
        )

    async def errands_done(self) -> None:
        """Wait for the errands that are under way."""
        while self._running:
            await asyncio.wait(set(self._running.values()))

    async def _run_errand(self, row: Row) -> None:
        async with self._at_once:
            try:
                result = await self._errands[row["kind"]](orjson.loads(row["payload"]))
            except RetryLater as error:
                await self._failed(row, error, error.after_ms)
            except GiveUp as error:
                await self._fire(row, {"failed": error.code})
            except Exception as error:
                log.exception("schedule.errand_failed", kind=row["kind"])
                await self._failed(row, error, 0)
            else:
                await self._fire(row, result)

    async def _fire(self, row: Row, result: Mapping[str, Any]) -> None:
        async def work(tx: Tx) -> list[Letter]:
            desk = await self._desk(tx)
            handler = self._product.timers[row["kind"]]
            await handler(desk, {**orjson.loads(row["payload"]), "fire_ms": row["fire_ms"], **result})
            await timers.done(tx, row["id"], now_ms=desk.now_ms)
            return await self._write(desk)

        try:
            letters = await self._database.transaction(work, township_id=self._township_id)
        except Unavailable as error:
            log.warning("schedule.database_unavailable", kind=row["kind"], error=str(error))  # it stays due
        except Exception as error:
            log.exception("schedule.timer_failed", kind=row["kind"])
            await self._failed(row, error, 0, told="failed" in result)
        else:
            self._deliver(letters)

    async def _failed(self, row: Row, error: Exception, after_ms: int, *, told: bool = False) -> None:
        """Try again later; after MAX_ATTEMPTS the timer is given up and `doctor` names it.

        A timer with an errand is run once more to hear that it failed, unless it was `told` already.
        """
        now_ms = self._clock.now_ms()
        reason = f"{type(error).__name__}: {error}"
        attempts = row["attempts"]
        last = attempts + 1 >= MAX_ATTEMPTS
        if last and row["kind"] in self._errands and not told:
            await self._fire(row, {"failed": reason})
            return
        fire_ms = now_ms + max(after_ms, backoff_ms(attempts))

        async def work(tx: Tx) -> None:
            if last:
                await timers.failed(tx, row["id"], now_ms=now_ms, error=reason)
            else:
                await timers.again(tx, row["id"], fire_ms=fire_ms, error=reason)

        try:
            await self._database.transaction(work, township_id=self._township_id)
        except Unavailable as problem:
            log.warning("schedule.database_unavailable", kind=row["kind"], error=str(problem))  # it stays due

    async def _desk(self, tx: Tx) -> Desk:
        now_ms = self._clock.now_ms()
        return Desk(
            tx=tx,
            now_ms=now_ms,
            ids=self._ids,
            dice=self._dice,
            catalogues=self._catalogues,
            world=await self._product.world(tx, now_ms),
        )

    async def _write(self, desk: Desk) -> list[Letter]:
        await outbox.put(desk.tx, desk.outbox)
        await timers.put(desk.tx, desk.timers)
        return [letter_of(row, row["out"], self._township_id) for row in desk.outbox if row["due_ms"] <= desk.now_ms]
