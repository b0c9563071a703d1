"""A chat platform that keeps its promises badly: at least once, out of order between people, slow, forgetful.

It lives on while the program dies. An update that was not acknowledged comes again; one that was may come again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import orjson

from bot.channels.base import Accept, Arrival, Letter, Raw
from bot.delivery import MAX_AGE_MS
from bot.errors import GiveUp, RetryLater
from bot.talk.messages import In, Out
from tests.sim.database import Mortal
from tests.sim.faults import Chaos

NAME = "sim"
BATCH = 20
JUNK = b"\xff\xfe"  # an update that nobody can read


@dataclass(slots=True)
class Update:
    """Something a person sent: `number` is its place among what the person sent."""

    key: str
    address: str
    number: int
    body: bytes


@dataclass(slots=True)
class Sent:
    """The last time a message arrived: in which life, and whether that life was told that it had not."""

    life: int
    address: str
    denied: bool = False


class Numbered(Mortal, Protocol):
    """What a channel knows of the run it belongs to."""

    number: int


@dataclass(slots=True)
class Platform:
    """The servers of the chat. `blame` is called with every broken promise of the program."""

    chaos: Chaos
    blame: Callable[[str], None]
    note: Callable[..., None]
    put_off: Callable[[int], bool]
    queues: dict[str, deque[Update]] = field(default_factory=dict)
    acked: list[Update] = field(default_factory=list)
    carried: set[str] = field(default_factory=set)
    listeners: dict[str, Callable[[Out], None]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    sent: dict[int, Sent] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)
    handled: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    said: set[str] = field(default_factory=set)
    told: int = 0  # how many updates people sent
    repeats: int = 0

    def says(self, address: str, event: In | None) -> int:
        """A person sends something (None: an update that nobody can read); its number."""
        self.told += 1
        self.said.add(event.text if event else "")
        sent = {"number": self.told, "event": event.to_json()} if event else None
        self.note("says", address=address, number=self.told, event=sent and sent["event"])
        body = orjson.dumps(sent) if sent else JUNK
        number = self.chaos.dice.randrange(10**9) if self.chaos.weather.shuffled_ids else 1_000 + self.told
        update = Update(f"{number}", address, self.told, body)
        self.queues.setdefault(address, deque()).append(update)
        self.news.set()
        return self.told

    def fetch(self) -> list[Update]:
        """What one connection is given: some people's oldest updates in their order, the people mixed."""
        dice = self.chaos.dice
        waiting = [address for address, queue in self.queues.items() if queue and address not in self.carried]
        dice.shuffle(waiting)
        if len(waiting) > 1 and not self.chaos.calm:
            waiting = waiting[: dice.randint(1, len(waiting))]
        lists = [deque(self.queues[address]) for address in waiting]
        found: list[Update] = []
        while lists and len(found) < BATCH:
            one = dice.choice(lists)
            found.append(one.popleft())
            lists = [each for each in lists if each]
        self.carried |= {update.address for update in found}
        if found and self.acked and self.chaos.chance(self.chaos.weather.old_duplicate):
            found.insert(dice.randrange(len(found) + 1), dice.choice(self.acked))
        return found

    def release(self, updates: Sequence[Update]) -> None:
        """Not acknowledged: they will come again."""
        self.carried -= {update.address for update in updates}
        self.news.set()

    def acknowledge(self, updates: Sequence[Update]) -> None:
        """The program has them."""
        for update in updates:
            queue = self.queues[update.address]
            if queue and queue[0] is update:
                queue.popleft()
                self.acked.append(update)
        self.release(updates)

    @property
    def quiet(self) -> bool:
        """Whether everything was acknowledged."""
        return not any(self.queues.values())

    def arrive(self, letter: Letter, life: int, denied: bool, old: bool) -> None:
        """A message reaches its person; checks that it may (again), and that it comes in order."""
        before = self.sent.get(letter.id)
        self.sent[letter.id] = Sent(life, letter.address, denied)
        self.note("arrives", address=letter.address, letter=letter.id, text=letter.out.text, again=before is not None)
        if letter.id in self.settled:
            self.blame(f"message {letter.id} was sent again though it was settled")
        if before is not None:
            self.repeats += 1
            if before.life == life and not before.denied:
                self.blame(f"message {letter.id} was sent twice without a reason")
        elif (
            letter.id not in self.refused and not old and not self.put_off(letter.id)
        ):  # giving up may be forgotten in a crash
            if letter.id < self.newest.get(letter.address, 0):
                self.blame(f"message {letter.id} to {letter.address} arrived after a later one")
            self.newest[letter.address] = letter.id
        listener = self.listeners.get(letter.address)
        if listener is not None:
            asyncio.get_running_loop().call_later(self.chaos.dice.choice((0.0, 0.05, 0.2)), listener, letter.out)

    def was_handled(self, address: str, number: int) -> None:
        """The program handled an update: once, and in the order in which the person sent them."""
        if number <= self.handled.get(address, 0):
            self.blame(f"update {number} of {address} was handled after {self.handled[address]}")
        self.handled[address] = number


