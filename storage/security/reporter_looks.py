"""Who asked to see who reported, who confirmed it, who looked, who was refused. Rows are added; who acted is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from storage.database import Row, Tx
from storage.sql import in_list
from storage.vault.sealing import index_of, seal, unsealed
from storage.vault.vault import Purpose

TELL = "disclosure.tell"  # the timer of a request, `disclosure.tell:<id>`, after which its reporter has heard of it
_COLUMNS = "l.id, l.request_id, l.case_id, l.event, l.sealed, l.why, l.at_ms"


@dataclass(frozen=True, slots=True)
class Look:
    """One entry. `person_id` is None and `words` "" once they were erased; `number` is the case's, if it was read."""

    id: int
    request_id: int
    case_id: int
    event: str
    person_id: int | None
    why: str
    words: str
    at_ms: int
    number: str = ""


async def _key_of(tx: Tx, person_id: int) -> int:
    return await index_of(tx, "looker", person_id)


async def add(
    tx: Tx,
    *,
    look_id: int,
    request_id: int,
    case_id: int,
    event: str,
    person_id: int,
    why: str,
    at_ms: int,
    words: str = "",
) -> None:
    """Append an entry: asked, confirmed, declined, seen, refused. Who acted is sealed with that day's reporters."""
    sealed = await seal(tx, Purpose.REPORTERS, at_ms, orjson.dumps([look_id, person_id, words]))
    await tx.run(
        "INSERT INTO reporter_looks (township_id, id, request_id, case_id, event, actor_key, sealed, why, at_ms)"
        " VALUES (:t, :look_id, :request_id, :case_id, :event, :actor_key, :sealed, :why, :at_ms)",
        {
            "look_id": look_id,
            "request_id": request_id,
            "case_id": case_id,
            "event": event,
            "actor_key": await _key_of(tx, person_id),
            "sealed": sealed,
            "why": why,
            "at_ms": at_ms,
        },
    )


async def _look(tx: Tx, row: Row, number: str = "") -> Look:
    plain = await unsealed(tx, row["sealed"]) if row["sealed"] is not None else None
    look_id, person_id, words = orjson.loads(plain) if plain is not None else (row["id"], None, "")
    if look_id != row["id"]:
        raise ValueError(f"what is sealed with look {row['id']} is of look {look_id}")
    return Look(
        row["id"], row["request_id"], row["case_id"], row["event"], person_id, row["why"], words, row["at_ms"], number
    )


async def of_request(tx: Tx, request_id: int) -> Sequence[Look]:
    """A request and what became of it, in order."""
    rows = await tx.all(
        f"SELECT {_COLUMNS} FROM reporter_looks l"
        " WHERE l.township_id = :t AND l.request_id = :request_id ORDER BY l.id",
        {"request_id": request_id},
    )
    return [await _look(tx, row) for row in rows]


async def untold_ms(tx: Tx, case_id: int) -> set[int]:
    """When somebody looked who reported a case, of which its reporter is to hear only later."""
    rows = await tx.all(
        "SELECT l.at_ms FROM reporter_looks a JOIN reporter_looks l ON l.township_id = a.township_id"
        " AND l.request_id = a.id JOIN timers x ON x.township_id = a.township_id AND x.timer_key = :key || a.id"
        " WHERE a.township_id = :t AND a.case_id = :case_id AND a.event = 'asked' AND l.event = 'seen'"
        " AND x.state = 'due'",
        {"case_id": case_id, "key": f"{TELL}:"},
    )
    return {row["at_ms"] for row in rows}


async def newest_request(tx: Tx, case_id: int, person_id: int) -> int | None:
    """The id of what a person asked last about a case."""
    row = await tx.one(
        "SELECT MAX(id) AS id FROM reporter_looks WHERE township_id = :t AND case_id = :case_id"
        " AND actor_key = :actor_key AND event = 'asked'",
        {"case_id": case_id, "actor_key": await _key_of(tx, person_id)},
    )
    return row["id"] if row is not None else None


async def newest(tx: Tx, area_ids: Sequence[int], *, limit: int) -> Sequence[Look]:
    """The newest entries about cases of some areas, the newest first, with the cases' numbers."""
    if not area_ids:
        return []
    names, params = in_list("a", area_ids)
    rows = await tx.all(
        f"SELECT {_COLUMNS}, c.number FROM reporter_looks l"
        " JOIN cases c ON c.township_id = l.township_id AND c.id = l.case_id"
        f" WHERE l.township_id = :t AND c.area_id IN ({names}) ORDER BY l.id DESC LIMIT :limit",
        {"limit": limit, **params},
    )
    return [await _look(tx, row, row["number"]) for row in rows]


async def forget(tx: Tx, person_id: int) -> None:
    """Erase who made the refused tries of somebody who leaves: they may have been about their own report."""
    await tx.run(
        "UPDATE reporter_looks SET actor_key = NULL, sealed = NULL"
        " WHERE township_id = :t AND actor_key = :actor_key AND event = 'refused'",
        {"actor_key": await _key_of(tx, person_id)},
    )
