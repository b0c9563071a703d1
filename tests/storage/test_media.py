"""Rows of photos: attaching, fetching, and who may look; and the files behind them, in a folder and in S3."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import shutil
import time
from collections import namedtuple
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from PIL import Image

from bot.clock import SystemClock, SystemDice, TimeIds
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogues
from bot.media import files
from bot.media.files import NoRoom
from bot.media.pictures import UnusableFile
from bot.media.shelf import Complete, FolderShelf, Shelf, key_of
from bot.media.store import MediaStore
from bot.media.stores import open_shelf
from bot.turn import Desk
from handlers.photos.fetched import media_fetched
from storage.database import Database, Tx
from storage.engine.opening import open_database
from storage.machine import media, outbox
from storage.people import people, retention
from storage.photos import owners
from tests.channels.webtexts import web_catalogues
from tests.fakes.s3 import s3_server
from tests.talk.test_pictures import movie

T = TypeVar("T")
NOW_MS = 1_795_000_000_000
WORLD: Any = SimpleNamespace(policy=SimpleNamespace(report=SimpleNamespace(photo_again_hours=72)))
OWNER, OTHER, STAFF = "web:" + "a" * 64, "web:" + "b" * 64, "web:" + "c" * 64


def photo(seed: int = 1) -> bytes:
    stored = io.BytesIO()
    Image.new("RGB", (60, 40), (seed * 40 % 256, 90, 60)).save(stored, "JPEG")
    return stored.getvalue()


@dataclass
class World:
    """A database with three people, and the store."""

    database: Database
    store: MediaStore
    shelf: Shelf
    catalogues: Catalogues
    ids: TimeIds = field(default_factory=lambda: TimeIds(SystemClock()))
    timers: list[dict[str, Any]] = field(default_factory=list)

    async def desk(self, work: Callable[[Desk], Awaitable[T]]) -> T:
        """Run an action's work in a transaction, and write what it leaves."""

        async def whole(tx: Tx) -> T:
            desk = Desk(tx=tx, now_ms=NOW_MS, ids=self.ids, dice=SystemDice(), catalogues=self.catalogues, world=WORLD)
            result = await work(desk)
            await outbox.put(tx, desk.outbox)
            self.timers += desk.timers
            return result

        return await self.database.transaction(whole)

    async def attach(self, person_id: int, channel: str, *items: list[Any]) -> list[str]:
        return await self.desk(lambda desk: desk.attach(person_id, channel, items))

    async def row(self, media_id: str) -> Any:
        return await self.database.read(lambda tx: media.get(tx, media_id))

    async def sees(self, media_id: str, address: str) -> bool:
        return await self.store.may_see(media_id, address)

    async def files(self) -> dict[str, int]:
        """Key and size of everything in the store, and of what waits to get there."""
        found = {key: one.size_bytes async for key, one in self.shelf.under("")}
        if self.shelf.waiting.exists():
            found |= {f"incoming/{path.name}": path.stat().st_size for path in self.shelf.waiting.iterdir()}
        return found

    async def content(self, key: str) -> bytes:
        return b"".join([piece async for piece in self.shelf.read(key)])

    async def said_to(self, address: str) -> list[str]:
        rows = await self.database.read(lambda tx: outbox.of_address(tx, address, now_ms=NOW_MS))
        return [row["body"] for row in rows]


