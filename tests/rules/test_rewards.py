"""Adding a month's rewards up: nothing is lost, nobody gets another's, and no case can be told from a sum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from handlers.rewards.rules import add_up

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
