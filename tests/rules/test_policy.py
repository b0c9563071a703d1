"""The policy file: what it means, which version holds, and how its faults are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bot.channels.wechat.notices import check_menu
from bot.console.wechat import button_of
from handlers import registry
from handlers.policy.loader import PolicyFault, PolicyInvalid, day_start_ms, effective_from_ms, load
from handlers.policy.menu import USUAL, Bar, MenuCommand
from handlers.policy.rules import NoPolicy, at

EXAMPLE = (Path(__file__).parents[2] / "examples/township/policy.toml").read_text("utf-8")


def faults_of(text: str) -> tuple[PolicyFault, ...]:
    with pytest.raises(PolicyInvalid) as caught:
        load(text)
    return caught.value.faults


def swap(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new, 1)


def line_of(words: str, text: str = EXAMPLE) -> int:
    return next(number for number, line in enumerate(text.splitlines(keepends=True), start=1) if words in line)


def test_the_example_says_what_a_township_sets() -> None:
    policy = load(EXAMPLE)
    assert policy.film.county.fen_per_kg_on(date(2026, 5, 1), "mulch") == 100
    assert policy.film.township.fen_per_kg_on(date(2026, 5, 1), "mulch") == 50
    assert policy.film.kind("greenhouse").points_per_kg == Decimal("0.5")
    assert policy.film.kind_words()["大棚膜"] == "greenhouse"
    assert policy.report.kind("burning").call_first == "119"
    assert [(one.weekday, one.at) for one in policy.friday.reminders] == [(4, time(19)), (5, time(8))]
    assert (policy.friday.report_until, policy.digest.at) == (time(20), time(18))
    assert policy.limits.messages_per_minute == 20
    assert policy.report.claim_days == 30
    assert policy.consent.text.in_language("zh_CN") != policy.consent.text.in_language("en")


def test_the_township_part_stops_outside_its_own_dates() -> None:
    fund = load(EXAMPLE).film.township
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2027, 12, 31), date(2028, 1, 1))
    assert [fund.fen_per_kg_on(day, "mulch") for day in days] == [0, 50, 50, 0]


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("王家沟桥头有人倒垃圾", "dumping"),
        ("村口有人烧垃圾", "burning"),
        ("河里漂着塑料袋", "river"),
        ("地里残膜没人捡", "waste_film"),
        ("你好", None),
    ],
)
def test_a_sentence_names_its_kind_of_report(sentence: str, kind: str | None) -> None:
    found = load(EXAMPLE).report.kind_said(sentence)
    assert (found.id if found else None) == kind


def test_quiet_hours_pass_midnight() -> None:
    quiet = load(EXAMPLE).quiet
    asleep = [quiet.covers(moment) for moment in (time(21, 29), time(21, 30), time(0), time(6, 59), time(7))]
    assert asleep == [False, True, True, True, False]


def test_a_policy_begins_at_midnight_in_the_township() -> None:
    assert effective_from_ms(load(EXAMPLE)) == day_start_ms(date(2026, 1, 1)) == 1_767_196_800_000


@pytest.mark.parametrize(
    ("old", "new", "line", "code", "fields"),
    [
        ("objection_days = 7", "objection_days = -7", "objection_days", "policy_out_of_range", {"expected": "≥ 0"}),
        ('= "down"', '= "up"', "points_rounding", "policy_out_of_range", {"expected": '"down" / "half_up"'}),
        ("weekday = 4,", "weekday = 9,", "reminders = [", "policy_out_of_range", {"value": "9"}),
        ("verify_hours = 2\n", 'verify_hours = "2"\n', "verify_hours = 2\n", "policy_wrong_type", {"expected": "24"}),
        ("greenhouse = 60, ", "", "[film]", "policy_rate_kinds", {"fund": "county", "value": "greenhouse"}),
        ("ask_again_above_g = 200_000", "ask_again_above_g = 2_000_000", "[film.bounds]", "policy_out_of_order", {}),
        ('id = "river"', 'id = "burning"', "[report]", "policy_repeated", {"value": "burning"}),
        ("points_per_kg = 0.5 ", "points_per_kg = 0.55555 ", "points_per_kg = 0.5 ", "policy_out_of_range", {}),
        ("paid_until = 2027-12-31", "paid_until = 2025-12-31", "[film.township]", "policy_out_of_order", {}),
        ("photo_days = 730", "photo_days = 0", "photo_days", "policy_out_of_range", {"expected": "≥ 1"}),
        ("photos_largest = 9", "photos_largest = 10", "photos_largest", "policy_out_of_range", {"expected": "≤ 9"}),
        ('id = "vehicle"', 'id = "lorry"', 'id = "vehicle"', "policy_out_of_range", {"value": "lorry"}),
        ("schema = 1", "schema = 2", "schema = 1", "policy_out_of_range", {"expected": "≤ 1"}),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_would_be_right(
    old: str, new: str, line: str, code: str, fields: dict[str, str]
) -> None:
    found = faults_of(swap(old, new))
    assert [(fault.line, fault.code) for fault in found] == [(line_of(line), code)]
    assert fields.items() <= found[0].fields.items()


def test_a_policy_without_one_of_the_kinds_of_report_is_refused() -> None:
    """Stored reports and the form name them, so none may go."""
    start, end = EXAMPLE.index('[[report.kinds]]\nid = "river"'), EXAMPLE.index('[[report.kinds]]\nid = "open_rubbish"')
    text = EXAMPLE[:start] + EXAMPLE[end:]
    found = faults_of(text)
    assert [(fault.line, fault.code) for fault in found] == [(line_of("[report]", text), "policy_report_kinds")]
    assert found[0].fields["value"] == "river"


def test_a_misspelt_key_is_both_missing_and_unknown() -> None:
    text = swap("messages_per_minute = 20", "  messages_per_minutes = 20")
    found = {fault.code: fault for fault in faults_of(text)}
    assert found["policy_missing"].fields == {"key": "limits.messages_per_minute"}
    assert found["policy_unknown_key"].line == line_of("messages_per_minutes", text)
    assert found["policy_unknown_key"].column == 3


def test_broken_toml_is_told_with_its_place() -> None:
    (fault,) = faults_of(swap("schema = 1", "schema = "))
    assert (fault.line, fault.column, fault.code) == (line_of("schema = 1"), 10, "toml_syntax")


def test_all_faults_are_told_at_once() -> None:
    text = swap("objection_days = 7", "objection_days = -7").replace("claim_days = 30", 'claim_days = "x"', 1)
    assert [fault.code for fault in faults_of(text)] == ["policy_out_of_range", "policy_wrong_type"]


def test_an_endless_file_is_refused() -> None:
    assert faults_of("#" * 300_000)[0].code == "file_too_large"


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_has_faults(text: str) -> None:
    assert all(fault.line >= 1 and fault.code for fault in faults_of(text))


@dataclass(frozen=True)
class Dated:
    version: int
    effective_from_ms: int


def test_the_latest_start_holds_and_a_correction_replaces_its_own_period_only() -> None:
    january, july, corrected_january = Dated(1, 100), Dated(2, 700), Dated(3, 100)
    versions = [january, july, corrected_january]
    assert [at(versions, when).version for when in (100, 699, 700, 10_000)] == [3, 3, 2, 2]


def test_before_the_first_policy_there_is_none() -> None:
    with pytest.raises(NoPolicy):
        at([Dated(1, 100)], 99)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(0, 60))
def test_the_policy_in_force_has_begun_and_nothing_later_has(starts: list[int], when: int) -> None:
    versions = [Dated(number, start) for number, start in enumerate(starts, start=1)]
    if when < min(starts):
        return
    held = at(versions, when)
    assert held.effective_from_ms <= when
    assert not any(held.effective_from_ms < one.effective_from_ms <= when for one in versions)
    assert not any(one.effective_from_ms == held.effective_from_ms and one.version > held.version for one in versions)


# ── the menu of the Official Account

WITHOUT_MENU = EXAMPLE[: EXAMPLE.index("[[wechat_menu]]")]


def entry(*lines: str) -> str:
    return "\n".join(("[[wechat_menu]]", *lines, ""))


def test_a_policy_stored_before_there_were_menus_has_the_usual_one() -> None:
    assert load(WITHOUT_MENU).wechat_menu == USUAL


@pytest.mark.parametrize("menu", [USUAL, load(EXAMPLE).wechat_menu], ids=["usual", "example"])
def test_a_menu_is_one_that_wechat_takes(menu: tuple[object, ...]) -> None:
    check_menu([button_of(one, "https://chat.example") for one in menu])  # type: ignore[arg-type]


def test_every_command_of_a_menu_is_one_that_needs_no_words() -> None:
    known = {*registry.COMMANDS, *registry.FORM_COMMANDS}
    assert set(get_args(MenuCommand)) <= known


@pytest.mark.parametrize(
    ("lines", "line", "code", "fields"),
    [
        (('name = "拍照举报吧"', "camera = true"), 1, "policy_menu_name", {"name": "拍照举报吧", "limit": "4"}),
        (('name = " "', "camera = true"), 1, "policy_menu_name", {}),
        (('name = "拍照"',), 1, "policy_menu_does", {"name": "拍照"}),
        (('name = "拍照"', "camera = true", "page = true"), 1, "policy_menu_does", {}),
        (('name = "拍照"', 'command = "report"', 'items = [{ name = "一", page = true }]'), 1, "policy_menu_does", {}),
        (('name = "拍照"', 'command = "fly"'), 3, "policy_out_of_range", {"key": "wechat_menu[1].command"}),
        (('name = "拍照"', 'command = "/report"'), 3, "policy_out_of_range", {"value": "/report"}),
        (('name = "拍照"', 'url = "https://a.example"'), 3, "policy_unknown_key", {"key": "wechat_menu[1].url"}),
        (
            ('name = "更多"', 'items = [{ name = "一二三四五六七八九", page = true }]'),
            3,
            "policy_menu_name",
            {"limit": "8"},
        ),
        (
            ('name = "更多"', "items = [" + ", ".join(['{ name = "一", page = true }'] * 6) + "]"),
            3,
            "policy_out_of_range",
            {"expected": "≤ 5"},
        ),
    ],
)
def test_a_fault_of_the_menu_is_told(lines: tuple[str, ...], line: int, code: str, fields: dict[str, str]) -> None:
    text = WITHOUT_MENU + entry(*lines)
    found = next(fault for fault in faults_of(text) if fault.code == code)
    assert found.line == line + WITHOUT_MENU.count("\n") and fields.items() <= found.fields.items()


def test_a_bar_has_three_entries_at_most_and_one_at_least() -> None:
    text = WITHOUT_MENU + "".join(entry(f'name = "{at}"', "page = true") for at in range(4))
    found = faults_of(text)
    assert [(fault.code, fault.line) for fault in found] == [
        ("policy_out_of_range", WITHOUT_MENU.count("\n") + 1),
    ]
    assert found[0].fields["expected"] == "≤ 3"
    assert [fault.code for fault in faults_of("wechat_menu = []\n" + WITHOUT_MENU)] == ["policy_empty"]


NAMES = st.text(max_size=9)


@given(names=st.lists(NAMES, min_size=1, max_size=4), items=st.lists(NAMES, max_size=6))
def test_whatever_menu_passes_wechat_takes_it(names: list[str], items: list[str]) -> None:
    opens = {"items": [{"name": name, "command": "report"} for name in items]} if items else {"page": True}
    bar: object = [{"name": name, **opens} for name in names]
    try:
        passed = TypeAdapter(Bar).validate_python(bar)
    except ValidationError:
        return
    check_menu([button_of(one, "https://chat.example") for one in passed])
