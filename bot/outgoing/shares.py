"""What leaves: written in the transaction that decides it, sent by the one worker that delivers for the township.

Each township's outbox is one worker's at a time, by a lease: so a person's messages keep their order, and a bot its
rate, on any number of workers. The townships are shared out evenly; who is new at a township waits a moment, so that
the one before can still write down what it has sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from bot.channels.base import Channels
from bot.clock import Clock, Ids
from bot.outgoing.delivery import Delivery
from bot.outgoing.letters import Written, letter_of
from bot.troubles import Troubles
from storage.database import Database, Tx, Unavailable
from storage.machine import holding, outbox, townships

KIND = PART = "delivery"
TOPIC = "outbox"
LOOK_S = 1.0
GRACE_S = 2.0
END_S = 10.0
RELEASED_AT_ONCE = 500
MakeDelivery = Callable[[Database, Mapping[str, Any], Clock, int, Troubles], Delivery]
log = structlog.get_logger()


def lease_of(township_id: int) -> str:
    """The lease by which one worker delivers for a township."""
    return f"deliver {township_id}"


class Outgoing:
    """The deliveries that are this worker's, and hints to the workers that have the others."""

    def __init__(
        self,
        database: Database,
        channels: Channels,
        *,
        clock: Clock,
        grace_s: float = GRACE_S,
        make: MakeDelivery = Delivery,
        troubles: Troubles | None = None,
    ) -> None:
        self._database = database
        self._workers = database.workers()
        self._channels = channels
        self._clock = clock
        self._grace_s = grace_s
        self._make = make
        self._troubles = troubles or Troubles(clock)
        self._deliveries: dict[int, Delivery] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._sent_before = 0

    @property
    def mine(self) -> list[int]:
        """The townships that this worker delivers for."""
        return list(self._deliveries)

    @property
    def sent_total(self) -> int:
        """Messages sent since the start."""
        return self._sent_before + sum(one.sent_total for one in self._deliveries.values())

    async def write(self, tx: Tx, rows: Sequence[dict[str, Any]], now_ms: int) -> Written:
        """Store messages; those that are due, to be offered once the transaction is committed."""
        _, after_id = await outbox.newest(tx)
        for row in rows:
            if row["card"]:
                await self._place_card(tx, row)
        await outbox.put(tx, rows)
        due = [letter_of(row, row["out"], tx.township_id) for row in rows if row["due_ms"] <= now_ms]
        if due and tx.township_id not in self._deliveries:
            await self.hint(tx)
        return Written(tx.township_id, due, after_id, max((row["id"] for row in rows), default=after_id))

    async def release(self, tx: Tx, ids: Ids, now_ms: int) -> None:
        """Let go what was held until now, in the order of its time; each stands after all other messages from now."""
        channels, moved = self._channels.of(tx.township_id), []
        for row in await holding.held_until(tx, now_ms=now_ms, limit=RELEASED_AT_ONCE):
            new_id, channel = ids.next(), channels.get(row["channel"])
            ref = channel.ref_of(new_id) if row["card"] and channel is not None else None
            moved.append({"id": row["id"], "new_id": new_id, "ref": ref, "now_ms": now_ms})
        await holding.release(tx, moved)
        await self.hint(tx)

    async def _place_card(self, tx: Tx, row: dict[str, Any]) -> None:
        """Give a message with a card its name, if that is known, and find the earlier one whose place it takes."""
        if row["held"] is None:
            row["ref"] = self._channels.of(tx.township_id)[row["channel"]].ref_of(row["id"])
        if row["changes"] is None and row["changes_ref"] is not None:
            found = await outbox.card_under(tx, row["card"], row["address"], row["changes_ref"])
            row["changes"] = found["id"] if found is not None else None

    async def hint(self, tx: Tx) -> None:
        """Tell other workers, once this is committed, that the township's outbox has something due."""
        await tx.notify(TOPIC, str(tx.township_id))

    def offer(self, written: Written | None) -> None:
        """Take what was committed, if the township is this worker's; else its own worker finds it."""
        delivery = self._deliveries.get(written.township_id) if written else None
        if delivery is not None and written is not None:
            delivery.offer(written)

    def hear(self, township: str) -> None:
        """Another worker has written messages of that township; "": of any."""
        for township_id, delivery in self._deliveries.items():
            if township in ("", str(township_id)):
                delivery.wake()

    async def begin(self) -> None:
        """Take the first share of the townships, at once."""
        await self._workers.join(KIND)
        await self.look(grace_s=0)

    async def run(self) -> None:
        """Keep a fair share of the townships until `stop`."""
        while not self._stopping.is_set():
            try:
                await self.look(grace_s=self._grace_s)
                self._troubles.works(PART)
            except Unavailable:  # the database says so itself
                log.debug("outgoing.database_unavailable")
            except Exception as error:
                self._troubles.failed(PART, "defect", said=f"{type(error).__name__}: {error}")
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK_S)
            except TimeoutError:
                continue
        await asyncio.gather(*(self._end(township_id) for township_id in tuple(self._deliveries)))

    def stop(self) -> None:
        """Take nothing more, write down what was sent, and leave the rest to others or to the next start."""
        self._stopping.set()
        for delivery in self._deliveries.values():
            delivery.stop()

    async def look(self, *, grace_s: float) -> None:
        """Give back what is lost or more than a fair share, take what is free. Raises Unavailable."""
        lost = [one for one, held in self._deliveries.items() if held.lost or not self._workers.has(lease_of(one))]
        for township_id in lost:
            log.warning("outgoing.lease_lost", township_id=township_id)
            await self._end(township_id)
        known = await self._database.read(townships.every_id)
        share = -(-len(known) // await self._workers.count(KIND))
        for township_id in tuple(self._deliveries)[share:]:
            await self._end(township_id)
        for township_id in known:
            if len(self._deliveries) >= share:
                return
            if township_id not in self._deliveries and await self._workers.take(lease_of(township_id)):
                self._begin(township_id, grace_s)

    def _begin(self, township_id: int, grace_s: float) -> None:
        log.info("outgoing.begun", township_id=township_id)
        delivery = self._deliveries[township_id] = self._made(township_id)
        self._tasks[township_id] = asyncio.create_task(delivery.run(grace_s))

    def _made(self, township_id: int) -> Delivery:
        return self._make(self._database, self._channels.of(township_id), self._clock, township_id, self._troubles)

    async def _end(self, township_id: int) -> None:
        delivery, task = self._deliveries[township_id], self._tasks[township_id]
        delivery.stop()
        await asyncio.wait({task}, timeout=END_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self._sent_before += delivery.sent_total
        self._deliveries.pop(township_id, None)
        self._tasks.pop(township_id, None)
        await self._workers.leave(lease_of(township_id))

    async def settle(self) -> None:
        """Send everything that is due and write it down (tests do this instead of `run`)."""
        for township_id in await self._database.read(townships.every_id):
            if township_id not in self._deliveries:
                self._deliveries[township_id] = self._made(township_id)
            await self._deliveries[township_id].settle()
