"""What can be checked of the stored data without knowing the product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from bot.talk.messages import Words, text
from bot.talk.session import Session
from storage.database import Row, Tx
from storage.machine import inbox, outbox, sessions, timers
from storage.vault.vault import Locked


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: its name, whether it is as it must be, and what was seen.

    People read the text `check.<name>.name`, where there is one; `of` is the township, where there are several. What
    was seen may be several things.
    """

    name: str
    ok: bool
    seen: Words | tuple[Words, ...]
    warning: bool = False
    of: str = ""


async def machine_checks(tx: Tx) -> list[Check]:
    """Sessions decode; what waits, failed or is in quarantine is named."""
    broken = []
    try:
        rows = await sessions.all_bodies(tx)
    except Locked:
        rows = None
    for row in rows or ():
        try:
            Session.from_json(orjson.loads(row["body"]))
        except (KeyError, TypeError, ValueError):
            broken.append(str(row["person_id"]))
    arrived = await inbox.counts(tx)
    leaving = await outbox.counts(tx)
    planned = await timers.counts(tx)
    left = [text("check.outbox.state", state=text(f"state.{state}"), count=n) for state, n in sorted(leaving.items())]
    failed = planned.get("failed", 0)
    return [
        _sessions(rows, broken),
        Check("inbox", True, text("check.inbox.seen", new=arrived.get("new", 0))),
        _unless(arrived.get("quarantined", 0), "quarantine"),
        Check("outbox", True, tuple(left) or text("check.outbox.empty")),
        _unless(leaving.get("failed", 0), "undelivered"),
        _unless(await outbox.unreadable(tx, after_ms=0), "unreadable"),
        Check("timers", not failed, text("check.timers.seen", due=planned.get("due", 0), failed=failed)),
    ]


def _sessions(rows: Sequence[Row] | None, broken: Sequence[str]) -> Check:
    if rows is None:
        return Check("sessions", False, text("check.sessions.locked"), warning=True)
    if broken:
        return Check("sessions", False, text("check.sessions.broken", count=len(rows), broken=", ".join(broken)))
    return Check("sessions", True, text("check.sessions.whole", count=len(rows)))


def _unless(count: int, name: str) -> Check:
    """A warning when there are some."""
    return Check(name, not count, text(f"check.{name}.seen", count=count), warning=True)
