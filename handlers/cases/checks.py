"""What `verify` asks of cases: points follow the decision, and every state has its event."""

from __future__ import annotations

from handlers.world import World
from storage.database import Tx
from storage.product import integrity
from storage.product.integrity import Flaw, broken


async def points_still_held(tx: Tx, _: World) -> list[Flaw]:
    """Look for decided cases whose points are still on hold."""
    rows = await integrity.held_after_decision(tx)
    return [broken("still_held", number=row["number"], points=row["balance"]) for row in rows]


async def events_missing(tx: Tx, _: World) -> list[Flaw]:
    """Look for cases whose state and events don't say the same."""
    silent = await integrity.without_event(tx)
    undecided = await integrity.decided_by_event_only(tx)
    return [
        *(broken("state_without_event", number=row["number"], state=row["state"]) for row in silent),
        *(broken("decided_by_event_only", number=row["number"]) for row in undecided),
    ]
