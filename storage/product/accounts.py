"""Names of the ledger's accounts, written and read here only. Pure."""

from __future__ import annotations

HOUSEHOLD, PERSON, FUND, PROGRAMME = "household:", "person:", "fund:", "programme:"
HELD, CLAIMABLE = "hold:case:", "claim:case:"
REWARD = "reward:"
GRANTED, DUE = f"{REWARD}case:", f"{REWARD}due"

# Where value comes from: only these may be below zero.
SOURCES = (FUND, PROGRAMME)
# What is somebody's, or waits for whoever brings a claim code.
PEOPLES = (PERSON, HOUSEHOLD, CLAIMABLE, REWARD)

REPORTS, FILM = f"{PROGRAMME}reports", f"{PROGRAMME}film"


def of_household(household_id: int) -> str:
    """Name a household's account."""
    return f"{HOUSEHOLD}{household_id}"


def of_person(person_id: int) -> str:
    """Name a person's own account."""
    return f"{PERSON}{person_id}"


def of_fund(fund: str) -> str:
    """Name the account of a fund (county, township)."""
    return f"{FUND}{fund}"


def held(case_id: int) -> str:
    """Name the account of points promised at the tip-off, until the decision."""
    return f"{HELD}{case_id}"


def claimable(case_id: int) -> str:
    """Name the account of an anonymous report's points, until somebody brings its code."""
    return f"{CLAIMABLE}{case_id}"


def granted(case_id: int) -> str:
    """Name the account of a reward that is its reporter's, until the month's rewards are added up."""
    return f"{GRANTED}{case_id}"


def reward_of(key: int) -> str:
    """Name the account of somebody's rewards; `key` stands for the person (`storage.people.rewards`)."""
    return f"{REWARD}{key}"
