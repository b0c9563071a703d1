"""Photos of somebody who has not agreed are not stored, and what was filed with nothing is gone in a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.photos import loose
from tests.fakes.pictures import photo
from tests.stories.doings import SENTENCE, change_policy, number_of
from tests.stories.town import Someone, Town


def files(town: Town) -> list[Path]:
    folder = town.app.settings.data_dir / "media"
    return [path for path in folder.rglob("*") if path.is_file()]


async def kept(town: Town) -> int:
    """How many photos the township has."""
    return len(await town.rows("SELECT id FROM media WHERE township_id = :t AND state <> 'erased'"))


async def hours(town: Town, count: int) -> None:
    """Hours go by, six at a time."""
    for _ in range(0, count, 6):
        town.clock.advance(hours=6)
        await town.tick()


async def test_a_photo_before_consent_is_not_stored_and_goes_on_once_they_agree(town: Town) -> None:
    aunt = await town.person("", consent=False)
    await aunt.sends_photo(2)
    if town.channel != "web":  # the page says it at the photo itself: test_flood_of_photos
        aunt.sees("照片先不收", "同意")
    aunt.sees("同意")
    await town.tick()
    assert await kept(town) == 0 and files(town) == []
    await aunt.taps("同意")
    aunt.sees("在哪里")
    await aunt.says(SENTENCE)
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    await town.tick()
    assert await kept(town) == 2 and files(town)
    rows = await town.rows(
        "SELECT m.loose_ms FROM case_media c JOIN media m ON m.township_id = c.township_id AND m.id = c.media_id"
        " JOIN cases k ON k.township_id = c.township_id AND k.id = c.case_id"
        " WHERE c.township_id = :t AND k.number = :number",
        number=number,
    )
    assert [row["loose_ms"] for row in rows] == [None, None]


async def test_whoever_refuses_leaves_no_photo(town: Town) -> None:
    aunt = await town.person("", consent=False)
    await aunt.sends_photo(3)
    await aunt.taps("不同意")
    await hours(town, 6)
    assert await kept(town) == 0 and files(town) == []


async def test_somebody_who_is_asked_again_after_a_change_is_no_exception(town: Town) -> None:
    aunt = await town.person("王大娘")
    await town.write("UPDATE people SET consent_version = 0 WHERE township_id = :t")
    await aunt.sends_photo()
    aunt.sees("同意")
    await town.tick()
    if town.channel != "wechat":  # WeChat forgets photos in three days: of somebody who had agreed they are fetched
        assert await kept(town) == 0
    await aunt.taps("同意")
    aunt.sees("在哪里")


async def left_alone(town: Town) -> Someone:
    """Somebody who has sent a photo and then broke off."""
    aunt = await town.person("王大娘")
    await aunt.sends_photo()
    aunt.sees("在哪里")
    await town.tick()
    return aunt


@pytest.mark.parametrize("town", ["web", "wechat"], indirect=True)  # Telegram gives a photo when it is filed
async def test_what_was_filed_with_nothing_is_gone_in_a_day_with_its_file(town: Town) -> None:
    aunt = await left_alone(town)
    await aunt.says("取消")
    assert await kept(town) == 1 and files(town)
    await hours(town, 12)
    assert await kept(town) == 1, "somebody may still want it"
    await hours(town, 12)
    assert await kept(town) == 0
    await hours(town, 6)
    assert files(town) == []


@pytest.mark.parametrize("town", ["web", "wechat"], indirect=True)
async def test_what_stands_in_an_unfinished_conversation_stays(town: Town) -> None:
    aunt = await left_alone(town)
    await hours(town, 72)
    assert await kept(town) == 1
    await aunt.says(SENTENCE)
    await aunt.taps("接着办")
    await aunt.taps("提交")
    aunt.sees("收到了")
    await hours(town, 72)
    assert await kept(town) == 1 and files(town), "it belongs to a case now"


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_many_go_in_one_night(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loose, "BATCH_PHOTOS", 3)
    aunt = await town.person("王大娘")
    store = town.app.media.of(1)
    for seed in range(10):
        await store.save_bytes(aunt.driver.address, photo(seed))
    await hours(town, 24)
    assert await kept(town) == 0
    await hours(town, 6)
    assert files(town) == []


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_the_policy_says_after_how_many_hours(town: Town) -> None:
    await change_policy(town, "loose_photo_hours = 18", "loose_photo_hours = 100")
    aunt = await town.person("王大娘")
    await town.app.media.of(1).save_bytes(aunt.driver.address, photo(1))
    await hours(town, 96)
    assert await kept(town) == 1
    await hours(town, 12)
    assert await kept(town) == 0
