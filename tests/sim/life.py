"""The program from a start to its death, put together as bot/app.py does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.clock import Dice, TimeIds
from bot.delivery import Delivery
from bot.flood import FloodGate
from bot.intake import Intake
from bot.schedule import PLAN_S, TICK_S, Schedule
from storage import inbox
from storage.database import Database, Unavailable
from tests.sim.database import SimDatabase
from tests.sim.faults import Chaos, Crashed
from tests.sim.loop import SimLoop
from tests.sim.platform import NAME, Platform, SimChannel
from tests.sim.play import Play


class World(Protocol):
    """What a life needs of the town around it."""

    loop: SimLoop
    path: Path
    parts: Parts
    chaos: Chaos
    dice: Dice
    play: Play
    platform: Platform

    def now_ms(self) -> int:
        """The clock on the wall."""
        ...

    def blame(self, what: str) -> None:
        """A promise was broken."""
        ...


@dataclass
class Parts:
    """The classes under test; a test that breaks a law on purpose replaces one."""

    intake: type[Intake] = Intake
    delivery: type[Delivery] = Delivery
    schedule: type[Schedule] = Schedule
    ids: type[TimeIds] = TimeIds


class Life:
    """One run of the program, from its start to its death."""

    def __init__(self, town: World, number: int) -> None:
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
