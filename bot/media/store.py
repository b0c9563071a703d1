"""The store of photos and videos: taken in from every channel, checked, copied for viewing, shown to the right people.

A file is complete and durable before the database row that points to it is written. What a photo is, `pictures` tells;
where its files lie, `shelf`; how they come and go, `files`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from bot.clock import Clock, Dice, SystemClock, SystemDice
from bot.errors import GiveUp, RetryLater
from bot.media.files import FRESH_MS, NoRoom, Stored, erase
from bot.media.pictures import VIEW_MIME, UnusableFile
from bot.media.reception import Reception, too_large
from bot.media.sealed import SealedFiles
from bot.media.shelf import Away, Shelf, copies, key_of
from storage.database import Database, Row, Tx
from storage.machine import media
from storage.people import retention
from storage.photos import following, owners, senders
from storage.photos.following import Followed

AWAY_ERRAND_MS = 600_000
NEW_MS = 86_400_000  # whoever agreed so lately has no history here
T = TypeVar("T")
Fetcher = Callable[[str], AsyncIterator[bytes]]


class NotFollowed(Exception):
    """No original of that photo is taken; `yet`: one is, once the photo belongs to something."""

    def __init__(self, *, yet: bool = False) -> None:
        super().__init__("not yet" if yet else "not at all")
        self.yet = yet


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
        self._township_id = township_id
        home = zone or ZoneInfo("Asia/Shanghai")
        self.reception = Reception(shelf, self._files, self._clock, home, lambda: self.limits(), township_id)
        self._under_way: dict[str, asyncio.Task[Any]] = {}

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
        stored = await self.reception.receive(chunks, now_ms, address, known)

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

    async def save_original(self, address: str, photo: str, chunks: AsyncIterator[bytes], *, since_ms: int) -> str:
        """Store the original of a photo that was uploaded smaller from that address since a moment; its id. Once: that
        of one which is here already is returned, and `chunks` are left alone.

        Raises NotFollowed, UnusableFile (also for another picture than the smaller one), NoRoom, or RetryLater.
        """
        known = await self.followed(address, photo, since_ms=since_ms)
        if known.original:
            return known.original
        stored = await self.reception.receive(chunks, self._clock.now_ms(), address, known=True, follows=known)
        add = partial(
            following.add_original,
            address=address,
            photo=photo,
            sha256=stored.sha256,
            mime=stored.facts.mime,
            size_bytes=stored.size_bytes,
            sides_px=(stored.facts.width_px or 0, stored.facts.height_px or 0),
        )
        media_id = await self._database.transaction(add, township_id=self._township_id, exclusive=False)
        if media_id is None:
            raise NotFollowed
        return media_id

    async def followed(self, address: str, photo: str, *, since_ms: int) -> Followed:
        """The photo whose original somebody at that address may send. Raises NotFollowed."""
        read = partial(following.followed, address=address, media_id=photo, since_ms=since_ms)
        known = await self._database.read(read, township_id=self._township_id) if media.is_id(photo) else None
        if known is None or not known.is_filed:
            raise NotFollowed(yet=known is not None)
        return known

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
        return await self._together(f"fetch {row['id']}", lambda: self._fetch_once(row))

    async def _together(self, name: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do something once for all who ask while it is under way."""
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = asyncio.ensure_future(work())
            task.add_done_callback(lambda done: self._done(name, done))
        return cast(T, await asyncio.shield(task))

    def _done(self, name: str, task: asyncio.Task[Any]) -> None:
        self._under_way.pop(name, None)
        if not task.cancelled():
            task.exception()  # whoever asked has it already; nobody may have waited to the end

    async def _fetch_once(self, row: Row) -> Stored:
        fetcher = self.fetchers.get(row["channel"])
        if fetcher is None:
            raise RetryLater(60_000, "the channel is off")
        limits = self.limits()
        if (row["size_bytes"] or 0) > max(limits.photo_bytes, limits.video_bytes):
            raise UnusableFile(too_large(row["kind"] == "video"))
        known = await self._database.read(
            lambda tx: senders.of_photo_has_history(tx, row, before_ms=self._clock.now_ms() - NEW_MS),
            township_id=self._township_id,
        )
        chunks = fetcher(row["ref"])
        try:
            return await self.reception.receive(chunks, row["created_ms"], str(row["person_id"]), known)
        except NoRoom:
            raise RetryLater(60_000, "no room on the disk") from None
        finally:
            if isinstance(chunks, AsyncGenerator):
                await chunks.aclose()

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
        """The copy for viewing, of an original that followed that in full size; None when there is none.

        A photo not fetched yet is fetched now. Raises RetryLater when its channel or the store can't give it now.
        """
        row = await self._row(media_id)
        if row is not None and row["state"] == "fetching":
            row = await self._together(f"hurry {media_id}", lambda: self._hurry(media_id))
        if row is None or row["state"] != "ready":
            return None
        if row["sha256"] is None:
            content = await self._database.read(lambda tx: media.content(tx, media_id), township_id=self._township_id)
            content = content or b""
            return ViewingCopy(row["kind"], row["mime"], len(content), lambda start, end: _once(content[start:end]))
        image = row["kind"] == "image"
        view, small, full = copies(key_of(row["sha256"], self._township_id))
        large = view if row["original_of"] is None else full
        key, mime = small if thumb and image else large, VIEW_MIME if image else row["mime"]
        found = await self._files.open(key)
        return None if found is None else ViewingCopy(row["kind"], mime, found.size_bytes, found.read)

    async def original(self, media_id: str) -> ViewingCopy | None:
        """The copy in full size of the original that followed a photo; None when none has. Raises RetryLater."""
        found = await self._database.read(
            lambda tx: following.originals_of(tx, [media_id]), township_id=self._township_id
        )
        return await self.shown(found[0]) if found else None

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

    async def _hurry(self, media_id: str) -> Row | None:
        """Someone wants to see a photo before its errand ran. Another who did may have just written its facts."""
        row = await self._row(media_id)
        if row is None or row["state"] != "fetching":
            return row
        try:
            facts = (await self._fetch(row)).to_json()
        except (UnusableFile, GiveUp):
            return None  # the errand finds the same and tells the person
        await self._database.transaction(lambda tx: media.fetched(tx, media_id, facts), township_id=self._township_id)
        return await self._row(media_id)

    async def _row(self, media_id: str) -> Row | None:
        return await self._database.read(lambda tx: media.get(tx, media_id), township_id=self._township_id)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
