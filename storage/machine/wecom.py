"""What people are known by in WeCom's groups, and what became of the letters to the robots there."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from storage.database import Row, Tx
from storage.vault.sealing import open_bodies, seal_text
from storage.vault.vault import Purpose


async def put_name(tx: Tx, person_id: int, name: str, *, now_ms: int) -> None:
    """Keep what a person is known by, and that they agreed to it now. It stands in no letter but from now on."""
    await forget(tx, person_id)
    await _write(tx, person_id, name, now_ms)


async def _write(tx: Tx, person_id: int, name: str, agreed_ms: int) -> None:
    await tx.run(
        "INSERT INTO wecom_names (township_id, person_id, name, agreed_ms) VALUES (:t, :person_id, :name, :agreed_ms)"
        " ON CONFLICT (township_id, person_id) DO UPDATE SET name = excluded.name, agreed_ms = excluded.agreed_ms",
        {"person_id": person_id, "name": name, "agreed_ms": agreed_ms},
    )


async def name_of(tx: Tx, person_id: int) -> str:
    """What a person is known by, "" when they did not say."""
    row = await _row(tx, person_id)
    return str(row["name"]) if row else ""


async def _row(tx: Tx, person_id: int) -> Row | None:
    return await tx.one(
        "SELECT name, agreed_ms FROM wecom_names WHERE township_id = :t AND person_id = :person_id",
        {"person_id": person_id},
    )


async def on_duty(tx: Tx, *, now_ms: int) -> Sequence[Row]:
    """Whoever can be called and wants to be reminded, a row for each role: name, role, area_id."""
    return await tx.all(
        "SELECT w.name, r.role, r.area_id FROM wecom_names w"
        " JOIN people p ON p.township_id = w.township_id AND p.id = w.person_id AND p.state = 'active'"
        " AND p.reminders_off = 0 AND p.snoozed_until_ms <= :now_ms"
        " JOIN roles r ON r.township_id = w.township_id AND r.person_id = w.person_id AND r.until_ms IS NULL"
        " WHERE w.township_id = :t AND w.name <> '' ORDER BY r.id",
        {"now_ms": now_ms},
    )


async def forget(tx: Tx, person_id: int) -> None:
    """Blank what a person is known by, here and in every letter that calls them."""
    name = await name_of(tx, person_id)
    if not name:
        return
    await tx.run(
        "UPDATE wecom_names SET name = '' WHERE township_id = :t AND person_id = :person_id", {"person_id": person_id}
    )
    stored = await tx.all(
        "SELECT id, body, created_ms FROM outbox WHERE township_id = :t AND channel = 'wecom' AND body <> '{}'"
        " ORDER BY id"
    )
    for row in await open_bodies(tx, stored):
        found = orjson.loads(row["body"])
        if name in found.get("mentions", ()):
            found["mentions"] = [one for one in found["mentions"] if one != name]
            body = await seal_text(tx, Purpose.WORDS, row["created_ms"], orjson.dumps(found).decode())
            await tx.run(
                "UPDATE outbox SET body = :body WHERE township_id = :t AND id = :id", {"id": row["id"], "body": body}
            )


async def forget_without_role(tx: Tx) -> None:
    """The same of everybody who has no role any more: nobody calls them."""
    rows = await tx.all(
        "SELECT w.person_id FROM wecom_names w WHERE w.township_id = :t AND w.name <> '' AND NOT EXISTS (SELECT 1"
        " FROM roles r WHERE r.township_id = :t AND r.person_id = w.person_id AND r.until_ms IS NULL)"
        " ORDER BY w.person_id"
    )
    for row in rows:
        await forget(tx, row["person_id"])


async def move(tx: Tx, *, from_person: int, to_person: int) -> None:
    """Two people turn out to be one, who keeps the name of the one that stays, else takes the other's."""
    row = await _row(tx, from_person)
    if row is None or not row["name"] or await name_of(tx, to_person):
        await forget(tx, from_person)
        return
    await _write(tx, to_person, row["name"], row["agreed_ms"])
    await _write(tx, from_person, "", row["agreed_ms"])


async def last_ended(tx: Tx, address: str) -> Row | None:
    """What became of the newest letter to a robot that was sent or given up: state (sent|failed), error, created_ms."""
    return await tx.one(
        "SELECT state, error, created_ms FROM outbox WHERE township_id = :t AND address = :address"
        " AND state IN ('sent', 'failed') ORDER BY id DESC LIMIT 1",
        {"address": address},
    )
