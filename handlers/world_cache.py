"""Keeps the loaded world of each township, and loads it anew when an import has changed something."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from handlers.areas.actions import load_gazetteer
from handlers.policy.actions import load_policies, read_calendar
from handlers.registry import DECLARED
from handlers.world import World
from storage.database import Tx
from storage.machine.media import MediaLimits
from storage.product import areas


class Worlds:
    """One cached world for each township."""

    def __init__(self, zone: ZoneInfo, public_url: str, robots: Mapping[int, Collection[str]] | None = None) -> None:
        """`robots`: township → the codes of the areas whose WeCom groups have one."""
        self._zone = zone
        self._public_url = public_url
        self._robots = robots or {}
        self._telegram_names: dict[int, str] = {}
        self._loaded: dict[int, World] = {}

    def name_telegram_bot(self, township_id: int, username: str) -> None:
        """The name of a township's bot is known now: invitations link to it too."""
        self._telegram_names[township_id] = username
        self._loaded.pop(township_id, None)

    def media_limits(self, township_id: int) -> MediaLimits:
        """How large a photo or video may be, by the policy that was in force when it was looked at last."""
        known = self._loaded.get(township_id)
        if known is None:
            return MediaLimits()
        limits = known.policy.limits
        return MediaLimits(limits.photo_bytes_largest, limits.photo_pixels_largest, limits.video_bytes_largest)

    async def load(self, tx: Tx, now_ms: int) -> World:
        """The world at `now_ms`; raises LookupError when nothing was imported yet."""
        known = self._loaded.get(tx.township_id)
        if known is None or known.places.stamp != await areas.stamp(tx):
            known = await self._read(tx, now_ms)
        current = known.policies.at(now_ms)
        if current is not known.current:
            known = replace(known, current=current)
        self._loaded[tx.township_id] = known
        return known

    async def _read(self, tx: Tx, now_ms: int) -> World:
        township = await areas.township(tx)
        if township is None:
            raise LookupError("no township has been imported: run `python -m bot import FOLDER`")
        policies = await load_policies(tx)
        places = await load_gazetteer(tx)
        current = policies.at(now_ms)
        telegram_name = self._telegram_names.get(tx.township_id, "")
        codes = self._robots.get(tx.township_id, ())
        return World(
            township["code"],
            township["name"],
            self._zone,
            self._public_url,
            telegram_name,
            places,
            policies,
            current,
            {area.area_id: f"wecom:{area.code}" for area in places.areas.values() if area.code in codes},
            DECLARED,
            await read_calendar(tx),
        )
