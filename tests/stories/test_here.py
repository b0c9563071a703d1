"""At night: what would wake somebody waits for the morning; who is here is told at once."""

from __future__ import annotations

import pytest

from bot.web import history
from storage.database import Tx
from storage.machine import holding
from storage.people import people
from tests.stories.doings import joins, reports, time_to_take_back_is_over
from tests.stories.town import Someone, Town


async def decided_at_night(town: Town, *, wrote_again: bool) -> tuple[Someone, str]:
    """A report of the evening is found true at six in the morning."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-18 20:00")
    number = await reports(aunt)
    town.clock.go_to("2026-11-19 06:00")
    await keeper.says(f"/verify {number} true")
    town.clock.advance(minutes=8)
    if wrote_again:
        await aunt.says("我的举报")
    town.clock.advance(minutes=2)
    await town.tick()
    return aunt, number


async def test_who_sleeps_is_told_in_the_morning(town: Town) -> None:
    aunt, number = await decided_at_night(town, wrote_again=False)
    aunt.sees_not("是真的")
    town.clock.go_to("2026-11-19 07:01")
    await town.tick()
    aunt.sees(number, "是真的")


async def test_who_wrote_a_moment_ago_is_told_at_once(town: Town) -> None:
    aunt, number = await decided_at_night(town, wrote_again=True)
    aunt.sees(number, "是真的")


async def test_staff_at_night_read_when_the_reporter_hears(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    town.clock.go_to("2026-11-19 06:00")
    await keeper.says(f"/verify {number} true")
    keeper.sees("已记为「属实」", "在看就马上告诉，不在就早上 07:00 告诉")
    town.clock.go_to("2026-11-19 12:00")
    other = await reports(aunt, "王家沟小学有人倒垃圾")
    await keeper.says(f"/verify {other} true")
    keeper.sees(other, "已记为「属实」")
    keeper.sees_not("不在就早上")


async def looks_at_the_page(town: Town, page: Someone) -> None:
    async def work(tx: Tx) -> None:
        person_id = await people.looks(tx, page.driver.address, now_ms=town.clock.now_ms())
        assert person_id is not None
        await holding.release_for(tx, [person_id], now_ms=town.clock.now_ms())

    await town.app.database.transaction(work)


@pytest.mark.parametrize("town", ["telegram"], indirect=True)
async def test_who_looks_at_a_page_is_here_but_news_goes_where_they_wrote_last(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    page = await town.person("", channel="web")
    await joins(aunt, page)
    town.clock.go_to("2026-11-18 20:00")
    number = await reports(aunt)
    town.clock.go_to("2026-11-19 06:00")
    await keeper.says(f"/verify {number} true")
    town.clock.advance(minutes=8)
    await looks_at_the_page(town, page)
    town.clock.advance(minutes=2)
    await town.tick()
    aunt.sees(number, "是真的")
    page.sees_not("是真的")


async def test_who_comes_in_the_night_reads_what_was_held_for_them(town: Town) -> None:
    aunt, number = await decided_at_night(town, wrote_again=False)
    town.clock.go_to("2026-11-19 06:30")
    await aunt.says("我的积分")
    await town.tick()
    aunt.sees(number, "是真的")
    said = [heard.text for heard in aunt.heard]
    assert "是真的" in said[-1], "what was held comes after what they read since"
    town.clock.go_to("2026-11-19 07:01")
    await town.tick()
    assert sum("是真的" in heard.text for heard in aunt.heard) == 1


async def test_what_was_held_stands_below_what_they_wrote_since(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    asleep = await town.person("李主任", role="staff")
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-18 23:00")
    number = await reports(aunt)
    town.clock.go_to("2026-11-19 07:01")
    await keeper.says("我的积分")
    await town.tick()
    await asleep.says("我的积分")
    texts = [heard.text for heard in keeper.heard]
    news = next(at for at, one in enumerate(texts) if number in one)
    assert news > 0
    if town.channel == "web":
        assert await in_history(town, keeper) == texts, "the same after a reload"
        assert await in_history(town, asleep) == [heard.text for heard in asleep.heard]


async def in_history(town: Town, someone: Someone) -> list[str]:
    """What the bot said, as the page reads it after a reload."""

    async def work(tx: Tx) -> list[str]:
        lines, _ = await history.before(
            tx,
            someone.driver.address,
            town.app.catalogues,
            before_id=history.NEWEST,
            limit=100,
            now_ms=town.clock.now_ms(),
        )
        return [line.message["text"] for line in lines if line.message["from"] == "bot"]

    return await town.app.database.read(work)


async def test_a_card_that_is_held_shows_what_became_of_it_meanwhile(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    asleep = await town.person("李主任", role="staff")
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-18 23:00")
    number = await reports(aunt)
    await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(town)
    town.clock.go_to("2026-11-19 07:01")
    await asleep.says("我的积分")
    await town.tick()
    card = next(heard for heard in asleep.heard if number in heard.text)
    assert "属实" in card.text
    assert "属实" not in card.labels, "nobody is asked in the morning what was decided in the night"


async def test_staff_who_are_up_hear_of_a_report_at_night(town: Town) -> None:
    up = await town.person("赵网格", role="grid_keeper", area="王家沟")
    asleep = await town.person("李主任", role="staff")
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-18 23:00")
    await up.says("待核实")
    number = await reports(aunt)
    up.sees("新举报", number)
    asleep.sees_not(number)
    await time_to_take_back_is_over(town)
    asleep.sees_not(number)
