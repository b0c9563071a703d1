"""One worker from its start to its death, put together as bot/app.py does."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from bot.app import STOP_S
from bot.channels.base import Channels
from bot.channels.wechat.channel import WeChat
from bot.channels.wechat.customer import CustomerMessages as Customer
from bot.channels.wechat.replies import Replies
from bot.clock import Dice, Seams, TimeIds
from bot.incoming.intake import TOPIC as INBOX_TOPIC
from bot.incoming.intake import Intake
from bot.incoming.polling import Receiving
from bot.outgoing.delivery import Delivery
from bot.outgoing.shares import TOPIC as OUTBOX_TOPIC
from bot.outgoing.shares import Outgoing, lease_of
from bot.schedule import PLAN_S, TICK_S, Schedule
from storage.database import Database, Unavailable
from storage.engine.leases import Leases
from storage.machine import inbox
from tests.sim.chat.channel import Made, SimDoor
from tests.sim.chat.platform import Platform
from tests.sim.faults import Blow, Chaos, Crashed, Fate
from tests.sim.machine.database import SimDatabase, delay_s
from tests.sim.machine.loop import OWNER, SimLoop
from tests.sim.machine.server import NOBODY, Server, Session
from tests.sim.play import Play

SAME_ID = re.compile(r"UNIQUE constraint failed: (\w+)\.township_id, \1\.id$")
FROZEN_S = (0.5, 3, 12)
SERVER_PATIENCE_S = 7  # after so much silence the server ends a session: storage/engine/postgres.py's keepalives
SILENCE_S = (0.01, 1, 30)


class World(Protocol):
    """What a life needs of the town around it."""

    loop: SimLoop
    path: Path
    parts: Parts
    chaos: Chaos
    dice: Dice
    play: Play
    server: Server
    platforms: Mapping[int, Platform]

    def now_ms(self) -> int:
        """The clock on the wall."""
        ...

    def note(self, what: str, /, **fields: Any) -> None:
        """A line of the trace."""
        ...

    def blame(self, what: str) -> None:
        """A promise was broken."""
        ...

    def fence(self, township_id: int) -> int:
        """The fencing number by which the township's delivery is held."""
        ...

    def suffers(self, life: Life) -> None:
        """A life is over, whatever it had in hand; or the server takes it for dead."""
        ...


@dataclass
class Parts:
    """The classes under test; a test that breaks a law on purpose replaces one."""

    intake: type[Intake] = Intake
    outgoing: type[Outgoing] = Outgoing
    delivery: type[Delivery] = Delivery
    schedule: type[Schedule] = Schedule
    receiving: type[Receiving] = Receiving
    ids: type[TimeIds] = TimeIds
    wechat: type[WeChat] = WeChat
    replies: type[Replies] = Replies
    customer: type[Customer] = Customer


@dataclass
class Program:
    """What runs in one worker."""

    intake: Intake
    outgoing: Outgoing
    schedule: Schedule
    receiving: Receiving
    channels: Sequence[SimDoor]
    fetching: bool


