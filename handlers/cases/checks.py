"""What `verify` asks of cases: points follow the decision, and every state has its event."""

from __future__ import annotations

from handlers.world import World
from storage.database import Tx
from storage.product import integrity


async def points_still_held(tx: Tx, _: World) -> list[str]:
    """Look for decided cases whose points are still on hold."""
    rows = await integrity.held_after_decision(tx)
    return [f"case {row['number']}: decided, {row['balance']} points still held" for row in rows]


async def events_missing(tx: Tx, _: World) -> list[str]:
    """Look for cases whose state and events don't say the same."""
    silent = await integrity.without_event(tx)
    undecided = await integrity.decided_by_event_only(tx)
    return [
        *(f"case {row['number']}: {row['state']} without that event" for row in silent),
        *(f"case {row['number']}: registered, but its events say that it was decided" for row in undecided),
    ]
