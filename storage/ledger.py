"""Money and points as transfers between accounts. The same key with the same input is the same transfer.

Accounts: `fund:…` and `programme:…` may be below zero (they are where value comes from); every other account may
not. Units: `fen` and `points`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from storage.database import Row, Tx

SOURCES = ("fund:", "programme:")
COLUMNS = "id, source, destination, amount, unit, transfer_key, reason, ref, note, policy_version, created_by, at_ms"


class LedgerError(Exception):
    """A transfer that must not be: a used key with other input."""


class Overdrawn(LedgerError):
    """The source account has less than the amount."""

    def __init__(self, account: str, balance: int, amount: int) -> None:
        super().__init__(f"{account} has {balance}, {amount} wanted")
        self.account = account
        self.balance = balance
        self.amount = amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """`amount` (> 0) of `unit` from `source` to `destination`, once for its `key`.

    `reason` is a code (film_county, report_verified…), `ref` what it is about (`ticket:12`, `case:7`), `note`
    the words of whoever corrected something, `created_by` the person who caused it.
    """

    id: int
    source: str
    destination: str
    amount: int
    unit: str
    key: str
    reason: str
    ref: str
    policy_version: int
    at_ms: int
    created_by: int | None = None
    note: str = ""

    @property
    def input_hash(self) -> str:
        """SHA-256 of everything that the key promises."""
        parts = (
            self.source,
            self.destination,
            self.amount,
            self.unit,
            self.reason,
            self.ref,
            self.policy_version,
        )
        return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


async def transfer(tx: Tx, wanted: Transfer) -> bool:
    """Write a transfer and both balances. False: the key was there with the same input, nothing was written.

    Raises LedgerError for a used key with other input, Overdrawn when the source has too little.
    """
    found = await tx.one(
        "SELECT input_hash FROM transfers WHERE township_id = :t AND transfer_key = :key", {"key": wanted.key}
    )
    if found is not None:
        if found["input_hash"] != wanted.input_hash:
            raise LedgerError(f"{wanted.key} was used for another transfer")
        return False
    if not wanted.source.startswith(SOURCES):
        have = await balance(tx, wanted.source, wanted.unit)
        if have < wanted.amount:
            raise Overdrawn(wanted.source, have, wanted.amount)
    await tx.run(
        "INSERT INTO transfers (township_id, id, source, destination, amount, unit, transfer_key, input_hash,"
        " reason, ref, note, policy_version, created_by, at_ms) VALUES (:t, :id, :source, :destination, :amount,"
        " :unit, :key, :input_hash, :reason, :ref, :note, :policy_version, :created_by, :at_ms)",
        {
            "id": wanted.id,
            "source": wanted.source,
            "destination": wanted.destination,
            "amount": wanted.amount,
            "unit": wanted.unit,
            "key": wanted.key,
            "input_hash": wanted.input_hash,
            "reason": wanted.reason,
            "ref": wanted.ref,
            "note": wanted.note,
            "policy_version": wanted.policy_version,
            "created_by": wanted.created_by,
            "at_ms": wanted.at_ms,
        },
    )
    for account, change in ((wanted.source, -wanted.amount), (wanted.destination, wanted.amount)):
        await tx.run(
            "INSERT INTO balances (township_id, account, unit, balance, may_be_negative)"
            " VALUES (:t, :account, :unit, :change, :may_be_negative)"
            " ON CONFLICT (township_id, account, unit) DO UPDATE SET balance = balances.balance + excluded.balance",
            {
                "account": account,
                "unit": wanted.unit,
                "change": change,
                "may_be_negative": int(account.startswith(SOURCES)),
            },
        )
    return True


async def balance(tx: Tx, account: str, unit: str) -> int:
    """What an account holds."""
    row = await tx.one(
        "SELECT balance FROM balances WHERE township_id = :t AND account = :account AND unit = :unit",
        {"account": account, "unit": unit},
    )
    return int(row["balance"]) if row else 0


async def entries(tx: Tx, account: str, unit: str, *, limit: int, before_id: int = 1 << 60) -> Sequence[Row]:
    """An account's transfers, newest first; `change` is signed for that account."""
    return await tx.all(
        f"SELECT {COLUMNS}, amount AS change FROM transfers WHERE township_id = :t AND destination = :account"
        " AND unit = :unit AND id < :before_id"
        f" UNION ALL SELECT {COLUMNS}, -amount AS change FROM transfers WHERE township_id = :t"
        " AND source = :account AND unit = :unit AND id < :before_id ORDER BY id DESC LIMIT :limit",
        {"account": account, "unit": unit, "before_id": before_id, "limit": limit},
    )


async def of_ref(tx: Tx, ref: str) -> Sequence[Row]:
    """All transfers about one thing, in order."""
    return await tx.all(
        f"SELECT {COLUMNS} FROM transfers WHERE township_id = :t AND ref = :ref ORDER BY id", {"ref": ref}
    )


async def broken_balances(tx: Tx) -> Sequence[Row]:
    """Accounts whose balance differs from their transfers, for `doctor`: account, unit, balance, derived."""
    return await tx.all(
        "SELECT * FROM (SELECT b.account, b.unit, b.balance,"
        " COALESCE((SELECT SUM(amount) FROM transfers i WHERE i.township_id = :t AND i.destination = b.account"
        " AND i.unit = b.unit), 0) - COALESCE((SELECT SUM(amount) FROM transfers o WHERE o.township_id = :t"
        " AND o.source = b.account AND o.unit = b.unit), 0) AS derived FROM balances b WHERE b.township_id = :t)"
        " AS checked WHERE balance <> derived"
    )


async def total(tx: Tx, unit: str) -> int:
    """The sum of all balances of a unit: zero, or the ledger is broken."""
    row = await tx.one(
        "SELECT COALESCE(SUM(balance), 0) AS total FROM balances WHERE township_id = :t AND unit = :unit",
        {"unit": unit},
    )
    return int(row["total"]) if row else 0
