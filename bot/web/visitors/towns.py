"""Which townships a deployment has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.clock import Clock
from storage.database import Database
from storage.machine import townships

FRESH_MS = 5_000
TOWN_HEADER = "x-jingxiang-township"


@dataclass(frozen=True, slots=True)
class TownshipName:
    """A township of the deployment."""

    id: int
    code: str
    name: str
    county: str


class Towns:
    """The townships, read at most once in FRESH_MS."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: Sequence[TownshipName] = ()
        self._read_ms = -FRESH_MS

    async def every(self) -> Sequence[TownshipName]:
        """All of them, in order."""
        now_ms = self._clock.now_ms()
        if not 0 <= now_ms - self._read_ms < FRESH_MS:
            rows = await self._database.read(townships.every_name)
            self._known = [TownshipName(row["township_id"], row["code"], row["name"], row["county"]) for row in rows]
            self._read_ms = now_ms
        return self._known

    async def named(self, code: str) -> TownshipName | None:
        """The township of that code; where there is only one, that one, whatever the code."""
        known = await self.every()
        return known[0] if len(known) == 1 else next((town for town in known if town.code == code), None)
