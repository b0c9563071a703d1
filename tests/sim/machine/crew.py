"""The workers of a town: each machine runs one life after the other, side by side with the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.sim.faults import ALL
from tests.sim.machine.life import Life

if TYPE_CHECKING:
    from tests.sim.town import Town

LIFE_S = 120.0
START_S = 300.0  # all are at work by then
SET_BACK_MS = (30_000, 3_600_000, 13 * 3_600_000, 30 * 3_600_000, -2_000, -60_000, -600_000, 3 * 86_400_000)


class Crew:
    """Who is at work now."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._chaos = town.chaos
        self.lives: list[Life] = []
        self.begun = 0
        slots = range(len(town.chaos.weather.workers))
        self._wanted: list[asyncio.Event] = [asyncio.Event() for _ in slots]  # a clean stop, please

    def _begin(self, slot: int) -> Life:
        self.begun += 1
        skew_ms = self._chaos.weather.skew_ms if slot else 0
        life = Life(self._town, self.begun, slot, self._chaos.dice.choice((-skew_ms, 0, skew_ms)))
        self.lives.append(life)
        self._town.note("life", number=life.number, slot=slot, skew_ms=life.skew_ms, parts=sorted(life.parts))
        life.begin()
        return life

    async def _end(self, life: Life) -> None:
        await life.end()
        self._town.note("ended", number=life.number, where=life.over.result())
        self.lives.remove(life)
        if not self._town.broken:
            self._town.look(at_rest=not self.lives)

    # -- while things go wrong

    async def live(self) -> None:
        """Until everything that was to go wrong did, or everybody has what they want."""
        town = self._town
        town.loop.on_turn = self._turn
        slots = [asyncio.ensure_future(self._slot(slot)) for slot in range(len(self._wanted))]
        slots.append(asyncio.ensure_future(self._stop_in_turn()))
        ends: set[asyncio.Future[Any]] = {town.failed, town.satisfied, *slots}
        while self._chaos.crashes_left > 0:
            done, _ = await asyncio.wait(ends, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            if done:
                break
        for slot in slots:
            slot.cancel()
        for result in await asyncio.gather(*slots, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        for life in tuple(self.lives):
            of_no_use = life.dead or life.stopping or town.broken or self._chaos.alone
            if of_no_use or self._chaos.dice.random() < 0.5:
                await self._end(life)

    def _turn(self) -> None:
        for life in tuple(self.lives):
            life.turn()

    async def _slot(self, slot: int) -> None:
        dice = self._chaos.dice
        while True:
            life = self._begin(slot)
            wanted = asyncio.ensure_future(self._wanted[slot].wait())
            try:
                ends: set[asyncio.Future[Any]] = {life.over, wanted}
                await asyncio.wait(ends, timeout=LIFE_S, return_when=asyncio.FIRST_COMPLETED)
            finally:
                wanted.cancel()
            if not life.over.done() and wanted.done():
                await life.stop()
                self._wanted[slot].clear()
            elif not life.over.done():
                self._chaos.crashes_left -= 1
            await self._end(life)
            if self._chaos.alone and dice.random() < 0.2:
                self._town.offset_ms += dice.choice(SET_BACK_MS)
                self._town.note("clock set", now_ms=self._town.now_ms())
            await asyncio.sleep(dice.choice((0.01, 0.5, 3, 3)))

    async def _stop_in_turn(self) -> None:
        """A rolling restart: one after the other is stopped and started again."""
        dice = self._chaos.dice
        while True:
            await asyncio.sleep(dice.choice((4, 10, 30)))
            if not self._chaos.weather.stops:
                continue
            for wanted in self._wanted:
                wanted.set()
                await asyncio.sleep(dice.choice((1, 5)))

    # -- when all is calm

    async def grow_calm(self) -> None:
        """Everybody is at work; one of several that can do everything dies for good, and the others take over."""
        here = {life.slot for life in self.lives}
        for life in self.lives:
            life.thaw()
        for slot in range(len(self._wanted)):
            if slot not in here:
                self._begin(slot)
        await self._all_serve()
        able = [life for life in self.lives if life.parts >= ALL]
        if len(able) > 1 and not self._town.broken:
            await asyncio.sleep(self._chaos.dice.choice((0.5, 3, 6)))
            await self._end(self._chaos.dice.choice(able))

    async def _all_serve(self) -> None:
        """Wait for the starts; one that the database was away from is made again, as the service manager does."""
        until_s = self._town.loop.now_s + START_S
        while starting := [life for life in self.lives if not life.serves.done()]:
            if self._town.loop.now_s >= until_s:
                self._town.blame(f"never began to serve: {[life.number for life in starting]}")
                break
            ends: set[asyncio.Future[Any]] = {end for life in starting for end in (life.serves, life.over)}
            await asyncio.wait(ends, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
            for life in starting:
                if life.over.done():
                    await self._end(life)
                    self._begin(life.slot)

    async def stop(self) -> None:
        """A clean end."""
        for life in tuple(self.lives):
            await life.stop()
            await self._end(life)
