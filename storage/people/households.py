"""Households, the search for them by card or name, and which people belong to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from storage.database import Row, Tx
from storage.people import belonging
from storage.product.versions import add_versions
from storage.sql import in_list

Relation = Literal["householder", "member", "proxy"]
SEARCH_LIMIT = 8
_FOUND = (
    "SELECT h.household_id, h.card_no, h.householder, h.phone, h.members, h.village_id, h.area_id,"
    " v.name AS village, a.name AS hamlet, {matched} AS matched FROM {source}"
    " JOIN areas v ON v.township_id = h.township_id AND v.area_id = h.village_id AND v.until_ms IS NULL"
    " JOIN areas a ON a.township_id = h.township_id AND a.area_id = h.area_id AND a.until_ms IS NULL"
    " WHERE h.township_id = :t AND h.until_ms IS NULL AND h.status <> 'closed' AND {condition}"
    " ORDER BY {order} LIMIT :limit"
)
_BY_NAME = (
    "household_names n JOIN households h ON h.township_id = n.township_id"
    " AND h.household_id = n.household_id AND h.version = n.version"
)


@dataclass(frozen=True, slots=True)
class HouseholdFound:
    """A candidate with what tells it from others of the same name. `matched` is the card or name hit."""

    household_id: int
    card_no: str
    householder: str
    phone: str
    members: str
    village_id: int
    area_id: int
    village: str
    hamlet: str
    matched: str


def hexadecimal(key: str) -> str:
    """UTF-8 in hexadecimal: a prefix of the key is a prefix of this in every collation."""
    return key.encode().hex()


async def search(
    tx: Tx, said: str, key: str, *, village_id: int | None = None, limit: int = SEARCH_LIMIT
) -> list[HouseholdFound]:
    """Households by card number, else by a householder's or member's name; `key` is the name's search key.

    The village comes first: an exact name there is the whole answer; else names that begin so there and exact
    names elsewhere in the township; else any name that begins so. Closed households are not found.
    """
    if found := await by_card(tx, said):
        return [found]
    if not key:
        return []
    if village_id is not None:
        if exact := await _by_name(tx, key, village_id, prefix=False, limit=limit):
            return exact
        near = await _by_name(tx, key, village_id, prefix=True, limit=limit)
        far = await _by_name(tx, key, None, prefix=False, limit=limit)
        if near or far:
            return (near + far)[:limit]
    elif exact := await _by_name(tx, key, None, prefix=False, limit=limit):
        return exact
    return await _by_name(tx, key, None, prefix=True, limit=limit)


async def by_card(tx: Tx, card_no: str) -> HouseholdFound | None:
    """The household with this card, however its letters are written."""
    sql = _FOUND.format(matched="h.card_no", source="households h", condition="h.card_no = :card_no", order="h.card_no")
    row = await tx.one(sql, {"card_no": card_no.strip().upper(), "limit": 1})
    return _found(row) if row else None


async def by_tail(
    tx: Tx, tail: str, village_ids: Collection[int], *, limit: int = SEARCH_LIMIT
) -> list[HouseholdFound]:
    """The households of some villages whose card ends so; `tail` is letters, digits and hyphens."""
    if not tail or not village_ids:
        return []
    places, values = in_list("village", sorted(village_ids))
    sql = _FOUND.format(
        matched="h.card_no",
        source="households h",
        condition=f"h.village_id IN ({places}) AND h.card_no LIKE :ends_so",
        order="h.card_no",
    )
    rows = await tx.all(sql, {**values, "ends_so": f"%{tail.upper()}", "limit": limit})
    return [_found(row) for row in rows]


async def cards(tx: Tx, *, village_id: int | None = None) -> Sequence[Row]:
    """The cards of a village or of the whole township: card_no, village_id. Closed households have none any more."""
    place = "" if village_id is None else " AND village_id = :village_id"
    return await tx.all(
        "SELECT card_no, village_id FROM households WHERE township_id = :t AND until_ms IS NULL AND status <> 'closed'"
        f"{place} ORDER BY village_id, card_no",
        {"village_id": village_id} if village_id is not None else {},
    )


async def household(tx: Tx, household_id: int) -> HouseholdFound | None:
    """A household's current version, unless it is closed."""
    sql = _FOUND.format(matched="h.card_no", source="households h", condition="h.household_id = :id", order="h.card_no")
    row = await tx.one(sql, {"id": household_id, "limit": 1})
    return _found(row) if row else None


