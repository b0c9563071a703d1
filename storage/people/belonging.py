"""Which household is whose: nobody reads that out of the rows.

In `household_members` and `household_claims`, `person_id` stands for the person (`key_of`), `linked_by` and
`decided_by` for whoever said so; `sealed` holds both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import orjson

from storage.database import Row, Tx
from storage.sql import in_list
from storage.vault.sealing import index_of, seal, unsealed
from storage.vault.vault import Purpose

By = Literal["linked_by", "decided_by"]
ASKED_AT_ONCE = 1_000


async def key_of(tx: Tx, person_id: int) -> int:
    """What stands for a person beside a household."""
    return await index_of(tx, "household", person_id)


async def standing_for(tx: Tx, person_id: int, by: int | None) -> dict[str, Any]:
    """The values of a link of a person that somebody else (or nobody yet) has spoken for: person_id, by, sealed."""
    return {
        "person_id": await key_of(tx, person_id),
        "by": None if by is None else await key_of(tx, by),
        "sealed": await seal(tx, Purpose.PEOPLE, 0, orjson.dumps([person_id, by])),
    }


async def opened(tx: Tx, rows: Sequence[Row], by: By) -> list[Row]:
    """Links with the people themselves in `person_id` and in the column `by`."""
    found: list[Row] = []
    for row in rows:
        plain = await unsealed(tx, row["sealed"])
        assert plain is not None, "this key is kept"
        person_id, other = orjson.loads(plain)
        found.append({**dict(row), "person_id": person_id, by: other})  # type: ignore[call-overload]
    return found


async def homes_of(tx: Tx, person_ids: Sequence[int]) -> dict[int, tuple[int, int | None]]:
    """The household to which each person belongs (not: for which they may act), and the area where it lies now."""
    people = {await key_of(tx, one): one for one in person_ids}
    found: dict[int, tuple[int, int | None]] = {}
    for some in _in_parts(list(people)):
        names, params = in_list("p", some)
        rows = await tx.all(
            "SELECT m.person_id, m.household_id, h.area_id FROM household_members m LEFT JOIN households h"
            " ON h.township_id = m.township_id AND h.household_id = m.household_id AND h.until_ms IS NULL"
            " WHERE m.township_id = :t AND m.until_ms IS NULL AND m.relation <> 'proxy'"
            f" AND m.person_id IN ({names})",
            params,
        )
        found |= {people[row["person_id"]]: (row["household_id"], row["area_id"]) for row in rows}
    return found


def _in_parts(keys: Sequence[int]) -> list[Sequence[int]]:
    return [keys[at : at + ASKED_AT_ONCE] for at in range(0, len(keys), ASKED_AT_ONCE)]
