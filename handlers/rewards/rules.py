"""How a month's rewards are added up, when one has to wait, what stands out between verifiers and rewarded. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class MonthSums:
    """Points by person, by household that somebody acted for, and of whom nothing is known any more (`nobody`)."""

    people: Mapping[int, int] = field(default_factory=dict)
    households: Mapping[int, int] = field(default_factory=dict)
    nobody: int = 0


def add_up(granted: Mapping[int, int], owners: Mapping[int, tuple[int | None, int | None]]) -> MonthSums:
    """Add up what was granted (case id → points) by whose it is; no case can be told from the sums.

    `owners`: case id → the person, None when nobody is known any more, and the household for which they acted.
    """
    people: dict[int, int] = {}
    households: dict[int, int] = {}
    nobody = 0
    for case_id, points in granted.items():
        person_id, household_id = owners.get(case_id, (None, None))
        if person_id is None:
            nobody += points
        elif household_id is not None:
            households[household_id] = households.get(household_id, 0) + points
        else:
            people[person_id] = people.get(person_id, 0) + points
    return MonthSums(people, households, nobody)


Why = Literal["verifier", "programme"]


def why_it_waits(points: int, *, of_verifier: int, cap: int, of_all: int, cap_of_all: int) -> Why | None:
    """Why a reward has to wait: with it a month's points would be more than the cap; None when it need not.

    `of_verifier`, `of_all`: what was granted that month before. A cap of 0 is none. What is larger than a whole cap is
    granted as the month's first, for else it would wait for ever.
    """
    if cap and of_verifier and of_verifier + points > cap:
        return "verifier"
    return "programme" if cap_of_all and of_all and of_all + points > cap_of_all else None


@dataclass(frozen=True, slots=True)
class Pair:
    """One rewarded case: who verified it, whose the reward is, and what the two have in common."""

    verifier_id: int
    beneficiary_id: int
    same_household: bool = False
    same_chat: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """What stands out in a month's cases of somebody who verifies: `times` of `of_cases`."""

    verifier_id: int
    hint: Literal["household", "chat", "often"]
    times: int
    of_cases: int


def hints_of(pairs: Sequence[Pair], *, least_cases: int, least_times: int, often: int) -> list[Hint]:
    """What the auditor is shown of a month: only counts, and only of who verified enough cases.

    `least_cases`: whoever verified fewer is not shown, for then a count would say whose report it was. `least_times`:
    how often a household or chat in common is worth saying, `often` the same two people.
    """
    found: list[Hint] = []
    for verifier_id, theirs in sorted(_by_verifier(pairs).items()):
        if len(theirs) < least_cases:
            continue
        counts = {
            "household": (sum(one.same_household for one in theirs), least_times),
            "chat": (sum(one.same_chat for one in theirs), least_times),
            "often": (max(Counter(one.beneficiary_id for one in theirs).values()), often),
        }
        found += [
            Hint(verifier_id, hint, times, len(theirs))  # type: ignore[arg-type]
            for hint, (times, least) in counts.items()
            if times >= least
        ]
    return found


def _by_verifier(pairs: Iterable[Pair]) -> dict[int, list[Pair]]:
    found: dict[int, list[Pair]] = {}
    for one in pairs:
        found.setdefault(one.verifier_id, []).append(one)
    return found
