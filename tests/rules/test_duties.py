"""What a village says of its clean-up, and how it is added up (D15, D21)."""

from __future__ import annotations

from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n import Catalogues
from handlers.duties import rules
from handlers.duties.rules import Effort, Rollcall, Village, add_up
from handlers.duties.words import after_command_word, is_cleanup_line, parse_cleanup_line

CHINESE = Catalogues(ZoneInfo("Asia/Shanghai"))["zh_CN"]
ENGLISH = Catalogues(ZoneInfo("Asia/Shanghai"))["en"]
EFFORTS = st.builds(lambda series, milli: Effort(*series, milli), st.sampled_from(rules.SERIES), st.integers(0, 10**9))


def said(line: str) -> str:
    return CHINESE.render(rules.efforts_line(rules.efforts_of(parse_cleanup_line(line)).values()))


@pytest.mark.parametrize(
    ("line", "noted"),
    [
        ("12人 3车 8方", "12 人 3 车 8 方"),
        ("12个人3辆车8.5立方", "12 人 3 车 8.5 方"),
        ("出动群众35人次，车辆4车次，清运垃圾8方", "35 人次 4 车次 8 方"),
        ("十二人 两台 半方", "12 人 2 台 0.5 方"),
        ("20人次 6台次", "20 人次 6 台次"),
        ("15人", "15 人"),
    ],
)
def test_a_line_is_repeated_in_the_units_that_were_said(line: str, noted: str) -> None:
    assert said(line) == noted


@pytest.mark.parametrize(
    "line",
    ["12人 3车 8方", "王家沟 12人 3车", "12人", "八方", "出动20人清了三车垃圾", "12人 -3车 8方", "十几人 3车 8方"],
)
def test_lines_that_are_reports_on_a_clean_up_day(line: str) -> None:
    assert is_cleanup_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "有人拉了3车垃圾，2个人",
        "桥头偷倒3车 5方",
        "你好",
        "一个",
        "张三 15.6公斤",
        "12",
        "我家门口堆了三方土没人管吗",
        "下午十几人在广场开会",
    ],
)
def test_lines_that_are_not(line: str) -> None:
    assert not is_cleanup_line(line)


def test_after_a_command_word_one_figure_in_a_sentence_is_enough() -> None:
    words = ["周五", "周五整治"]
    assert after_command_word("周五整治：清了8方", words) == "清了8方"
    assert after_command_word("周五 12人3车8方", words) == "12人3车8方"
    assert after_command_word("12人 周五", words) is None
    assert is_cleanup_line("清了8方土", strict=False) and not is_cleanup_line("清了8方土")


@pytest.mark.parametrize(
    ("words", "metric", "expected"),
    [
        ("12", "people", Effort("people", "person", 12_000)),
        ("35人次", "people", Effort("people", "person_time", 35_000)),
        ("3", "vehicles", Effort("vehicles", "vehicle", 3_000)),
        ("两台次", "vehicles", Effort("vehicles", "machine_run", 2_000)),
        ("8.5", "volume", Effort("volume", "m3", 8_500)),
    ],
)
def test_one_figure_with_or_without_its_unit(words: str, metric: str, expected: Effort) -> None:
    assert rules.read_effort(words, metric) == expected


@given(st.lists(EFFORTS, max_size=30), st.randoms())
def test_each_series_is_added_by_itself(efforts: list[Effort], random: object) -> None:
    total = add_up(efforts)
    assert len({(one.metric, one.unit) for one in total}) == len(total)
    for metric, unit in rules.SERIES:
        here = [one.milli for one in efforts if (one.metric, one.unit) == (metric, unit)]
        found = [one.milli for one in total if (one.metric, one.unit) == (metric, unit)]
        assert found == ([sum(here)] if here else [])
    shuffled = list(efforts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert add_up(shuffled) == total


@given(EFFORTS)
def test_every_series_has_words_in_both_languages(effort: Effort) -> None:
    for catalogue in (CHINESE, ENGLISH):
        assert catalogue.render(rules.effort_text(effort))


@pytest.mark.parametrize(
    ("effort", "unlikely"),
    [
        (Effort("people", "person", 300_000), False),
        (Effort("people", "person_time", 301_000), True),
        (Effort("vehicles", "vehicle", 61_000), True),
        (Effort("volume", "m3", 300_010), True),
    ],
)
def test_unlikely_figures_are_asked_again(effort: Effort, unlikely: bool) -> None:
    above = SimpleNamespace(people_ask_again_above=300, vehicles_ask_again_above=60, volume_m3_ask_again_above=300)
    assert rules.unlikely(effort, above) is unlikely


def rollcall(*villages: Village) -> str:
    roll = Rollcall(1_795_104_000_000, 1_795_176_000_000, 1_795_176_000_000, villages)
    return CHINESE.render(rules.page_lines(roll))


def test_the_page_lists_the_missing_and_says_what_nobody_said() -> None:
    page = rollcall(
        Village(1, "王家沟村", (Effort("people", "person", 12_000), Effort("vehicles", "vehicle", 3_000)), photos=2),
        Village(2, "李家湾村", (Effort("people", "person_time", 20_000),)),
        Village(3, "张家坪村"),
    )
    assert "已报 2/3" in page
    assert "未报 1 个村：张家坪村" in page
    assert "缺照片 1 个村：李家湾村" in page
    assert "合计\n12 人\n20 人次\n3 车\n方量 暂无数据" in page
    assert "王家沟村 12 人 3 车\n李家湾村 20 人次" in page


def test_the_page_of_a_day_without_reports() -> None:
    page = rollcall(Village(1, "王家沟村"), Village(2, "李家湾村"))
    assert "已报 0/2" in page
    assert page.endswith("人数 暂无数据\n车辆 暂无数据\n方量 暂无数据")
