"""People's conversations, and who stands behind an address: what one batch of updates needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.database import Row, Tx
from storage.sql import in_list
from storage.vault.sealing import open_bodies, open_columns, seal_text
from storage.vault.vault import Purpose

EMPTY = '{"rev":0,"frames":[]}'

UPSERT = """
INSERT INTO sessions (township_id, person_id, body, updated_ms) VALUES (:t, :person_id, :body, :updated_ms)
ON CONFLICT (township_id, person_id) DO UPDATE SET body = excluded.body, updated_ms = excluded.updated_ms
"""


async def by_address(tx: Tx, addresses: Sequence[str]) -> Sequence[Row]:
    """Contact, person and session of each known address: address, channel, contact_state, last_in_ms, person_id, name,
    language, consent_version, person_state, session, updated_ms.
    """
    names, params = in_list("a", addresses)
    rows = await tx.all(
        "SELECT c.address, c.channel, c.state AS contact_state, c.last_in_ms, p.id AS person_id, p.name, p.language,"
        " p.consent_version, p.state AS person_state, s.body AS session, s.updated_ms"
        " FROM contacts c JOIN people p ON p.township_id = c.township_id AND p.id = c.person_id"
        " LEFT JOIN sessions s ON s.township_id = p.township_id AND s.person_id = p.id"
        f" WHERE c.township_id = :t AND c.address IN ({names})",
        params,
    )
    return await open_columns(tx, rows, name="", session=EMPTY)


async def roles_of(tx: Tx, person_ids: Sequence[int]) -> Sequence[Row]:
    """The roles in force: person_id, role, area_id."""
    names, params = in_list("p", person_ids)
    return await tx.all(
        f"SELECT person_id, role, area_id FROM roles WHERE township_id = :t AND until_ms IS NULL"
        f" AND person_id IN ({names}) ORDER BY id",
        params,
    )


async def save(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Store sessions: person_id, body, updated_ms."""
    sealed = [{**row, "body": await seal_text(tx, Purpose.WORDS, row["updated_ms"], row["body"])} for row in rows]
    await tx.many(UPSERT, [{"t": tx.township_id, **row} for row in sealed])


async def of_person(tx: Tx, person_id: int) -> Row | None:
    """One person's session."""
    rows = await tx.all(
        "SELECT body, updated_ms FROM sessions WHERE township_id = :t AND person_id = :person_id",
        {"person_id": person_id},
    )
    return (await open_bodies(tx, rows, blank=EMPTY))[0] if rows else None


async def all_bodies(tx: Tx) -> Sequence[Row]:
    """Every stored session, for the checks of `doctor`."""
    rows = await tx.all("SELECT person_id, body, updated_ms FROM sessions WHERE township_id = :t ORDER BY person_id")
    return await open_bodies(tx, rows, blank=EMPTY)
