"""The consumer of the inbox: up to a hundred updates of a township, in order, in one transaction.

A worker holds a township's lock for each batch, so however many run, a township's updates are handled one after the
other. A batch that fails is run again one row at a time; a row that still fails goes to quarantine, its person is
told, and everyone else goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import structlog

from bot.channels.base import Channels, Raw
from bot.clock import Seams
from bot.coalescing import Coalescer
from bot.i18n import Catalogues
from bot.incoming.batch import Batch, Batches
from bot.incoming.waiting import Waiting
from bot.outgoing.outcomes import PAGE_TOPIC
from bot.outgoing.shares import Outgoing
from bot.troubles import EVERYWHERE, Troubles
from bot.turn import Product
from storage.database import Damaged, Database, Taken, Tx, Unavailable
from storage.machine import inbox

BATCH_ROWS = 100
CROWD_ROWS = 10
CALM_AFTER_MS = 500
PAUSE_S = 1.0
TAKEN_PAUSE_S = 0.02
SWEEP_S = 1.0
TOPIC = PART = "inbox"
log = structlog.get_logger()


class Intake:
    """Takes rows in, and turns them into their effects."""

    def __init__(
        self,
        database: Database,
        product: Product,
        channels: Channels,
        catalogues: Catalogues,
        seams: Seams,
        outgoing: Outgoing,
        *,
        only_worker: bool = True,
        troubles: Troubles | None = None,
    ) -> None:
        self._troubles = troubles or Troubles(seams.clock)
        self._database = database
        self._channels = channels
        self._clock = seams.clock
        self._ids = seams.ids
        self._outgoing = outgoing
        self._batches = Batches(product, channels, catalogues, seams, outgoing)
        self._only_worker = only_worker  # no other worker stores updates: nothing to look for that was not stored here
        self._wake = asyncio.Event()
        self._look: set[int] = set()  # townships with updates, as far as is known
        self._running = False
        self._stopping = False
        self._crowded_ms = 0
        self._storing = Coalescer(self._accept_all)
        self._waiting = Waiting(channels)
        self.accepted_total = 0
        self.handled_total = 0

    async def accept(self, raws: Sequence[Raw]) -> None:
        """Store updates durably. Only after this may the platform be told that they were received."""
        await self._storing(raws)

    async def _accept_all(self, calls: Sequence[Sequence[Raw]]) -> Sequence[None]:
        """What several requests brought, in one transaction for each township."""
        raws = [raw for call in calls for raw in call]
        now_ms = self._clock.now_ms()
        for township_id in {raw.township_id for raw in raws}:
            rows = [
                {
                    "channel": raw.channel,
                    "update_key": raw.key,
                    "address": raw.address,
                    "body": raw.body,
                    "received_ms": now_ms,
                }
                for raw in raws
                if raw.township_id == township_id
            ]
            await self._database.transaction(
                lambda tx, rows=rows: self._store(tx, rows),  # type: ignore[misc]
                township_id=township_id,
                exclusive=False,
            )
            self._look.add(township_id)
        if self._running:
            self._waiting.begin(raws)
        self.accepted_total += len(raws)
        self._wake.set()
        return [None] * len(calls)

    async def _store(self, tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
        self._ids.follow(await inbox.newest_id(tx))  # what a person sent before may have come to another worker
        numbered = [{**row, "id": self._ids.next()} for row in rows]
        await inbox.put(tx, numbered)
        if not self._only_worker and not await self._in_order(tx, numbered):
            raise Unavailable("another worker has stored some of it meanwhile")  # it is brought again, and comes after
        if not self._running:
            await tx.notify(TOPIC, str(tx.township_id))
        channels = self._channels.of(tx.township_id)
        for row in numbered:
            if hint := channels[row["channel"]].elsewhere(tx.township_id, row["address"], row["id"]):
                await tx.notify(PAGE_TOPIC, hint)

    async def _in_order(self, tx: Tx, rows: Sequence[dict[str, Any]]) -> bool:
        """Whether what is new comes after all that its person sent before it, also what another worker stored: two that
        poll one bot for a moment are brought the same, and each numbers by its own clock.
        """
        newest: dict[str, int] = {}
        for channel in {row["channel"] for row in rows}:
            mine = [row for row in rows if row["channel"] == channel]
            stored = await inbox.ids_of(tx, channel, [row["update_key"] for row in mine])
            for row in mine:
                address, at = row["address"], stored[row["update_key"]]
                if at == row["id"] < newest.get(address, 0):
                    return False
                newest[address] = max(at, newest.get(address, 0))
        return True

    def hear(self, township: str) -> None:
        """Another worker has stored updates of that township; "": of any."""
        if township:
            self._look.add(int(township))
        self._wake.set()

    async def run(self) -> None:
        """Handle updates until `stop`."""
        self._running = True
        typing = asyncio.create_task(self._waiting.keep_telling())
        try:
            await self._rounds()
        finally:
            typing.cancel()
            await asyncio.gather(typing, return_exceptions=True)

    async def _rounds(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                pause_s = await self.round()
                self._troubles.works(PART)
            except Unavailable:  # the database says so itself
                log.debug("intake.database_unavailable", pause_s=PAUSE_S)
                pause_s = PAUSE_S
            except Exception as error:
                self._fails(error)
                pause_s = PAUSE_S
            if pause_s != 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), timeout=pause_s)

    async def round(self) -> float | None:
        """A batch of every township that has updates; how long to rest then, unless something comes (None)."""
        if not self._look:
            return await self._search()
        looking, self._look = self._look, set()
        taken = failed = False
        for township_id in looking:
            try:
                if await self.step(township_id):
                    self._look.add(township_id)
            except Taken:
                taken = True
                self._look.add(township_id)
            except Damaged:  # what another township has stored may be whole
                self._look.add(township_id)
                failed = True
            except Unavailable:
                self._look |= looking
                raise
            except Exception as error:
                self._fails(error, township_id)
                failed = True
            else:
                self._troubles.works(PART, township_id)
        if failed:
            return PAUSE_S
        return TAKEN_PAUSE_S if taken else 0

    def _fails(self, error: Exception, township_id: int = EVERYWHERE) -> None:
        """Updates can't be handled, and none of them is to blame."""
        said = f"{type(error).__name__}: {error}"
        self._troubles.failed(PART, "defect", township_id=township_id, said=said)
        log.debug("intake.failed", exc_info=True)

    async def _search(self) -> float | None:
        """Look for townships with updates: put off (a flood's), stored elsewhere, or left by a worker that died."""
        rows = await self._database.read(inbox.townships_waiting)
        now_ms = self._clock.now_ms()
        self._look |= {row["township_id"] for row in rows if row["due_ms"] <= now_ms}
        if self._look:
            return 0
        pauses = [] if self._only_worker else [SWEEP_S]
        if rows:
            pauses.append(max(0.01, (min(row["due_ms"] for row in rows) - now_ms) / 1000))
        return min(pauses) if pauses else None

    def calm(self) -> bool:
        """Whether nobody is kept waiting: the last full batch is a moment ago."""
        return self._clock.now_ms() - self._crowded_ms > CALM_AFTER_MS

    def stop(self) -> None:
        """End `run` after the batch in hand."""
        self._stopping = True
        self._wake.set()

    async def step(self, township_id: int) -> int:
        """Handle one batch of a township; how many updates it had. Raises Taken while another worker does."""
        try:
            batch, count = await self._batch_of(township_id, BATCH_ROWS)
        except (Unavailable, Taken):
            raise
        except Exception:
            log.exception("intake.batch_failed", action="one_by_one")
            return await self._one_by_one(township_id)
        self._after(batch)
        return count

    async def _batch_of(self, township_id: int, limit: int) -> tuple[Batch, int]:
        return await self._database.transaction(
            lambda tx: self._batches.handle(tx, limit), township_id=township_id, wait=False
        )

    async def _one_by_one(self, township_id: int) -> int:
        for _ in range(BATCH_ROWS):
            try:
                batch, count = await self._batch_of(township_id, 1)
            except Exception as error:
                culprit = self._batches.culprit
                if culprit is None or isinstance(error, (Unavailable, Taken)):
                    raise  # no update is to blame: they all wait
                log.exception("intake.quarantined", update=culprit["id"])
                batch, count = await self._database.transaction(
                    lambda tx, row=culprit, error=error: self._batches.quarantine(tx, row, error),  # type: ignore[misc]
                    township_id=township_id,
                )
            self._after(batch)
            if count == 0:
                return 0
        return BATCH_ROWS

    def _after(self, batch: Batch) -> None:
        """The batch is committed."""
        if len(batch.handled) >= CROWD_ROWS:
            self._crowded_ms = self._clock.now_ms()
        self.handled_total += len(batch.handled)
        self._waiting.end(batch.handled)
        self._batches.keep(batch)
        self._outgoing.offer(batch.written)
        for raw in batch.handled:
            channel = self._channels.of(raw.township_id).get(raw.channel)
            try:
                if channel is not None:
                    channel.handled(raw)
            except Exception:  # what is committed is done: nothing that comes after it may undo the round
                log.exception("intake.handled_failed", channel=raw.channel)
