"""The digest's text from its figures (D15, D30, D50)."""

from __future__ import annotations

import re
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n import Catalogues
from handlers.digests.rules import (
    FIGURES,
    WAITS,
    AreaThen,
    Figures,
    LateCase,
    Scope,
    compose,
    no_data,
    scope_of,
)
from handlers.duties.rules import Effort, Rollcall, Village

CATALOGUES = Catalogues(ZoneInfo("Asia/Shanghai"))
HOUR_MS = 3_600_000
UNTIL_MS = 1_795_168_800_000  # 2026-11-20 18:00
WHOLE = Scope(True, ("青禾塬镇",), frozenset({1}), frozenset({2}))
AREAS = (
    AreaThen(1, None, "town", "青禾塬镇"),
    AreaThen(2, 1, "village", "王家沟村"),
    AreaThen(3, 1, "village", "李家湾村"),
    AreaThen(21, 2, "hamlet", "一社"),
    AreaThen(22, 2, "hamlet", "二社"),
    AreaThen(4, 1, "village", "旧庄村", gone=True),
)


# 18 of 24 villages reported; only the first said how many people.
EFFORTS = ((Effort("people", "person", 210_000),), *((),) * 17, *(None,) * 6)
ROLL = Rollcall(
    UNTIL_MS - 18 * HOUR_MS,
    UNTIL_MS + 2 * HOUR_MS,
    UNTIL_MS,
    tuple(Village(at, f"{at}村", efforts) for at, efforts in enumerate(EFFORTS)),
)


def figures(**given: object) -> Figures:
    base = Figures("青禾塬镇", UNTIL_MS - 18 * HOUR_MS, UNTIL_MS - 24 * HOUR_MS, UNTIL_MS, True, WHOLE, undelivered={})
    return replace(base, **given)  # type: ignore[arg-type]


def printed(found: Figures, language: str = "zh_CN") -> str:
    return CATALOGUES[language].render(compose(found, with_buttons=True).text)


def test_an_empty_day_says_so_and_names_its_period() -> None:
    assert printed(figures()) == (
        "青禾塬镇日报 2026-11-20\n数据时间 11-19 18:00—11-20 18:00\n范围：全镇\n\n没有新情况。"
    )


def test_a_full_day() -> None:
    found = figures(
        values=dict(zip(FIGURES, (5, 3, 1, 1, 12, 1, 156_400, 15_640, 7_820, 45, 5), strict=True)),
        waiting={"cases": 9, "film": 2, "claims": 1},
        late={"cases": 2},
        late_cases=(LateCase("2026-0113", "dumping", "王家沟村", 26 * HOUR_MS + 5),),
        cleaning=(ROLL,),
        soon={"cases": 1},
        dropped={"friday": 1},
        undelivered={"waiting": 3, "failed": 1},
    )
    assert printed(found).split("\n", 3)[3] == "\n".join(
        [
            "",
            "【举报】",
            "新报 5 件",
            "属实 3 件",
            "不实 1 件",
            "重复 1 件",
            "",
            "【等着办】",
            "待核实 9 件（2 件超时，1 件快到时限）",
            "待处理称重单 2 张",
            "待确认家庭绑定 1 个",
            "",
            "【久等未核实 2 件】",
            "26 小时 2026-0113 王家沟村 乱倒垃圾",
            "还有 1 件，发「待办案件」看全部",
            "",
            "【农膜】",
            "计入 156.4 公斤",
            "称重单 12 张",
            "县补 156.40 元",
            "镇补 78.20 元",
            "作废 1 张",
            "",
            "【积分】",
            "发放 45 分",
            "收回 5 分",
            "",
            "【集中整治 2026-11-20】",
            "已报 18/24 村",
            "210 人",
            "车辆 暂无数据",
            "方量 暂无数据",
            "",
            "【过时未发】",
            "整治提醒 1 次",
            "",
            "【未送达】",
            "3 条放了好几天没人看",
            "发送失败 1 条",
        ]
    )


