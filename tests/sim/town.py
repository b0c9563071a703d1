"""One seed: a town of a few people, the program in several lives, and what must hold between and after them."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import structlog

from bot.clock import Dice
from storage.sqlite import connect
from tests.sim.faults import Chaos, Crashed, DiskTrouble
from tests.sim.invariants import Watch
from tests.sim.life import Life, Parts
from tests.sim.loop import NothingLeft, SimLoop
from tests.sim.platform import Platform
from tests.sim.play import SCRATCH, START_MS, Play, SimPlay
from tests.sim.product import Defect
from tests.sim.users import User

LIFE_S = 120.0
CALM_S = 1_200.0
LEAPS_MS = (30_000, 3_600_000, 13 * 3_600_000, 30 * 3_600_000)


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
        self.broken: list[str] = []
        self.trace: list[str] = []
        self._tracing = trace
        self.offset_ms = 0
        self.platform = Platform(self.chaos, self.blame, self.note, self.put_off)
        self.watch = Watch(self.platform)
        self.play = make_play(seed, self.chaos)
        path.write_bytes(self.play.database())
        self.call_later: Callable[..., Any] = loop.call_later
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
        await self._satisfied_or_over(life, LIFE_S)
        if not life.over.done():
            self.chaos.crashes_left -= 1
        await self._end(life)
        downtime_s = self.chaos.dice.choice((0.01, 0.5, 3, 3))
        if self.chaos.dice.random() < 0.2:
            self.offset_ms += self.chaos.dice.choice((*LEAPS_MS, -2_000, -60_000, -600_000, 3 * 86_400_000))
            self.note("clock set", now_ms=self.now_ms())
        await asyncio.sleep(downtime_s)

    async def _satisfied_or_over(self, life: Life, timeout_s: float) -> None:
        ends: set[asyncio.Future[Any]] = {life.over, self.satisfied}
        await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)

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
        await self._satisfied_or_over(life, CALM_S)
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
