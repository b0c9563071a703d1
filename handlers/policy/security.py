"""What the policy says of the doors: how long a page of the office may lie unused."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers.policy.fields import Table


class Security(Table):
    """How the office's own doors are kept. What isn't said is as a township would want it."""

    page_idle_days: Annotated[int, Field(ge=0, le=400)] = 30
    """After so many days without use a web page of the office is signed out; 0: never."""
