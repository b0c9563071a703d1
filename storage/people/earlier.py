"""People as they were stored before names, homes and addresses were sealed: turned into that once, all at once."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from storage.database import Row, Tx
from storage.people import belonging
from storage.people.people import sealed_name
from storage.vault import pseudonyms
from storage.vault.pseudonyms import Pseudonyms
from storage.walks import is_open, set_through

EARLIER = "seal.people"
PLATFORMS = ("telegram", "wechat")
# every column in which an address stands
ADDRESSES = (
    ("contacts", "address"),
    ("contacts", "opened_from"),
    ("inbox", "address"),
    ("outbox", "address"),
    ("wechat_quotas", "address"),
)


async def seal_earlier(tx: Tx) -> None:
    """Seal names and homes, and put pseudonyms in the place of addresses at platforms."""
    if not await is_open(tx, EARLIER):
        return
    await _seal_names(tx)
    await _seal_homes(tx, "household_members", "linked_by")
    await _seal_homes(tx, "household_claims", "decided_by")
    of = await pseudonyms.load(tx)
    for table, column in ADDRESSES:
        await _hide_addresses(tx, of, table, column)
    await _hide_in_keys(tx, of)
    await _hide_in_timers(tx, of)
    await set_through(tx, EARLIER, 1)


async def _seal_names(tx: Tx) -> None:
    rows = await tx.all("SELECT id, name FROM people WHERE township_id = :t AND name <> '' ORDER BY id")
    await tx.many(
        "UPDATE people SET name = :name WHERE township_id = :t AND id = :id",
        [{"t": tx.township_id, "id": row["id"], "name": await sealed_name(tx, row["name"])} for row in rows],
    )


async def _seal_homes(tx: Tx, table: str, by: belonging.By) -> None:
    rows = await tx.all(f"SELECT id, person_id, {by} FROM {table} WHERE township_id = :t ORDER BY id")
    await tx.many(
        f"UPDATE {table} SET person_id = :person_id, {by} = :by, sealed = :sealed WHERE township_id = :t AND id = :id",
        [
            {
                "t": tx.township_id,
                "id": row["id"],
                **await belonging.standing_for(tx, row["person_id"], row[by]),
            }
            for row in rows
        ],
    )


async def _hide_addresses(tx: Tx, of: Pseudonyms, table: str, column: str) -> None:
    rows: Sequence[Row] = await tx.all(f"SELECT DISTINCT {column} AS address FROM {table} WHERE township_id = :t")
    await tx.many(
        f"UPDATE {table} SET {column} = :pseudonym WHERE township_id = :t AND {column} = :address",
        [
            {"t": tx.township_id, "address": row["address"], "pseudonym": of.of(row["address"])}
            for row in rows
            if _is_platforms(row["address"])
        ],
    )


async def _hide_in_keys(tx: Tx, of: Pseudonyms) -> None:
    """WeChat's pushes without a number are known by who sent them when."""
    rows = await tx.all("SELECT id, update_key FROM inbox WHERE township_id = :t AND channel = 'wechat' ORDER BY id")
    await tx.many(
        "UPDATE inbox SET update_key = :update_key WHERE township_id = :t AND id = :id",
        [
            {"t": tx.township_id, "id": row["id"], "update_key": of.of_words(row["update_key"])}
            for row in rows
            if "+" in row["update_key"]
        ],
    )


async def _hide_in_timers(tx: Tx, of: Pseudonyms) -> None:
    """An erasure that is still to be finished names the address."""
    rows = await tx.all(
        "SELECT id, payload FROM timers WHERE township_id = :t AND state = 'due' AND payload LIKE '%\"address\":%'"
        " ORDER BY id"
    )
    named = {row["id"]: orjson.loads(row["payload"]) for row in rows}
    await tx.many(
        "UPDATE timers SET payload = :payload WHERE township_id = :t AND id = :id",
        [
            {
                "t": tx.township_id,
                "id": timer_id,
                "payload": orjson.dumps({**payload, "address": of.of(payload["address"])}).decode(),
            }
            for timer_id, payload in named.items()
            if _is_platforms(payload["address"])
        ],
    )


def _is_platforms(address: str) -> bool:
    return address.partition(":")[0] in PLATFORMS
