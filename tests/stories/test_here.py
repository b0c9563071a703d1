"""At night: what would wake somebody waits for the morning; who is here is told at once."""

from __future__ import annotations

import pytest

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
    address, now_ms = page.driver.address, town.clock.now_ms()
    await town.app.database.transaction(lambda tx: people.looks(tx, address, now_ms=now_ms))


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
