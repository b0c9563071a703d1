"""One seed: a town of a few people, its workers in their lives, and what must hold meanwhile and at the end."""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest import mock

import structlog

from bot.clock import Dice
from bot.incoming import intake
from bot.outgoing import delivery
from storage.engine.sqlite import connect
from tests.sim.chat.platform import Platform
from tests.sim.chat.users import User
from tests.sim.faults import Chaos, Conflict, Crashed, DiskTrouble
from tests.sim.invariants import Watch
from tests.sim.machine.crew import Crew
from tests.sim.machine.life import Life, Parts
from tests.sim.machine.loop import NothingLeft, SimLoop
from tests.sim.machine.server import NOBODY, Server
from tests.sim.play import SCRATCH, START_MS, Play
from tests.sim.plays.own import SimPlay
from tests.sim.plays.product import Defect
from tests.sim.sealed import opened

CALM_S = 1_200.0
LEAPS_MS = (30_000, 3_600_000, 13 * 3_600_000, 30 * 3_600_000, -2_000, -600_000)
LOOK_S = 7.0
SETTLES_S = 10.0  # after the last death, until everything goes on at its usual pace
IDLE_S = 15


@dataclass
class Report:
    """What one seed came to."""

    seed: int
    broken: list[str]
    workers: int = 1
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


