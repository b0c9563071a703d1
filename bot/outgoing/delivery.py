"""The outbox, sent: in order for each address, at the pace each channel allows, again after a failure.

A lane is the queue of one address. A letter leaves its lane when it was sent or given up; what became of it is
written in batches, and a lane goes on only after that. So the one message of a person that lies between sending
and writing is all that a crash can repeat. A worker that was taken for dead learns from that writing that another
has begun to deliver, and ends: it too repeats one message at most.

A channel that is away as a whole (`RetryLater.everyone`) keeps its letters in the database and one lane here, which
tries again and again; when that gets through, all of them go. Nobody else's letters wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from bot.channels.base import Channel, Letter
from bot.clock import Clock
from bot.errors import GiveUp, RetryLater
from bot.outgoing.breakers import AWAY_AFTER_MS, TRY_MS, Breakers
from bot.outgoing.letters import Written, backoff_ms, letter_of
from bot.outgoing.outcomes import Outcomes
from bot.stored import load_out
from bot.troubles import Troubles
from storage.database import Database, Row, Tx, Unavailable
from storage.machine import outbox

MAX_HELD = 5_000
MAX_AT_ONCE = 64
POLL_S = 1.0
CATCH_UP_S = 0.02
LAST_SENDS_S = 8.0  # for what is being sent when a worker stops: else it would be sent again
MAX_AGE_MS = 24 * 3_600_000
PART = "delivery"
log = structlog.get_logger()


class Delivery:
    """Sends what is due and marks it."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        clock: Clock,
        township_id: int,
        troubles: Troubles | None = None,
    ) -> None:
        self._troubles = troubles or Troubles(clock)
        self._database = database
        self._channels = channels
        self._replies = any(channel.reply_ms for channel in channels.values())
        self._clock = clock
        self._township_id = township_id
        self._lanes: dict[str, deque[Letter]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._breakers = Breakers()
        self._at_once: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_AT_ONCE))
        self._held: set[int] = set()
        self._behind = True
        self._missed = False
        self._late: list[Written] = []
        self._known_to = 0  # every message up to here has been seen
        self._sending: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self._hinted = asyncio.Event()
        self._outcomes = Outcomes(database, township_id, self._lose)
        self.lost = False
        self.sent_total = 0

    def offer(self, written: Written) -> None:
        """Take letters whose rows were just committed; when too many are held, the database keeps them.

        While older ones are still to be read from the database (another worker's, too) these wait for them, so that
        each address keeps its order.
        """
        if self._stopping:
            return
        too_many = len(self._held) + len(self._late) + len(written.letters) > MAX_HELD
        if too_many or (written.after_id > self._known_to and not self._behind):
            self._missed = self._behind = True
            self.wake()
        elif self._behind:
            self._late.append(written)
        else:
            self._hold([letter for letter in written.letters if letter.id > self._known_to])
            self._known_to = max(self._known_to, written.last_id)

    def _hold(self, letters: Sequence[Letter], *, trying: bool = False) -> None:
        for letter in letters:
            if letter.id in self._held or (self._breakers.is_away(letter.channel) and not trying):
                continue
            self._held.add(letter.id)
            lane = self._lanes.get(letter.address)
            if lane is not None:
                lane.append(letter)
                continue
            self._lanes[letter.address] = deque((letter,))
            task = asyncio.ensure_future(self._lane(letter.address))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run(self, grace_s: float = 0.0) -> None:
        """Look for what is due, and write what became of it, until `stop`.

        The first look is `grace_s` after this worker has begun: the one before may still write down what it sent.
        """
        marker = asyncio.ensure_future(self._outcomes.keep_writing())
        try:
            while not self._stopping:
                try:
                    if not self._outcomes.fence:
                        await self.begin()
                        await self.rest(grace_s)
                    await self.poll()
                    self._troubles.works(PART, self._township_id)
                except Unavailable:  # the database says so itself
                    log.debug("delivery.database_unavailable")
                except Exception as error:
                    said = f"{type(error).__name__}: {error}"
                    self._troubles.failed(PART, "defect", township_id=self._township_id, said=said)
                    log.debug("delivery.poll_failed", exc_info=True)
                await asyncio.sleep(CATCH_UP_S)
                if not self._behind:
                    await self.rest(POLL_S)
        finally:
            for task in self._tasks - self._sending:
                task.cancel()
            if self._sending:
                await asyncio.wait(self._sending, timeout=LAST_SENDS_S)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            marker.cancel()
            await asyncio.gather(marker, return_exceptions=True)
            await self._outcomes.write_at_last()

    async def begin(self) -> None:
        """Deliver for the township from now on; whoever did so before finds out. Raises Unavailable."""
        self._outcomes.fence = await self._database.transaction(outbox.begin_delivery, township_id=self._township_id)

    def _lose(self) -> None:
        self.lost = True
        self.stop()

    async def rest(self, most_s: float) -> None:
        """Wait, but not longer than until `wake` or `stop`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hinted.wait(), most_s)
        self._hinted.clear()

    def wake(self) -> None:
        """Something was written that this worker has not seen."""
        self._hinted.set()

    def stop(self) -> None:
        """Take nothing more; letters not sent yet stay due in the database."""
        self._stopping = True
        self._hinted.set()

    async def poll(self) -> None:
        """Load what is due from the database. A row settled before this read began can't be in it any more."""
        now_ms = self._clock.now_ms()
        self._held.difference_update(self._outcomes.take_settled())
        room = MAX_HELD - len(self._held)
        if room <= 0:
            return
        limit = len(self._held) + min(room, 1_000)
        self._missed, self._late = False, []
        if self._replies and await self._database.read(
            partial(outbox.any_kept_too_long, now_ms=now_ms), township_id=self._township_id
        ):
            release = partial(outbox.keep_no_longer, now_ms=now_ms)
            await self._database.transaction(release, township_id=self._township_id, exclusive=False)

        away = self._breakers.channels()
        without = [channel for channel in away if self._breakers.tries(channel) not in self._lanes]

        async def work(tx: Tx) -> tuple[tuple[int, int], Sequence[Row], Sequence[Row]]:
            rows = await outbox.due(tx, now_ms=now_ms, limit=limit, but=away)
            trying = [row for one in without for row in await outbox.due(tx, now_ms=now_ms, limit=1, of=one)]
            return await outbox.newest(tx), rows, trying

        (fence, newest_id), rows, trying = await self._database.read(work, township_id=self._township_id)
        if fence != self._outcomes.fence:
            self._lose()
            return
        if len(rows) < limit:
            self._known_to = max(self._known_to, newest_id)
        self._hold(self._letters_of(rows))
        for letter in self._letters_of(trying):
            self._breakers.let_try(letter.channel, letter.address)
            self._hold([letter], trying=True)
        self._behind = len(rows) >= limit or self._missed
        if not self._behind:  # what was committed since the read began comes after it
            late, self._late = self._late, []
            for written in late:
                self.offer(written)

    def _letters_of(self, rows: Sequence[Row]) -> list[Letter]:
        """The letters that can be read; one that can't be is set aside, and the others go on."""
        letters = []
        for row in rows:
            if row["id"] in self._held:
                continue
            try:
                letters.append(letter_of(row, load_out(row["body"]), self._township_id))
            except ValueError as error:
                log.error("delivery.unreadable", letter=row["id"], error=type(error).__name__)
                self._held.add(row["id"])
                self._outcomes.unreadable(row["id"], f"{type(error).__name__}: {error}")
        return letters

    async def settle(self) -> None:
        """Send everything that is due and write it down (tests do this instead of `run`)."""
        while True:
            if not self._outcomes.fence:
                await self.begin()
            await self.poll()
            while self._tasks:
                marks = asyncio.ensure_future(self._outcomes.some())
                await asyncio.wait({*self._tasks, marks}, return_when=asyncio.FIRST_COMPLETED)
                marks.cancel()
                await self._outcomes.write()
            await self._outcomes.write()
            if not self._behind:
                return

    async def _lane(self, address: str) -> None:
        """Send one address's letters in order. Each waits until the one before is written down: a crash repeats one."""
        lane = self._lanes[address]
        try:
            while lane and not self._stopping:
                letter = lane[0]
                if self._breakers.keeps_back(letter.channel, address):
                    break
                await self._outcomes.written(address)
                if self._stopping:
                    break
                wait_ms = await self._send(letter)
                if wait_ms is None:
                    lane.popleft()
                    self._outcomes.remember(address)
                else:
                    lane[0] = replace(letter, attempts=letter.attempts + 1)
                    await self._breakers.rest(letter.channel, wait_ms / 1000)
        finally:
            del self._lanes[address]
            self._held.difference_update(letter.id for letter in lane)

    async def _send(self, letter: Letter) -> int | None:
        """Send one letter; None when it is settled, else how many ms to wait before the next try."""
        channel = self._channels.get(letter.channel)
        if channel is None:
            self._outcomes.ended(letter, "failed", "no_such_channel")
            return None
        while (now_ms := self._clock.now_ms()) < (due_ms := channel.admit_ms(letter.address, now_ms)):  # noqa: ASYNC110
            await asyncio.sleep((due_ms - now_ms) / 1000)
        if letter.expires_ms is not None and now_ms > letter.expires_ms:
            self._outcomes.ended(letter, "expired", "late")
            return None
        try:
            async with self._at_once[letter.channel]:
                arrived = await self._underway(channel.send(letter))
        except RetryLater as error:
            if error.everyone:
                return self._channel_failed(letter, error)
            if now_ms - letter.created_ms > MAX_AGE_MS:
                self._outcomes.ended(letter, "failed", error.reason)
                return None
            self._outcomes.again(letter, error.reason)
            return max(error.after_ms, backoff_ms(letter.attempts))
        except Unavailable as error:  # of our database, which a channel may ask: no reason to give a message up
            self._outcomes.again(letter, str(error))
            return backoff_ms(letter.attempts)
        except GiveUp as error:
            self._outcomes.ended(letter, "failed", error.code, unreachable=error.unreachable)
            return None
        except Exception as error:
            log.exception("delivery.defect", channel=letter.channel, letter=letter.id)
            self._outcomes.ended(letter, "failed", f"{type(error).__name__}: {error}"[:500])
            return None
        if hint := channel.elsewhere(letter.township_id, letter.address, letter.id):
            self._outcomes.tell(hint)
        if not arrived:
            self._outcomes.ended(letter, "waiting", None)
            return None
        self.sent_total += 1
        self._channel_works(letter.channel)
        self._outcomes.sent(letter, now_ms, arrived if isinstance(arrived, str) else "")
        return None

    def _channel_failed(self, letter: Letter, error: RetryLater) -> int:
        """Nothing of the channel gets through, however old the letter is; how many ms to wait before the next try."""
        self._outcomes.again(letter, error.reason)
        named: dict[str, Any] = {"township_id": self._township_id, "said": error.reason}
        self._troubles.failed(letter.channel, error.fault, patience_ms=AWAY_AFTER_MS, **named)
        self._breakers.failed(letter.channel, letter.address, self._clock.now_ms())
        return max(error.after_ms, min(TRY_MS, backoff_ms(letter.attempts)))

    def _channel_works(self, channel: str) -> None:
        self._troubles.works(channel, self._township_id)
        if self._breakers.works(channel):  # what was left in the database comes now
            self._missed = self._behind = True
            self.wake()

    async def _underway(self, sending: Awaitable[bool | str]) -> bool | str:
        """Wait for what a worker that stops lets come to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._sending.add(task)
        try:
            return await sending
        finally:
            self._sending.discard(task)
