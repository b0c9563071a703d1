"""One seed: a town of a few people, the program in several lives, and what must hold between and after them."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import structlog

from bot.clock import TimeIds
from bot.delivery import Delivery
from bot.flood import FloodGate
from bot.intake import Intake
from bot.schedule import PLAN_S, TICK_S, Schedule
from storage import inbox
from storage.database import Database, Unavailable
from storage.sqlite import connect
from tests.sim.database import SimDatabase
from tests.sim.faults import Chaos, Crashed, DiskTrouble
from tests.sim.invariants import Watch
from tests.sim.loop import NothingLeft, SimLoop
from tests.sim.platform import NAME, Platform, SimChannel
from tests.sim.play import SCRATCH, START_MS, Play, SimPlay
from tests.sim.product import Defect
from tests.sim.users import User

LIFE_S = 120.0
CALM_S = 1_200.0
LEAPS_MS = (30_000, 3_600_000, 13 * 3_600_000, 30 * 3_600_000)


@dataclass
class Parts:
    """The classes under test; a test that breaks a law on purpose replaces one."""

    intake: type[Intake] = Intake
    delivery: type[Delivery] = Delivery
    schedule: type[Schedule] = Schedule
    ids: type[TimeIds] = TimeIds


@dataclass
class Report:
    """What one seed came to."""

    seed: int
    broken: list[str]
    crashes: int = 0
    updates: int = 0
    arrivals: int = 0
    repeats: int = 0
    virtual_s: float = 0.0
    trace: list[str] = field(default_factory=list)


class SimDice:
    """Repeatable secrets."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"{seed}:dice")

    def token(self) -> str:
        return f"{self._random.getrandbits(256):x}"

    def digits(self, count: int) -> str:
        return f"{self._random.randrange(10**count):0{count}d}"