@pytest.fixture(params=[("folder", "sqlite"), ("s3", "postgres")], ids="-".join)
def place(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Where the files lie, and the address of a migrated, empty database."""
    where, engine = request.param
    return where, request.getfixturevalue(f"{engine}_url")


@pytest.fixture
async def world(place: tuple[str, str], tmp_path: Path) -> AsyncIterator[World]:
    where, url = place
    database = await open_database(url)
    shelf = FolderShelf(tmp_path / "media") if where == "folder" else open_shelf(s3_server().settings(tmp_path))

    async def everybody(tx: Tx) -> None:
        for person_id, address in ((1, OWNER), (2, OTHER), (3, STAFF)):
            await people.add_person(tx, person_id=person_id, name="", language="zh_CN", now_ms=NOW_MS)
            await people.add_contact(tx, channel="web", address=address, person_id=person_id, now_ms=NOW_MS)
        await people.add_contact(tx, channel="telegram", address="telegram:9", person_id=1, now_ms=NOW_MS - 5)

    await database.transaction(everybody)
    yield World(database, MediaStore(shelf, database), shelf, web_catalogues(tmp_path / "texts"))
    await database.close()


async def test_an_upload_lies_under_its_hash_and_keeps_its_bytes(world: World) -> None:
    content = photo()
    media_id = await world.store.save_bytes(OWNER, content, "张三家.jpg")
    sha256 = hashlib.sha256(content).hexdigest()
    key = key_of(sha256)
    assert set(await world.files()) == {key, f"{key}.view", f"{key}.thumb"}
    assert await world.content(key) == content
    row = await world.row(media_id)
    assert (row["state"], row["sha256"], row["size_bytes"], row["kind"]) == ("ready", sha256, len(content), "image")
    shown = await world.store.shown(media_id, thumb=True)
    assert shown is not None and shown.mime == "image/jpeg"
    small = b"".join([piece async for piece in shown.read(0, shown.size_bytes)])
    assert len(small) == shown.size_bytes and Image.open(io.BytesIO(small)).size == (60, 40)
    assert b"".join([piece async for piece in shown.read(2, 11)]) == small[2:11]


async def test_the_same_upload_again_is_the_same_photo_but_not_another_person_s(world: World) -> None:
    first, again = [await world.store.save_bytes(OWNER, photo()) for _ in range(2)]
    assert first == again
    assert await world.store.save_bytes(OTHER, photo()) != first


async def test_only_the_owner_someone_granted_or_someone_written_to_may_look(world: World) -> None:
    media_id = await world.store.save_bytes(OWNER, photo())
    assert await world.sees(media_id, OWNER)
    assert not await world.sees(media_id, OTHER) and not await world.sees(media_id, STAFF)
    await world.database.transaction(lambda tx: owners.grant(tx, [media_id], 3))
    await world.database.transaction(lambda tx: owners.grant(tx, [media_id], 3))
    assert await world.sees(media_id, STAFF) and not await world.sees(media_id, OTHER)

    async def tell(desk: Desk) -> None:
        from bot.talk.messages import Out

        desk.post(2, "web", OTHER, Out("看看", media=(media_id,)))

    await world.desk(tell)
    assert await world.sees(media_id, OTHER)
    assert not await world.sees(media_id, "web:nobody") and not await world.sees("../../x", OWNER)


async def test_an_erased_person_s_photo_stays_without_them(world: World) -> None:
    media_id = await world.store.save_bytes(OWNER, photo())
    await world.attach(1, "web", ["image", media_id, 0])
    await world.database.transaction(lambda tx: owners.forget(tx, 1, [OWNER]))
    row = await world.row(media_id)
    assert (row["owner_address"], row["person_id"]) == (None, None)
    assert row["sha256"] and not await world.sees(media_id, OWNER)


async def test_two_contacts_joined_see_each_other_s_photos(world: World) -> None:
    mine, granted = [await world.store.save_bytes(OWNER, photo(seed)) for seed in (1, 2)]
    await world.attach(1, "web", ["image", mine, 0])
    await world.attach(1, "web", ["image", granted, 0])
    await world.database.transaction(lambda tx: owners.move(tx, from_person=1, to_person=2))
    assert await world.sees(mine, OTHER)


async def test_attaching_keeps_order_and_counts_a_photo_once(world: World) -> None:
    first, second = [await world.store.save_bytes(OWNER, photo(seed)) for seed in (1, 2)]
    unknown = "i" + "0" * 31
    answer = [["image", second, 0], ["image", first, 0], ["image", second, 0], ["image", unknown, 0]]
    assert await world.attach(1, "web", *answer) == [second, first]
    assert (await world.row(first))["person_id"] == 1
    assert not world.timers


async def test_a_photo_of_another_channel_is_fetched_once_by_an_errand(world: World) -> None:
    [media_id] = await world.attach(1, "telegram", ["image", "file-1", 900])
    assert await world.attach(1, "telegram", ["image", "file-1", 900]) == [media_id]
    [timer] = world.timers
    assert (timer["kind"], timer["timer_key"]) == ("media.fetch", f"media.fetch:{media_id}")
    asked: list[str] = []

    async def fetch(ref: str) -> AsyncIterator[bytes]:
        asked.append(ref)
        yield photo()[:10]
        yield photo()[10:]

    world.store.fetchers["telegram"] = fetch
    payload = {"media_id": media_id, "number": 1}
    found = await world.store.fetch_errand(payload)
    await world.desk(lambda desk: media_fetched(desk, {**payload, **found}))
    row = await world.row(media_id)
    assert (row["state"], row["width_px"]) == ("ready", 60)
    assert await world.store.fetch_errand(payload) == {"settled": "ready"}
    await world.desk(lambda desk: media_fetched(desk, {**payload, "settled": "ready"}))
    assert asked == ["file-1"] and not await world.said_to(OWNER)
    assert await world.sees(media_id, OWNER) and not await world.sees(media_id, OTHER)


async def test_a_photo_begun_on_one_contact_may_be_sent_in_on_the_other(world: World) -> None:
    uploaded = await world.store.save_bytes(OWNER, photo())
    mixed = [["image", uploaded, 0], ["image", "file-1", 900]]
    web_first, telegram_second = await world.attach(1, "web", *mixed)
    assert web_first == uploaded
    assert (await world.row(telegram_second))["channel"] == "telegram"
    assert await world.attach(1, "telegram", *mixed) == [web_first, telegram_second]


async def test_looking_before_the_errand_ran_fetches_it_once(world: World) -> None:
    [media_id] = await world.attach(1, "telegram", ["image", "file-1", 900])
    asked: list[str] = []

    async def fetch(ref: str) -> AsyncIterator[bytes]:
        asked.append(ref)
        await asyncio.sleep(0.01)
        yield photo()

    world.store.fetchers["telegram"] = fetch
    copies = await asyncio.gather(*(world.store.viewing_copy(media_id) for _ in range(4)))
    assert all(copy is not None and copy[1] == "image" for copy in copies)
    assert asked == ["file-1"]
    assert await world.store.fetch_errand({"media_id": media_id}) == {"settled": "ready"}


async def test_looking_just_as_another_s_fetch_is_written_fetches_nothing_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two read that it isn't here; the second is slow, and asks for it when the first has it already."""
    [media_id] = await world.attach(1, "telegram", ["image", "file-1", 900])
    asked: list[str] = []

    async def fetch(ref: str) -> AsyncIterator[bytes]:
        asked.append(ref)
        yield photo()

    world.store.fetchers["telegram"] = fetch
    look, first_has_it, looked = world.store._row, asyncio.Event(), 0

    async def slow(media_id: str) -> Any:
        nonlocal looked
        looked += 1
        second, row = looked == 2, await look(media_id)
        if second:
            await first_has_it.wait()
        return row

    monkeypatch.setattr(world.store, "_row", slow)
    first = asyncio.ensure_future(world.store.shown(media_id))
    while not looked:
        await asyncio.sleep(0)
    second = asyncio.ensure_future(world.store.shown(media_id))
    while looked < 2:
        await asyncio.sleep(0)
    assert await first is not None
    first_has_it.set()
    assert await second is not None
    assert asked == ["file-1"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\x03\x04 a zip", "不是照片"), (photo()[:-60], "打不开"), (b"\xff\xd8\xff" + bytes(3000), "太大了")],
)
async def test_a_photo_that_can_t_be_used_is_told_to_its_sender_once(world: World, content: bytes, words: str) -> None:
    world.store.limits = lambda: media.MediaLimits(photo_bytes=2_000, video_bytes=2_000)
    [first, second] = await world.attach(1, "telegram", ["image", "file-1", 0], ["image", "file-2", 0])

    async def fetch(ref: str) -> AsyncIterator[bytes]:
        yield content

    world.store.fetchers["telegram"] = fetch
    payload = {"media_id": second, "number": 2}
    found = await world.store.fetch_errand(payload)
    for _ in range(2):
        await world.desk(lambda desk: media_fetched(desk, {**payload, **found}))
    [said] = await world.said_to(OWNER)
    assert "第 2 张" in said and words in said
    assert (await world.row(second))["state"] == "refused"
    assert (await world.row(first))["state"] == "fetching"
    assert await world.store.viewing_copy(second) is None
    assert await world.store.fetch_errand(payload) == {"settled": "refused"}


async def test_a_photo_too_large_by_its_own_word_is_not_fetched(world: World) -> None:
    [media_id] = await world.attach(1, "telegram", ["video", "file-1", 30_000_000])

    async def fetch(ref: str) -> AsyncIterator[bytes]:
        raise AssertionError("fetched")
        yield b""

    world.store.fetchers["telegram"] = fetch
    assert await world.store.fetch_errand({"media_id": media_id}) == {"refused": "video_too_large"}


async def test_a_channel_that_fails_is_asked_again_or_given_up(world: World) -> None:
    [media_id] = await world.attach(1, "telegram", ["image", "file-1", 0])
    payload = {"media_id": media_id, "number": 1}
    with pytest.raises(RetryLater):
        await world.store.fetch_errand(payload)

    async def gone(ref: str) -> AsyncIterator[bytes]:
        raise GiveUp("file is gone")
        yield b""

    world.store.fetchers["telegram"] = gone
    with pytest.raises(GiveUp):
        await world.store.fetch_errand(payload)
    assert await world.store.viewing_copy(media_id) is None
    await world.desk(lambda desk: media_fetched(desk, {**payload, "failed": "file is gone"}))
    [said] = await world.said_to(OWNER)
    assert "没有取到" in said


async def test_a_picture_made_by_the_program_needs_no_file(world: World) -> None:
    media_id = await world.desk(
        lambda desk: media.put_generated(desk.tx, desk.dice, b"\x89PNG of a code", now_ms=NOW_MS)
    )
    assert not await world.sees(media_id, OWNER)
    await world.database.transaction(lambda tx: owners.grant(tx, [media_id], 1))
    assert await world.sees(media_id, OWNER)
    assert await world.store.viewing_copy(media_id) == (b"\x89PNG of a code", "image")


async def test_a_nearly_full_disk_takes_nothing_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(NoRoom):
        await world.store.save_bytes(OWNER, photo())


async def test_what_is_refused_leaves_nothing_behind(world: World) -> None:
    for content in (b"", b"PK\x03\x04", photo()[:-60]):
        with pytest.raises(UnusableFile):
            await world.store.save_bytes(OWNER, content)
    assert not await world.files()


async def test_a_client_that_goes_away_leaves_nothing_behind(world: World) -> None:
    async def broken_off() -> AsyncIterator[bytes]:
        yield photo()[:100]
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await world.store.save_stream(OWNER, broken_off())
    assert not await world.files()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files may be erased as soon as they are stored: the hour is not waited for."""
    monkeypatch.setattr(files, "FRESH_MS", 0)


async def erased(world: World, township_id: int = 1) -> list[str]:
    """The hashes behind the photos of a township, all of whose rows are marked as erased."""
    _, sha256s = await world.database.transaction(
        lambda tx: retention.erase_media(tx, before_ms=1 << 50, limit=50), township_id=township_id
    )
    return sha256s


@pytest.mark.usefixtures("at_once")
async def test_a_township_erases_only_its_own(world: World) -> None:
    """The same photo came to both; what one need not keep any more the other may still need."""
    there = MediaStore(world.shelf, world.database, township_id=2)
    media_id = await world.store.save_bytes(OWNER, photo())
    elsewhere = await there.save_bytes(OWNER, photo())
    assert await world.store.shown(elsewhere) is None and await there.shown(media_id) is None
    assert await there.erase_errand({"sha256s": await erased(world, 2)}) == {"removed": 1}
    key = key_of(hashlib.sha256(photo()).hexdigest())
    assert set(await world.files()) == {key, f"{key}.view", f"{key}.thumb"}
    assert await world.store.shown(media_id) is not None


@pytest.mark.usefixtures("at_once")
async def test_what_a_kept_photo_still_needs_is_not_erased(world: World) -> None:
    first = await world.store.save_bytes(OWNER, photo())
    sha256s = await erased(world)
    again = await world.store.save_bytes(OTHER, photo())
    assert await world.store.erase_errand({"sha256s": sha256s}) == {"removed": 0}
    assert await world.store.shown(first) is None and await world.store.shown(again) is not None
    await erased(world)
    for _ in range(2):  # an errand may run twice
        assert await world.store.erase_errand({"sha256s": sha256s}) == {"removed": 1}
    assert not await world.files()


async def test_what_has_just_come_in_is_not_erased(world: World) -> None:
    """Another worker may be about to write its row."""
    await world.store.save_bytes(OWNER, photo())
    sha256s = await erased(world)
    with pytest.raises(RetryLater):
        await world.store.erase_errand({"sha256s": sha256s})
    assert len(await world.files()) == 3


@pytest.mark.usefixtures("at_once")
async def test_a_photo_that_comes_while_it_is_erased_is_asked_for_again(world: World) -> None:
    """Worker 1 erases, and has looked at the file; only then worker 2 stores it anew."""
    await world.store.save_bytes(OWNER, photo())
    sha256s = await erased(world)
    other = MediaStore(world.shelf, world.database)

    async def nobody_needs_it() -> set[str]:
        with pytest.raises(RetryLater):
            await other.save_bytes(OTHER, photo())
        return set()

    await files.erase(world.shelf, [key_of(one) for one in sha256s], nobody_needs_it)
    assert not await world.files()
    media_id = await other.save_bytes(OTHER, photo())
    assert await other.shown(media_id) is not None


@pytest.mark.usefixtures("at_once")
async def test_a_photo_erased_just_after_it_came_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Worker 2 has stored it, worker 1 erases it to the end, and only then worker 2 looks for erasers."""
    await world.store.save_bytes(OWNER, photo())
    sha256s = await erased(world)
    put = world.shelf.put

    async def put_and_lose(files: Sequence[Complete]) -> None:
        await put(files)
        assert await world.store.erase_errand({"sha256s": sha256s}) == {"removed": 1}

    with monkeypatch.context() as patched:
        patched.setattr(world.shelf, "put", put_and_lose)
        with pytest.raises(RetryLater):
            await world.store.save_bytes(OTHER, photo())
    media_id = await world.store.save_bytes(OTHER, photo())
    assert await world.store.shown(media_id) is not None


@pytest.mark.usefixtures("at_once")
async def test_what_a_crash_left_of_an_eraser_is_in_nobody_s_way_for_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = hashlib.sha256(photo()).hexdigest()
    await world.shelf.mark(f"erasing/{sha256}.0123")
    with pytest.raises(RetryLater):
        await world.store.save_bytes(OWNER, photo())
    with monkeypatch.context() as later:
        later.setattr(files, "LEFT_MS", -2_000)
        await world.store.save_bytes(OWNER, photo())
    monkeypatch.setattr(files, "STALE_S", -1)
    assert await world.store.erase_errand({"sha256s": await erased(world)}) == {"removed": 1}
    assert not await world.files()


async def test_uploads_that_never_ended_are_swept_an_hour_later(world: World) -> None:
    world.shelf.waiting.mkdir(parents=True)
    for name, age_s in (("old", 2 * 3_600), ("new", 1_800)):
        left = world.shelf.waiting / name
        left.write_bytes(b"half")
        os.utime(left, (time.time() - age_s,) * 2)
    await world.store.save_bytes(OWNER, photo())
    assert [path.name for path in world.shelf.waiting.iterdir()] == ["new"]


async def test_a_video_goes_out_in_pieces(world: World) -> None:
    media_id = await world.store.save_bytes(OWNER, movie())
    found = await world.store.viewing_copy(media_id)
    assert found is not None and found[1] == "video" and not isinstance(found[0], bytes)
    pieces = b"".join([piece async for piece in found[0]])
    assert pieces == await world.content(f"{key_of(hashlib.sha256(movie()).hexdigest())}.view")
    assert len(pieces) == len(movie())
