"""What `verify` asks of photos: no original outlives the smaller photo that it followed."""

from __future__ import annotations

from handlers.world import World
from storage.database import Tx
from storage.photos import following
from storage.product.integrity import Flaw, broken


async def originals_left(tx: Tx, _: World) -> list[Flaw]:
    """Look for originals whose photo is gone."""
    return [broken("original_left", id=row["id"]) for row in await following.left_behind(tx)]