class Life:
    """One run of the program, from its start to its death."""

    def __init__(self, town: Town, number: int) -> None:
        self.town = town
        self.number = number
        self.chaos = town.chaos
        self.dead = False
        self.stopping = False
        self.over: asyncio.Future[str] = town.loop.create_future()
        self.database: SimDatabase | None = None
        self.intake: Intake | None = None
        self.delivery: Delivery | None = None
        self.channel: SimChannel | None = None

    def point(self, name: str) -> None:
        """A place where the program may die."""
        if not self.dead and self.chaos.hits(name):
            self.die(name)
        if self.dead:
            raise Crashed(name)

    def turn(self) -> None:
        """Another turn of the loop, the finest grain of all."""
        if not self.dead and self.chaos.hits("await"):
            self.die("await")

    def die(self, where: str) -> None:
        """From now on nothing of this life reaches the outside."""
        self.dead = True
        if not self.over.done():
            self.over.set_result(where)

    async def serve(self) -> None:
        """Put the program together as bot/app.py does, and run it."""
        town, parts = self.town, self.town.parts
        database = self.database = SimDatabase(town.path, self)
        db: Database = database
        clock = town
        while True:
            try:
                ids = parts.ids(clock, after=await db.read(inbox.last_id))
                deferred = await db.read(inbox.deferred)
                break
            except Unavailable:
                await asyncio.sleep(1)  # a person starts it again
        channel = self.channel = SimChannel(town.platform, self, town.now_ms)
        channels: Mapping[str, Any] = {NAME: channel}
        flood = FloodGate(0)
        for row in deferred:
            flood.resume(row["address"], row["due_ms"])
        delivery = self.delivery = parts.delivery(db, channels, clock=clock)
        shared: dict[str, Any] = {"clock": clock, "ids": ids, "dice": town.dice, "deliver": delivery.offer}
        self.intake = parts.intake(db, town.play.product, channels, town.play.catalogues, flood=flood, **shared)
        schedule = parts.schedule(
            db, town.play.product, town.play.catalogues, errands=town.play.errands, calm=self.intake.calm, **shared
        )
        tasks = [self._spawn("delivery", delivery.run()), self._spawn("intake", self.intake.run())]
        tasks.append(self._spawn("timers", self._tick(schedule, schedule.run_due, TICK_S)))
        tasks.append(self._spawn("plans", self._tick(schedule, schedule.plan, PLAN_S)))
        await channel.start(self.intake.accept)
        await asyncio.wait(tasks)

    def _spawn(self, name: str, running: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(running)
        task.add_done_callback(lambda done: self._ended(name, done))
        return task

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if not (self.dead or self.stopping or task.cancelled()):
            self.town.blame(f"{name} has ended: {task.exception()!r}")

    @staticmethod
    async def _tick(schedule: Schedule, job: Callable[[], Any], every_s: float) -> None:
        while True:
            await schedule._guarded(job)
            await asyncio.sleep(every_s)


class Town:
    """Everything around the program."""

    def __init__(
        self, seed: int, path: Path, loop: SimLoop, parts: Parts, make_play: Callable[[int, Chaos], Play], trace: bool
    ) -> None:
        self.seed = seed
        self.path = path
        self.loop = loop
        self.parts = parts
        self.chaos = Chaos(seed)
        self.dice = SimDice(seed)
        self.broken: list[str] = []
        self.trace: list[str] = []
        self._tracing = trace
        self.offset_ms = 0
        self.platform = Platform(self.chaos, self.blame, self.note, self.put_off)
        self.watch = Watch(self.platform)
        self.play = make_play(seed, self.chaos)
        path.write_bytes(self.play.database())
        self.call_later = loop.call_later
        self.satisfied: asyncio.Future[None] = loop.create_future()
        self.users: list[User] = []
        self.users = self.play.people(self)
        for user in self.users:
            user.others = [other for other in self.users if other is not user]
            self.platform.listeners[user.address] = user.hears
        self.crashes = 0
        self.life: Life | None = None

    # -- what the program sees of the world

    def now_ms(self) -> int:
        """The clock on the wall; it leaps when the machine was suspended or set."""
        return START_MS + self.offset_ms + int(self.loop.now_s * 1000)

    # -- keeping book

    def note(self, what: str, /, **fields: Any) -> None:
        """A line of the trace."""
        if self._tracing:
            told = " ".join(f"{name}={value!r}" for name, value in fields.items())
            self.trace.append(f"{self.loop.now_s:10.4f} {what} {told}")

    def blame(self, what: str) -> None:
        """A promise was broken: the seed has failed."""
        self.note("BROKEN", why=what)
        self.broken.append(what)
        if self.life is not None:
            self.life.die("broken")

    def put_off(self, letter_id: int) -> bool:
        """Whether a message was written to be sent later: it has no place in the order of the others."""
        row = self._raw().execute("SELECT due_ms > created_ms FROM outbox WHERE id = ?", (letter_id,)).fetchone()
        return bool(row[0])

    def _raw(self) -> sqlite3.Connection:
        assert self.life is not None and self.life.database is not None
        return self.life.database.raw

    def logged(self, logger: Any, method: str, event: dict[str, Any]) -> Any:
        """A line of the program's log. A logged exception that was not injected is a defect."""
        error = sys.exc_info()[1]
        self.note("log", event=event.get("event"), error=error)
        if method in ("error", "critical", "exception") and error is not None and not expected(error):
            self.blame(f"{event.get('event')}: {error!r}")
        raise structlog.DropEvent

    def lost(self, loop: Any, context: dict[str, Any]) -> None:
        """An exception that nobody caught."""
        error = context.get("exception")
        if not isinstance(error, (Crashed, asyncio.CancelledError)) and not (self.life and self.life.dead):
            self.blame(f"uncaught: {context.get('message')} {error!r}")

    def content(self) -> None:
        """Somebody has everything; perhaps everybody."""
        if not self.satisfied.done() and all(user.wish is None for user in self.users):
            self.satisfied.set_result(None)

    # -- the course of a seed

    async def run(self) -> None:
        """Lives and deaths, then calm, then the last look."""
        for user in self.users:
            user.start()
        self.loop.call_later(5, self._leap)
        while not self.broken and self.chaos.crashes_left > 0 and not self.satisfied.done():
            await self._one_life()
        if not self.broken:
            await self._calm()

    def _leap(self) -> None:
        """Now and then the wall clock jumps while the program runs."""
        if self.chaos.calm:
            return
        if self.chaos.dice.random() < 0.3:
            self.offset_ms += self.chaos.dice.choice(LEAPS_MS)
            self.note("leap", now_ms=self.now_ms())
        self.loop.call_later(self.chaos.dice.choice((2, 10, 30)), self._leap)

    async def _begin(self) -> Life:
        self.crashes += 1
        self.chaos.arm()
        life = self.life = Life(self, self.crashes)
        self.loop.on_turn = life.turn
        self.note("life", number=life.number)
        self._serving = asyncio.ensure_future(life.serve())
        self._serving.add_done_callback(lambda done: done.cancelled() or done.exception())
        return life

    async def _one_life(self) -> None:
        life = await self._begin()
        await asyncio.wait({life.over, self.satisfied}, timeout=LIFE_S, return_when=asyncio.FIRST_COMPLETED)
        if not life.over.done():
            self.chaos.crashes_left -= 1
        await self._end(life)
        downtime_s = self.chaos.dice.choice((0.01, 0.5, 3, 3))
        if self.chaos.dice.random() < 0.2:
            self.offset_ms += self.chaos.dice.choice((*LEAPS_MS, -2_000, -60_000, -600_000, 3 * 86_400_000))
            self.note("clock set", now_ms=self.now_ms())
        await asyncio.sleep(downtime_s)

    async def _end(self, life: Life) -> None:
        """Abandon everything of a life: its tasks may unwind, but nothing they do counts."""
        life.die("end")
        self.note("dies", where=life.over.result())
        self.loop.on_turn = None
        me = asyncio.current_task()
        while tasks := [task for task in asyncio.all_tasks() if task is not me]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self.platform.carried.clear()
        self.platform.news = asyncio.Event()
        if life.database is not None:
            await life.database.close()
        self.look()

    def look(self, end: bool = False) -> None:
        """Check what must hold."""
        connection = connect(self.path, synchronous="OFF")
        try:
            found = list(self.play.always(connection))
            if end:
                found += self.watch.at_the_end(connection, self.now_ms())
                found += self.play.at_the_end(connection, self, self.now_ms())
            else:
                found += self.watch.always(connection)
        finally:
            connection.close()
        for one in found:
            self.blame(one)

    async def _calm(self) -> None:
        """No more faults: everybody gets what they want, and everything drains."""
        self.chaos.calm = True
        self.offset_ms += 6_000_000  # past everything that was planned before the clock was set back
        for user in self.users:
            user.calm = True
            user.start()
        life = await self._begin()
        await asyncio.wait({life.over, self.satisfied}, timeout=CALM_S, return_when=asyncio.FIRST_COMPLETED)
        if not self.broken and not self.satisfied.done():
            stuck = {user.address: user.wish.token for user in self.users if user.wish}
            self.blame(f"stuck: {stuck}")
        for _ in range(100):
            await asyncio.sleep(6)
            if self.broken or self._drained():
                break
        await self._stop(life)
        if not self.broken:
            self.look(end=True)

    def _drained(self) -> bool:
        left = (
            self._raw()
            .execute(
                "SELECT (SELECT COUNT(*) FROM inbox WHERE state = 'new')"
                " + (SELECT COUNT(*) FROM outbox WHERE state = 'due' AND due_ms <= :now)"
                " + (SELECT COUNT(*) FROM timers WHERE state = 'due' AND fire_ms <= :now + 5000)",
                {"now": self.now_ms()},
            )
            .fetchone()[0]
        )
        return self.platform.quiet and left == 0

    async def _stop(self, life: Life) -> None:
        """A clean stop, as bot/app.py does it."""
        if not life.dead and life.channel and life.intake and life.delivery:
            life.stopping = True
            await life.channel.stop()
            life.intake.stop()
            life.delivery.stop()
            await asyncio.sleep(3)
        await self._end(life)


def expected(error: BaseException) -> bool:
    """Whether an exception was made by the simulator itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (DiskTrouble, Defect, Crashed)):
            return True
        cause = cause.__cause__
    return type(error).__module__ == "orjson" or isinstance(error, UnicodeDecodeError)


@contextmanager
def quiet_log(town: Town) -> Iterator[None]:
    """The program's log goes to the town."""
    before = structlog.get_config()
    structlog.configure(processors=[town.logged], logger_factory=structlog.ReturnLoggerFactory())
    try:
        yield
    finally:
        structlog.configure(**before)


def run_seed(
    seed: int, *, parts: Parts | None = None, play: Callable[[int, Chaos], Play] = SimPlay, trace: bool = False
) -> Report:
    """Play one seed to its end."""
    folder = Path(mkdtemp(prefix="sim", dir=SCRATCH))
    loop = SimLoop()
    try:
        path = folder / "town.db"
        town = Town(seed, path, loop, parts or Parts(), play, trace)
        loop.set_exception_handler(town.lost)
        with quiet_log(town):
            try:
                loop.run_until_complete(town.run())
            except NothingLeft:
                town.blame("everything waits for ever")
        return Report(
            seed,
            town.broken,
            town.crashes,
            town.platform.told,
            len(town.platform.sent),
            town.platform.repeats,
            loop.now_s,
            town.trace,
        )
    finally:
        loop.close()
        shutil.rmtree(folder)
