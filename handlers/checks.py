"""What must hold of the product's stored data: `verify` and `doctor` ask for it."""

from __future__ import annotations

from bot.talk.messages import Words, text
from handlers.registry import CHECKS, REFERENCES
from handlers.world import World
from storage.database import Tx
from storage.product.integrity import Flaw, reference_faults

NAMED = frozenset({"figure", "fund", "state", "unit", "way"})  # fields that hold ids, each with a text of its own


async def product_faults(tx: Tx, world: World) -> dict[str, list[Words]]:
    """Look for everything that is wrong, by what was looked at (nothing, in a sound town)."""
    found = {name: await check(tx, world) for name, check in CHECKS.items()}
    found["references"] = await reference_faults(tx, REFERENCES)
    return {name: [told(fault) for fault in faults] for name, faults in found.items()}


def told(fault: Flaw) -> Words:
    """Put a fault in words: the text `fault.<code>`, and for an id among its fields `fault.<field>.<id>`."""
    fields = {name: text(f"fault.{name}.{value}") if name in NAMED else value for name, value in fault.fields.items()}
    return text(f"fault.{fault.code}", **fields)
