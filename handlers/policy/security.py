"""What the policy says of the doors: idle pages of the office, who may see who reported, when a PIN is asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import Field, field_validator

from handlers.people.rules import RIGHTS, ROLES
from handlers.policy.fields import Hours, Many, Points, Table, fault, no_repeats


class Security(Table):
    """How the office's own doors are kept. What isn't said is as a township would want it."""

    page_idle_days: Annotated[int, Field(ge=0, le=400)] = 30
    """After so many days without use a web page of the office is signed out; 0: never."""

    reporter_second_person: bool = True
    """Whether somebody else has to confirm before it is shown who reported."""

    reporter_look_hours: Hours = 48
    """How long a request waits for its confirmation, and how long what was confirmed can be looked at."""

    reporter_told_days: Annotated[int, Field(ge=1, le=365)] = 14
    """After so many days the reporter is told that somebody looked, and why."""


class Rewards(Table):
    """What keeps rewards for reports from being farmed by those who verify them."""

    verifier_month_points: Points = 0
    """How many points the cases that one person verified may bring in a month; 0: any number."""

    programme_month_points: Points = 0
    """How many all cases together may."""

    hint_least_cases: Annotated[int, Field(ge=3, le=1_000)] = 5
    """Of whoever verified fewer rewarded cases in a month the auditor is shown nothing: it would say who reported."""

    hint_least_times: Annotated[int, Field(ge=1, le=1_000)] = 2
    """How often a household or chat in common is shown."""

    hint_often: Annotated[int, Field(ge=2, le=1_000)] = 4
    """How often the same two people are."""


class StepUp(Table):
    """Before what is the person asked for their PIN, in that chat, though they are signed in."""

    asks: Many[str] = ("see_reporter", "confirm_disclosure", "manage_roles", "invite", "approve_weight", "correct_film")
    """Rights: what is done with them asks, of everybody who has set a PIN."""

    required_of: Many[str] = ()
    """Roles that can do none of that before they have set one."""

    minutes: Annotated[int, Field(ge=1, le=480)] = 10
    """For how long an answer holds in the same chat."""

    @field_validator("asks")
    @classmethod
    def _known_rights(cls, asks: tuple[str, ...]) -> tuple[str, ...]:
        return _among(asks, RIGHTS)

    @field_validator("required_of")
    @classmethod
    def _known_roles(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        return _among(roles, ROLES)


def _among(said: tuple[str, ...], known: Collection[str]) -> tuple[str, ...]:
    no_repeats(said, "policy_repeated")
    for one in said:
        if one not in known:
            raise fault("policy_unknown_name", name=one, names="、".join(sorted(known)))
    return said
