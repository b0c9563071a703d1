"""The stored data keys: whose lock they are under, how they end, and how they get another lock."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.vault.vault import Purpose, Vault


async def locks(tx: Tx) -> list[str]:
    """Under which locks (`Vault.lock`) the township's data keys lie."""
    rows = await tx.all("SELECT DISTINCT lock FROM vault_keys WHERE township_id = :t ORDER BY lock")
    return [row["lock"] for row in rows]


async def erase_keys(tx: Tx, purpose: Purpose, *, before_day: int) -> int:
    """Erase the keys of days before one, and so what was sealed under them; how many."""
    return await tx.run(
        "DELETE FROM vault_keys WHERE township_id = :t AND purpose = :purpose AND day < :before_day AND day > 0",
        {"purpose": int(purpose), "before_day": before_day},
    )


async def change_lock(tx: Tx, old: Vault, new: Vault) -> int:
    """Seal every data key of the township to another public key; how many. What they seal stays as it is."""
    rows: Sequence[Row] = await tx.all(
        "SELECT purpose, day, wrapped FROM vault_keys WHERE township_id = :t AND lock = :lock", {"lock": old.lock}
    )
    changed = []
    for row in rows:
        name = (tx.township_id, row["purpose"], row["day"])
        wrapped = new.wrap(old.unwrap(row["wrapped"], name), name)
        changed.append({"t": tx.township_id, "purpose": row["purpose"], "day": row["day"], "wrapped": wrapped})
    await tx.many(
        "UPDATE vault_keys SET wrapped = :wrapped, lock = :lock"
        " WHERE township_id = :t AND purpose = :purpose AND day = :day",
        [{**row, "lock": new.lock} for row in changed],
    )
    return len(changed)
