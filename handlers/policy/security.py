"""What the policy says of the doors: idle pages of the office, and who may see who reported."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.policy.fields import Hours, Table


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
