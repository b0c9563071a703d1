"""What holds in the township now: policy and places, loaded from the database once and again when they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TypeAlias
from zoneinfo import ZoneInfo

from bot import turn
from bot.talk.spans import DAY_MS
from handlers.areas.index import Gazetteer
from handlers.declared import Declared
from handlers.policy.actions import Policies
from handlers.policy.calendar import Calendar
from handlers.policy.model import Policy, PolicyVersion

PHONE_ERROR_M = 150
NEAR_M = 800


@dataclass(frozen=True, slots=True)
class World:
    """`policies` has every version, `current` is the one in force now; `telegram_name` the bot's, "" without one.

    `robots`: the areas whose WeCom groups have a robot, with its address. `declared`: what capabilities say to others.
    """

    code: str
    name: str
    zone: ZoneInfo
    public_url: str
    telegram_name: str
    places: Gazetteer
    policies: Policies
    current: PolicyVersion
    robots: Mapping[int, str] = field(default_factory=dict)
    declared: Declared = field(default_factory=Declared)
    calendar: Calendar = field(default_factory=Calendar)

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.current.policy

    def policy_at(self, when_ms: int) -> PolicyVersion:
        """The policy in force at a moment."""
        return self.policies.at(when_ms)

    def local(self, when_ms: int) -> datetime:
        """A moment in the township's time."""
        return datetime.fromtimestamp(when_ms / 1000, UTC).astimezone(self.zone)

    def day(self, when_ms: int) -> date:
        """The township's date at a moment."""
        return self.local(when_ms).date()

    def moment_ms(self, day: date, clock: time) -> int:
        """A time of day of a township's date, in ms UTC."""
        return int(datetime.combine(day, clock, self.zone).timestamp() * 1000)

    def after_quiet_ms(self, when_ms: int) -> int:
        """The moment itself, or the end of the quiet hours it falls into."""
        local = self.local(when_ms)
        quiet = self.policy.quiet
        if not quiet.covers(local.time()):
            return when_ms
        day = local.date()
        ends_ms = self.moment_ms(day, quiet.end)
        return ends_ms if ends_ms > when_ms else ends_ms + DAY_MS

    def before_quiet_ms(self, when_ms: int) -> int:
        """When the next quiet hours begin after a moment; a day later where there are none."""
        quiet = self.policy.quiet
        begins_ms = self.moment_ms(self.day(when_ms), quiet.start)
        return begins_ms if begins_ms > when_ms and quiet.start != quiet.end else begins_ms + DAY_MS


Desk: TypeAlias = turn.Desk[World]
Turn: TypeAlias = turn.Turn[World]
