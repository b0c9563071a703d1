"""A photo that could not be used is asked for again, and what comes then goes where that one belonged."""

from __future__ import annotations

import pytest

from tests.fakes.pictures import photo
from tests.stories.doings import number_of
from tests.stories.town import Someone, Town

# The page looks at a photo before it is sent; elsewhere it is fetched, and read, only after the report.
without_page = pytest.mark.parametrize("town", ["telegram", "wechat"], indirect=True)
HALF = photo(7)[:200]


async def reports_with_a_broken_photo(town: Town, aunt: Someone) -> str:
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.sends_photo(content=HALF)
    if "发完了" in aunt.last.labels:
        await aunt.taps("发完了")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    await town.tick()
    town.clock.advance(minutes=1)
    aunt.sees("没能用上", f"请再发一张，我放到 {number} 里")
    return number


async def photos_of_cases(town: Town) -> list[tuple[str, str]]:
    rows = await town.rows(
        "SELECT k.number, m.state FROM case_media c JOIN media m ON m.township_id = c.township_id AND m.id = c.media_id"
        " JOIN cases k ON k.township_id = c.township_id AND k.id = c.case_id WHERE c.township_id = :t"
        " ORDER BY k.number, c.position"
    )
    return [(row["number"], row["state"]) for row in rows]


@without_page
async def test_the_photo_asked_for_goes_to_its_case_and_staff_see_it(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports_with_a_broken_photo(town, aunt)
    await aunt.sends_photo()
    aunt.sees(f"1 张照片放到 {number} 里了")
    keeper.sees(f"{number} 又来了照片")
    assert any(heard.media for heard in keeper.news)
    await town.tick()
    assert await photos_of_cases(town) == [(number, "refused"), (number, "ready")]
    await aunt.sends_photo()
    aunt.sees("在哪里")


@without_page
async def test_it_goes_there_also_while_another_question_is_open(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await reports_with_a_broken_photo(town, aunt)
    await aunt.says("改名")
    asked = aunt.last.text
    await aunt.sends_photo()
    aunt.sees(f"1 张照片放到 {number} 里了")
    assert aunt.last.text.splitlines()[-1] == asked.splitlines()[-1], "the open question comes back"
    assert (number, "fetching") in await photos_of_cases(town) or (number, "ready") in await photos_of_cases(town)


@without_page
async def test_a_draft_that_takes_photos_keeps_its_own(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await reports_with_a_broken_photo(town, aunt)
    await aunt.says("李家湾有人往河里倒垃圾")
    await aunt.sends_photo()
    aunt.sees_not(number)
    assert await photos_of_cases(town) == [(number, "refused")]


@without_page
async def test_after_the_hours_of_the_policy_a_photo_is_a_new_report(town: Town) -> None:
    aunt = await town.person("王大娘")
    await reports_with_a_broken_photo(town, aunt)
    town.clock.advance(hours=73)
    await aunt.sends_photo()
    aunt.sees("在哪里")


@pytest.mark.parametrize("town", ["telegram"], indirect=True)
async def test_with_words_a_photo_is_what_the_words_say(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await reports_with_a_broken_photo(town, aunt)
    await aunt.sends_photo(caption="李家湾村口有人烧秸秆")
    aunt.sees_not(number)
