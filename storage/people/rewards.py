"""Rewards in the ledger: granted for a case, added up by the month, each person's own under a key that names nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.database import Row, Tx
from storage.product import accounts, ledger
from storage.vault.sealing import index_of

UNIT = "points"
# How rewards came to people before they were kept apart.
EARLIER = ("report_verified", "report_verified_anew", "report_claimed")


async def account_of(tx: Tx, person_id: int) -> str:
    """The account of a person's rewards: without the vault's key nobody knows whose it is."""
    return accounts.reward_of(await index_of(tx, "reward", person_id))


async def granted(tx: Tx) -> Mapping[int, int]:
    """What is granted for cases and not added up yet: case id → points."""
    rows = await tx.all(
        "SELECT r.case_id, b.balance FROM case_reporters r JOIN balances b ON b.township_id = r.township_id"
        f" AND b.account = '{accounts.GRANTED}' || r.case_id AND b.unit = :unit"
        " WHERE r.township_id = :t AND r.granted = 1 AND b.balance > 0 ORDER BY r.case_id",
        {"unit": UNIT},
    )
    return {row["case_id"]: row["balance"] for row in rows}


async def set_granted(tx: Tx, case_id: int, granted: bool) -> None:
    """Note that a case's reward waits to be added up, or that it was."""
    await tx.run(
        "UPDATE case_reporters SET granted = :granted WHERE township_id = :t AND case_id = :case_id",
        {"case_id": case_id, "granted": int(granted)},
    )


async def entries(tx: Tx, account: str, *, limit: int) -> Sequence[Row]:
    """The newest entries of somebody's rewards: the ledger's columns and `change`."""
    return await ledger.entries(tx, account, UNIT, limit=limit)


async def earlier(tx: Tx) -> Sequence[Row]:
    """What went to people or households for a case, before rewards were kept apart, and was not moved since.

    account, ref («case:7»), amount.
    """
    reasons = ", ".join(f"'{one}'" for one in EARLIER)
    return await tx.all(
        "SELECT x.destination AS account, x.ref, x.amount FROM transfers x WHERE x.township_id = :t"
        f" AND x.unit = :unit AND x.reason IN ({reasons}) AND x.ref LIKE 'case:%'"
        f" AND (x.destination LIKE '{accounts.HOUSEHOLD}%' OR x.destination LIKE '{accounts.PERSON}%')"
        " AND NOT EXISTS (SELECT 1 FROM transfers y WHERE y.township_id = :t AND y.ref = x.ref"
        " AND y.source = x.destination AND y.id > x.id) ORDER BY x.id",
        {"unit": UNIT},
    )
