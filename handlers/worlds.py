"""Keeps the loaded world, and loads it anew when an import has changed the township's row."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from handlers.areas.index import Gazetteer
from handlers.policy.loader import load_versions
from handlers.world import World
from storage import areas
from storage.database import Tx


class Worlds:
    """One cached world for each township."""

    def __init__(self, zone: ZoneInfo, public_url: str) -> None:
        self._zone = zone
        self._public_url = public_url
        self._loaded: dict[int, tuple[int, World]] = {}

    async def load(self, tx: Tx, now_ms: int) -> World:
        """The world at `now_ms`; raises LookupError when nothing was imported yet."""
        changed_ms = await areas.changed_ms(tx)
        if changed_ms is None:
            raise LookupError("no township has been imported: run `python -m bot import FOLDER`")
        known = self._loaded.get(tx.township_id)
        if known is None or known[0] != changed_ms:
            known = (changed_ms, await self._read(tx, now_ms))
            self._loaded[tx.township_id] = known
        world = known[1]
        current = world.policy_at(now_ms)
        if current is world.current:
            return world
        world = replace(world, current=current)
        self._loaded[tx.township_id] = (changed_ms, world)
        return world

    async def _read(self, tx: Tx, now_ms: int) -> World:
        places = await Gazetteer.load(tx)
        versions = await load_versions(tx, self._zone)
        world = World(places.name, self._zone, self._public_url, places, versions, versions[0])
        return replace(world, current=world.policy_at(now_ms))
