"""What can be checked of the stored data without knowing the product."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from bot.talk.session import Session
from storage.database import Tx
from storage.machine import inbox, outbox, sessions, timers


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: its name, whether it is as it must be, and what was seen."""

    name: str
    ok: bool
    seen: str
    warning: bool = False


async def machine_checks(tx: Tx) -> list[Check]:
    """Sessions decode; what waits, failed or is in quarantine is named."""
    broken = []
    rows = await sessions.all_bodies(tx)
    for row in rows:
        try:
            Session.from_json(orjson.loads(row["body"]))
        except (KeyError, TypeError, ValueError):
            broken.append(str(row["person_id"]))
    arrived = await inbox.counts(tx)
    leaving = await outbox.counts(tx)
    planned = await timers.counts(tx)
    return [
        Check("sessions", not broken, f"{len(rows)} stored, unreadable: {', '.join(broken) or 'none'}"),
        Check("inbox", True, f"{arrived.get('new', 0)} new"),
        Check("quarantine", not arrived.get("quarantined"), f"{arrived.get('quarantined', 0)} updates", warning=True),
        Check("outbox", True, ", ".join(f"{n} {state}" for state, n in sorted(leaving.items())) or "all sent"),
        Check("undelivered", not leaving.get("failed"), f"{leaving.get('failed', 0)} given up", warning=True),
        Check("timers", not planned.get("failed"), f"{planned.get('due', 0)} due, {planned.get('failed', 0)} failed"),
    ]
