"""People, their contacts and their roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.database import Row, Tx
from storage.people import page_sessions
from storage.vault.sealing import open_columns, seal_text
from storage.vault.vault import Purpose

PERSON_COLUMNS = "id, name, language, consent_version, consent_ms, reminders_off, snoozed_until_ms, state, created_ms"
# A person joined with another goes on under the other's id; rows that name the old id still find them.
_NOW = "COALESCE((SELECT merged_into FROM people WHERE township_id = :t AND id = :id), :id)"


async def sealed_name(tx: Tx, name: str) -> str:
    """A name as it is stored; "" is nobody's."""
    return name and await seal_text(tx, Purpose.PEOPLE, 0, name)


async def add_person(tx: Tx, *, person_id: int, name: str, language: str, now_ms: int) -> None:
    """A person who has just written for the first time (no consent yet)."""
    await tx.run(
        "INSERT INTO people (township_id, id, name, language, created_ms)"
        " VALUES (:t, :person_id, :name, :language, :now_ms)",
        {"person_id": person_id, "name": await sealed_name(tx, name), "language": language, "now_ms": now_ms},
    )


async def person(tx: Tx, person_id: int) -> Row | None:
    """One person's row; for an id that was joined with another person, that person's."""
    rows = await tx.all(
        f"SELECT {PERSON_COLUMNS} FROM people WHERE township_id = :t AND id = {_NOW}", {"id": person_id}
    )
    return (await open_columns(tx, rows, name=""))[0] if rows else None


async def set_person(tx: Tx, person_id: int, **values: Any) -> None:
    """Change columns of a person: name, language, consent_*, reminders_off, snoozed_until_ms, state."""
    if "name" in values:
        values["name"] = await sealed_name(tx, values["name"])
    names = ", ".join(f"{name} = :{name}" for name in sorted(values))
    await tx.run(f"UPDATE people SET {names} WHERE township_id = :t AND id = :id", {"id": person_id, **values})


async def add_contact(
    tx: Tx, *, channel: str, address: str, person_id: int, now_ms: int, opened_from: str = ""
) -> None:
    """A way to reach a person; an address that was erased begins anew with this person.

    `opened_from`: the address of another platform from which a web page was signed in.
    """
    await tx.run(
        "INSERT INTO contacts (township_id, channel, address, person_id, created_ms, last_in_ms, opened_from)"
        " VALUES (:t, :channel, :address, :person_id, :now_ms, :now_ms, :opened_from)"
        " ON CONFLICT (township_id, address) DO UPDATE SET person_id = excluded.person_id, state = 'active',"
        " last_in_ms = excluded.last_in_ms, opened_from = excluded.opened_from",
        {
            "channel": channel,
            "address": address,
            "person_id": person_id,
            "now_ms": now_ms,
            "opened_from": opened_from,
        },
    )


async def contact(tx: Tx, address: str) -> Row | None:
    """One contact: person_id, channel, address, state, last_in_ms, opened_from."""
    return await tx.one(
        "SELECT person_id, channel, address, state, last_in_ms, opened_from FROM contacts"
        " WHERE township_id = :t AND address = :address",
        {"address": address},
    )


async def contacts_of(tx: Tx, person_id: int) -> Sequence[Row]:
    """A person's contacts that can be reached, the one used last first: channel, address, state,
    created_ms, last_in_ms, looked_ms.

    A page that was opened from another platform comes after all others while that platform can be reached: news that
    waits in a page nobody looks at is read by nobody.
    """
    return await tx.all(
        "SELECT c.channel, c.address, c.state, c.created_ms, c.last_in_ms, c.looked_ms FROM contacts c"
        " WHERE c.township_id = :t AND c.person_id = :person_id"
        " AND c.state = 'active' ORDER BY CASE WHEN c.opened_from <> '' AND EXISTS (SELECT 1 FROM contacts source"
        " WHERE source.township_id = :t AND source.address = c.opened_from AND source.state = 'active')"
        " THEN 1 ELSE 0 END, c.last_in_ms DESC, c.address",
        {"person_id": person_id},
    )


async def opened_from(tx: Tx, address: str) -> Sequence[Row]:
    """The pages that were opened from an address, whatever their state: channel, address, state, person_id."""
    return await tx.all(
        "SELECT channel, address, state, person_id FROM contacts WHERE township_id = :t AND opened_from = :address"
        " AND opened_from <> '' ORDER BY created_ms, address",
        {"address": address},
    )


async def seen(tx: Tx, rows: Sequence[tuple[str, int]]) -> None:
    """(address, now_ms): that contact wrote just now, so it can be reached."""
    await tx.many(
        "UPDATE contacts SET state = 'active', last_in_ms = :now_ms WHERE township_id = :t AND address = :address",
        [{"t": tx.township_id, "address": address, "now_ms": now_ms} for address, now_ms in rows],
    )


