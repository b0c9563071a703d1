"""What `verify` asks of rewards: a month is handed out whole, and none is left behind."""

from __future__ import annotations

from handlers.world import World
from storage.database import Tx
from storage.people.rewards import UNIT
from storage.product import accounts, ledger
from storage.product.integrity import Flaw, broken


async def handed_out_whole(tx: Tx, _: World) -> list[Flaw]:
    """Look for points that were added up and came to nobody."""
    left = await ledger.balance(tx, accounts.DUE, UNIT)
    return [broken("reward_left", points=left)] if left else []
