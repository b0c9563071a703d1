"""The photos and videos of every township: one shelf, a store for each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import Clock, Dice
from bot.media.shelf import Away, FolderShelf, Shelf
from bot.media.store import MediaStore
from bot.settings import Settings
from bot.troubles import Troubles
from storage.database import Database
from storage.machine.media import MediaLimits

PART = "media"
PROBE_S = 15.0


def open_shelf(settings: Settings, clock: Clock | None = None) -> Shelf:
    """The store that the settings name; nothing is asked of it yet."""
    if not settings.media_url:
        return FolderShelf(settings.data_dir / "media", clock)
    from bot.media.shelf_s3 import S3Shelf

    return S3Shelf(settings)


class MediaStores:
    """Makes a township's store when it is first asked for; `limits` tells how large its photos may be."""

    def __init__(
        self,
        shelf: Shelf,
        database: Database,
        *,
        clock: Clock,
        dice: Dice,
        zone: ZoneInfo,
        limits: Callable[[int], MediaLimits],
        troubles: Troubles | None = None,
    ) -> None:
        self._troubles = troubles or Troubles(clock)
        self._failed = asyncio.Event()
        shelf.tell = self._hear
        self.link_origin = shelf.origin
        self._shelf = shelf
        self._database = database
        self._parts: dict[str, Any] = {"clock": clock, "dice": dice, "zone": zone}
        self._limits = limits
        self._stores: dict[int, MediaStore] = {}

    def _hear(self, error: Away | None) -> None:
        """How reaching the shelf went."""
        if error is None:
            self._troubles.works(PART)
        else:
            self._troubles.failed(PART, error.trouble, said=error.reason)
            self._failed.set()

    async def keep_probing(self) -> None:
        """See whether the shelf takes files, now and while it has failed to, until cancelled."""
        while True:
            self._failed.clear()
            with contextlib.suppress(Away, FileNotFoundError):
                await self._shelf.probe()
            if self._failed.is_set():
                await asyncio.sleep(PROBE_S)
            else:
                await self._failed.wait()

    def of(self, township_id: int) -> MediaStore:
        """A township's store."""
        store = self._stores.get(township_id)
        if store is None:
            limits = partial(self._limits, township_id)
            store = MediaStore(self._shelf, self._database, limits=limits, township_id=township_id, **self._parts)
            self._stores[township_id] = store
        return store

    async def fetch_errand(self, township_id: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Errand `media.fetch` of a township."""
        return await self.of(township_id).fetch_errand(payload)

    async def erase_errand(self, township_id: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Errand `media.erase` of a township."""
        return await self.of(township_id).erase_errand(payload)
