"""A worker's side of the platform, in one life."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from bot.channels.base import Accept, Arrival, Channel, Letter, Raw, Together
from bot.clock import Ids
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogues
from bot.outgoing.delivery import MAX_AGE_MS
from bot.outgoing.shares import Outgoing
from bot.talk.messages import HIDDEN, In
from storage.database import Database, Workers
from tests.sim.chat.platform import NAME, Platform, Update
from tests.sim.faults import Chaos

HANGS_UP_S = 10


class Worker(Protocol):
    """What a channel knows of the run it belongs to."""

    number: int
    chaos: Chaos
    context: Context
    dead: bool
    cut: bool
    parts: frozenset[str]
    upset_s: float

    def point(self, name: str) -> None:
        """Raise Crashed when the program dies here, or is dead already."""
        ...

    def now_ms(self) -> int:
        """The machine's clock."""
        ...

    def holds(self, township_id: int) -> bool:
        """Whether it holds the township's delivery."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """What a channel may need of the worker it belongs to. `parts`: the classes under test."""

    database: Database
    catalogues: Catalogues
    outgoing: Outgoing
    ids: Ids
    parts: Any


class SimDoor(Channel, Protocol):
    """A channel of the simulator's."""

    @property
    def fetches(self) -> bool:
        """Whether `fetch_updates` is to be run in this worker."""
        ...

    def listen(self, workers: Workers) -> None:
        """Hear what other workers say."""
        ...

    async def close(self) -> None:
        """The worker stops: take nothing more, finish what came in."""
        ...


class SimChannel:
    """Takes updates in, from a platform that brings them or lets them be fetched, and sends messages."""

    name = NAME
    buttons = True
    reply_ms = 0
    native_menu = False
    forgets_media = False

    def __init__(self, platform: Platform, life: Worker, made: Made) -> None:
        self._platform = platform
        self._chaos = platform.chaos
        self._life = life
        self._accept: Accept | None = None
        self._next_ms: dict[str, int] = {}
        self._pace_ms = self._chaos.dice.choice((0, 0, 0, 100))
        self.number = life.number

    @property
    def excused(self) -> bool:
        """Whether the server took this worker for dead: then another may have its duties, and it may not know."""
        return self._life.cut or self._life.dead

    @property
    def holds(self) -> bool:
        """Whether it holds the township's delivery now."""
        return self._life.holds(self._platform.township_id)

    # -- receiving

    async def start(self, accept: Accept) -> None:
        self._accept = accept
        if self._chaos.weather.pushed:
            self._platform.doors.append(self)
            self._platform.news.set()

    @property
    def fetches(self) -> bool:
        """Whether this worker fetches."""
        return "receive" in self._life.parts and not self._chaos.weather.pushed

    def listen(self, workers: Workers) -> None:
        """Nobody tells it anything."""

    async def close(self) -> None:
        """Nothing more is brought, nothing more is fetched."""
        self._platform.leaves(self)

    async def stop(self) -> None:
        await self.close()

    async def take(self, updates: Sequence[Update]) -> bool:
        """The platform brings updates, and hangs up when it takes long; whether they were acknowledged."""
        task = asyncio.get_running_loop().create_task(self._take(updates), context=self._life.context)
        await asyncio.wait({task}, timeout=HANGS_UP_S)
        return task.done() and not task.cancelled() and task.exception() is None and task.result()

    async def fetch_updates(self) -> None:
        self._platform.polls(self)
        try:
            while self._platform.poller is self:
                found = self._platform.fetch(self)
                if not found:
                    self._platform.news.clear()
                    await self._platform.news.wait()
                    continue
                taken = await self._take(found)
                self._platform.release(self)
                if not taken:
                    await asyncio.sleep(self._chaos.dice.choice((0.02, 0.1)))
            raise Contested
        finally:
            if self._platform.poller is self:
                self._platform.leaves(self)

    async def _take(self, updates: Sequence[Update]) -> bool:
        self._life.point("fetched")
        raws = [Raw(NAME, update.key, update.address, update.body, self._platform.township_id) for update in updates]
        try:
            await self._stored(raws)
        except Exception:
            return False
        self._life.point("ack")
        if self._chaos.chance(self._chaos.weather.ack_lost):
            return False
        self._platform.acknowledge(updates)
        self._life.point("acked")
        return True

    async def _stored(self, raws: Sequence[Raw]) -> None:
        """Pass updates on; now and then the far side hangs up meanwhile."""
        assert self._accept is not None
        if not self._chaos.chance(self._chaos.weather.accept_cut):
            await self._accept(raws)
            return
        storing = asyncio.ensure_future(self._accept(raws))
        await asyncio.wait({storing}, timeout=self._chaos.dice.choice((0, 0.001, 0.01)))
        if not storing.cancel():
            storing.result()
            return
        await asyncio.wait({storing})
        raise Cut

    def pick(self, said: str, shown: Sequence[Together]) -> str | None:
        return None

    def decode(self, raw: Raw) -> Arrival:
        self._belongs(raw.township_id)
        event = orjson.loads(raw.body)
        return Arrival(In.from_json(event["event"]), self._platform.names.get(raw.address, ""))

    def masked(self, raw: Raw) -> bytes:
        event = orjson.loads(raw.body)
        return orjson.dumps({**event, "event": {**event["event"], "text": HIDDEN}})

    def handled(self, raw: Raw) -> None:
        self._platform.note("handled", life=self.number, address=raw.address, key=raw.key)
        if raw.body.startswith(b"{"):
            self._platform.was_handled(raw.address, raw.key, orjson.loads(raw.body)["number"])

    def _belongs(self, township_id: int) -> None:
        if township_id != self._platform.township_id:
            self._platform.blame(f"something of township {township_id} is in {self._platform.township_id}")

    # -- sending

    def ref_of(self, message_id: int) -> str | None:
        """Nothing changes in place here."""
        return None

    def admit_ms(self, address: str, now_ms: int) -> int:
        due_ms = max(now_ms, min(self._next_ms.get(address, 0), now_ms + self._pace_ms))
        if due_ms <= now_ms:
            self._next_ms[address] = now_ms + self._pace_ms
        return due_ms

    async def send(self, letter: Letter) -> bool:
        chaos, weather = self._chaos, self._chaos.weather
        self._belongs(letter.township_id)
        self._life.point("send")
        if chaos.chance(weather.send_slow):
            await asyncio.sleep(chaos.dice.choice((0.005, 0.05, 0.5, 5)))
            self._life.point("send")
        if chaos.chance(weather.send_retry):
            raise RetryLater(chaos.dice.choice((0, 500, 3_000)), "busy")
        if chaos.chance(weather.send_refused):
            self._platform.refused.add(letter.id)
            self._platform.note("refuses", address=letter.address, letter=letter.id)
            raise GiveUp("refused", unreachable=chaos.dice.random() < 0.5)
        denied = chaos.chance(weather.send_timeout)
        old = self._life.now_ms() - letter.created_ms > MAX_AGE_MS
        self._platform.arrive(letter, self, denied=denied, old=old)
        self._life.point("sent")
        if denied:
            raise RetryLater(1_000, "timed out")
        if chaos.chance(weather.send_slow):
            await asyncio.sleep(chaos.dice.choice((0.005, 0.05, 0.5, 3)))
            self._life.point("sent")
        return True

    def busy(self, address: str) -> None:
        """Nobody looks."""

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        return ""


class Cut(Exception):
    """The far side hung up while an update was being stored."""


class Contested(Exception):
    """Another worker fetches now."""
