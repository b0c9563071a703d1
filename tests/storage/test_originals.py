"""Rows of originals that followed smaller photos: one for each, seen by whoever sees its photo, and gone with it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.media.pictures import FULL_SIDES_PX, UnusableFile, prepare
from bot.media.shelf import key_of
from bot.media.store import NotFollowed
from storage.database import Database, Tx
from storage.engine.opening import open_database
from storage.machine import media
from storage.people import people, retention
from storage.photos import following, owners
from tests.storage.test_media import NOW_MS, OTHER, OWNER, STAFF, World, place, world  # noqa: F401
from tests.stories.test_originals import SIDES, original, smaller
from tests.talk.test_pictures import HERE, SHANGHAI, exif
from tests.talk.test_pictures_mended import scene, stored


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def filed(world: World, content: bytes) -> str:  # noqa: F811
    photo = await world.store.save_bytes(OWNER, content)
    [media_id] = await world.attach(1, "web", ["image", photo, 0])
    return media_id


async def follows(world: World, photo: str, content: bytes, address: str = OWNER) -> str:  # noqa: F811
    return await world.store.save_original(address, photo, once(content), since_ms=0)


async def test_its_files_are_the_original_and_three_copies_without_exif(world: World) -> None:  # noqa: F811
    photo = await filed(world, smaller())
    before = set(await world.files())
    media_id = await follows(world, photo, original())
    row = await world.row(media_id)
    key = key_of(row["sha256"])
    assert set(await world.files()) - before == {key, f"{key}.view", f"{key}.thumb", f"{key}.full"}
    assert (row["original_of"], row["width_px"], row["lat"], row["likeness"]) == (photo, SIDES[0], None, None)
    assert await world.content(key) == original()
    for name in ("view", "thumb", "full"):
        with Image.open(io.BytesIO(await world.content(f"{key}.{name}"))) as copy:
            assert not copy.getexif()
    shown = await world.store.original(photo)
    assert shown is not None and shown.size_bytes == len(await world.content(f"{key}.full"))


async def test_two_at_once_are_one(world: World) -> None:  # noqa: F811
    photo = await filed(world, smaller())
    found = await asyncio.gather(*(follows(world, photo, original()) for _ in range(3)))
    assert len(set(found)) == 1


async def test_another_picture_a_smaller_one_or_a_video_is_refused_and_leaves_no_file(world: World) -> None:  # noqa: F811
    photo = await filed(world, smaller())
    before = set(await world.files())
    for content in (original(2), stored(scene().resize((640, 480)))):
        with pytest.raises(UnusableFile) as refused:
            await follows(world, photo, content)
        assert refused.value.code == "other_picture"
    assert set(await world.files()) == before


async def test_a_photo_that_was_sent_before_as_it_is_keeps_its_own_row(world: World) -> None:  # noqa: F811
    """The very same file as a photo and as an original: two rows, one file, which goes when neither needs it."""
    whole, photo = await filed(world, original()), await filed(world, smaller())
    media_id = await follows(world, photo, original())
    assert await world.store.save_bytes(OWNER, original()) == whole, "an original is no upload to be sent again"
    await world.database.transaction(lambda tx: erase(tx, photo))
    key = key_of((await world.row(media_id))["sha256"])
    assert (await world.row(media_id))["state"] == "erased" and (await world.row(whole))["state"] == "ready"
    sha256 = (await world.row(whole))["sha256"]
    assert await world.database.read(lambda tx: retention.needed_files(tx, [sha256])) == {sha256}
    assert f"{key}.view" in await world.files()


async def erase(tx: Tx, media_id: str) -> list[str]:
    return await retention.erase_photos(tx, await media.get_many(tx, [media_id]))


async def test_an_original_is_never_followed_itself(world: World) -> None:  # noqa: F811
    photo = await filed(world, smaller())
    media_id = await follows(world, photo, original())
    with pytest.raises(NotFollowed):
        await follows(world, media_id, original())


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_copy_in_full_size_stands_upright_and_has_at_most_so_many_pixels(orientation: int) -> None:
    content = stored(scene().resize((9000, 3000)), quality=60, exif=exif(gps=HERE, orientation=orientation))
    facts, copies = prepare(content, SHANGHAI, full=True)
    assert copies.full is not None
    with Image.open(io.BytesIO(copies.full)) as copy:
        assert sum(copy.size) <= FULL_SIDES_PX and not copy.getexif()
        wide = (facts.width_px or 0) > (facts.height_px or 0)
        assert (copy.width > copy.height) is wide is (orientation == 1)
    assert facts.likeness is not None


# -- the law: one original for each photo, seen by whoever sees that, gone with it

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["follow", "grant", "erase", "leave", "merge", "old"]), st.integers(0, 2), st.integers(1, 3)
    ),
    max_size=12,
)


async def play(database: Database, steps: list[tuple[str, int, int]]) -> None:
    photos = [f"i{at:031x}" for at in range(3)]
    addresses = {1: OWNER, 2: OTHER, 3: STAFF}
    facts: dict[str, Any] = {"mime": "image/jpeg", "width_px": 9, "height_px": 9}

    async def begin(tx: Tx) -> None:
        await tx.run("DELETE FROM media WHERE township_id = :t")
        await tx.run("DELETE FROM media_grants WHERE township_id = :t")
        for at, photo in enumerate(photos):
            await media.add(
                tx,
                media_id=photo,
                channel="web",
                owner_address=OWNER,
                person_id=1,
                now_ms=NOW_MS + at,
                facts={**facts, "sha256": f"{at:064x}"},
            )

    async def step(tx: Tx, what: str, at: int, person: int) -> None:
        if what == "follow":
            await following.add_original(
                tx,
                addresses[person],
                photos[at],
                sha256=f"{at + 10:064x}",
                mime="image/jpeg",
                size_bytes=5,
                sides_px=(9, 9),
            )
        elif what == "grant":
            await owners.grant(tx, [photos[at]], person)
        elif what == "erase":
            await erase(tx, photos[at])
        elif what == "leave":
            await retention.erase_photos(tx, await following.of_person(tx, person))
            await owners.forget(tx, person, [addresses[person]])
        elif what == "merge":
            await owners.move(tx, from_person=1, to_person=person)
        else:
            await retention.erase_media(tx, before_ms=NOW_MS + at, limit=60)

    await database.transaction(begin)
    for what, at, person in steps:
        await database.transaction(lambda tx, what=what, at=at, person=person: step(tx, what, at, person))
        assert await database.read(following.left_behind) == []
        rows = await database.read(lambda tx: tx.all("SELECT id, original_of, state FROM media WHERE township_id = :t"))
        originals = [row for row in rows if row["original_of"] is not None]
        assert len({row["original_of"] for row in originals}) == len(originals)
        for row in originals:
            for address in addresses.values():
                photo = await database.read(lambda tx, a=address, r=row: owners.may_see(tx, r["original_of"], a))
                full = await database.read(lambda tx, a=address, r=row: owners.may_see(tx, r["id"], a))
                assert row["state"] == "erased" or full == photo


def test_whatever_happens_an_original_is_as_its_photo_is(sqlite_url: str) -> None:
    async def opened() -> Database:
        database = await open_database(sqlite_url)

        async def everybody(tx: Tx) -> None:
            for person_id, address in ((1, OWNER), (2, OTHER), (3, STAFF)):
                await people.add_person(tx, person_id=person_id, name="", language="zh_CN", now_ms=NOW_MS)
                await people.add_contact(tx, channel="web", address=address, person_id=person_id, now_ms=NOW_MS)

        await database.transaction(everybody)
        return database

    with asyncio.Runner() as runner:
        database = runner.run(opened())

        @settings(max_examples=60, deadline=None)
        @given(steps=STEPS)
        def law(steps: list[tuple[str, int, int]]) -> None:
            runner.run(play(database, steps))

        law()
        runner.run(database.close())
