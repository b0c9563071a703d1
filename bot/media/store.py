"""The store of photos and videos: taken in from every channel, checked, copied for viewing, shown to the right people.

A file is complete and durable before the database row that points to it is written. What a photo is, `pictures` tells;
where its files lie, `shelf`; how they come and go, `files`.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import Clock, Dice, SystemClock, SystemDice
from bot.errors import GiveUp, RetryLater
from bot.media import videos
from bot.media.files import FRESH_MS, Incoming, NoRoom, Stored, erase, keep, sweep
from bot.media.order import Order
from bot.media.pictures import VIEW_MIME, UnusableFile, kind_by_content
from bot.media.sealed import SealedFiles
from bot.media.shelf import Away, Shelf, copies, key_of
from storage.database import Database, Row, Tx
from storage.machine import media
from storage.people import retention
from storage.photos import owners, senders

BLOCK_BYTES = 256 * 1024
HEAD_BYTES = 64
AWAY_ERRAND_MS = 600_000
NEW_MS = 86_400_000  # whoever agreed so lately has no history here
Fetcher = Callable[[str], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class ViewingCopy:
    """What to show to someone who may look: the bytes from `read(start, end)`."""

    kind: media.Kind
    mime: str
    size_bytes: int
    read: Callable[[int, int], AsyncIterator[bytes]]


class MediaStore:
    """Takes photos in from every channel and shows them to those with the right.

    `fetchers[channel]` yields the bytes behind a channel's own name of a photo; it raises RetryLater or GiveUp.
    """

    def __init__(
        self,
        shelf: Shelf,
        database: Database,
        *,
        clock: Clock | None = None,
        dice: Dice | None = None,
        zone: ZoneInfo | None = None,
        limits: Callable[[], media.MediaLimits] = media.MediaLimits,
        township_id: int = 1,
    ) -> None:
        self.fetchers: dict[str, Fetcher] = {}
        self.limits = limits
        self._shelf = shelf
        self._database = database
        self._files = SealedFiles(shelf, database, township_id)
        self._clock = clock or SystemClock()
        self._dice = dice or SystemDice()
        self._zone = zone or ZoneInfo("Asia/Shanghai")
        self._township_id = township_id
        self._decoding = Order()  # one picture in memory at a time
        self._under_way: dict[str, asyncio.Task[Stored]] = {}
        self._swept = False

    # -- in

    async def save_stream(self, address: str, chunks: AsyncIterator[bytes]) -> str:
        """Store an upload of that address and return its id; the same bytes again return the same id.

        Raises UnusableFile (the file can't be used), NoRoom, or RetryLater (the store can't take it now).
        """
        known = await self._database.read(
            lambda tx: senders.at_address_has_history(tx, address, before_ms=self._clock.now_ms() - NEW_MS),
            township_id=self._township_id,
        )
        now_ms = self._clock.now_ms()
        stored = await self._receive(chunks, now_ms, address, known)

        async def work(tx: Tx) -> str:
            known = await media.same_upload(tx, address, stored.sha256, now_ms=now_ms)
            if known is not None:
                return known
            media_id = media.new_id(self._dice, stored.facts.kind)
            facts = stored.to_json()
            await media.add(
                tx, media_id=media_id, channel="web", owner_address=address, now_ms=now_ms, facts=facts, loose=True
            )
            return media_id

        return await self._database.transaction(work, township_id=self._township_id, exclusive=False)

    async def save_bytes(self, address: str, content: bytes, name: str = "") -> str:
        """Store a file that is in memory already; see `save_stream`. `name` is not kept: it may tell who took it."""
        return await self.save_stream(address, _once(content))

    async def fetch_errand(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Errand `media.fetch`: get a photo from its channel. The row's facts, or `{"refused": code}`.

        Raises RetryLater or GiveUp.
        """
        row = await self._row(payload["media_id"])
        if row is None:
            raise GiveUp("lost")
        if row["state"] != "fetching":
            return {"settled": row["state"]}
        try:
            return (await self._fetch(row)).to_json()
        except UnusableFile as error:
            return {"refused": error.code}
        except Away as error:
            raise RetryLater(AWAY_ERRAND_MS, error.reason) from None  # a timer has few tries: spread them

    async def _fetch(self, row: Row) -> Stored:
        """The photo behind a row, fetched once however many ask."""
        media_id = row["id"]
        task = self._under_way.get(media_id)
        if task is None:
            task = self._under_way[media_id] = asyncio.ensure_future(self._fetch_once(row))
            task.add_done_callback(lambda done: self._fetched(media_id, done))
        return await asyncio.shield(task)

    def _fetched(self, media_id: str, task: asyncio.Task[Stored]) -> None:
        self._under_way.pop(media_id, None)
        if not task.cancelled():
            task.exception()  # whoever asked has it already; nobody may have waited to the end

    async def _fetch_once(self, row: Row) -> Stored:
        fetcher = self.fetchers.get(row["channel"])
        if fetcher is None:
            raise RetryLater(60_000, "the channel is off")
        limits = self.limits()
        if (row["size_bytes"] or 0) > max(limits.photo_bytes, limits.video_bytes):
            raise UnusableFile(_too_large(row["kind"] == "video"))
        known = await self._database.read(
            lambda tx: senders.of_photo_has_history(tx, row, before_ms=self._clock.now_ms() - NEW_MS),
            township_id=self._township_id,
        )
        chunks = fetcher(row["ref"])
        try:
            return await self._receive(chunks, row["created_ms"], str(row["person_id"]), known)
        except NoRoom:
            raise RetryLater(60_000, "no room on the disk") from None
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

    async def _receive(self, chunks: AsyncIterator[bytes], row_ms: int, whose: str, known: bool) -> Stored:
        """Write a stream of somebody to the store, for a row of that moment; it waits behind those who are `known`.

        Raises UnusableFile, NoRoom or RetryLater.
        """
        waiting = self._shelf.waiting
        if not self._swept:
            self._swept = True
            await asyncio.to_thread(sweep, waiting)
        try:
            incoming = await asyncio.to_thread(Incoming, waiting)
            try:
                await self._copy(chunks, incoming)
                async with self._decoding.turn(whose, known=known):
                    stored = await asyncio.to_thread(incoming.finish, self._zone, self.limits().photo_px)
                files = await asyncio.to_thread(incoming.files, stored, self._township_id)
                await keep(self._shelf, await self._files.seal(files, max(row_ms, self._clock.now_ms())))
                return stored
            finally:
                await asyncio.to_thread(incoming.discard)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise NoRoom from None
            raise

    async def _copy(self, chunks: AsyncIterator[bytes], incoming: Incoming) -> None:
        block, size_bytes, head, limits = bytearray(), 0, b"", self.limits()
        async for chunk in chunks:
            block += chunk
            size_bytes += len(chunk)
            if len(head) < HEAD_BYTES:
                head += chunk[: HEAD_BYTES - len(head)]
            if size_bytes > min(limits.photo_bytes, limits.video_bytes):
                video = kind_by_content(head) in videos.MIMES
                if size_bytes > _bytes_largest(limits, video):
                    raise UnusableFile(_too_large(video))
            if len(block) >= BLOCK_BYTES:
                await asyncio.to_thread(incoming.write, bytes(block))
                block.clear()
        await asyncio.to_thread(incoming.write, bytes(block))

    async def erase_errand(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Errand `media.erase`: remove the files of `sha256s` that no kept row needs any more.

        Raises RetryLater when one of them has just come in again, or the store is away.
        """
        keys = {key_of(one, self._township_id): one for one in payload["sha256s"]}

        async def needed() -> set[str]:
            kept = await self._database.read(
                lambda tx: retention.needed_files(tx, list(keys.values())), township_id=self._township_id
            )
            return {key for key, sha256 in keys.items() if sha256 in kept}

        try:
            gone, fresh = await erase(self._shelf, list(keys), needed)
        except Away as error:
            raise RetryLater(AWAY_ERRAND_MS, error.reason) from None
        if fresh:
            raise RetryLater(FRESH_MS, "it has just come in again")
        return {"removed": len(gone)}

    # -- out

    async def may_see(self, media_id: str, address: str) -> bool:
        """Whether someone at that address may look at it."""
        return media.is_id(media_id) and await self._database.read(
            lambda tx: owners.may_see(tx, media_id, address), township_id=self._township_id
        )

    async def shown(self, media_id: str, *, thumb: bool = False) -> ViewingCopy | None:
        """The copy for viewing; None when there is none.

        A photo not fetched yet is fetched now. Raises RetryLater when its channel or the store can't give it now.
        """
        row = await self._row(media_id)
        if row is not None and row["state"] == "fetching":
            row = await self._hurry(row)
        if row is None or row["state"] != "ready":
            return None
        if row["sha256"] is None:
            content = await self._database.read(lambda tx: media.content(tx, media_id), township_id=self._township_id)
            content = content or b""
            return ViewingCopy(row["kind"], row["mime"], len(content), lambda start, end: _once(content[start:end]))
        image = row["kind"] == "image"
        view, small = copies(key_of(row["sha256"], self._township_id))
        key, mime = small if thumb and image else view, VIEW_MIME if image else row["mime"]
        found = await self._files.open(key)
        return None if found is None else ViewingCopy(row["kind"], mime, found.size_bytes, found.read)

    async def viewing_copy(self, media_id: str) -> tuple[bytes | AsyncIterator[bytes], str] | None:
        """(content, kind image|video) for a channel that sends files; None when it can't be shown.

        A photo's copy comes as bytes, a video in pieces. Raises RetryLater.
        """
        found = await self.shown(media_id)
        if found is None:
            return None
        pieces = found.read(0, found.size_bytes)
        if found.kind == "video":
            return pieces, found.kind
        try:
            return b"".join([piece async for piece in pieces]), found.kind
        except FileNotFoundError:
            return None

    async def _hurry(self, row: Row) -> Row | None:
        """Someone wants to see a photo before its errand ran."""
        try:
            facts = (await self._fetch(row)).to_json()
        except (UnusableFile, GiveUp):
            return None  # the errand finds the same and tells the person
        media_id = row["id"]
        await self._database.transaction(lambda tx: media.fetched(tx, media_id, facts), township_id=self._township_id)
        return await self._row(media_id)

    async def _row(self, media_id: str) -> Row | None:
        return await self._database.read(lambda tx: media.get(tx, media_id), township_id=self._township_id)


def _bytes_largest(limits: media.MediaLimits, video: bool) -> int:
    return limits.video_bytes if video else limits.photo_bytes


def _too_large(video: bool) -> str:
    return "video_too_large" if video else "too_large"


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
