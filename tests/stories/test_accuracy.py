"""A position is as good as the phone says: a rough one is no place, and how exact it was stays with the case."""

from __future__ import annotations

import pytest

from tests.stories.town import Town

BRIDGE = (35.6442, 104.7323)
BY_PHONE = pytest.mark.parametrize("town", ["web", "telegram"], indirect=True)  # WeChat says nothing of accuracy


@BY_PHONE
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


@BY_PHONE
async def test_a_rough_position_opens_a_report_and_is_asked_again(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_place(*BRIDGE, 50_000)
    aunt.sees("手机给的位置不准（约 50 公里）")


@BY_PHONE
async def test_how_exact_a_position_was_stays_with_the_case(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    await aunt.taps("乱倒垃圾")
    await aunt.taps("跳过")
    await aunt.sends_place(*BRIDGE, 35)
    await aunt.taps("提交")
    rows = await town.rows("SELECT accuracy_m, lat FROM cases WHERE township_id = :t")
    assert [(row["accuracy_m"], round(row["lat"], 4)) for row in rows] == [(35, BRIDGE[0])]
