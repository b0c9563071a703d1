"""What we print can be sent back to us: numbers with their labels, codes, numbered choices, whole lines."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Together
from bot.channels.wechat.words import Numbered, choice_of, choices_of, shown
from bot.i18n import LOCALES, Catalogues, read_texts
from bot.talk.hearing import bare
from bot.talk.messages import Out
from handlers.cases import rules
from handlers.numbers import CASES, TICKETS
from tests.guards.test_texts import fields

LANGUAGES = ("zh_CN", "en")
CATALOGUE = Catalogues(ZoneInfo("Asia/Shanghai"))["zh_CN"]
CASE_NUMBERS = st.builds(CASES.write, st.integers(2020, 2099), st.integers(1, 999_999))
TICKET_NUMBERS = st.builds(TICKETS.write, st.integers(2020, 2099), st.integers(1, 99_999_999))
CODES = st.from_regex(r"[0-9]{6}", fullmatch=True)
FILLED = {"kind": "乱倒垃圾", "place": "王家沟村 桥头", "state": "属实", "name": "张三", "words": "照片", "points": "5"}
# What says of a number no more than that it is one, wherever it stands in the line.
BARE_LINES = ("film.today.line", "film.today.line.marked", "film.weighed", "case.head", "case.mine_line", "case.option")


def filled(template: str, **values: str) -> str:
    """A text as it is printed, every placeholder filled in some way."""
    known = {name: values.get(name, FILLED.get(name, "12")) for name in fields(template)}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda one: known[one[1]], template)


@given(
    CASE_NUMBERS,
    st.sampled_from(["", "编号 ", "编号：", "编号", "案件", "case ", "#", " "]),
    st.sampled_from(["", "。", " ", "："]),
)
def test_a_case_s_number_is_read_with_its_label(number: str, before: str, behind: str) -> None:
    assert CASES.printed(f"{before}{number}{behind}") == number
    assert TICKETS.printed(f"{before}{number}{behind}") is None


@given(
    TICKET_NUMBERS,
    st.sampled_from(["", "单号 ", "单号：", "称重单 ", "ticket ", "✅ 记好了，单号 "]),
    st.sampled_from(["", "。", "（11-20 10:00）"]),
)
def test_a_ticket_s_number_is_read_with_its_label(number: str, before: str, behind: str) -> None:
    assert TICKETS.printed(f"{before}{number}{behind}") == number
    assert CASES.printed(f"{before}{number}{behind}") is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", BARE_LINES)
@given(sequence=st.integers(1, 99_999))
def test_a_printed_line_names_its_number(language: str, key: str, sequence: int) -> None:
    series = TICKETS if key.startswith("film") else CASES
    number = series.write(2026, sequence)
    assert series.printed(filled(str(read_texts(LOCALES / language)[key]), number=number)) == number


@given(CASE_NUMBERS, CODES, st.sampled_from(LANGUAGES))
def test_a_printed_receipt_is_a_claim(number: str, code: str, language: str) -> None:
    texts = read_texts(LOCALES / language)
    lines = [filled(str(texts[key]), number=number, code=code) for key in ("report.filed", "report.code")]
    assert rules.read_claim("\n".join(lines), 2026) == (number, code)


@given(
    CASE_NUMBERS,
    CODES,
    st.sampled_from(["{n} {c}", "{n} 领奖码 {c}", "编号 {n} 领奖码 {c}", "编号{n}，领奖码：{c}", "领奖码{c} 编号{n}"]),
)
def test_a_claim_is_read_with_its_labels(number: str, code: str, way: str) -> None:
    assert rules.read_claim(way.format(n=number, c=code), 2026) == (number, code)
    grouped = way.format(n=number, c=f"{code[:3]} {code[3:]}")
    assert rules.read_claim(grouped, 2026) == (number, code)


@pytest.mark.parametrize(
    "said", ["", "2026-11-20", "1200", "15.6公斤", "2026年", "13800000001", "2026-0001 2026-0002", "三"]
)
def test_other_figures_are_no_numbers(said: str) -> None:
    assert CASES.printed(said) is None
    assert TICKETS.printed(said) is None
    assert CASES.short(said, 2026) is None
    assert TICKETS.short(said, 2026) is None


LABELS = st.lists(
    st.text(alphabet="甲乙丙丁戊己庚辛壬癸abc ", min_size=2, max_size=8).filter(lambda one: len(bare(one)) > 1),
    min_size=1,
    max_size=9,
    unique_by=bare,
)
MARKS = st.sampled_from(["【{m}】{l}", "{m}、{l}", "{m}. {l}", "（{m}）{l}", "{m}) {l}", "【{m}】 {l}", "{m}：{l}"])


@given(LABELS, MARKS, st.sampled_from(["", "choice", "number"]), st.sampled_from([0, 3]), st.data())
def test_a_choice_of_a_message_can_be_sent_back_with_its_mark(
    labels: list[str], way: str, ask: str, series: int, data: st.DataObject
) -> None:
    out = Out("?", tuple(((label, f"/d {at}", "plain"),) for at, label in enumerate(labels)), ask)
    together = Together((out,), series)
    choices = choices_of((out,), series)
    one: Numbered = data.draw(st.sampled_from(choices))
    assert choice_of(way.format(m=one.mark, l=one.label), [together]) == one.data
    printed = "\n".join(shown((out,), CATALOGUE, series=series).parts)
    line = next(line for line in printed.splitlines() if line.startswith(f"【{one.mark}】"))
    assert choice_of(line, [together]) == one.data
