"""Money and points as transfers between accounts. The same key with the same input is the same transfer.

Accounts: `fund:…` and `programme:…` may be below zero (they are where value comes from); every other account may
not. Units: `fen` and `points`. A correction is a transfer back (`reverse`), never a change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.database import Row, Tx
from storage.product.accounts import SOURCES
from storage.product.integrity import Flaw, broken
from storage.sql import in_list

UNITS = ("fen", "points")
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
        await _change(tx, account, wanted.unit, change)
    return True


async def _change(tx: Tx, account: str, unit: str, change: int) -> None:
    """Move a balance. (An upsert would not do: its row is checked against zero before it meets the one there.)"""
    values = {"account": account, "unit": unit, "change": change}
    changed = await tx.run(
        "UPDATE balances SET balance = balance + :change"
        " WHERE township_id = :t AND account = :account AND unit = :unit",
        values,
    )
    if not changed:
        await tx.run(
            "INSERT INTO balances (township_id, account, unit, balance, may_be_negative)"
            " VALUES (:t, :account, :unit, :change, :may_be_negative)",
            {**values, "may_be_negative": int(account.startswith(SOURCES))},
        )


async def balance(tx: Tx, account: str, unit: str) -> int:
    """What an account holds."""
    row = await tx.one(
        "SELECT balance FROM balances WHERE township_id = :t AND account = :account AND unit = :unit",
        {"account": account, "unit": unit},
    )
    return int(row["balance"]) if row else 0


async def came_to(tx: Tx, ref: str, unit: str) -> tuple[str, int] | None:
    """Where the amount of a `ref` («case:1») went last, and how much it was; None when nothing moved."""
    row = await tx.one(
        "SELECT destination, amount FROM transfers WHERE township_id = :t AND ref = :ref AND unit = :unit"
        " ORDER BY id DESC LIMIT 1",
        {"ref": ref, "unit": unit},
    )
    return (row["destination"], row["amount"]) if row is not None else None


async def reverse(tx: Tx, key: str, *, id: int, reason: str, note: str, at_ms: int, created_by: int | None) -> bool:
    """Give back what the transfer `key` moved, once: a new row with swapped ends under `reverse:<key>`.

    It keeps the first one's ref and policy version. False: given back already, or there is no such transfer
    (a part that was zero is never written). Raises Overdrawn when it was spent in the meantime.
    """
    found = await tx.one(
        f"SELECT {COLUMNS} FROM transfers WHERE township_id = :t AND transfer_key = :key", {"key": key}
    )
    if found is None:
        return False
    return await transfer(
        tx,
        Transfer(
            id=id,
            source=found["destination"],
            destination=found["source"],
            amount=found["amount"],
            unit=found["unit"],
            key=f"reverse:{key}",
            reason=reason,
            ref=found["ref"],
            policy_version=found["policy_version"],
            at_ms=at_ms,
            created_by=created_by,
            note=note,
        ),
    )


async def entries(tx: Tx, account: str, unit: str, *, limit: int, before_id: int = 1 << 60) -> Sequence[Row]:
    """An account's transfers, newest first; `change` is signed for that account."""
    return await entries_of(tx, (account,), unit, limit=limit, before_id=before_id)


async def entries_of(
    tx: Tx, accounts: Sequence[str], unit: str, *, limit: int, before_id: int = 1 << 60, but_about: str = ""
) -> Sequence[Row]:
    """The transfers of several accounts as one list, newest first: the columns, `account` and its signed `change`.

    `but_about`: without those whose `ref` is of that kind («case»).

    No transfer may go between two of them: its two entries share an id, and pages are cut by id.
    """
    sides = (("destination", "amount"), ("source", "-amount"))
    parts, params = [], dict[str, Any](unit=unit, before_id=before_id, limit=limit)
    about = f" AND ref NOT LIKE '{but_about}:%'" if but_about else ""
    for at, account in enumerate(accounts):
        params[f"a{at}"] = account
        parts += [
            f"SELECT * FROM (SELECT {COLUMNS}, {end} AS account, {change} AS change FROM transfers"
            f" WHERE township_id = :t AND {end} = :a{at} AND unit = :unit AND id < :before_id{about}"
            " ORDER BY id DESC LIMIT :limit) AS newest"
            for end, change in sides
        ]
    return await tx.all(" UNION ALL ".join(parts) + " ORDER BY id DESC, change LIMIT :limit", params)


