"""The decisions about cases: states, points, late cases, codes, places, and which words are a report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.geo import Point, distance_m
from bot.talk.spans import DAY_MS, HOUR_MS, MINUTE_MS
from handlers.cases import rules
from handlers.cases.opening import KINDS
from handlers.numbers import CASES
from handlers.policy.loader import load
from storage.product import accounts

POLICY = load((Path(__file__).parents[2] / "examples" / "township" / "policy.toml").read_text("utf-8"))
HOUR = rules.HOUR_MS
moments = st.integers(min_value=1_700_000_000_000, max_value=1_900_000_000_000)
latitudes = st.floats(min_value=20, max_value=50, allow_nan=False)
longitudes = st.floats(min_value=80, max_value=130, allow_nan=False)


# states


def test_every_state_has_its_successors_and_can_be_reached() -> None:
    reached, wave = {"registered"}, {"registered"}
    while wave:
        wave = {event for state in wave for event in rules.AFTER[state]} - reached
        reached |= wave
    assert reached == set(rules.AFTER)


@given(st.sampled_from(sorted(rules.AFTER)), st.sampled_from(sorted(rules.AFTER)))
def test_only_a_registered_case_is_decided(state: str, event: str) -> None:
    if event in rules.DECISIONS:
        assert rules.follows(state, event) == (state == "registered")
    if state in ("rejected", "duplicate"):
        assert not rules.follows(state, event)


def test_closing_needs_an_acceptance() -> None:
    assert [state for state in rules.AFTER if rules.follows(state, "closed")] == ["awaiting_acceptance"]


# points


def played(case_id: int, points: int, steps: Sequence[rules.Move]) -> dict[str, int]:
    """Balances after steps, each written once for its key, as the ledger does it."""
    balances: dict[str, int] = defaultdict(int)
    written: set[str] = set()
    for step in steps:
        if step.key in written:
            continue
        written.add(step.key)
        balances[step.source] -= points
        balances[step.destination] += points
    return balances


@given(
    st.integers(1, 10**9),
    st.integers(1, 100),
    st.sampled_from(rules.DECISIONS),
    st.booleans(),
    st.sampled_from(["wait", "claim", "expire"]),
    st.integers(1, 3),
)
def test_points_are_conserved_and_nothing_stays_held_after_the_decision(
    case_id: int, points: int, event: str, anonymous: bool, then: str, times: int
) -> None:
    steps = [rules.promise(case_id), rules.settle(case_id, event, by_code=anonymous)]
    if event == "verified" and anonymous and then != "wait":
        steps.append(rules.claim(case_id) if then == "claim" else rules.expire(case_id))
    balances = played(case_id, points, [step for step in steps for _ in range(times)])
    assert sum(balances.values()) == 0
    assert balances[accounts.held(case_id)] == 0
    assert all(amount >= 0 for account, amount in balances.items() if account != accounts.REPORTS)
    paid = points if event == "verified" and not (anonymous and then == "expire") else 0
    assert balances[accounts.REPORTS] == -paid


@given(st.integers(0, 50), st.lists(st.integers(1, 50), max_size=20))
def test_a_day_earns_at_most_the_largest(largest: int, kinds: list[int]) -> None:
    earned = 0
    for points in kinds:
        promised = rules.points_promised(points, earned, largest)
        assert 0 <= promised <= points
        earned += promised
    assert earned == min(sum(kinds), largest)


# late


@pytest.mark.parametrize(("verify_hours", "waiting_hours", "late_after"), [(24, 24, 24), (2, 24, 2), (48, 24, 24)])
def test_a_case_is_late_by_whichever_limit_comes_first(verify_hours: int, waiting_hours: int, late_after: int) -> None:
    assert rules.late_ms(1000, verify_hours, waiting_hours) == 1000 + late_after * HOUR


# numbers and codes


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("2026-0113", "2026-0113"),
        ("2026-113", "2026-0113"),
        ("113", "2026-0113"),
        ("２０２６－０１１３", "2026-0113"),
        (" #2025 - 7 ", "2025-0007"),
        ("2026-12345", "2026-12345"),
        ("", None),
        ("王家沟", None),
        ("-5", None),
        ("1e3", None),
        ("2026-0113 123456", None),
        ("99999999999", None),
    ],
)
def test_a_case_number_is_read_as_people_write_it(said: str, number: str | None) -> None:
    assert CASES.read(said, 2026) == number


@given(st.integers(2020, 2099), st.integers(1, 999_999))
def test_every_number_is_read_back(year: int, sequence: int) -> None:
    number = CASES.write(year, sequence)
    assert CASES.read(number, 2026) == number
    assert CASES.printed(number) == number


@pytest.mark.parametrize(
    ("said", "claim"),
    [
        ("2026-0113 123456", ("2026-0113", "123456")),
        ("113，123 456", ("2026-0113", "123456")),
        ("２０２６－０１１３ ０００００７", ("2026-0113", "000007")),
        ("2026-0113 1234567890123456", ("2026-0113", "1234567890123456")),
        ("2026-0113 1234 5678 9012 3456", ("2026-0113", "1234567890123456")),
        ("113 1234-5678-9012-3456", ("2026-0113", "1234567890123456")),
        ("2026-0113 一二三四五六七八九零幺二三四五六", ("2026-0113", "1234567890123456")),
        ("编号 2026-0113：领奖码 1234 5678 9012 3456（只显示这一次）", ("2026-0113", "1234567890123456")),
        ("2026-0113 1234 5678 9012", None),
        ("2026-0113", None),
        ("2026-0113 12345", None),
        ("2026-0113 abcdef", None),
        ("123456", None),
        ("", None),
    ],
)
def test_a_claim_is_a_number_and_a_code(said: str, claim: tuple[str, str] | None) -> None:
    assert rules.read_claim(said, 2026) == claim


@given(st.from_regex(r"[0-9]{6}", fullmatch=True), st.from_regex(r"[0-9]{6}", fullmatch=True), st.text(max_size=20))
def test_only_the_right_code_has_its_hash(code: str, other: str, salt: str) -> None:
    assert (rules.hash_code(salt, code) == rules.hash_code(salt, other)) == (code == other)
    assert code not in rules.hash_code(salt, code)[:5]


def test_five_wrong_codes_in_an_hour_lock_for_an_hour() -> None:
    tries = [0, 10, 20, 30]
    assert rules.locked_until_ms(tries, 40) == 0
    assert rules.tries_left(tries, 40) == 1
    tries.append(40)
    assert rules.locked_until_ms(tries, 41) == 40 + HOUR
    assert rules.locked_until_ms(tries, 39 + HOUR) == 40 + HOUR
    assert rules.locked_until_ms(tries, 40 + HOUR) == 0


def test_five_wrong_codes_over_many_hours_do_not_lock() -> None:
    tries = [at * HOUR for at in range(5)]
    assert rules.locked_until_ms(tries, 4 * HOUR + 1) == 0


@given(st.lists(moments, max_size=12), moments)
def test_a_lock_always_ends(tries: list[int], now_ms: int) -> None:
    until_ms = rules.locked_until_ms([at for at in tries if at <= now_ms], now_ms)
    assert until_ms == 0 or now_ms < until_ms <= now_ms + HOUR
    if until_ms:
        assert rules.locked_until_ms([at for at in tries if at <= now_ms], until_ms) == 0


# places


@given(latitudes, longitudes, st.floats(-0.01, 0.01), st.floats(-0.01, 0.01), st.integers(1, 900))
def test_whatever_is_near_lies_in_a_named_cell(lat: float, lng: float, up: float, across: float, metres: int) -> None:
    there = Point(lat + up, lng + across)
    if distance_m(Point(lat, lng), there) <= metres * 0.99:
        assert rules.cell_of(there.lat, there.lng) in rules.cells_near(lat, lng, metres)


def test_a_policy_of_many_kilometres_is_searched_without_cells() -> None:
    assert rules.cells_near(35.6, 104.7, 60) != ()
    assert rules.cells_near(35.6, 104.7, 1_000_000) == ()


@pytest.mark.parametrize(
    ("case", "original", "state", "problem"),
    [
        ((20, 2), (10, 1), "registered", ""),
        ((20, 2), (10, 1), "verified", ""),
        ((20, 2), (10, 1), "closed", ""),
        ((20, 2), (20, 1), "registered", ""),
        ((20, 1), (20, 2), "registered", "original_is_later"),
        ((20, 2), (10, 1), "rejected", "original_rejected"),
        ((10, 1), (20, 2), "registered", "original_is_later"),
        ((10, 1), (10, 1), "registered", "duplicate_of_itself"),
    ],
)
def test_the_first_report_stands(case: rules.Receipt, original: rules.Receipt, state: str, problem: str) -> None:
    assert rules.refuse_duplicate(case, original, state) == problem


# words


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("王家沟桥头有人倒垃圾", "dumping"),
        ("有人在烧垃圾", "burning"),
        ("张三家地里着火了", "burning"),
        ("河滩上全是塑料袋", "river"),
        ("有人倒了3吨建筑垃圾，就在桥头乱倒", "dumping"),
        ("村口偷倒了三车渣土，有人看见", "dumping"),
    ],
)
def test_sentences_name_a_kind(said: str, kind: str) -> None:
    found = POLICY.report.kind_said(said)
    assert found is not None and found.id == kind


def test_the_policy_has_exactly_the_kinds_that_the_form_asks_for() -> None:
    assert tuple(kind.id for kind in POLICY.report.kinds) == KINDS


@given(st.integers(min_value=0, max_value=400 * DAY_MS))
def test_how_long_ago_never_says_more_than_it_was(passed_ms: int) -> None:
    spans = {"now": MINUTE_MS, "minutes": MINUTE_MS, "hours": HOUR_MS, "days": DAY_MS}
    unit, count = rules.ago(passed_ms)
    assert count * spans[unit] <= passed_ms < (count + 1) * spans[unit]
    assert count >= 1 or unit == "now"


@pytest.mark.parametrize(
    ("passed_ms", "said"),
    [
        (59_999, ("now", 0)),
        (9 * MINUTE_MS, ("minutes", 9)),
        (HOUR_MS - 1, ("minutes", 59)),
        (HOUR_MS, ("hours", 1)),
        (DAY_MS - 1, ("hours", 23)),
        (3 * DAY_MS, ("days", 3)),
    ],
)
def test_how_long_ago(passed_ms: int, said: tuple[str, int]) -> None:
    assert rules.ago(passed_ms) == said
