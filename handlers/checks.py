"""What must hold of the product's stored data: `verify` and `doctor` ask for it."""

from __future__ import annotations

from handlers.film.checks import check_tickets
from handlers.world import World
from storage import integrity
from storage.database import Tx
from storage.product import ledger


async def product_faults(tx: Tx, world: World) -> dict[str, list[str]]:
    """For each thing looked at, everything that is wrong with it (nothing, in a sound town)."""
    held = await integrity.held_after_decision(tx)
    silent = await integrity.without_event(tx)
    undecided = await integrity.decided_by_event_only(tx)
    return {
        "ledger": await ledger.faults(tx),
        "film tickets": await check_tickets(tx, world),
        "case points": [f"case {row['number']}: decided, {row['balance']} points still held" for row in held],
        "case events": [
            *(f"case {row['number']}: {row['state']} without that event" for row in silent),
            *(f"case {row['number']}: registered, but its events say that it was decided" for row in undecided),
        ],
        "versions": await integrity.version_faults(tx),
        "references": await integrity.reference_faults(tx),
    }
