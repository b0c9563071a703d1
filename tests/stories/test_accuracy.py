"""A position is as good as the phone says: a rough one is no place, and how exact it was stays with the case."""

from __future__ import annotations

import pytest

from tests.stories.doings import change_policy
from tests.stories.town import Someone, Town

BRIDGE = (35.6442, 104.7323)
LIMIT = "position_error_largest_m = 500"
SAID = "position_error_said_m = 50"


@pytest.mark.parametrize(("accuracy_m", "far"), [(50_000, "约 50 公里"), (1_400, "约 1 公里"), (700, "约 700 米")])
async def test_a_rough_position_is_no_place(town: Town, accuracy_m: int, far: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    await aunt.taps("乱倒垃圾")
    await aunt.taps("跳过")
    await aunt.sends_place(*BRIDGE, accuracy_m)
    asked = aunt.sees(f"手机给的位置不准（{far}）")
    assert any("村" in label for label in aunt.last.labels), asked.text
    await aunt.says("王家沟桥头")
    aunt.sees("王家沟村 桥头", "提交")


async def test_a_rough_position_opens_a_report_and_is_asked_again(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_place(*BRIDGE, 50_000)
    aunt.sees("手机给的位置不准（约 50 公里）")


async def test_how_exact_a_position_was_stays_with_the_case(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    await aunt.taps("乱倒垃圾")
    await aunt.taps("跳过")
    await aunt.sends_place(*BRIDGE, 35)
    await aunt.taps("提交")
    rows = await town.rows("SELECT accuracy_m, lat FROM cases WHERE township_id = :t")
    assert [(row["accuracy_m"], round(row["lat"], 4)) for row in rows] == [(35, BRIDGE[0])]


async def reports_from(aunt: Someone, accuracy_m: int) -> None:
    """A report whose place is a position."""
    await aunt.says("我要举报")
    await aunt.taps("乱倒垃圾")
    await aunt.taps("跳过")
    await aunt.sends_place(*BRIDGE, accuracy_m)
    await aunt.taps("提交")
    aunt.sees("收到了")


async def test_staff_read_how_far_off_the_position_may_be(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await reports_from(aunt, 120)
    keeper.sees("新举报", "位置误差约 120 米")
    aunt.sees_not("位置误差")
    await keeper.says("2026-0001")
    keeper.sees("位置误差约 120 米")


@pytest.mark.parametrize("accuracy_m", [20, 50])
async def test_a_position_that_is_exact_enough_needs_no_word(town: Town, accuracy_m: int) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await reports_from(await town.person("王大娘"), accuracy_m)
    keeper.sees("新举报")
    keeper.sees_not("位置误差")


async def test_the_township_says_how_exact_is_exact_enough(town: Town) -> None:
    await change_policy(town, LIMIT, "position_error_largest_m = 900")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await reports_from(await town.person("王大娘"), 700)
    keeper.sees("新举报", "位置误差约 700 米")
    await change_policy(town, SAID, "position_error_said_m = 800")
    await keeper.says("2026-0001")
    keeper.sees_not("位置误差")


async def test_at_the_limit_a_position_is_a_place_and_above_it_none(town: Town) -> None:
    await change_policy(town, LIMIT, "position_error_largest_m = 100")
    aunt = await town.person("王大娘")
    await aunt.sends_place(*BRIDGE, 101)
    aunt.sees("手机给的位置不准（约 101 米）")
    await aunt.says("取消")
    await reports_from(aunt, 100)
