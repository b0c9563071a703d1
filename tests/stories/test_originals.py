"""The original of a photo that went out smaller: who may look at it, and that it goes with its photo and its person."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bot.media.store import NotFollowed
from storage.database import Tx
from storage.photos import following
from storage.photos.owners import door_of
from tests.stories.doings import change_policy
from tests.stories.someone import Someone
from tests.stories.test_retention import files as files_of
from tests.stories.test_same_photo import files
from tests.stories.town import Town
from tests.talk.test_pictures import HERE, exif
from tests.talk.test_pictures_mended import scene, stored

only_with_web = pytest.mark.parametrize("town", ["web"], indirect=True)
SIDES = (2400, 1800)


def original(seed: int = 1) -> bytes:
    """A photo as the camera wrote it."""
    return stored(scene(seed).resize(SIDES), quality=92, exif=exif(gps=HERE))


def smaller(seed: int = 1) -> bytes:
    """The same as the page sends it."""
    return stored(scene(seed).resize((1024, 768)), quality=70)


async def follows(town: Town, aunt: Someone, number: str, content: bytes) -> str:
    """The page of somebody sends the original of their case's photo; its id.

    On another channel than the page the photo is said to have come from a page of theirs.
    """
    photo = (await photos_of(town, number))[0]

    async def from_her_page(tx: Tx) -> None:
        await tx.run(
            "UPDATE media SET owner_address = :door WHERE township_id = :t AND id = :id",
            {"id": photo, "door": await door_of(tx, aunt.driver.address)},
        )

    await town.app.database.transaction(from_her_page)
    app = town.app
    since_ms = await app.database.read(lambda tx: app.product.originals_since(tx, app.clock.now_ms()))
    if since_ms is None:
        raise NotFollowed

    async def once() -> object:
        yield content

    return await app.media.of(1).save_original(aunt.driver.address, photo, once(), since_ms=since_ms)


async def photos_of(town: Town, number: str) -> list[str]:
    rows = await town.rows(
        "SELECT c.media_id FROM case_media c JOIN cases k ON k.township_id = c.township_id AND k.id = c.case_id"
        " WHERE c.township_id = :t AND k.number = :number ORDER BY c.position",
        number=number,
    )
    return [row["media_id"] for row in rows]


async def content_of(town: Town, media_id: str) -> bytes:
    found = await town.app.media.of(1).viewing_copy(media_id)
    assert found is not None and isinstance(found[0], bytes)
    return found[0]


async def kept(town: Town) -> int:
    rows = await town.rows(
        "SELECT id FROM media WHERE township_id = :t AND original_of IS NOT NULL AND state <> 'erased'"
    )
    return len(rows)


async def left_behind(town: Town) -> int:
    return len(await town.app.database.read(following.left_behind))


async def test_staff_and_auditor_get_it_in_full_size_and_nobody_else(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    auditor = await town.person("钱督查", role="auditor")
    elsewhere = await town.person("李网格", role="grid_keeper", area="柳树湾")
    aunt = await town.person("王大娘")
    number = await files(aunt, smaller(), "王家沟桥头有人倒垃圾")
    await staff.says(f"/case {number}")
    assert "看原图" not in staff.last.labels
    await staff.says(f"看原图 {number}")
    staff.sees("没有更大的原图", "wifi")
    media_id = await follows(town, aunt, number, original())
    for one in (staff, auditor):
        await one.says(f"/case {number}")
        await one.taps("看原图")
        one.sees(f"{number} 的原图，1 张")
        assert any(heard.media for heard in one.news)
    with Image.open(io.BytesIO(await content_of(town, media_id))) as full:
        assert full.size == SIDES and not full.getexif()
    await elsewhere.says(f"/original {number}")
    elsewhere.sees("没有")
    assert not any(heard.media for heard in elsewhere.news)
    await aunt.says(f"/original {number}")
    assert not any(heard.media for heard in aunt.news)


@only_with_web
async def test_whoever_may_look_at_the_photo_may_look_at_it_on_their_page(town: Town) -> None:
    store = town.app.media.of(1)
    auditor = await town.person("钱督查", role="auditor")
    aunt, other = await town.person("王大娘"), await town.person("李大爷")
    number = await files(aunt, smaller(), "王家沟桥头有人倒垃圾")
    [photo] = await photos_of(town, number)
    media_id = await follows(town, aunt, number, original())
    assert not await store.may_see(media_id, auditor.driver.address)
    await auditor.says(f"/case {number}")
    for one, may in ((auditor, True), (aunt, True), (other, False)):
        assert await store.may_see(photo, one.driver.address) is may
        assert await store.may_see(media_id, one.driver.address) is may
    found = await store.original(photo)
    assert found is not None and found.size_bytes > 0


@only_with_web
async def test_it_is_taken_once_of_what_was_filed_and_of_nobody_else_s_photo(town: Town) -> None:
    store = town.app.media.of(1)
    aunt, other = await town.person("王大娘"), await town.person("李大爷")
    await aunt.sends_photo(content=smaller())
    aunt.sees("在哪里")
    [loose] = await town.rows("SELECT id FROM media WHERE township_id = :t AND kind = 'image' AND state = 'ready'")

    async def sent(address: str, content: bytes) -> str:
        async def once() -> object:
            yield content

        return await store.save_original(address, loose["id"], once(), since_ms=0)

    with pytest.raises(NotFollowed) as early:
        await sent(aunt.driver.address, original())
    assert early.value.yet, "it belongs to nothing yet"
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("提交")
    with pytest.raises(NotFollowed) as not_hers:
        await sent(other.driver.address, original())
    assert not not_hers.value.yet
    media_id = await sent(aunt.driver.address, original())
    assert await sent(aunt.driver.address, original(2)) == media_id
    assert await kept(town) == 1


@only_with_web
async def test_a_township_that_wants_none_gets_none_and_a_week_later_none_is_taken(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await files(aunt, smaller(), "王家沟桥头有人倒垃圾")
    await change_policy(town, 'originals = "on_wifi"', 'originals = "never"')
    with pytest.raises(NotFollowed):
        await follows(town, aunt, number, original())
    await change_policy(town, 'originals = "never"', 'originals = "on_wifi"')
    town.clock.advance(hours=24 * 7 + 1)
    with pytest.raises(NotFollowed):
        await follows(town, aunt, number, original())
    assert await kept(town) == 0


@only_with_web
async def test_it_goes_with_its_person_and_the_photo_stays_as_evidence(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await files(aunt, smaller(), "王家沟桥头有人倒垃圾")
    await follows(town, aunt, number, original())
    before = len(files_of(town))
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    town.clock.advance(hours=2)
    await town.tick()
    assert await kept(town) == 0 and await left_behind(town) == 0
    assert len(files_of(town)) == before - 4, "the original and its three copies"
    rows = await town.rows(
        "SELECT state FROM media WHERE township_id = :t AND original_of IS NULL AND sha256 IS NOT NULL"
    )
    assert [row["state"] for row in rows] == ["ready"]


@only_with_web
async def test_it_goes_with_its_photo_when_that_is_old(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await files(aunt, smaller(), "王家沟桥头有人倒垃圾")
    town.clock.advance(hours=24 * 6)
    await town.tick()
    await follows(town, aunt, number, original())
    town.clock.advance(hours=24 * 726)
    for _ in range(4):
        town.clock.advance(hours=24)
        await town.tick()
    assert await kept(town) == 0 and files_of(town) == []
