"""A chat platform that keeps its promises badly: at least once, out of order between people, slow, forgetful.

It lives on while workers die. An update that was not acknowledged comes again; one that was may come again.
It belongs to one township.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import orjson

from bot.channels.base import Letter
from bot.talk.messages import In, Out
from tests.sim.faults import Chaos
from tests.sim.machine.server import NOBODY

NAME = "sim"
BATCH = 20
PROMPT_S = 0.5
Incident = tuple[float, int]  # when, and which life: it died, or the server took it for dead
JUNK = b"\xff\xfe"  # an update that nobody can read
# A message that was written to be sent later, or is given up, has no place in the order of the others.
PUT_OFF = "SELECT due_ms > created_ms OR state IN ('failed', 'expired') FROM outbox WHERE township_id = :t AND id = :id"
FLOODED = "SELECT due_ms > received_ms FROM inbox WHERE township_id = :t AND update_key = :key"


@dataclass(slots=True)
class Update:
    """Something a person sent: `number` is its place among what the person sent."""

    key: str
    address: str
    number: int
    body: bytes


@dataclass(slots=True)
class Sent:
    """The last time a message arrived: from which life, and whether that life was told that it had not."""

    life: int
    address: str
    denied: bool
    at_s: float
    held: bool  # the life held the township's delivery then
    denials: dict[int, bool]  # life → what it was told the last time


class Worker(Protocol):
    """A worker's channel, as the platform sees it."""

    number: int

    @property
    def excused(self) -> bool:
        """Whether the server took it for dead: then another may have its duties, and it may not know."""
        ...

    @property
    def holds(self) -> bool:
        """Whether it holds the township's delivery now."""
        ...

    async def take(self, updates: Sequence[Update]) -> bool:
        """Bring updates; whether they were acknowledged."""
        ...