class Life:
    """One run of a worker. `slot`: which of the town's machines it runs on."""

    def __init__(self, town: World, number: int, slot: int, skew_ms: int) -> None:
        self.town = town
        self.number = number
        self.slot = slot
        self.parts = town.chaos.weather.workers[slot]
        self.chaos = town.chaos
        self.skew_ms = skew_ms
        self.dead = self.frozen = self.stopping = self.cut = False
        self.upset_s = -1.0
        self.held: deque[asyncio.Handle] = deque()
        self.tasks: list[asyncio.Task[Any]] = []
        self.over: asyncio.Future[str] = town.loop.create_future()
        self.serves: asyncio.Future[None] = town.loop.create_future()
        self.database: SimDatabase | None = None
        self.program: Program | None = None
        self._fate = Fate(town.chaos)
        self._running: list[asyncio.Task[Any]] = []
        self._ticking: list[asyncio.Task[Any]] = []
        self.context = copy_context()
        self.context.run(OWNER.set, self)

    def now_ms(self) -> int:
        """This machine's clock."""
        return self.town.now_ms() + self.skew_ms

    # -- what happens to it

    def point(self, name: str) -> None:
        """A place where the program may die."""
        if not self.dead:
            self._meet(name)
        if self.dead:
            raise Crashed(name)

    def turn(self) -> None:
        """Another turn of the loop, the finest grain of all."""
        if not self.dead:
            self._meet("await")

    async def hop(self) -> None:
        """A way to the disk or to the server, or back."""
        await asyncio.sleep(delay_s(self.chaos))
        if self.dead:
            raise Crashed

    def holds(self, township_id: int) -> bool:
        """Whether the township's delivery is its, for the server and in the database."""
        delivery = self.program.outgoing._deliveries.get(township_id) if self.program else None
        has_lease = self.chaos.alone or self.town.server.holds(self.session, lease_of(township_id))
        return has_lease and delivery is not None and delivery._outcomes.fence == self.town.fence(township_id)

    def refused(self, reason: str) -> None:
        """A constraint of the schema forbade something."""
        if SAME_ID.search(reason):
            self.town.blame(f"two rows were given the same id: {reason}")

    def _meet(self, name: str) -> None:
        blow = self._fate.strikes(name)
        if blow == "dies":
            self.die(name)
        elif blow is not None and not self.frozen:
            self.town.note("blow", life=self.number, blow=blow, at=name)
            self.upset_s = self.town.loop.now_s
            self._suffer(blow)

    def _suffer(self, blow: Blow) -> None:
        dice = self.chaos.dice
        if blow == "cut":
            self._lose(None)
        elif blow == "silent":
            self._lose(dice.choice(SILENCE_S))
        else:
            self.frozen = True
            for_s = dice.choice(FROZEN_S)
            later = self.town.loop.call_later
            later(for_s, self.thaw, context=NOBODY)
            if for_s > SERVER_PATIENCE_S:
                later(SERVER_PATIENCE_S, self._lose, 0.01, context=NOBODY)

    def thaw(self) -> None:
        """Go on, if it was held up."""
        if self.frozen:
            self.town.note("goes on", life=self.number)
            self.town.loop.thaw(self)

    @property
    def session(self) -> Session | None:
        """What stands between it and the server now."""
        workers = self.database.workers() if self.database else None
        found = workers._connection if isinstance(workers, Leases) else None
        return cast("Session | None", found)

    def _lose(self, silence_s: float | None) -> None:
        session = self.session
        if session is not None and not session.gone and not self.dead:
            self.cut = True
            self.town.suffers(self)
            session.end(silence_s=silence_s)

    def die(self, where: str) -> None:
        """From now on nothing of this life reaches the outside."""
        if self.dead:
            return
        self.dead = True
        if where != "stopped":
            self.town.suffers(self)
        if self.session is not None:
            after_s = self.chaos.dice.choice((0, 0, 0.5, SERVER_PATIENCE_S))
            self.town.loop.call_later(after_s, self.session.terminate, context=NOBODY)
        if not self.over.done():
            self.over.set_result(where)

    async def end(self) -> None:
        """Abandon everything: its tasks may unwind, but nothing they do counts."""
        self.die("end")
        self.thaw()
        while tasks := [task for task in self.tasks if not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1)  # one that swallows it is told again
        if self.database is not None:
            self.database.raw.close()

    # -- its course

    def begin(self) -> None:
        """Start."""
        self.context.run(self._spawn, "the start", self._serve())

    async def _serve(self) -> None:
        """Put the worker together, and run it. When the database is away it ends at once, and is started again."""
        town = self.town
        self.database = SimDatabase(town.path, self, None if self.chaos.alone else town.server)
        db: Database = self.database
        try:
            program = self.program = self._build(db, await db.read(inbox.last_id))
            await self._start(db, program)
        except Unavailable:
            self.die("no database")
        else:
            self.serves.set_result(None)

    def _build(self, db: Database, after: int) -> Program:
        town, parts, play = self.town, self.town.parts, self.town.play
        workers, alone = db.workers(), self.chaos.alone
        ids = parts.ids(self, after=after, worker=workers)
        channels = Channels()
        grace_s = 0 if alone else self.chaos.weather.grace_s
        outgoing = parts.outgoing(db, channels, clock=self, grace_s=grace_s, make=parts.delivery)
        mine: dict[int, SimDoor] = {}
        for at, platform in town.platforms.items():
            mine[at] = play.chat(at).channel(platform, self, Made(db, play.catalogues, outgoing, ids, town.parts))
            channels.add(at, mine[at])
            mine[at].listen(workers)
        seams = Seams(self, ids, town.dice)
        intake = parts.intake(db, play.product, channels, play.catalogues, seams, outgoing, only_worker=alone)
        schedule = parts.schedule(
            db, play.product, play.catalogues, seams, outgoing, errands=play.errands, calm=intake.calm
        )
        fetching = [(f"sim {at}", channel) for at, channel in mine.items() if channel.fetches]
        receiving = parts.receiving(workers, fetching)
        workers.listen(INBOX_TOPIC, intake.hear)
        workers.listen(OUTBOX_TOPIC, outgoing.hear)
        return Program(intake, outgoing, schedule, receiving, list(mine.values()), bool(fetching))

    async def _start(self, db: Database, program: Program) -> None:
        await db.workers().start()
        for channel in program.channels:
            await channel.start(program.intake.accept)
        if "delivery" in self.parts:
            await program.outgoing.begin()
            self._running.append(self._spawn("delivery", program.outgoing.run()))
        if "clock" in self.parts:
            await program.schedule.tick()
            self._ticking = [
                self._spawn("clock", self._tick(program.schedule._guarded, program.schedule.tick, TICK_S)),
                self._spawn("plans", self._tick(program.schedule._guarded, program.schedule.plan_again, PLAN_S)),
            ]
        if "intake" in self.parts:
            self._running.append(self._spawn("intake", program.intake.run()))
        if program.fetching:
            self._running.append(self._spawn("receiving", program.receiving.run()))

    def _spawn(self, name: str, running: Any) -> asyncio.Task[Any]:
        task = self.town.loop.create_task(running, name=name, context=self.context)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self.dead or task.cancelled():
            return
        error, name = task.exception(), task.get_name()
        if error is not None or not (self.stopping or name == "the start"):
            self.town.blame(f"{name} has ended: {error!r}")

    @staticmethod
    async def _tick(guarded: Any, job: Callable[[], Any], every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await guarded(job)

    async def stop(self) -> None:
        """A clean stop; it may die meanwhile."""
        self.stopping = True
        if self.program is not None and not self.dead:
            stopping = self.context.run(self._spawn, "the stop", self._stop(self.program))
            await asyncio.wait({stopping, self.over}, return_when=asyncio.FIRST_COMPLETED)

    async def _stop(self, program: Program) -> None:
        """As bot/app.py does it."""
        for channel in program.channels:
            await channel.close()
        program.receiving.stop()
        program.schedule.stop()
        for task in self._ticking:
            task.cancel()
        program.intake.stop()
        program.outgoing.stop()
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_S)
        if self.database is not None:
            await self.database.close()
        self.die("stopped")
