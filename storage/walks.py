"""How far a walk over a table has come, whose ids grow with time: nothing is read twice."""

from __future__ import annotations

from storage.database import Tx


async def through(tx: Tx, what: str) -> int:
    """The last id that the walk has seen; 0 for none."""
    row = await tx.one("SELECT through_id FROM erased_through WHERE township_id = :t AND what = :what", {"what": what})
    return int(row["through_id"]) if row else 0


async def set_through(tx: Tx, what: str, last_id: int) -> None:
    """The walk has come that far."""
    await tx.run(
        "INSERT INTO erased_through (township_id, what, through_id) VALUES (:t, :what, :through)"
        " ON CONFLICT (township_id, what) DO UPDATE SET through_id = excluded.through_id",
        {"what": what, "through": last_id},
    )


async def is_open(tx: Tx, what: str) -> bool:
    """Whether something that a migration has asked for once is still to be done."""
    row = await tx.one("SELECT through_id FROM erased_through WHERE township_id = :t AND what = :what", {"what": what})
    return row is not None and row["through_id"] == 0
