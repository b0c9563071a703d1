"""What became of letters, written in batches. A lane goes on only when its last letter's batch is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from bot.channels.base import Letter
from storage.database import Database, Tx, Unavailable
from storage.machine import outbox
from storage.people import people, push

PAUSE_S = 0.01
TROUBLE_PAUSE_S = 0.5
LAST_TRIES = 16
MOST_REMEMBERED = 5_000
PAGE_TOPIC = "page"
log = structlog.get_logger()


class Outcomes:
    """One township's."""

    def __init__(self, database: Database, township_id: int, lost: Callable[[], None]) -> None:
        """`lost` is called when another worker has begun to deliver for the township."""
        self._database = database
        self._lost = lost
        self.fence = 0
        self._township_id = township_id
        self._sent: list[dict[str, Any]] = []
        self._named: list[dict[str, Any]] = []
        self._again: list[dict[str, Any]] = []
        self._ended: list[dict[str, Any]] = []
        self._unreachable: list[str] = []
        self._hints: list[str] = []
        self._waiting: list[tuple[int, str, int]] = []
        self._some = asyncio.Event()
        self._batch = 1  # the batch that takes what is settled now
        self._written = 0  # the last one that was written
        self._last: dict[str, int] = {}  # address → the batch that its last letter is written with
        self._writing = asyncio.Event()
        self._settled: list[int] = []

    def sent(self, letter: Letter, now_ms: int, ref: str = "") -> None:
        """It arrived; `ref` is what the platform calls it, if that is wanted."""
        self._sent.append({"id": letter.id, "sent_ms": now_ms})
        if ref:
            self._named.append({"id": letter.id, "ref": ref})
        self._some.set()

    def again(self, letter: Letter, reason: str) -> None:
        """It is tried again later."""
        self._again.append({"id": letter.id, "attempts": letter.attempts + 1, "error": reason[:500]})
        self._some.set()

    def ended(self, letter: Letter, state: str, error: str | None, *, unreachable: bool = False) -> None:
        """It is kept for the person (waiting), or given up (failed, expired)."""
        if unreachable:
            self._unreachable.append(letter.address)
        if (
            state == "waiting" and not letter.changes and not letter.out.quiet
        ):  # what only changes tells nobody anything
            self._waiting.append((letter.id, letter.address, letter.created_ms))
        self._ended.append({"id": letter.id, "state": state, "error": error})
        self._some.set()

    def unreadable(self, letter_id: int, error: str) -> None:
        """It can't be read, so it can't be sent: it is set aside (failed)."""
        self._ended.append({"id": letter_id, "state": "failed", "error": f"{outbox.UNREADABLE} {error}"[:500]})
        self._some.set()

    def tell(self, hint: str) -> None:
        """Other workers are to hear this once it is written."""
        self._hints.append(hint)

    def remember(self, address: str) -> None:
        """The address's next letter waits until what is settled now is written."""
        self._last[address] = self._batch

    async def written(self, address: str) -> None:
        """Wait until the address's last letter is written down."""
        while self._last.get(address, 0) > self._written:
            await self._writing.wait()

    async def some(self) -> None:
        """Wait for something to write."""
        await self._some.wait()

    def take_settled(self) -> list[int]:
        """The letters whose end was written since this was asked last."""
        settled, self._settled = self._settled, []
        return settled

    async def keep_writing(self) -> None:
        """Write what there is, a moment after it comes, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(PAUSE_S)
            try:
                await self.write()
            except Unavailable:  # the database says so itself
                await asyncio.sleep(TROUBLE_PAUSE_S)
            except Exception:
                log.exception("outcomes.write_failed")
                await asyncio.sleep(TROUBLE_PAUSE_S)

    async def write_at_last(self) -> None:
        """What was sent must be written down, or it is sent again: wait a while for a database that is away."""
        for _ in range(LAST_TRIES):
            try:
                return await self.write()
            except Unavailable:
                await asyncio.sleep(TROUBLE_PAUSE_S)
        return await self.write()

    async def write(self) -> None:
        """Write what became of letters since the last time."""
        self._some.clear()
        sent, again, ended = self._sent, self._again, self._ended
        unreachable, hints, named, waiting = self._unreachable, self._hints, self._named, self._waiting
        if not (sent or again or ended):
            return
        self._sent, self._again, self._ended, self._unreachable, self._hints = [], [], [], [], []
        self._named, self._waiting = [], []
        batch, self._batch = self._batch, self._batch + 1

        async def work(tx: Tx) -> bool:
            held = await outbox.holds_delivery(tx, self.fence)
            await outbox.mark(tx, sent=sent, again=again, ended=ended, named=named)
            for address in unreachable:
                await people.set_contact_state(tx, address, "unreachable")
            if waiting:
                await push.want(tx, waiting)
            for hint in hints:
                await tx.notify(PAGE_TOPIC, hint)
            return held

        try:
            held = await self._database.transaction(work, township_id=self._township_id, exclusive=False)
        except BaseException:
            self._sent, self._again = sent + self._sent, again + self._again
            self._ended, self._unreachable = ended + self._ended, unreachable + self._unreachable
            self._hints, self._named = hints + self._hints, named + self._named
            self._waiting = waiting + self._waiting
            self._some.set()
            raise
        if not held:
            self._lost()
        self._settled += [row["id"] for row in (*sent, *ended)]
        self._written = batch
        if len(self._last) > MOST_REMEMBERED:
            self._last = {one: last for one, last in self._last.items() if last > batch}
        self._writing.set()
        self._writing.clear()  # whoever waited has been woken
