"""The outbox, sent: in order for each address, at the pace each channel allows, again after a failure.

A lane is the queue of one address. A letter leaves its lane when it was sent or given up; what became of it is
written in batches, and a lane goes on only after that. So the one message of a person that lies between sending
and writing is all that a crash can repeat.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.channels.base import Channel, Letter
from bot.clock import Clock
from bot.errors import GiveUp, RetryLater
from bot.talk.messages import Out
from bot.turn import load_out
from storage import outbox, people
from storage.database import Database, Tx

MAX_HELD = 5_000
MAX_AT_ONCE = 64
POLL_S = 1.0
CATCH_UP_S = 0.02
MARK_PAUSE_S = 0.01
FIRST_BACKOFF_MS = 1_000
LAST_BACKOFF_MS = 300_000
MAX_AGE_MS = 24 * 3_600_000
log = structlog.get_logger()


def letter_of(row: Mapping[str, Any] | Any, out: Out, township_id: int) -> Letter:
    """A stored message, ready to be sent."""
    return Letter(
        row["id"],
        township_id,
        row["person_id"],
        row["channel"],
        row["address"],
        out,
        row["created_ms"],
        row["expires_ms"],
        row["attempts"],
    )


def backoff_ms(attempts: int) -> int:
    """How long to wait after that many failures."""
    return min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS << min(attempts, 20))


class Delivery:
    """Sends what is due and marks it."""

    def __init__(
        self, database: Database, channels: Mapping[str, Channel], *, clock: Clock, township_id: int = 1
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._township_id = township_id
        self._lanes: dict[str, deque[Letter]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(MAX_AT_ONCE)
        self._held: set[int] = set()
        self._settled: list[int] = []
        self._behind = True
        self._missed = False
        self._late: list[Letter] = []
        self._stopping = False
        self._sent: list[dict[str, Any]] = []
        self._again: list[dict[str, Any]] = []
        self._ended: list[dict[str, Any]] = []
        self._unreachable: list[str] = []
        self._marks = asyncio.Event()
        self._batch = 1  # the batch that takes what is settled now
        self._written = 0  # the last one that was written
        self._unwritten: dict[str, int] = {}  # address → the batch that its last letter is written with
        self._writing = asyncio.Event()
        self.sent_total = 0

    def offer(self, letters: Sequence[Letter]) -> None:
        """Take letters whose rows were just committed; when too many are held, the database keeps them.

        While older ones are still being read from the database these wait for them, so that each address keeps its
        order.
        """
        if self._stopping or not letters:
            return
        if len(self._held) + len(self._late) + len(letters) > MAX_HELD:
            self._missed = self._behind = True
        elif self._behind:
            self._late += letters
        else:
            self._hold(letters)

    def _hold(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            if letter.id in self._held:
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

    async def run(self) -> None:
        """Look for what is due, and write what became of it, until `stop`."""
        marker = asyncio.ensure_future(self._mark_forever())
        try:
            while not self._stopping:
                try:
                    await self.poll()
                except Exception:
                    log.exception("delivery.poll_failed")
                await asyncio.sleep(CATCH_UP_S if self._behind else POLL_S)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            marker.cancel()
            await asyncio.gather(marker, return_exceptions=True)
            await self._mark()

    def stop(self) -> None:
        """Take nothing more; letters not sent yet stay due in the database."""
        self._stopping = True

    async def poll(self) -> None:
        """Load what is due from the database. A row settled before this read began can't be in it any more."""
        now_ms = self._clock.now_ms()
        settled, self._settled = self._settled, []
        self._held.difference_update(settled)
        room = MAX_HELD - len(self._held)
        if room <= 0:
            return
        limit = len(self._held) + min(room, 1_000)
        self._missed, self._late = False, []
        rows = await self._database.read(
            lambda tx: outbox.due(tx, now_ms=now_ms, limit=limit), township_id=self._township_id
        )
        self._hold([letter_of(row, load_out(row["body"]), self._township_id) for row in rows])
        self._behind = len(rows) >= limit or self._missed
        if not self._behind:  # what was committed since the read began comes after it
            self._hold(self._late)
            self._late = []

    async def settle(self) -> None:
        """Send everything that is due and write it down: for a clean stop, and for tests."""
        while True:
            await self.poll()
            while self._tasks:
                marks = asyncio.ensure_future(self._marks.wait())
                await asyncio.wait({*self._tasks, marks}, return_when=asyncio.FIRST_COMPLETED)
                marks.cancel()
                await self._mark()
            if not self._behind:
                return

    async def _lane(self, address: str) -> None:
        """Send one address's letters in order. Each waits until the one before is written down: a crash repeats one."""
        lane = self._lanes[address]
        try:
            while lane and not self._stopping:
                letter = lane[0]
                while self._unwritten.get(address, 0) > self._written:
                    await self._writing.wait()
                wait_ms = await self._send(letter)
                if wait_ms is None:
                    lane.popleft()
                    self._unwritten[address] = self._batch
                else:
                    lane[0] = replace(letter, attempts=letter.attempts + 1)
                    await asyncio.sleep(wait_ms / 1000)
        finally:
            del self._lanes[address]
            self._held.difference_update(letter.id for letter in lane)

    async def _send(self, letter: Letter) -> int | None:
        """Send one letter; None when it is settled, else how many ms to wait before the next try."""
        channel = self._channels.get(letter.channel)
        if channel is None:
            self._end(letter, "failed", "no_such_channel")
            return None
        while (now_ms := self._clock.now_ms()) < (due_ms := channel.admit_ms(letter.address, now_ms)):  # noqa: ASYNC110
            await asyncio.sleep((due_ms - now_ms) / 1000)
        if letter.expires_ms is not None and now_ms > letter.expires_ms:
            self._end(letter, "expired", "late")
            return None
        try:
            async with self._at_once:
                arrived = await channel.send(letter)
        except RetryLater as error:
            if now_ms - letter.created_ms > MAX_AGE_MS:
                self._end(letter, "failed", error.reason)
                return None
            self._again.append({"id": letter.id, "attempts": letter.attempts + 1, "error": error.reason[:500]})
            self._marks.set()
            return max(error.after_ms, backoff_ms(letter.attempts))
        except GiveUp as error:
            if error.unreachable:
                self._unreachable.append(letter.address)
            self._end(letter, "failed", error.code)
            return None
        except Exception as error:
            log.exception("delivery.defect", channel=letter.channel, letter=letter.id)
            self._end(letter, "failed", f"{type(error).__name__}: {error}"[:500])
            return None
        if not arrived:
            self._end(letter, "waiting", None)
            return None
        self.sent_total += 1
        self._sent.append({"id": letter.id, "sent_ms": now_ms})
        self._marks.set()
        return None

    def _end(self, letter: Letter, state: str, error: str | None) -> None:
        self._ended.append({"id": letter.id, "state": state, "error": error})
        self._marks.set()

    async def _mark_forever(self) -> None:
        while True:
            await self._marks.wait()
            await asyncio.sleep(MARK_PAUSE_S)
            try:
                await self._mark()
            except Exception:
                log.exception("delivery.mark_failed")
                await asyncio.sleep(POLL_S)

    async def _mark(self) -> None:
        """Write what became of letters since the last time."""
        self._marks.clear()
        sent, again, ended = self._sent, self._again, self._ended
        unreachable = self._unreachable
        if not (sent or again or ended or unreachable):
            return
        self._sent, self._again, self._ended, self._unreachable = [], [], [], []
        batch, self._batch = self._batch, self._batch + 1

        async def work(tx: Tx) -> None:
            await outbox.mark(tx, sent=sent, again=again, ended=ended)
            for address in unreachable:
                await people.set_contact_state(tx, address, "unreachable")

        try:
            await self._database.transaction(work, township_id=self._township_id)
        except BaseException:
            self._sent, self._again = sent + self._sent, again + self._again
            self._ended, self._unreachable = ended + self._ended, unreachable + self._unreachable
            self._marks.set()
            raise
        self._settled += [row["id"] for row in (*sent, *ended)]
        self._written = batch
        if len(self._unwritten) > MAX_HELD:
            self._unwritten = {one: last for one, last in self._unwritten.items() if last > batch}
        self._writing.set()
        self._writing.clear()  # whoever waited has been woken