async def received_from(tx: Tx, accounts: Sequence[str], sources: Sequence[str], unit: str) -> dict[str, int]:
    """What came from each source to these accounts, less what was given back; a source without any is left out."""
    to_names, to_params = in_list("a", accounts)
    from_names, from_params = in_list("s", sources)
    params = {"unit": unit, **to_params, **from_params}
    rows = await tx.all(
        "SELECT source AS origin, amount AS change FROM transfers WHERE township_id = :t AND unit = :unit"
        f" AND destination IN ({to_names}) AND source IN ({from_names})"
        " UNION ALL SELECT destination AS origin, -amount AS change FROM transfers WHERE township_id = :t"
        f" AND unit = :unit AND source IN ({to_names}) AND destination IN ({from_names})",
        params,
    )
    found: dict[str, int] = {}
    for row in rows:
        found[row["origin"]] = found.get(row["origin"], 0) + row["change"]
    return found


async def broken_balances(tx: Tx) -> Sequence[Row]:
    """Accounts whose balance differs from their transfers, for `doctor`: account, unit, balance, derived."""
    return await tx.all(
        "SELECT account, unit, SUM(balance) AS balance, SUM(derived) AS derived FROM ("
        "SELECT account, unit, balance, 0 AS derived FROM balances WHERE township_id = :t"
        " UNION ALL SELECT destination, unit, 0, SUM(amount) FROM transfers WHERE township_id = :t"
        " GROUP BY destination, unit"
        " UNION ALL SELECT source, unit, 0, -SUM(amount) FROM transfers WHERE township_id = :t"
        " GROUP BY source, unit) AS sides"
        " GROUP BY account, unit HAVING SUM(balance) <> SUM(derived) ORDER BY account, unit"
    )


async def negative_balances(tx: Tx) -> Sequence[Row]:
    """Accounts below zero that may not be, for `doctor`: account, unit, balance."""
    others = "".join(f" AND account NOT LIKE '{source}%'" for source in SOURCES)
    return await tx.all(
        f"SELECT account, unit, balance FROM balances WHERE township_id = :t AND balance < 0{others}"
        " ORDER BY account, unit"
    )


async def total(tx: Tx, unit: str) -> int:
    """The sum of all balances of a unit: zero, or the ledger is broken."""
    row = await tx.one(
        "SELECT COALESCE(SUM(balance), 0) AS total FROM balances WHERE township_id = :t AND unit = :unit",
        {"unit": unit},
    )
    return int(row["total"]) if row else 0


async def faults(tx: Tx) -> list[Flaw]:
    """Everything that `doctor` finds wrong with the ledger, a fault each; empty when it is whole.

    Per unit the balances sum to zero, each balance is what its transfers say, none is below zero that may not be.
    """
    sums = [(unit, await total(tx, unit)) for unit in UNITS]
    return [
        *(broken("ledger_sum", unit=unit, left=left) for unit, left in sums if left),
        *(
            broken("balance", account=row["account"], unit=row["unit"], balance=row["balance"], derived=row["derived"])
            for row in await broken_balances(tx)
        ),
        *(
            broken("below_zero", account=row["account"], unit=row["unit"], balance=row["balance"])
            for row in await negative_balances(tx)
        ),
    ]


async def moved(tx: Tx, refs: Sequence[str]) -> dict[str, dict[tuple[str, str, str], int]]:
    """What was moved about each of some things: ref → (source, destination, unit) → sum of amounts."""
    found: dict[str, dict[tuple[str, str, str], int]] = {}
    if refs:
        names, params = in_list("r", refs)
        rows = await tx.all(
            "SELECT ref, source, destination, unit, SUM(amount) AS amount FROM transfers"
            f" WHERE township_id = :t AND ref IN ({names}) GROUP BY ref, source, destination, unit",
            params,
        )
        for row in rows:
            found.setdefault(row["ref"], {})[row["source"], row["destination"], row["unit"]] = int(row["amount"])
    return found