async def looks(tx: Tx, address: str, *, now_ms: int) -> int | None:
    """Somebody has the page of a contact before them just now: whose contact it is, None when it is nobody's."""
    row = await tx.one(
        "UPDATE contacts SET looked_ms = :now_ms WHERE township_id = :t AND address = :address AND state = 'active'"
        " RETURNING person_id",
        {"address": address, "now_ms": now_ms},
    )
    return row["person_id"] if row is not None else None


async def set_contact_state(tx: Tx, address: str, state: str) -> None:
    """Mark a contact active, unreachable or erased."""
    await tx.run(
        "UPDATE contacts SET state = :state WHERE township_id = :t AND address = :address",
        {"address": address, "state": state},
    )


async def all_contacts_of(tx: Tx, person_id: int) -> Sequence[Row]:
    """Every contact of a person, whatever its state: channel, address, state."""
    return await tx.all(
        "SELECT channel, address, state FROM contacts WHERE township_id = :t AND person_id = :person_id"
        " ORDER BY created_ms, address",
        {"person_id": person_id},
    )


async def add_consent(tx: Tx, *, consent_id: int, person_id: int, version: int, answer: str, now_ms: int) -> None:
    """Keep an answer (agreed, refused, withdrawn) to a version of the consent text."""
    await tx.run(
        "INSERT INTO consents (township_id, id, person_id, version, answer, at_ms)"
        " VALUES (:t, :consent_id, :person_id, :version, :answer, :now_ms)",
        {
            "consent_id": consent_id,
            "person_id": person_id,
            "version": version,
            "answer": answer,
            "now_ms": now_ms,
        },
    )


async def without_consent(tx: Tx, *, before_ms: int, limit: int) -> Sequence[Row]:
    """People who never agreed and have been silent since `before_ms`: id."""
    return await tx.all(
        "SELECT p.id FROM people p WHERE p.township_id = :t AND p.consent_version IS NULL AND p.state = 'active'"
        " AND p.created_ms < :before_ms AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.township_id = :t"
        " AND c.person_id = p.id AND c.last_in_ms >= :before_ms) ORDER BY p.created_ms, p.id LIMIT :limit",
        {"before_ms": before_ms, "limit": limit},
    )


async def grant(
    tx: Tx, *, role_id: int, person_id: int, role: str, area_id: int, granted_by: int | None, now_ms: int
) -> None:
    """Give a person a role for an area. Their web pages get new cookies: a copy made before is worth nothing more."""
    await page_sessions.renew(tx, person_id, now_ms=now_ms)
    await tx.run(
        "INSERT INTO roles (township_id, id, person_id, role, area_id, from_ms, granted_by)"
        " VALUES (:t, :role_id, :person_id, :role, :area_id, :now_ms, :granted_by)",
        {
            "role_id": role_id,
            "person_id": person_id,
            "role": role,
            "area_id": area_id,
            "granted_by": granted_by,
            "now_ms": now_ms,
        },
    )


async def end_role_row(tx: Tx, role_id: int, *, now_ms: int) -> bool:
    """End one role for one area; False when it had ended before."""
    return (
        await tx.run(
            "UPDATE roles SET until_ms = :now_ms WHERE township_id = :t AND id = :role_id AND until_ms IS NULL",
            {"role_id": role_id, "now_ms": now_ms},
        )
        == 1
    )


async def role_row(tx: Tx, role_id: int) -> Row | None:
    """One role given: person_id, role, area_id, until_ms and the person's name."""
    rows = await tx.all(
        "SELECT r.id AS role_id, r.person_id, r.role, r.area_id, r.until_ms, p.name FROM roles r"
        " JOIN people p ON p.township_id = r.township_id AND p.id = r.person_id"
        " WHERE r.township_id = :t AND r.id = :role_id",
        {"role_id": role_id},
    )
    return (await open_columns(tx, rows, name=""))[0] if rows else None


async def roles_of_person(tx: Tx, person_id: int) -> Sequence[Row]:
    """The roles a person has now: role_id, role, area_id."""
    return await tx.all(
        "SELECT id AS role_id, role, area_id FROM roles WHERE township_id = :t AND person_id = :person_id"
        " AND until_ms IS NULL ORDER BY id",
        {"person_id": person_id},
    )


async def holders(tx: Tx, roles: Sequence[str]) -> Sequence[Row]:
    """Everyone with one of the roles in force: role_id, person_id, role, area_id, name, language."""
    names = ", ".join(f":r{at}" for at in range(len(roles)))
    rows = await tx.all(
        "SELECT r.id AS role_id, r.person_id, r.role, r.area_id, p.name, p.language FROM roles r"
        " JOIN people p ON p.township_id = r.township_id AND p.id = r.person_id AND p.state = 'active'"
        f" WHERE r.township_id = :t AND r.until_ms IS NULL AND r.role IN ({names}) ORDER BY r.id",
        {f"r{at}": role for at, role in enumerate(roles)},
    )
    return await open_columns(tx, rows, name="")