async def _by_name(tx: Tx, name_key: str, village_id: int | None, *, prefix: bool, limit: int) -> list[HouseholdFound]:
    match = "n.name_key >= :key AND n.name_key < :key_end" if prefix else "n.name_key = :key"
    place = "" if village_id is None else " AND n.village_id = :village_id"
    sql = _FOUND.format(
        matched="n.name",
        source=_BY_NAME,
        condition=f"n.township_id = :t AND {match}{place}",
        # a prefix may match a fifth of the county: the index's own order stops at the limit without sorting it
        order="n.name_key, n.household_id" if prefix else "n.is_householder DESC, h.card_no",
    )
    key = hexadecimal(name_key)
    values = {"key": key, "key_end": key + "g", "village_id": village_id, "limit": limit * 2}
    rows = await tx.all(sql, values)
    once: dict[int, HouseholdFound] = {}
    for row in rows:
        once.setdefault(row["household_id"], _found(row))
    return list(once.values())[:limit]


def _found(row: Row) -> HouseholdFound:
    return HouseholdFound(**{name: row[name] for name in HouseholdFound.__slots__})


async def add_household_versions(
    tx: Tx, rows: Sequence[Mapping[str, Any]], *, key_of: Callable[[str], str], now_ms: int
) -> None:
    """Write new versions of households with their names for the search: `key_of` gives a name's search key."""
    await add_versions(tx, "households", rows, now_ms=now_ms)
    names = [
        {
            "t": tx.township_id,
            "household_id": row["household_id"],
            "version": row["version"],
            "name": name,
            "name_key": hexadecimal(key_of(name)),
            "village_id": row["village_id"],
            "area_id": row["area_id"],
            "is_householder": int(name == row["householder"]),
        }
        for row in rows
        for name in dict.fromkeys((row["householder"], *filter(None, row["members"].split(";"))))
    ]
    await tx.many(
        "INSERT INTO household_names"
        " (township_id, household_id, version, name, name_key, village_id, area_id, is_householder)"
        " VALUES (:t, :household_id, :version, :name, :name_key, :village_id, :area_id, :is_householder)",
        names,
    )


async def link_person(
    tx: Tx,
    *,
    link_id: int,
    household_id: int,
    person_id: int,
    relation: Relation,
    linked_by: int | None,
    now_ms: int,
) -> None:
    """Say that a person belongs to a household (or may act for it: `proxy`); an earlier membership ends."""
    if relation != "proxy":
        await tx.run(
            "UPDATE household_members SET until_ms = :now_ms WHERE township_id = :t"
            " AND person_id = :person_id AND relation <> 'proxy' AND until_ms IS NULL",
            {"person_id": await belonging.key_of(tx, person_id), "now_ms": now_ms},
        )
    await tx.run(
        "INSERT INTO household_members"
        " (township_id, id, household_id, person_id, relation, linked_by, from_ms, sealed)"
        " VALUES (:t, :id, :household_id, :person_id, :relation, :by, :now_ms, :sealed)",
        {
            "id": link_id,
            "household_id": household_id,
            "relation": relation,
            "now_ms": now_ms,
            **await belonging.standing_for(tx, person_id, linked_by),
        },
    )


async def unlink_person(tx: Tx, person_id: int, *, now_ms: int) -> int:
    """End every link of a person; how many there were."""
    return await tx.run(
        "UPDATE household_members SET until_ms = :now_ms"
        " WHERE township_id = :t AND person_id = :person_id AND until_ms IS NULL",
        {"person_id": await belonging.key_of(tx, person_id), "now_ms": now_ms},
    )


async def links_of_household(tx: Tx, household_id: int) -> Sequence[Row]:
    """The people linked to a household now: person_id, relation, from_ms."""
    rows = await tx.all(
        "SELECT person_id, relation, from_ms, sealed FROM household_members"
        " WHERE township_id = :t AND household_id = :household_id AND until_ms IS NULL ORDER BY id",
        {"household_id": household_id},
    )
    return await belonging.opened(tx, rows, "linked_by")
