"""What the policy says of what recurs: the clean-up, the digest, the quiet hours (D21)."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import Field

from handlers.policy.fields import Hours, Many, Positive, Table, Weekday


class Reminder(Table):
    """A weekday (1 = Monday) and the township's time of day."""

    weekday: Weekday
    at: time


class Friday(Table):
    """The weekly clean-up (D21): whom to remind when, until when villages answer, what is plausible."""

    weekday: Weekday
    reminders: Many[Reminder]
    report_until: time
    on_holiday: Literal["skip", "last_workday"]
    late_drop_minutes: Positive
    late_days: Annotated[int, Field(ge=0, le=6)] = 3
    people_ask_again_above: Positive
    vehicles_ask_again_above: Positive
    volume_m3_ask_again_above: Positive


class Digest(Table):
    """The day's figures for staff."""

    at: time
    late_drop_minutes: Positive
    waiting_shown_largest: Annotated[int, Field(ge=1, le=50)]
    soon_hours: Hours = 6
    unread_days: Annotated[int, Field(ge=1, le=60)] = 3


class QuietHours(Table):
    """No reminders between these times; urgent cases pass."""

    start: time
    end: time

    def covers(self, moment: time) -> bool:
        """Is the time of day inside the quiet hours (which may pass midnight)?"""
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end
