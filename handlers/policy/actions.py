"""Policies and the calendar of public holidays from the database."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.policy.calendar import Calendar, calendar_of
from handlers.policy.loader import load, load_calendar
from handlers.policy.model import PolicyVersion
from handlers.policy.rules import at
from storage.database import Tx
from storage.product.areas import stamp
from storage.product.calendars import calendars_in_force
from storage.product.policies import all_policies


@dataclass(frozen=True, slots=True)
class Policies:
    """Every policy version of the township at one stamp."""

    stamp: int
    versions: tuple[PolicyVersion, ...]

    def at(self, when_ms: int) -> PolicyVersion:
        """The policy in force at a moment; raises NoPolicy before the first."""
        return at(self.versions, when_ms)


async def load_policies(tx: Tx, cached: Policies | None = None) -> Policies:
    """Every version; `cached` itself while its stamp still holds (one small query)."""
    now = await stamp(tx)
    if cached is not None and cached.stamp == now:
        return cached
    rows = await all_policies(tx)
    versions = (PolicyVersion(row["version"], row["effective_from_ms"], load(row["body"])) for row in rows)
    return Policies(now, tuple(versions))


async def read_calendar(tx: Tx) -> Calendar:
    """The working days as the township imported them, and as the library has them."""
    return calendar_of([load_calendar(row["body"]) for row in await calendars_in_force(tx)])
