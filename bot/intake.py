"""The single consumer of the inbox: up to a hundred updates, in order, in one transaction.

A batch that fails is run again one row at a time; a row that still fails goes to quarantine, its person is
told, and everyone else goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from bot.callers import Callers
from bot.channels.base import Channel, Letter, Raw
from bot.clock import Clock, Dice, Ids
from bot.delivery import letter_of
from bot.dialogue import Dialogue
from bot.flood import FloodGate
from bot.i18n import Catalogues
from bot.talk.messages import In, text
from bot.turn import Person, Product, Turn
from storage import inbox, outbox, sessions, timers
from storage.database import Database, Row, Tx, Unavailable

BATCH_ROWS = 100
CROWD_ROWS = 10
CALM_AFTER_MS = 500
PAUSE_S = 1.0
log = structlog.get_logger()


@dataclass(slots=True)
class Batch:
    """What one transaction gathers before it writes."""

    outbox: list[dict[str, Any]] = field(default_factory=list)
    timers: list[dict[str, Any]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    handled: list[Raw] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)


class Intake:
    """Takes rows in, and turns them into their effects."""

    def __init__(
        self,
        database: Database,
        product: Product,
        channels: Mapping[str, Channel],
        catalogues: Catalogues,
        *,
        clock: Clock,
        ids: Ids,
        dice: Dice,
        deliver: Callable[[Sequence[Letter]], None],
        flood: FloodGate,
        township_id: int = 1,
    ) -> None:
        self._database = database
        self._product = product
        self._dialogue = Dialogue(product)
        self._channels = channels
        self._catalogues = catalogues
        self._clock = clock
        self._ids = ids
        self._dice = dice
        self._deliver = deliver
        self._flood = flood
        self._township_id = township_id
        self._wake = asyncio.Event()
        self._stopping = False
        self._at: Row | None = None  # the update in hand
        self._crowded_ms = 0
        self.accepted_total = 0
        self.handled_total = 0

    async def accept(self, raws: Sequence[Raw]) -> None:
        """Store updates durably. Only after this may the platform be told that they were received."""
        now_ms = self._clock.now_ms()
        rows = [
            {
                "id": self._ids.next(),
                "channel": raw.channel,
                "update_key": raw.key,
                "address": raw.address,
                "body": raw.body,
                "received_ms": now_ms,
                "due_ms": self._flood.due_ms(raw.address, now_ms),
            }
            for raw in raws
        ]
        await self._database.transaction(lambda tx: inbox.put(tx, rows), township_id=self._township_id)
        self.accepted_total += len(raws)
        self._wake.set()

    async def run(self) -> None:
        """Handle updates until `stop`."""
        while not self._stopping:
            self._wake.clear()
            try:
                if await self.step():
                    continue
                pause_s = await self._pause_s()
            except Exception:
                log.exception("intake.step_failed", pause_s=PAUSE_S)
                pause_s = PAUSE_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=pause_s)

    async def _pause_s(self) -> float | None:
        """Until the next put-off update (a flood's) is due; None when there is none."""
        due_ms = await self._database.read(inbox.next_due_ms, township_id=self._township_id)
        return None if due_ms is None else max(0.01, (due_ms - self._clock.now_ms()) / 1000)

    def calm(self) -> bool:
        """Whether nobody is kept waiting: the last full batch is a moment ago."""
        return self._clock.now_ms() - self._crowded_ms > CALM_AFTER_MS

    def stop(self) -> None:
        """End `run` after the batch in hand."""
        self._stopping = True
        self._wake.set()

    async def step(self) -> int:
        """Handle one batch; how many updates it had."""
        try:
            batch, count = await self._database.transaction(
                lambda tx: self._batch(tx, BATCH_ROWS), township_id=self._township_id
            )
        except Unavailable:
            raise
        except Exception:
            log.exception("intake.batch_failed", action="one_by_one")
            return await self._one_by_one()
        self._after(batch)
        return count

    async def _one_by_one(self) -> int:
        for _ in range(BATCH_ROWS):
            try:
                batch, count = await self._database.transaction(
                    lambda tx: self._batch(tx, 1), township_id=self._township_id
                )
            except Exception as error:
                culprit = self._at
                if culprit is None or isinstance(error, Unavailable):
                    raise  # no update is to blame: they all wait
                log.exception("intake.quarantined", update=culprit["id"])
                batch, count = await self._database.transaction(
                    lambda tx, row=culprit, error=error: self._quarantine(tx, row, error),  # type: ignore[misc]
                    township_id=self._township_id,
                )
            self._after(batch)
            if count == 0:
                return 0
        return BATCH_ROWS

    def _after(self, batch: Batch) -> None:
        if len(batch.handled) >= CROWD_ROWS:
            self._crowded_ms = self._clock.now_ms()
        self.handled_total += len(batch.handled)
        self._deliver(batch.letters)
        for raw in batch.handled:
            self._channels[raw.channel].handled(raw)

    async def _batch(self, tx: Tx, limit: int) -> tuple[Batch, int]:
        """Everything between BEGIN and COMMIT."""
        self._at = None
        now_ms = self._clock.now_ms()
        rows = await inbox.oldest_new(tx, now_ms=now_ms, limit=limit)
        batch = Batch()
        if not rows:
            return batch, 0
        world = await self._product.world(tx, now_ms)
        self._flood.set_rate(self._product.messages_per_minute(world))
        callers = Callers(self._ids, self._catalogues.default)
        await callers.load(tx, list({row["address"] for row in rows}), now_ms)
        for row in rows:
            self._at = row
            raw = Raw(row["channel"], row["update_key"], row["address"], row["body"])
            turn = await self._handle(tx, callers, raw, now_ms, world, batch)
            batch.handled.append(raw)
            if turn is not None:
                batch.outbox += turn.outbox
                batch.timers += turn.timers
        await sessions.save(tx, callers.changed(now_ms))
        await self._write(tx, batch, now_ms)
        await inbox.done(tx, [row["id"] for row in rows])
        return batch, len(rows)

    async def _handle(
        self, tx: Tx, callers: Callers, raw: Raw, now_ms: int, world: object, batch: Batch
    ) -> Turn | None:
        arrival = self._channels[raw.channel].decode(raw)
        if arrival.event.kind == "nothing":
            return None
        language = self._catalogues.nearest(arrival.language) if arrival.language else self._catalogues.default
        caller = await callers.of(tx, raw, arrival, language, now_ms)
        person = caller.person
        if arrival.reply_to:
            person = replace(person, address=arrival.reply_to)
        turn = self._turn(tx, person, arrival.event, now_ms, world, batch)
        conversation = caller.conversation
        if conversation.retired:
            conversation.retired = False
            turn.reply(text("session.retired"))
        if self._flood.notice(raw.address):
            turn.reply(text("flood.slower"))
        session = await self._dialogue.handle(turn, conversation.session)
        if not arrival.reply_to:
            callers.became(caller, turn.person)
        caller.conversation.session = session
        if turn.forgotten:
            await callers.forget(tx, caller, now_ms)
        return turn

    def _turn(self, tx: Tx, person: Person, event: In, now_ms: int, world: object, batch: Batch) -> Turn:
        return Turn(
            tx=tx,
            now_ms=now_ms,
            ids=self._ids,
            dice=self._dice,
            catalogues=self._catalogues,
            world=world,
            told=batch.told,
            person=person,
            event=event,
        )

    async def _write(self, tx: Tx, batch: Batch, now_ms: int) -> None:
        await outbox.put(tx, batch.outbox)
        await timers.put(tx, batch.timers)
        due = [row for row in batch.outbox if row["due_ms"] <= now_ms]
        batch.letters = [letter_of(row, row["out"], self._township_id) for row in due]

    async def _quarantine(self, tx: Tx, row: Row, error: Exception) -> tuple[Batch, int]:
        """Set an update aside and tell its person."""
        now_ms = self._clock.now_ms()
        batch = Batch()
        await inbox.quarantine(tx, row["id"], f"{type(error).__name__}: {error}")
        batch.handled.append(Raw(row["channel"], row["update_key"], row["address"], row["body"]))
        callers = Callers(self._ids, self._catalogues.default)
        await callers.load(tx, [row["address"]], now_ms)
        caller = callers.known(row["address"])
        if caller is not None:
            turn = self._turn(tx, caller.person, In("nothing"), now_ms, None, batch)
            turn.reply(text("quarantine.sorry"))
            batch.outbox = turn.outbox
            session = caller.conversation.session
            if session.stash:  # what waits there may be what failed: nobody may be stuck behind it
                caller.conversation.session = replace(session, stash=())
                await sessions.save(tx, callers.changed(now_ms))
        await self._write(tx, batch, now_ms)
        return batch, 1
