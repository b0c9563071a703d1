"""A flood of reports reaches staff as a handful of notices: the first one by one, then bundles; urgent ones at once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.spans import HOUR_MS
from handlers.todo.rules import NoticeSeries, Tally, tallied
from tests.stories.doings import change_policy, cleaner_of, the_case, time_to_take_back_is_over, weighs
from tests.stories.test_photo_again import reports_with_a_broken_photo
from tests.stories.town import Someone, Town

FEW = 8


async def tips(town: Town, count: int, *, first: int = 0, kind: str = "乱倒垃圾", village: str = "王家沟村") -> None:
    """So many people report something, each of them once, all in the same minute."""
    for at in range(first, first + count):
        villager = await town.person("")
        await villager.says(f"{village}{at + 1}号地头有人{kind}")
        for _ in range(6):
            labels = villager.last.labels
            answer = next((one for one in ("提交", "跳过") if any(one in label for label in labels)), labels[0])
            await villager.taps(answer)
            if any("收到了" in heard.text for heard in villager.news):
                break
        else:
            raise AssertionError(villager.last)


def notices(someone: Someone) -> list[str]:
    """What staff heard of new cases, one by one and together."""
    return [heard.text for heard in someone.heard if "新举报" in heard.text]


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_many_reports_are_a_handful_of_notices_whose_figures_agree(town: Town) -> None:
    await change_policy(town, "one_by_one_an_hour = 8", "one_by_one_an_hour = 3")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await tips(town, 10)
    assert len(notices(keeper)) == 3
    town.clock.advance(minutes=15)
    await town.tick()
    bundle = keeper.sees("又来了 7 件", "看一看")
    assert "一共 10 件" in bundle.text
    await keeper.taps("看一看")
    keeper.sees("待核实举报 10 件")
    await tips(town, 2, first=20)
    assert len(notices(keeper)) == 4, "the hour is not over"
    town.clock.advance(minutes=15)
    await town.tick()
    keeper.sees("又来了 2 件", "一共 12 件")
    town.clock.advance(minutes=60)
    await town.tick()
    await tips(town, 1, first=40)
    assert len(notices(keeper)) == 6 and "又来了" not in notices(keeper)[-1], "bundling ends by itself"


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_what_is_urgent_comes_at_once_beside_what_is_not(town: Town) -> None:
    await change_policy(town, "one_by_one_an_hour = 8", "one_by_one_an_hour = 1")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await tips(town, 3)
    assert len(notices(keeper)) == 1
    await tips(town, 5, first=10, kind="焚烧秸秆")
    urgent = {
        row["number"] for row in await town.rows("SELECT number FROM cases WHERE township_id = :t AND urgent = 1")
    }
    assert urgent and all(any(number in one for one in notices(keeper)) for number in urgent)
    assert len(notices(keeper)) == 1 + len(urgent)


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_a_flood_of_urgent_ones_is_bundled_soon_and_the_first_of_each_village_rings(town: Town) -> None:
    await change_policy(town, "urgent_one_by_one_an_hour = 20", "urgent_one_by_one_an_hour = 3")
    office = await town.person("孙办事", role="staff")
    keeper = await town.person("赵网格", role="grid_keeper", area="李家湾")
    await tips(town, 8, kind="焚烧秸秆")
    assert len(notices(office)) == 3
    await tips(town, 2, first=20, kind="焚烧秸秆", village="李家湾村")
    assert len(notices(office)) == 4 and "李家湾村" in notices(office)[-1], "the first of its village"
    assert len(notices(keeper)) == 2, "hers are few"
    town.clock.advance(minutes=5)
    await town.tick()
    bundle = office.sees("另有 6 件紧急的举报", "王家沟村 5 件", "李家湾村 1 件", "一共 10 件")
    await office.taps("看一看", bundle)
    office.sees("待核实举报 10 件")
    keeper.sees_not("另有")


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_urgent_ones_are_told_at_night_one_by_one_and_together(town: Town) -> None:
    await change_policy(town, "urgent_one_by_one_an_hour = 20", "urgent_one_by_one_an_hour = 2")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-18 23:30")
    await tips(town, 5, kind="焚烧秸秆")
    town.clock.advance(minutes=5)
    await town.tick()
    keeper.sees("另有 3 件紧急的举报")
    assert len(notices(keeper)) == 2
    town.clock.advance(minutes=60)
    await tips(town, 1, first=20, kind="焚烧秸秆")
    assert len(notices(keeper)) == 3, "in another hour the first rings again"


async def test_film_that_waits_is_bundled_too_and_counts_what_waits(town: Town) -> None:
    await change_policy(town, "one_by_one_an_hour = 8", "one_by_one_an_hour = 1")
    office, cleaner = await town.person("孙办事", role="staff"), await cleaner_of(town)
    for line in ("张三 1.5吨", "张三 1.6吨", "张三 1.7吨"):
        await weighs(cleaner, line)
        await cleaner.taps("对，记上")
    await time_to_take_back_is_over(town)
    held = [heard.text for heard in office.heard if "请确认称重单" in heard.text]
    assert len(held) == 1, held
    town.clock.advance(minutes=15)
    await town.tick()
    office.sees("又有 2 张称重单等您看一看", "一共 3 张")
    await office.taps("看一看")
    office.sees("待处理称重单 3 张")


@pytest.mark.parametrize("town", ["telegram", "wechat"], indirect=True)
async def test_photos_that_came_later_are_bundled_by_themselves(town: Town) -> None:
    await change_policy(town, "one_by_one_an_hour = 8", "one_by_one_an_hour = 3")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    for at in range(5):
        aunt = await town.person(f"王{at}娘")
        await reports_with_a_broken_photo(town, aunt)
        await aunt.sends_photo()
    assert sum("又来了照片" in heard.text for heard in keeper.heard) == 3
    town.clock.advance(minutes=20)
    await town.tick()
    bundle = keeper.sees("又有 2 件举报补了照片", "一共 5 件")
    await keeper.taps("看一看", bundle)
    keeper.sees("待核实举报 5 件")


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_what_colleagues_have_decided_meanwhile_is_in_no_bundle(town: Town) -> None:
    await change_policy(town, "one_by_one_an_hour = 8", "one_by_one_an_hour = 1")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    other = await town.person("钱网格", role="grid_keeper", area="王家沟")
    await tips(town, 2)
    rows = await town.rows("SELECT number FROM cases WHERE township_id = :t ORDER BY id")
    await other.says(f"/verify {rows[1]['number']} false")
    await other.taps("不是垃圾问题")
    await other.taps("确定不属实")
    assert (await the_case(town, rows[1]["number"]))["state"] == "rejected"
    town.clock.advance(minutes=15)
    await town.tick()
    keeper.sees_not("又来了")


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_a_night_is_one_hour(town: Town) -> None:
    await change_policy(town, "one_by_one_an_hour = 8", "one_by_one_an_hour = 2")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-18 23:00")
    await tips(town, 3)
    town.clock.go_to("2026-11-19 02:00")
    await town.tick()
    await tips(town, 3, first=10)
    town.clock.go_to("2026-11-19 09:00")
    await town.tick()
    one_by_one = [one for one in notices(keeper) if "又来了" not in one]
    bundles = [found for one in notices(keeper) if (found := re.search(r"又来了 (\d+) 件", one))]
    assert len(one_by_one) == 2 and [found[1] for found in bundles] == ["4"]


@given(st.lists(st.integers(0, 2 * HOUR_MS), max_size=80), st.integers(1, 10), st.integers(0, 10**12))
def test_no_hour_has_more_than_the_policy_says(gaps: list[int], most: int, start_ms: int) -> None:
    at_ms, tally, told = start_ms, None, []
    for gap_ms in gaps:
        at_ms += gap_ms
        tally = tallied(tally, at_ms, at_ms, most)
        if tally.gathered_ms is None:
            told.append(at_ms)
        elif at_ms - tally.gathered_ms >= HOUR_MS // 4:
            tally = Tally(tally.from_ms, tally.told)
    windows = [[one for one in told if first <= one < first + HOUR_MS] for first in told]
    assert all(len(window) <= 2 * most for window in windows), "an hour that lies across two has at most both"


@given(st.integers(1, 10), st.lists(st.integers(-10 * HOUR_MS, 10 * HOUR_MS), min_size=1, max_size=50))
def test_a_clock_that_jumps_swallows_nothing(most: int, jumps: list[int]) -> None:
    at_ms, tally = 10**12, None
    for jump_ms in jumps:
        at_ms += jump_ms
        before, tally = tally, tallied(tally, at_ms, at_ms, most)
        told = tally.gathered_ms is None
        assert told or tally.gathered_ms is not None
        assert not told or before is None or tally.told == 1 or tally.told == before.told + 1
        assert tally.told <= most


@given(st.sampled_from(["cases", "claims", "film"]), st.sampled_from(["", "photos"]), st.booleans())
def test_a_series_is_what_its_name_says(wait: str, about: str, urgent: bool) -> None:
    series = NoticeSeries(wait, about, urgent)
    assert NoticeSeries.named(series.name) == series
    assert series.of_place(7) != series.name
