"""What `verify` asks of the rows: nothing in them leads from a case to who reported it."""

from __future__ import annotations

from handlers.rewards.turning import APART
from handlers.world import World
from storage.database import Tx
from storage.product.integrity import Flaw, broken
from storage.security.joins import leading_to_reporters


async def leads_to_reporters(tx: Tx, world: World) -> list[Flaw]:
    """Look for rows that name, beside a case, whoever reported it or was rewarded for it, without the vault's key."""
    kept_days = world.policy.retention.reporter_identity_days
    found = await leading_to_reporters(tx, kept_days=kept_days, set_apart=APART)
    return [broken("leads_to_reporter", way=way, count=count) for way, count in found.items()]
