"""Adding a month's rewards up: nothing is lost, nobody gets another's, and no case can be told from a sum."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from handlers.rewards.rules import Pair, add_up, hints_of, why_it_waits

Owners = dict[int, tuple[int | None, int | None]]
cases = st.dictionaries(st.integers(1, 50), st.integers(1, 100), max_size=20)
owner = st.tuples(st.none() | st.integers(1, 5), st.none() | st.integers(1, 4))
owned = st.dictionaries(st.integers(1, 50), owner, max_size=50)


@given(cases, owned)
def test_every_point_comes_to_somebody_once(granted: dict[int, int], owners: Owners) -> None:
    sums = add_up(granted, owners)
    assert sum(sums.people.values()) + sum(sums.households.values()) + sums.nobody == sum(granted.values())
    for person, points in sums.people.items():
        own = [granted[case] for case in granted if owners.get(case) == (person, None)]
        assert points == sum(own) > 0
    for household, points in sums.households.items():
        theirs = [case for case in granted if owners.get(case, (None, None))[1] == household]
        assert points == sum(granted[case] for case in theirs if owners[case][0] is not None) > 0


@given(cases, owned, st.randoms())
def test_the_order_of_cases_does_not_show(granted: dict[int, int], owners: Owners, chance) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(granted.items())
    chance.shuffle(shuffled)
    assert add_up(dict(shuffled), owners) == add_up(granted, owners)


POINTS_OF = st.integers(1, 50)
PAIRS = st.lists(st.builds(Pair, st.integers(1, 3), st.integers(10, 14), st.booleans(), st.booleans()), max_size=40)


@given(st.lists(POINTS_OF, max_size=40), st.integers(0, 100), st.integers(0, 200))
def test_a_month_stays_below_its_caps_but_for_its_first(rewards: list[int], cap: int, cap_of_all: int) -> None:
    used = 0
    for points in rewards:
        why = why_it_waits(points, of_verifier=used, cap=cap, of_all=used, cap_of_all=cap_of_all)
        before, used = used, used if why else used + points
        if why is None and before:
            assert not cap or used <= cap
            assert not cap_of_all or used <= cap_of_all
        assert before or why is None, "nothing waits for ever"
        assert why != "verifier" or cap
        assert why != "programme" or cap_of_all


@given(PAIRS, st.integers(1, 10), st.integers(1, 5), st.integers(2, 6))
def test_hints_are_counts_of_who_verified_enough(pairs: list[Pair], least_cases: int, least: int, often: int) -> None:
    for hint in hints_of(pairs, least_cases=least_cases, least_times=least, often=often):
        theirs = [one for one in pairs if one.verifier_id == hint.verifier_id]
        assert hint.of_cases == len(theirs) >= least_cases
        assert hint.times <= hint.of_cases and hint.times >= (often if hint.hint == "often" else least)
        if hint.hint == "household":
            assert hint.times == sum(one.same_household for one in theirs)


@given(PAIRS, st.permutations(range(10, 15)))
def test_hints_are_the_same_whoever_the_rewarded_are(pairs: list[Pair], names: list[int]) -> None:
    """Called otherwise, the rewarded lead to the same hints: nothing in them depends on who somebody is."""
    called = dict(zip(range(10, 15), names, strict=True))
    others = [replace(one, beneficiary_id=called[one.beneficiary_id]) for one in pairs]
    numbers = {"least_cases": 3, "least_times": 1, "often": 2}
    assert hints_of(pairs, **numbers) == hints_of(others, **numbers)
