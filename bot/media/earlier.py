"""Photos of a version that did not seal them: sealed in the background, one after the other, killable anywhere.

A photo's copies are replaced first and the original last, each at once: an original that is sealed has sealed copies,
and whoever looks meanwhile sees the one or the other.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from bot.media.files import keep
from bot.media.sealed import Plain, SealedFiles, discard
from bot.media.shelf import Complete, Shelf, StoredFile, copies, key_of
from storage.database import Database
from storage.walks import set_through, through

EARLIER = "seal.files"
SHARES = 256  # of all files, by the first byte of their names
ORIGINAL = re.compile(r"(?:t\d+/)?[0-9a-f]{2}/[0-9a-f]{62}")


class EarlierPhotos:
    """The photos of a township that lie in the store as they came."""

    def __init__(self, shelf: Shelf, database: Database, township_id: int) -> None:
        self._shelf = shelf
        self._database = database
        self._township_id = township_id
        self._files = SealedFiles(shelf, database, township_id)

    async def seal(self, now_ms: int) -> None:
        """Seal them all under today's key, whatever their age: a photo that comes again while this goes on is never
        under an older one. Raises RetryLater and Unavailable; then what is left is done by the next call.
        """
        if await self._database.read(partial(through, what=EARLIER), township_id=self._township_id):
            return
        for share in range(SHARES):
            folder = key_of(f"{share:02x}", self._township_id).rstrip("/")
            found = {key: one async for key, one in self._shelf.under(folder)}
            for key in sorted(found):
                if ORIGINAL.fullmatch(key):
                    await self._photo(key, found, now_ms)
        await self._database.transaction(partial(set_through, what=EARLIER, last_id=1), township_id=self._township_id)

    async def _photo(self, key: str, found: Mapping[str, StoredFile], now_ms: int) -> None:
        """Seal a photo with its copies, also one that no row names: this is no place to throw anything away."""
        with suppress(FileNotFoundError):  # erased since it was listed
            if not await self._files.is_sealed(key, found[key].size_bytes):
                await self._seal([name for name in (*copies(key), key) if name in found], found, now_ms)

    async def _seal(self, names: list[str], found: Mapping[str, StoredFile], now_ms: int) -> None:
        self._shelf.waiting.mkdir(parents=True, exist_ok=True)
        sealed: list[Complete] = []
        try:
            for name in names:
                if not await self._files.is_sealed(name, found[name].size_bytes):
                    content = b"".join([piece async for piece in self._shelf.read(name)])
                    sealed += await self._files.seal([Plain(name, content, "")], now_ms)
            await keep(self._shelf, sealed)
        finally:
            await asyncio.to_thread(discard, sealed)
