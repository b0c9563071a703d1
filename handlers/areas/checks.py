"""What `verify` asks of what was imported."""

from __future__ import annotations

from handlers.world import World
from storage.database import Tx
from storage.product import integrity
from storage.product.integrity import Flaw


async def version_faults(tx: Tx, _: World) -> list[Flaw]:
    """Look for versions of places, households and policies that are missing or in force twice."""
    return await integrity.version_faults(tx)