class SimChannel:
    """The program's side of the platform, in one life."""

    name = NAME
    buttons = True

    def __init__(self, platform: Platform, life: Numbered, now_ms: Callable[[], int]) -> None:
        self._platform = platform
        self._chaos = platform.chaos
        self._life = life
        self._now_ms = now_ms
        self._polls: list[asyncio.Task[None]] = []
        self._next_ms: dict[str, int] = {}
        self._pace_ms = self._chaos.dice.choice((0, 0, 0, 100))

    # -- receiving

    async def start(self, accept: Accept) -> None:
        for _ in range(self._chaos.weather.connections):
            self._polls.append(asyncio.create_task(self._poll(accept)))

    async def stop(self) -> None:
        for task in self._polls:
            task.cancel()
        await asyncio.gather(*self._polls, return_exceptions=True)

    async def _poll(self, accept: Accept) -> None:
        while True:
            found = self._platform.fetch()
            if not found:
                self._platform.news.clear()
                await self._platform.news.wait()
                continue
            self._life.point("fetched")
            raws = [Raw(NAME, update.key, update.address, update.body) for update in found]
            try:
                await self._stored(accept, raws)
            except Exception:
                self._platform.release(found)
                await asyncio.sleep(0.1)
                continue
            self._life.point("ack")
            if self._chaos.chance(self._chaos.weather.ack_lost):
                self._platform.release(found)
                await asyncio.sleep(0.02)
                continue
            self._platform.acknowledge(found)
            self._platform.note("acknowledged", keys=[update.key for update in found])
            self._life.point("acked")

    async def _stored(self, accept: Accept, raws: Sequence[Raw]) -> None:
        """Pass updates on; now and then the far side hangs up meanwhile."""
        if not self._chaos.chance(self._chaos.weather.accept_cut):
            await accept(raws)
            return
        storing = asyncio.ensure_future(accept(raws))
        await asyncio.wait({storing}, timeout=self._chaos.dice.choice((0, 0.001, 0.01)))
        if not storing.cancel():
            storing.result()
            return
        await asyncio.wait({storing})
        raise Cut

    def decode(self, raw: Raw) -> Arrival:
        event = orjson.loads(raw.body)
        return Arrival(In.from_json(event["event"]), self._platform.names.get(raw.address, ""))

    def handled(self, raw: Raw) -> None:
        self._platform.note("handled", address=raw.address, key=raw.key)
        if raw.body.startswith(b"{"):
            self._platform.was_handled(raw.address, orjson.loads(raw.body)["number"])

    # -- sending

    def admit_ms(self, address: str, now_ms: int) -> int:
        due_ms = max(now_ms, min(self._next_ms.get(address, 0), now_ms + self._pace_ms))
        if due_ms <= now_ms:
            self._next_ms[address] = now_ms + self._pace_ms
        return due_ms

    async def send(self, letter: Letter) -> bool:
        chaos, weather = self._chaos, self._chaos.weather
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
        old = self._now_ms() - letter.created_ms > MAX_AGE_MS
        self._platform.arrive(letter, self._life.number, denied, old)
        self._life.point("sent")
        if denied:
            raise RetryLater(1_000, "timed out")
        if chaos.chance(weather.send_slow):
            await asyncio.sleep(chaos.dice.choice((0.005, 0.05, 0.5)))
            self._life.point("sent")
        return True


class Cut(Exception):
    """The far side hung up while an update was being stored."""
