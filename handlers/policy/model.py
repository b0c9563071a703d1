"""The policy a township sets (`policy.toml`), composed of its parts. Units are in names; D-numbers are sources.

`PolicyVersion` is what the rest of the product holds: each computed row records its `version`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from handlers.policy.cadence import Digest, Friday, QuietHours
from handlers.policy.fields import Many, Table, Words
from handlers.policy.film import Film
from handlers.policy.house import (
    Consent,
    Invitations,
    Limits,
    MediaRules,
    Notices,
    PointRules,
    Reminding,
    Retention,
    Undo,
)
from handlers.policy.menu import USUAL, Bar
from handlers.policy.report import Report
from handlers.policy.security import Rewards, Security, StepUp
from handlers.policy.talk import Elsewhere, OwnWords


class Policy(Table):
    """Everything a township sets, for one period."""

    schema_version: Annotated[int, Field(alias="schema", ge=1, le=1)]
    title: Words
    basis: str
    effective_from: date
    film: Film
    report: Report
    friday: Friday
    digest: Digest
    quiet: QuietHours
    limits: Limits
    consent: Consent
    retention: Retention
    media: MediaRules = MediaRules()
    points: PointRules
    reminders: Reminding
    invitations: Invitations
    undo: Undo = Undo()
    notices: Notices = Notices()
    security: Security = Security()
    step_up: StepUp = StepUp()
    rewards: Rewards = Rewards()
    elsewhere: Elsewhere = Elsewhere()
    sayings: Many[OwnWords] = ()
    wechat_menu: Bar = USUAL


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy with its number and the moment (ms UTC) from which it holds."""

    version: int
    effective_from_ms: int
    policy: Policy