def test_each_case_that_waits_has_a_button_for_those_who_may_open_it() -> None:
    late_cases = tuple(LateCase(f"2026-{at:04d}", "river", "王家沟村", 80 * HOUR_MS) for at in range(3))
    found = figures(late={"cases": 3}, late_cases=late_cases)
    rows = compose(found, with_buttons=True).rows
    assert [button.data for row in rows for button in row] == ["/case 2026-0000", "/case 2026-0001", "/case 2026-0002"]
    assert all(len(button.data) <= 40 for row in rows for button in row)
    assert compose(found, with_buttons=False).rows == ()
    assert "3 天 2026-0000" in printed(found)


@pytest.mark.parametrize(
    ("late", "soon", "said"),
    [
        ({}, {}, "待核实 3 件"),
        ({}, {"cases": 1}, "待核实 3 件（1 件快到时限）"),
        ({"cases": 2}, {}, "待核实 3 件（2 件超时）"),
        ({"cases": 2}, {"cases": 1}, "待核实 3 件（2 件超时，1 件快到时限）"),
    ],
)
def test_what_waits_is_said_with_what_presses(late: dict[str, int], soon: dict[str, int], said: str) -> None:
    found = figures(waiting={"cases": 3}, late=late, soon=soon)
    assert f"【等着办】\n{said}\n" in printed(found) + "\n"


def test_the_way_to_what_waits_is_for_whoever_decides_it() -> None:
    found = figures(waiting={"film": 2})
    (row,) = compose(found, with_buttons=True, decides={"cases", "film"}).rows
    assert [button.data for button in row] == ["/todo"]
    assert compose(found, with_buttons=True, decides={"cases"}).rows == ()
    assert compose(figures(), with_buttons=True, decides={"cases", "film"}).rows == ()


def test_what_is_not_known_is_said_not_guessed() -> None:
    assert "【未送达】\n暂无数据" in printed(figures(undelivered=None))
    assert "暂无数据" in CATALOGUES["zh_CN"].render(no_data(figures()).text)


COUNTS = st.integers(0, 10**6)


@given(
    values=st.dictionaries(st.sampled_from(FIGURES), COUNTS),
    waiting=st.dictionaries(st.sampled_from(WAITS), COUNTS),
    late=st.dictionaries(st.sampled_from(WAITS), COUNTS),
    dropped=st.dictionaries(st.sampled_from(["friday", "rollcall", "digest"]), COUNTS),
    undelivered=st.none() | st.dictionaries(st.sampled_from(["waiting", "failed", "expired"]), COUNTS),
    over=st.booleans(),
    language=st.sampled_from(["zh_CN", "en"]),
)
def test_no_section_is_empty_in_any_language(language: str, **given: object) -> None:
    body = printed(figures(**given), language)
    assert "】\n\n" not in body and "]\n\n" not in body and not body.endswith(("】", "]"))
    assert not re.search(r" 0 [张件条次个]", body)


@pytest.mark.parametrize(
    ("roots", "whole", "names", "villages"),
    [
        ({1}, True, ("青禾塬镇",), {2, 3, 4}),
        ({1, 2}, True, ("青禾塬镇",), {2, 3, 4}),
        ({2}, False, ("王家沟村",), {2}),
        ({2, 3, 21}, False, ("王家沟村", "李家湾村"), {2, 3}),
        ({21}, False, ("一社",), set()),
        ({99}, False, (), set()),
    ],
)
def test_whose_figures(roots: set[int], whole: bool, names: tuple[str, ...], villages: set[int]) -> None:
    scope = scope_of(AREAS, roots)
    assert (scope.whole, scope.names, scope.village_ids) == (whole, names, frozenset(villages))
    assert scope.covers(99) is whole
    if 2 in roots:
        assert scope.covers(22)
