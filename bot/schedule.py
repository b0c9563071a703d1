"""Time: APScheduler ticks in memory, everything that matters in timer rows.

Of several workers one has the clock at a time; another takes it over when that one is gone. A tick runs the timers
that are due in any township, each in a transaction of its own; another plans the product's periods ahead
(a row a period, its key unique), so that each runs once, also after a day of downtime. An errand is what a timer
needs from outside (a photo's bytes): it runs before the transaction and hands its result in. People come first:
while updates keep coming in by the dozen, errands wait, up to PATIENCE_MS (docs/decisions/0005).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import orjson
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.clock import Seams
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogues
from bot.outgoing.letters import Written, backoff_ms
from bot.outgoing.shares import Outgoing
from bot.troubles import Troubles
from bot.turn import Desk, Product
from storage.database import Database, Row, Tx, Unavailable
from storage.machine import holding, inbox, timers, townships

TICK_S = 1
PLAN_S = 600
BATCH_ROWS = 50
ERRANDS_AT_ONCE = 4
MAX_ATTEMPTS = 8
JUMP_MS = 2_000
BUSY_S, LET_IN_S = 0.1, 0.03
PATIENCE_MS = 300_000
LEASE = PART = "clock"
Errand = Callable[[int, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]  # township, payload
log = structlog.get_logger()


class Schedule:
    """Runs timers and plans periods."""

    def __init__(
        self,
        database: Database,
        product: Product,
        catalogues: Catalogues,
        seams: Seams,
        outgoing: Outgoing,
        *,
        errands: Mapping[str, Errand] | None = None,
        calm: Callable[[], bool] = lambda: True,
        troubles: Troubles | None = None,
    ) -> None:
        self._troubles = troubles or Troubles(seams.clock)
        self._database = database
        self._workers = database.workers()
        self._product = product
        self._catalogues = catalogues
        self._calm = calm
        self._clock, self._ids, self._dice = seams.clock, seams.ids, seams.dice
        self._outgoing = outgoing
        self._errands = errands or {}
        self._planned: set[int] = set()
        self._ahead_ms: int | None = None  # of the loop's own time, at the last tick
        self._running: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(ERRANDS_AT_ONCE)
        self._ticks = AsyncIOScheduler(job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})

    def start(self) -> None:
        """Begin to tick in the running loop."""
        self._ticks.add_job(self._guarded, IntervalTrigger(seconds=TICK_S), args=(self.tick,))
        self._ticks.add_job(self._guarded, IntervalTrigger(seconds=PLAN_S), args=(self.plan_again,))
        self._ticks.start()

    def stop(self) -> None:
        """Stop ticking; what is due stays due."""
        if self._ticks.running:
            self._ticks.shutdown(wait=False)
        for task in self._running.values():
            task.cancel()

    async def try_tick(self) -> None:
        """The first tick, before anything is due from people; what it can't do now, the next one does."""
        await self._guarded(self.tick)

    async def _guarded(self, job: Callable[[], Awaitable[object]]) -> None:
        try:
            await job()
        except Unavailable:  # the database says so itself
            log.debug("schedule.database_unavailable", job=job.__name__)
        except Exception as error:
            self._troubles.failed(PART, "defect", said=f"{type(error).__name__}: {error}")
            log.debug("schedule.tick_failed", job=job.__name__, exc_info=True)
        else:
            self._troubles.works(PART)

    async def tick(self) -> None:
        """If the clock is this worker's: plan for townships it has not seen yet, and run what is due."""
        self._notice_a_jump()
        had_it = self._workers.has(LEASE)
        if not await self._workers.take(LEASE):
            self._planned.clear()
            return
        if not had_it:
            log.info("schedule.begun")
        await self._plan(self._planned)
        await self.run_due()
        await self.release()

    def _notice_a_jump(self) -> None:
        """Say in the log that the clock was set, or the machine slept: it explains what an operator wonders about."""
        now_ms, steady_ms = self._clock.now_ms(), int(asyncio.get_running_loop().time() * 1000)
        before_ms, self._ahead_ms = self._ahead_ms, now_ms - steady_ms
        if before_ms is not None and abs(self._ahead_ms - before_ms) > JUMP_MS:
            log.warning("clock.jumped", by_ms=self._ahead_ms - before_ms)

    async def plan_again(self) -> None:
        """Every township is to be planned anew by the next tick."""
        self._planned.clear()

    async def plan(self) -> None:
        """Write the timers of the periods to come (and of those missed while the program was down)."""
        await self._plan(())

    async def _plan(self, but: Collection[int]) -> None:
        async def work(tx: Tx) -> Written:
            desk = await self._desk(tx)
            await self._product.plan(desk)
            return await self._write(desk)

        async def one(township_id: int) -> None:
            self._outgoing.offer(await self._database.transaction(work, township_id=township_id))

        left = [one for one in await self._database.read(townships.every_id) if one not in but]
        await self._each(left, one)
        self._planned.update(left)  # also where it failed: it is tried again with the next plan, not every second

    async def _each(self, township_ids: Sequence[int], work: Callable[[int], Awaitable[None]]) -> None:
        """Do something for each township. What goes wrong in one is said, and the others go on; raises Unavailable."""
        for township_id in township_ids:
            try:
                await work(township_id)
            except Unavailable:
                raise
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                self._troubles.failed(PART, "defect", township_id=township_id, said=said)
                log.exception("schedule.township_failed", township_id=township_id)
            else:
                self._troubles.works(PART, township_id)

    async def run_due(self) -> int:
        """Run every timer that is due (errands in the background); how many were begun."""
        now_ms = self._clock.now_ms()
        begun = 0

        async def one(township_id: int) -> None:
            nonlocal begun
            begun += await self._run_due_of(township_id, now_ms)

        await self._each(await self._database.read(lambda tx: timers.townships_due(tx, now_ms=now_ms)), one)
        return begun

    async def release(self) -> None:
        """Let go the messages of every township that were held until now, or until somebody came."""
        now_ms = self._clock.now_ms()

        async def work(tx: Tx) -> None:
            self._ids.follow(await inbox.newest_id(tx))
            await self._outgoing.release(tx, self._ids, now_ms)

        async def one(township_id: int) -> None:
            await self._database.transaction(work, township_id=township_id)
            self._outgoing.hear(str(township_id))

        await self._each(await self._database.read(lambda tx: holding.townships_holding(tx, now_ms=now_ms)), one)

    async def _run_due_of(self, township_id: int, now_ms: int) -> int:
        rows = await self._due(township_id, now_ms, errands=False)
        loop = asyncio.get_running_loop()
        since_s = loop.time()
        for row in rows:
            await self._fire(township_id, row, {})
            if loop.time() - since_s > BUSY_S:
                await asyncio.sleep(LET_IN_S)  # intake takes the lock only when it finds it free
                since_s = loop.time()
        begun = 0
        if len(self._running) < ERRANDS_AT_ONCE:
            for row in await self._due(township_id, now_ms, errands=True):
                key = township_id, row["id"]
                if key not in self._running and (self._calm() or now_ms - row["fire_ms"] > PATIENCE_MS):
                    begun += 1
                    task = self._running[key] = asyncio.ensure_future(self._run_errand(township_id, row))
                    task.add_done_callback(lambda _, key=key: self._running.pop(key, None))  # type: ignore[misc]
        return len(rows) + begun

    async def _due(self, township_id: int, now_ms: int, *, errands: bool) -> Sequence[Row]:
        kinds = tuple(self._errands)
        if errands and not kinds:
            return ()
        return await self._database.read(
            lambda tx: timers.due(tx, now_ms=now_ms, limit=BATCH_ROWS, kinds=kinds, among=errands),
            township_id=township_id,
        )

    async def errands_done(self) -> None:
        """Wait for the errands that are under way."""
        while self._running:
            await asyncio.wait(set(self._running.values()))

    async def _run_errand(self, township_id: int, row: Row) -> None:
        async with self._at_once:
            try:
                result = await self._errands[row["kind"]](township_id, orjson.loads(row["payload"]))
            except RetryLater as error:
                await self._failed(township_id, row, error, error.after_ms)
            except GiveUp as error:
                await self._fire(township_id, row, {"failed": error.code})
            except Unavailable:  # it stays due; the database says so itself
                log.debug("schedule.database_unavailable", kind=row["kind"])
            except Exception as error:
                log.exception("schedule.errand_failed", kind=row["kind"])
                await self._failed(township_id, row, error, 0)
            else:
                await self._fire(township_id, row, result)

    async def _fire(self, township_id: int, row: Row, result: Mapping[str, Any]) -> None:
        async def work(tx: Tx) -> Written | None:
            if not await timers.is_due(tx, row["id"]):
                return None  # another worker, which took this one for dead, has run it
            desk = await self._desk(tx)
            handler = self._product.timers[row["kind"]]
            await handler(desk, {**orjson.loads(row["payload"]), "fire_ms": row["fire_ms"], **result})
            await timers.done(tx, row["id"], now_ms=desk.now_ms)
            return await self._write(desk)

        try:
            written = await self._database.transaction(work, township_id=township_id)
        except Unavailable:  # it stays due; the database says so itself
            log.debug("schedule.database_unavailable", kind=row["kind"])
        except Exception as error:
            log.exception("schedule.timer_failed", kind=row["kind"])
            await self._failed(township_id, row, error, 0, told="failed" in result)
        else:
            self._outgoing.offer(written)

    async def _failed(self, township_id: int, row: Row, error: Exception, after_ms: int, *, told: bool = False) -> None:
        """Try again later; after MAX_ATTEMPTS the timer is given up and `doctor` names it.

        A timer with an errand is run once more to hear that it failed, unless it was `told` already.
        """
        now_ms = self._clock.now_ms()
        reason = f"{type(error).__name__}: {error}"
        attempts = row["attempts"]
        last = attempts + 1 >= MAX_ATTEMPTS
        if last and row["kind"] in self._errands and not told:
            await self._fire(township_id, row, {"failed": reason})
            return
        fire_ms = now_ms + max(after_ms, backoff_ms(attempts))

        async def work(tx: Tx) -> None:
            if last:
                await timers.failed(tx, row["id"], now_ms=now_ms, error=reason)
            else:
                await timers.again(tx, row["id"], fire_ms=fire_ms, error=reason)

        try:
            await self._database.transaction(work, township_id=township_id)
        except Unavailable:  # it stays due; the database says so itself
            log.debug("schedule.database_unavailable", kind=row["kind"])

    async def _desk(self, tx: Tx) -> Desk[Any]:
        now_ms = self._clock.now_ms()
        self._ids.follow(await inbox.newest_id(tx))
        return Desk(
            tx=tx,
            now_ms=now_ms,
            ids=self._ids,
            dice=self._dice,
            catalogues=self._catalogues,
            world=await self._product.world(tx, now_ms),
        )

    async def _write(self, desk: Desk[Any]) -> Written:
        await timers.put(desk.tx, desk.timers)
        return await self._outgoing.write(desk.tx, desk.outbox, desk.now_ms)
