"""What `verify` asks of the ledger."""

from __future__ import annotations

from handlers.world import World
from storage.database import Tx
from storage.product import ledger
from storage.product.integrity import Flaw


async def ledger_faults(tx: Tx, _: World) -> list[Flaw]:
    """Look for balances that don't sum to zero, differ from their transfers, or are below zero."""
    return await ledger.faults(tx)
