"""What a ticket is worth, when it waits, who may decide: tables of known answers, and laws for all the others."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.film import rules
from handlers.film.rules import Terms, WeightError
from handlers.film.weighing.reading import card_said
from handlers.numbers import TICKETS
from handlers.points import rules as statement
from handlers.policy.film import FilmBounds

TERMS = Terms(
    county_rate_e4=1_000_000, township_rate_e4=500_000, points_rate_e4=10_000, points_rounding="down", points_left=500
)
BOUNDS = FilmBounds(
    smallest_g=100,
    ask_again_above_g=200_000,
    staff_above_g=1_000_000,
    household_year_staff_above_g=3_000_000,
    impurity_ask_again_above_bp=2_000,
    impurity_largest_bp=5_000,
)
NET_G = st.integers(1, 10**9)
IMPURITY_BP = st.integers(0, 10_000)
RATE_E4 = st.integers(0, 10**8)


@pytest.mark.parametrize(
    ("net_g", "impurity_bp", "accepted_g"),
    [
        (15_600, 0, 15_600),
        (15_600, 500, 14_820),
        (15_750, 333, 15_230),  # 15.225525 kg
        (100, 500, 100),  # 95 g: half-up to 0.01 kg
        (110, 500, 100),  # 104.5 g
        (10, 5_000, 10),  # 5 g rounds up
        (10, 5_001, 0),
        (15_600, 10_000, 0),
    ],
)
def test_accepted_weight(net_g: int, impurity_bp: int, accepted_g: int) -> None:
    assert rules.accepted_g(net_g, impurity_bp) == accepted_g


@pytest.mark.parametrize(("net_g", "impurity_bp"), [(0, 0), (-5_000, 0), (100, -1), (100, 10_001)])
def test_figures_that_can_not_be_are_refused(net_g: int, impurity_bp: int) -> None:
    with pytest.raises(WeightError):
        rules.accepted_g(net_g, impurity_bp)


@pytest.mark.parametrize(
    ("grams", "rate_e4", "rounding", "whole"),
    [
        (15_600, 1_000_000, "half_up", 1_560),  # 15.6 kg at 1 yuan
        (15_610, 505_000, "half_up", 788),  # 788.305 fen
        (10, 500_000, "half_up", 1),  # half a fen rounds up
        (10, 499_999, "half_up", 0),
        (15_600, 10_000, "down", 15),
        (15_600, 10_000, "half_up", 16),
        (999_990, 0, "half_up", 0),
    ],
)
def test_a_rate_times_kilograms(grams: int, rate_e4: int, rounding: rules.PointsRounding, whole: int) -> None:
    assert rules.of_rate(grams, rate_e4, rounding) == whole


def test_each_fund_is_rounded_by_itself() -> None:
    half = replace(TERMS, county_rate_e4=500_000, township_rate_e4=500_000)
    found = rules.amounts(10, 0, half)
    assert (found.county_fen, found.township_fen, found.total_fen) == (1, 1, 2)


@pytest.mark.parametrize(("left_fen", "township_fen"), [(None, 780), (1_000, 780), (780, 780), (779, 779), (0, 0)])
def test_a_fund_gives_no_more_than_its_cap_leaves(left_fen: int | None, township_fen: int) -> None:
    found = rules.amounts(15_600, 0, replace(TERMS, township_left_fen=left_fen))
    assert (found.county_fen, found.township_fen) == (1_560, township_fen)


def test_a_households_day_of_points_is_limited() -> None:
    assert rules.amounts(800_000, 0, TERMS).points == 500
    assert rules.amounts(800_000, 0, replace(TERMS, points_left=0)).points == 0


@given(NET_G, IMPURITY_BP)
def test_accepted_is_a_step_of_the_ticket_and_never_more_than_net(net_g: int, impurity_bp: int) -> None:
    accepted = rules.accepted_g(net_g, impurity_bp)
    exact = Decimal(net_g) * (10_000 - impurity_bp) / 10_000
    assert 0 <= accepted <= net_g
    assert abs(Decimal(accepted) - exact) <= rules.TICKET_STEP_G
    assert accepted % rules.TICKET_STEP_G == 0 or accepted == net_g


@given(st.integers(1, 10**8).map(lambda steps: steps * 10), IMPURITY_BP)
def test_a_ticket_weight_is_rounded_half_up(net_g: int, impurity_bp: int) -> None:
    exact = Decimal(net_g) * (10_000 - impurity_bp) / 10_000 / 10
    assert rules.accepted_g(net_g, impurity_bp) == int(exact.quantize(Decimal(1), ROUND_HALF_UP)) * 10


@given(NET_G, NET_G, IMPURITY_BP, RATE_E4, RATE_E4, st.sampled_from(["down", "half_up"]))
def test_more_film_never_gives_less(
    one_g: int, other_g: int, impurity_bp: int, county: int, township: int, rounding: rules.PointsRounding
) -> None:
    terms = Terms(county_rate_e4=county, township_rate_e4=township, points_rate_e4=township, points_rounding=rounding)
    less, more = (rules.amounts(grams, impurity_bp, terms) for grams in sorted((one_g, other_g)))
    assert less.accepted_g <= more.accepted_g
    assert less.county_fen <= more.county_fen
    assert less.township_fen <= more.township_fen
    assert less.points <= more.points


@given(NET_G, IMPURITY_BP, IMPURITY_BP)
def test_dirtier_film_never_gives_more(net_g: int, one_bp: int, other_bp: int) -> None:
    cleaner, dirtier = (rules.amounts(net_g, bp, TERMS) for bp in sorted((one_bp, other_bp)))
    assert cleaner.accepted_g >= dirtier.accepted_g
    assert cleaner.total_fen >= dirtier.total_fen


@given(NET_G, IMPURITY_BP, RATE_E4, RATE_E4)
def test_each_part_is_within_half_a_fen_of_exact(net_g: int, impurity_bp: int, county: int, township: int) -> None:
    terms = Terms(county_rate_e4=county, township_rate_e4=township, points_rate_e4=0, points_rounding="down")
    found = rules.amounts(net_g, impurity_bp, terms)
    for part, rate in ((found.county_fen, county), (found.township_fen, township)):
        assert abs(Decimal(part) - Decimal(found.accepted_g) * rate / 10_000_000) <= Decimal("0.5")
    assert found.total_fen == found.county_fen + found.township_fen


@given(st.decimals(0, 1_000_000, places=4))
def test_a_policy_rate_is_kept_exactly(rate: Decimal) -> None:
    assert Decimal(rules.rate_e4(rate)) / rules.RATE_SCALE == rate


@pytest.mark.parametrize(
    ("net_g", "year_before_g", "own", "elsewhere", "reasons"),
    [
        (1_000_000, 0, False, False, ()),
        (1_000_010, 0, False, False, ("heavy",)),
        (10_000, 2_990_000, False, False, ()),
        (10_010, 2_990_000, False, False, ("household_year",)),
        (15_600, 0, True, False, ("own_household",)),
        (15_600, 0, False, True, ("other_area",)),
        (2_000_000, 2_000_000, True, True, ("heavy", "household_year", "own_household", "other_area")),
    ],
)
def test_what_waits_for_staff(
    net_g: int, year_before_g: int, own: bool, elsewhere: bool, reasons: tuple[str, ...]
) -> None:
    assert (
        rules.held_for(
            net_g=net_g,
            accepted=net_g,
            year_before_g=year_before_g,
            own_household=own,
            other_area=elsewhere,
            bounds=BOUNDS,
        )
        == reasons
    )


@pytest.mark.parametrize(
    ("net_g", "code"), [(0, "not_positive"), (-1, "not_positive"), (99, "too_small"), (100, ""), (10**9, "")]
)
def test_weights_nobody_may_count(net_g: int, code: str) -> None:
    if not code:
        rules.refuse_weight(net_g, BOUNDS)
        return
    with pytest.raises(WeightError) as problem:
        rules.refuse_weight(net_g, BOUNDS)
    assert problem.value.code == code


def test_bounds_that_ask_again() -> None:
    assert [rules.heavy(net_g, BOUNDS) for net_g in (200_000, 200_010)] == [False, True]
    assert [rules.dirty(bp, BOUNDS) for bp in (2_000, 2_001)] == [False, True]
    with pytest.raises(WeightError, match="too_dirty"):
        rules.refuse_impurity(5_001, BOUNDS)


def test_no_ticket_counts_twice_and_none_comes_back() -> None:
    for state, following in rules.FOLLOWS.items():
        if state in rules.STANDS:
            assert not following & {"counted", "approved", "held"}
        if state in ("refused", "reversed"):
            assert not following


@pytest.mark.parametrize(
    ("decider", "members", "state", "event", "verdict"),
    [
        (7, (), "held", "approved", "good"),
        (5, (), "held", "approved", "own_ticket"),
        (7, (7, 8), "held", "approved", "own_household"),
        (7, (), "approved", "approved", "decided"),
        (7, (), "objected", "upheld", "good"),
        (5, (), "objected", "upheld", "own_ticket"),
        (7, (), "upheld", "upheld", "decided"),
    ],
)
def test_who_decides(decider: int, members: tuple[int, ...], state: str, event: str, verdict: str) -> None:
    found = rules.may_decide(writer_ids={5}, decider_id=decider, member_ids=members, state=state, event=event)
    assert found == verdict


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("F2026-00042", "F2026-00042"),
        ("f2026-42", "F2026-00042"),
        ("42", "F2026-00042"),
        ("F42", "F2026-00042"),
        ("#F2025-7 ", "F2025-00007"),
        ("2025-123456", "F2025-123456"),
        ("张三", None),
        ("F2026-", None),
        ("", None),
        ("F-4-2", None),
        ("٤٢", None),
    ],
)
def test_ticket_numbers_as_people_type_them(said: str, number: str | None) -> None:
    assert TICKETS.read(said, 2026) == number


@given(st.integers(2025, 2099), st.integers(1, 10**7))
def test_a_ticket_number_reads_back(year: int, sequence: int) -> None:
    number = TICKETS.write(year, sequence)
    assert TICKETS.read(number, 2026) == number


@pytest.mark.parametrize(
    ("said", "card"),
    [
        ("N0123", "N0123"),
        ("n0123", "n0123"),
        ("https://chat.example/?card=n0123", "N0123"),
        ("jingxiang:household:N0123", "N0123"),
        ("张三", "张三"),
        (" 张三 ", "张三"),
    ],
)
def test_the_card_in_a_scanned_code(said: str, card: str) -> None:
    assert card_said(said) == card


@given(st.integers(0, 2**53), st.integers(0, 2**53), st.sampled_from(["points", "subsidy"]))
def test_a_statements_button_reads_back_and_fits(household_id: int, before_id: int, command: str) -> None:
    data = statement.write(command, household_id, before_id)
    assert len(data.encode()) <= 40
    assert statement.read(data.partition(" ")[2]) == statement.Wanted(household_id=household_id, before_id=before_id)


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ("", statement.Wanted()),
        ("张三", statement.Wanted(said="张三")),
        ("N0123", statement.Wanted(said="N0123")),
        ("~ab", statement.Wanted(before_id=371)),
        ("h:张三", statement.Wanted(said="h:张三")),
        ("张三 ~!", statement.Wanted(said="张三 ~!")),
    ],
)
def test_what_a_statement_is_asked_for(args: str, wanted: statement.Wanted) -> None:
    assert statement.read(args) == wanted
