"""How a month's rewards are added up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