@dataclass(slots=True)
class Platform:
    """The servers of the chat. `blame` is called with every broken promise of the program."""

    name: ClassVar[str] = NAME
    township_id: int
    chaos: Chaos
    blame: Callable[[str], None]
    note: Callable[..., None]
    ask: Callable[..., list[sqlite3.Row]]  # what is in the township's rows now
    now_ms: Callable[[], int]  # the clock on the wall
    queues: dict[str, deque[Update]] = field(default_factory=dict)
    acked: list[Update] = field(default_factory=list)
    carried: dict[str, object] = field(default_factory=dict)
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
    incidents: list[Incident] = field(default_factory=list)
    doors: list[Worker] = field(default_factory=list)
    poller: Worker | None = None
    prompt: bool = False  # nothing goes wrong any more: whatever is stored is handled at once
    _acked_s: dict[str, float] = field(default_factory=dict)
    _heard_again: dict[str, list[list[Incident]]] = field(default_factory=dict)
    _told_of: set[str] = field(default_factory=set)

    def is_busy(self, address: str) -> bool:
        """Whether something that a person sent may still be taken in later than what they send now."""
        return False

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

    # -- bringing updates, or letting them be fetched

    def fetch(self, by: object) -> list[Update]:
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
        self.carried |= {update.address: by for update in found}
        if found and self.acked and self.chaos.chance(self.chaos.weather.old_duplicate):
            found.insert(dice.randrange(len(found) + 1), dice.choice(self.acked))
        return found

    def release(self, by: object) -> None:
        """What this connection carries will come again, if it was not acknowledged."""
        self.carried = {address: holder for address, holder in self.carried.items() if holder is not by}
        self.news.set()

    def acknowledge(self, updates: Sequence[Update]) -> None:
        """The program has them."""
        for update in updates:
            queue = self.queues[update.address]
            if queue and queue[0] is update:
                queue.popleft()
                self.acked.append(update)
                if self.prompt:
                    self._acked_s[update.key] = asyncio.get_running_loop().time()
        self.note("acknowledged", keys=[update.key for update in updates])

    async def push(self) -> None:
        """One connection that brings updates to whichever worker takes them."""
        me = object()
        while True:
            found = self.fetch(me) if self.doors else []
            if not found:
                self.news.clear()
                await self.news.wait()
                continue
            taken = await self.chaos.dice.choice(self.doors).take(found)
            self.release(me)
            if not taken:
                await asyncio.sleep(self.chaos.dice.choice((0.02, 0.1)))

    def polls(self, by: Worker) -> None:
        """Somebody begins to fetch: whoever did so before hears of a conflict."""
        before, self.poller = self.poller, by
        if before is not None and before is not by:
            if not (before.excused or by.excused):
                self.blame(f"lives {before.number} and {by.number} fetch updates at the same time")
            self.release(before)

    def leaves(self, receiver: Worker) -> None:
        """A worker's channel is there no more."""
        if receiver in self.doors:
            self.doors.remove(receiver)
        if self.poller is receiver:
            self.poller = None
        self.release(receiver)

    @property
    def quiet(self) -> bool:
        """Whether everything was acknowledged."""
        return not any(self.queues.values())

    # -- what comes out of it

    def arrive(self, letter: Letter, sender: Worker, *, denied: bool, old: bool) -> None:
        """A message reaches its person; checks that it may (again), and that it comes in order.

        denied: the sender will be told that it did not arrive · old: it may be given up
        """
        before, life = self.sent.get(letter.id), sender.number
        told = {**(before.denials if before else {}), life: denied}
        now_s = asyncio.get_running_loop().time()
        self.sent[letter.id] = sent = Sent(life, letter.address, denied, now_s, sender.holds, told)
        self.note(
            "arrives", life=life, address=letter.address, letter=letter.id, text=letter.out.text, again=bool(before)
        )
        if letter.id in self.settled:
            self.blame(f"message {letter.id} was sent again though it was settled")
        if before is not None:
            self._again(letter, before, sent, sender.excused)
        else:
            self._in_order(letter, old=old)
        self._tell(letter.address, letter.out)

    def _in_order(self, letter: Letter, *, old: bool) -> None:
        if letter.id in self.refused or old or self.ask(PUT_OFF, id=letter.id)[0][0]:
            return  # giving up may be forgotten in a crash
        if letter.id < self.newest.get(letter.address, 0):
            self.blame(f"message {letter.id} to {letter.address} arrived after a later one")
        self.newest[letter.address] = letter.id

    def _tell(self, address: str, out: Out) -> None:
        listener = self.listeners.get(address)
        if listener is not None:
            after_s = self.chaos.dice.choice((0.0, 0.05, 0.2))
            asyncio.get_running_loop().call_later(after_s, listener, out, context=NOBODY)

    def _again(self, letter: Letter, before: Sent, now: Sent, excused: bool) -> None:
        self.repeats += 1
        if before.denials.get(now.life) is False and not excused:
            self.blame(f"message {letter.id} was sent twice without a reason")
        if before.denied:
            return
        reasons = self._why(before, now)
        again = self._heard_again.setdefault(letter.address, [])
        again.append(reasons)
        if not reasons:
            self.blame(f"{letter.address} heard message {letter.id} again, and nothing had happened")
        elif not one_each(again):
            self.blame(f"{letter.address} heard two messages again after what happened once")

    def _why(self, before: Sent, now: Sent) -> list[Incident]:
        """By what a message may come again: what befell its first sender since; or one of them may no longer send."""
        found = [one for one in self.incidents if one[1] == before.life and one[0] >= before.at_s]
        for sent in (before, now):
            if not sent.held:
                found += [one for one in self.incidents if one[1] == sent.life] or self.incidents
        return found

    async def let_everybody_write(self) -> None:
        """At the end: nothing waits here for a person to write."""

    def was_handled(self, address: str, key: str, number: int) -> None:
        """The program says that it has handled an update: once; a worker alone, in the order they were sent."""
        if self.chaos.alone and number <= self.handled.get(address, 0):
            self.blame(f"update {number} of {address} was handled after {self.handled[address]}")
        if key in self._told_of and not self.chaos.alone:
            self.blame(f"update {number} of {address} was handled twice")
        self._told_of.add(key)
        waited_s = asyncio.get_running_loop().time() - self._acked_s.get(key, 1e9)
        if waited_s > PROMPT_S and not self.ask(FLOODED, key=key)[0][0]:
            self.blame(f"update {number} of {address} lay there for {waited_s:.1f} s")
        self.handled[address] = max(number, self.handled.get(address, 0))


def one_each(wanted: Sequence[Sequence[Incident]]) -> bool:
    """Whether each can have one of those that it wants to itself."""
    given: dict[Incident, int] = {}

    def find(at: int, asked: set[Incident]) -> bool:
        for one in wanted[at]:
            if one not in asked:
                asked.add(one)
                if one not in given or find(given[one], asked):
                    given[one] = at
                    return True
        return False

    return all(find(at, set()) for at in range(len(wanted)))
