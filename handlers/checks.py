"""What must hold of the product's stored data: `verify` and `doctor` ask for it."""

from __future__ import annotations

from handlers.registry import CHECKS, REFERENCES
from handlers.world import World
from storage.database import Tx
from storage.product.integrity import reference_faults


async def product_faults(tx: Tx, world: World) -> dict[str, list[str]]:
    """Look for everything that is wrong, by what was looked at (nothing, in a sound town)."""
    found = {name: await check(tx, world) for name, check in CHECKS.items()}
    return {**found, "references": await reference_faults(tx, REFERENCES)}
