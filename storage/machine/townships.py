"""Every township of the database: the functions here look at all of them, whichever `tx` is of."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx


async def every_id(tx: Tx) -> Sequence[int]:
    """The ids of all townships, in order."""
    return [row["township_id"] for row in await tx.all("SELECT township_id FROM turns ORDER BY township_id")]


async def every_name(tx: Tx) -> Sequence[Row]:
    """township_id, code, name, county and province of all townships, in order of their ids."""
    return await tx.all("SELECT township_id, code, name, county, province FROM townships ORDER BY township_id")


async def add_turn(tx: Tx) -> None:
    """Make the row that is locked by whoever decides something in the township."""
    await tx.run("INSERT INTO turns (township_id) VALUES (:t) ON CONFLICT (township_id) DO NOTHING")
