"""A photo or video on its way into the store: limited, checked, copied for viewing, sealed."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from functools import partial
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.media import videos
from bot.media.files import Incoming, NoRoom, Stored, keep, sweep
from bot.media.order import Order
from bot.media.pictures import UnusableFile, kind_by_content
from bot.media.sealed import SealedFiles, discard
from bot.media.shelf import Complete, Shelf
from storage.machine.media import MediaLimits
from storage.photos.compared import looks_alike
from storage.photos.following import Followed

BLOCK_BYTES = 256 * 1024
HEAD_BYTES = 64


class Reception:
    """Takes the files of a township in, one picture in memory at a time."""

    def __init__(
        self,
        shelf: Shelf,
        files: SealedFiles,
        clock: Clock,
        zone: ZoneInfo,
        limits: Callable[[], MediaLimits],
        township_id: int,
    ) -> None:
        self._shelf = shelf
        self._files = files
        self._clock = clock
        self._zone = zone
        self._limits = limits
        self._township_id = township_id
        self.order = Order()
        self._swept = False

    async def receive(
        self, chunks: AsyncIterator[bytes], row_ms: int, whose: str, known: bool, follows: Followed | None = None
    ) -> Stored:
        """Write a stream of somebody to the store, for a row of that moment; it waits behind those who are `known`.
        An original that `follows` a smaller photo waits behind all others, and gets a copy in full size.

        Raises UnusableFile, NoRoom or RetryLater.
        """
        waiting = self._shelf.waiting
        if not self._swept:
            self._swept = True
            await asyncio.to_thread(sweep, waiting)
        try:
            incoming, sealed = await asyncio.to_thread(Incoming, waiting), list[Complete]()
            try:
                await self._copy(chunks, incoming)
                full = follows is not None
                async with self.order.turn(whose, known=known, last=full):
                    finish = partial(incoming.finish, self._township_id, self._zone, self._limits().photo_px, full=full)
                    stored, plain = await asyncio.to_thread(finish)
                    if follows is not None and not _is_the_same(follows, stored):
                        raise UnusableFile("other_picture")
                    sealed = await self._files.seal(plain, max(row_ms, self._clock.now_ms()))
                    del plain  # so that no more than one is in memory, however long the store takes
                await keep(self._shelf, sealed)
                return stored
            finally:
                await asyncio.to_thread(incoming.discard)
                await asyncio.to_thread(discard, sealed)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoom from None
            raise

    async def _copy(self, chunks: AsyncIterator[bytes], incoming: Incoming) -> None:
        block, size_bytes, head, limits = bytearray(), 0, b"", self._limits()
        async for chunk in chunks:
            block += chunk
            size_bytes += len(chunk)
            if len(head) < HEAD_BYTES:
                head += chunk[: HEAD_BYTES - len(head)]
            if size_bytes > min(limits.photo_bytes, limits.video_bytes):
                video = kind_by_content(head) in videos.MIMES
                if size_bytes > _bytes_largest(limits, video):
                    raise UnusableFile(too_large(video))
            if len(block) >= BLOCK_BYTES:
                await asyncio.to_thread(incoming.write, bytes(block))
                block.clear()
        await asyncio.to_thread(incoming.write, bytes(block))


def _is_the_same(photo: Followed, original: Stored) -> bool:
    """Whether a file is what a photo was made of: no smaller, and alike where there is anything to see."""
    facts = original.facts
    if facts.kind != "image" or sorted((facts.width_px or 0, facts.height_px or 0)) < sorted(photo.sides_px):
        return False
    if (facts.likeness is None) != (photo.likeness is None):
        return False
    return photo.likeness is None or facts.likeness is None or looks_alike(photo.likeness, facts.likeness)


def _bytes_largest(limits: MediaLimits, video: bool) -> int:
    return limits.video_bytes if video else limits.photo_bytes


def too_large(video: bool) -> str:
    """The code of a photo or a video that is larger than the policy allows."""
    return "video_too_large" if video else "too_large"
