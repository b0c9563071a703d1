"""Writes troubles where other processes read them: `doctor`, the digest, other workers' `/health`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from bot.troubles import EVERYWHERE, Trouble, Troubles
from storage.database import Database, Tx, Unavailable
from storage.machine import channel_faults, townships

AGAIN_S = 10.0  # while there is one: another worker may have written that it is over
MOMENT_S = 0.2  # what comes together is written together
log = structlog.get_logger()


class TroubleBook:
    """One process's troubles in the database. A database that is away is tried again, which shows when it is back."""

    def __init__(self, database: Database, troubles: Troubles) -> None:
        self._database = database
        self._troubles = troubles

    async def run(self) -> None:
        """Write down what changes, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._troubles.changed.wait(), AGAIN_S if self._troubles.now() else None)
            await asyncio.sleep(MOMENT_S)
            try:
                await self.write()
            except Unavailable:
                await asyncio.sleep(AGAIN_S)
            except Exception:
                log.exception("troubles.write_failed")
                await asyncio.sleep(AGAIN_S)

    async def write(self) -> None:
        """Write what is new. Raises Unavailable, and forgets nothing then."""
        self._troubles.changed.clear()
        self._troubles.now()  # what has settled is over
        over = self._troubles.take_over()
        try:
            for township_id, standing in (await self._database.read(_standing)).items():
                await self._write_of(township_id, standing, over)
        except BaseException:
            self._troubles.give_back(over)
            self._troubles.changed.set()
            raise

    async def _write_of(self, township_id: int, standing: dict[str, str], over: Sequence[Trouble]) -> None:
        """One township's. A row that stands there from an earlier life is over when its part is seen to work."""
        now = {one.part: one for one in self._troubles.now() if one.township_id in (township_id, EVERYWHERE)}
        begun = [one for part, one in now.items() if standing.get(part) != one.reason]
        ended = {one.part: one for one in over if one.township_id in (township_id, EVERYWHERE)}
        gone = {part for part in standing if part not in now and self._troubles.is_well(part, township_id)}
        if not (begun or ended or gone):
            return

        async def work(tx: Tx) -> None:
            for one in ended.values():
                await channel_faults.over(tx, one.part, one.reason, since_ms=one.since_ms, until_ms=one.until_ms)
            for part in gone - set(ended):
                await channel_faults.put(tx, part, "", now_ms=0)
            for one in begun:
                await channel_faults.put(tx, one.part, one.reason, now_ms=one.since_ms)

        await self._database.transaction(work, township_id=township_id, exclusive=False)


async def _standing(tx: Tx) -> dict[int, dict[str, str]]:
    """What each township's rows say now: part → reason."""
    found: dict[int, dict[str, str]] = {township_id: {} for township_id in await townships.every_id(tx)}
    for row in await channel_faults.of_all(tx):
        found.setdefault(row["township_id"], {})[row["channel"]] = row["fault"]
    return found
