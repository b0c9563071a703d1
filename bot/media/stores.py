"""The photos and videos of every township: one shelf, a store for each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from bot.clock import Clock, Dice
from bot.errors import RetryLater
from bot.media.earlier import EarlierPhotos
from bot.media.files import sweep
from bot.media.shelf import Away, FolderShelf, Shelf
from bot.media.store import MediaStore
from bot.settings import Settings
from bot.troubles import Troubles
from storage.database import Database, Unavailable
from storage.machine import townships
from storage.machine.media import MediaLimits

PART = "media"
PROBE_S = 15.0
AGAIN_S = 600.0
log = structlog.get_logger()


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
        self._shelf = shelf
        self._database = database
        self._clock = clock
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

    async def seal_earlier(self) -> None:
        """Seal what a version that did not has stored, in every township; again later where something is away."""
        if self._database.vault is None:
            return
        left: list[int] | None = None
        while left is None or left:
            try:
                await asyncio.to_thread(sweep, self._shelf.waiting)
                left = list(await self._database.read(townships.every_id)) if left is None else left
                while left:
                    await EarlierPhotos(self._shelf, self._database, left[0]).seal(self._clock.now_ms())
                    left.pop(0)
            except (RetryLater, Unavailable) as error:
                log.warning("media.earlier_left", error=str(error))
                await asyncio.sleep(AGAIN_S)

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