@dataclass
class Side:
    """One township: its platform, its people, its laws."""

    seed: int
    township_id: int
    chaos: Chaos
    platform: Platform
    watch: Watch
    path: Path
    call_later: Callable[..., Any]
    content: Callable[[], None]
    users: list[User] = field(default_factory=list)

    def settle_in(self, play: Play) -> None:
        """The people arrive."""
        self.users = play.people(self)
        for user in self.users:
            user.others = [other for other in self.users if other is not user]
            self.platform.listeners[user.address] = user.hears


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
        self.dice: Dice = SimDice(seed)
        self.server = Server(self.chaos)
        self.broken: list[str] = []
        self.trace: list[str] = []
        self._tracing = trace
        self.offset_ms = 0
        self.play = make_play(seed, self.chaos)
        path.write_bytes(self.play.database())
        self.eye = connect(path, synchronous="OFF")
        self.satisfied: asyncio.Future[None] = loop.create_future()
        self.failed: asyncio.Future[None] = loop.create_future()
        self.sides = [self._side(at + 1) for at in range(self.chaos.weather.townships)]
        self.platforms = {side.township_id: side.platform for side in self.sides}
        for side in self.sides:
            side.settle_in(self.play)
        self.crew = Crew(self)

    def _side(self, township_id: int) -> Side:
        chat = self.play.chat(township_id)

        def ask(question: str, **of: Any) -> list[Any]:
            return opened(self.eye, self.eye.execute(question, {"t": township_id, **of}).fetchall(), township_id)

        platform = chat.platform(township_id, self.chaos, self.blame, self.note, ask, self.now_ms)
        watch = chat.watch(platform)
        return Side(self.seed, township_id, self.chaos, platform, watch, self.path, self.call_later, self.content)

    @property
    def users(self) -> list[User]:
        """Everybody."""
        return [user for side in self.sides for user in side.users]

    def call_later(self, after_s: float, act: Callable[..., Any], *arguments: Any) -> None:
        """What people do belongs to no worker."""
        self.loop.call_later(after_s, act, *arguments, context=NOBODY)

    def now_ms(self) -> int:
        """The clock on the wall; it leaps when the machine was suspended or set."""
        grain_ms = self.chaos.weather.grain_ms
        return START_MS + self.offset_ms + int(self.loop.now_s * 1000) // grain_ms * grain_ms

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
        if not self.failed.done():
            self.failed.set_result(None)

    def fence(self, township_id: int) -> int:
        """The fencing number by which the township's delivery is held."""
        row = self.eye.execute("SELECT claim FROM deliveries WHERE township_id = ?", (township_id,)).fetchone()
        return int(row[0]) if row else 0

    def suffers(self, life: Life) -> None:
        """A life is over, whatever it had in hand; or the server takes it for dead."""
        for side in self.sides:
            side.platform.incidents.append((self.loop.now_s, life.number))
            for one in side.watch.to_repeat(self.eye, life.number):
                self.blame(one)

    def logged(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> Any:
        """A line of the program's log. A logged exception that was not injected is a defect."""
        error = sys.exc_info()[1]
        self.note("log", event=event.get("event"), error=error)
        if method in ("error", "critical", "exception") and error is not None and not expected(error):
            self.blame(f"{event.get('event')}: {error!r}")
        raise structlog.DropEvent

    def lost(self, loop: Any, context: dict[str, Any]) -> None:
        """An exception that nobody caught."""
        error = context.get("exception")
        task = context.get("task") or context.get("future")
        of_the_living = task is None or any(task in life.tasks for life in self.crew.lives if not life.dead)
        if of_the_living and not isinstance(error, (Crashed, asyncio.CancelledError)):
            self.blame(f"uncaught: {context.get('message')} {error!r}")

    def content(self) -> None:
        """Somebody has everything; perhaps everybody."""
        if not self.satisfied.done() and all(user.wish is None for user in self.users):
            self.satisfied.set_result(None)

    # -- the course of a seed

    async def run(self) -> None:
        """Lives and deaths, then calm, then the last look."""
        pushing = []
        for side in self.sides:
            for user in side.users:
                user.start()
            if self.chaos.weather.pushed:
                pushing += [asyncio.ensure_future(side.platform.push()) for _ in range(self.chaos.weather.connections)]
        pushing.append(asyncio.ensure_future(self._look_again_and_again()))
        self.call_later(5, self._leap)
        await self.crew.live()
        if not self.broken:
            await self._calm()
        for task in pushing:
            task.cancel()
        await asyncio.wait(pushing)

    def _leap(self) -> None:
        """Now and then the wall clock jumps while the program runs."""
        if self.chaos.calm:
            return
        if self.chaos.dice.random() < 0.3:
            self.offset_ms += self.chaos.dice.choice(LEAPS_MS)
            self.note("leap", now_ms=self.now_ms())
        self.call_later(self.chaos.dice.choice((2, 10, 30)), self._leap)

    async def _look_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if self.chaos.calm:
                self._look_for_the_idle()
            else:
                self.look()

    def _look_for_the_idle(self) -> None:
        for side in self.sides:
            if side.platform.prompt:
                for one in side.watch.idle(self.eye, self.now_ms() - IDLE_S * 1000):
                    self.blame(one)

    def look(self, *, at_rest: bool = False, end: bool = False) -> None:
        """Check what must hold. `at_rest`: no worker runs."""
        found: list[str] = []
        for side in self.sides:
            found += self.play.always(self.eye, side.township_id)
            if end:
                found += side.watch.at_the_end(self.eye, self.now_ms())
                found += self.play.at_the_end(self.eye, side, self.now_ms())
            else:
                found += side.watch.always(self.eye)
            if at_rest:
                side.watch.settle(self.eye)
        for one in found:
            self.blame(one)

    async def _calm(self) -> None:
        """No more faults: everybody gets what they want, and everything drains."""
        self.chaos.calm = True
        self.offset_ms += 6_000_000  # past everything that was planned before the clock was set back
        for user in self.users:
            user.calm = True
            user.start()
        await self.crew.grow_calm()
        for side in self.sides if self.chaos.weather.batch_rows > 2 else ():
            self.call_later(SETTLES_S, setattr, side.platform, "prompt", True)
        ends: set[asyncio.Future[Any]] = {self.failed, self.satisfied}
        await asyncio.wait(ends, timeout=CALM_S, return_when=asyncio.FIRST_COMPLETED)
        if not self.broken and not self.satisfied.done():
            stuck = {f"{user.address} {user.platform.township_id}": user.wish.token for user in self.users if user.wish}
            self.blame(f"stuck: {stuck}")
        await self._drain()
        for side in self.sides:
            await side.platform.let_everybody_write()
        await self._drain()
        await self.crew.stop()
        if not self.broken:
            self.look(end=True)

    async def _drain(self) -> None:
        for _ in range(100):
            await asyncio.sleep(6)
            if self.broken or self._drained():
                break

    def _drained(self) -> bool:
        left = self.eye.execute(
            "SELECT (SELECT COUNT(*) FROM inbox WHERE state = 'new')"
            " + (SELECT COUNT(*) FROM outbox WHERE state = 'due' AND due_ms <= :now)"
            " + (SELECT COUNT(*) FROM timers WHERE state = 'due' AND fire_ms <= :now + 5000)",
            {"now": self.now_ms()},
        ).fetchone()[0]
        return left == 0 and all(side.platform.quiet for side in self.sides)


def expected(error: BaseException) -> bool:
    """Whether an exception was made by the simulator itself."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, (DiskTrouble, Conflict, Defect, Crashed)):
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
        town = Town(seed, folder / "town.db", loop, parts or Parts(), play, trace)
        loop.set_exception_handler(town.lost)
        weather = town.chaos.weather
        few = mock.patch.object(intake, "BATCH_ROWS", weather.batch_rows)
        held = mock.patch.object(delivery, "MAX_HELD", weather.most_held)
        with quiet_log(town), few, held, town.play.rules():
            try:
                loop.run_until_complete(town.run())
            except NothingLeft:
                town.blame("everything waits for ever")
        town.eye.close()
        return Report(
            seed,
            town.broken,
            len(town.chaos.weather.workers),
            town.crew.begun,
            sum(side.platform.told for side in town.sides),
            sum(len(side.platform.sent) for side in town.sides),
            sum(side.platform.repeats for side in town.sides),
            loop.now_s,
            town.trace,
        )
    finally:
        loop.close()
        shutil.rmtree(folder)
