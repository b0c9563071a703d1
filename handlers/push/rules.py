"""When a browser is told that something waits: once a batch, not again and again, not at night. Pure."""

from __future__ import annotations

from dataclasses import dataclass

SETTLE_MS = 2_000  # what comes together is told together
GAP_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a browser: for when a push was planned last, when one went out last, and when somebody wrote
    there or looked at the page last; 0 for never.
    """

    planned_ms: int
    told_ms: int
    seen_ms: int


def moment_ms(now_ms: int, told: Told) -> int:
    """The earliest moment for a push: soon, but some minutes after the last one until its reader has looked."""
    last_ms = told.planned_ms if told.planned_ms <= now_ms else told.told_ms
    soon_ms = now_ms + SETTLE_MS
    return soon_ms if told.seen_ms >= last_ms else max(soon_ms, last_ms + GAP_MS)


def planned_for(now_ms: int, told: Told, *, urgent: bool, awake_ms: int) -> int | None:
    """For when to plan a push of what waits now; None when one that is still to go tells of it early enough.

    `awake_ms`: `moment_ms` after the quiet hours; what is urgent is told at any hour.
    """
    wanted_ms = moment_ms(now_ms, told) if urgent else awake_ms
    return None if now_ms < told.planned_ms <= wanted_ms else wanted_ms
