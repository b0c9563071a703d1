"""People, their contacts, their roles and invitations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.database import Row, Tx

PERSON_COLUMNS = (
    "id, name, language, consent_version, consent_ms, reminders_off, snoozed_until_ms, state, created_ms"
)


async def add_person(tx: Tx, *, person_id: int, name: str, language: str, now_ms: int) -> None:
    """A person who has just written for the first time (no consent yet)."""
    await tx.run(
        "INSERT INTO people (township_id, id, name, language, created_ms)"
        " VALUES (:t, :person_id, :name, :language, :now_ms)",
        {"person_id": person_id, "name": name, "language": language, "now_ms": now_ms},
    )


async def person(tx: Tx, person_id: int) -> Row | None:
    """One person's row."""
    return await tx.one(f"SELECT {PERSON_COLUMNS} FROM people WHERE township_id = :t AND id = :id", {"id": person_id})


async def set_person(tx: Tx, person_id: int, **values: Any) -> None:
    """Change columns of a person: name, language, consent_*, reminders_off, snoozed_until_ms, state."""
    names = ", ".join(f"{name} = :{name}" for name in sorted(values))
    await tx.run(f"UPDATE people SET {names} WHERE township_id = :t AND id = :id", {"id": person_id, **values})


async def add_contact(tx: Tx, *, channel: str, address: str, person_id: int, now_ms: int) -> None:
    """A way to reach a person; an address that was erased begins anew with this person."""
    await tx.run(
        "INSERT INTO contacts (township_id, channel, address, person_id, created_ms, last_in_ms)"
        " VALUES (:t, :channel, :address, :person_id, :now_ms, :now_ms)"
        " ON CONFLICT (township_id, address) DO UPDATE SET person_id = excluded.person_id, state = 'active',"
        " last_in_ms = excluded.last_in_ms",
        {"channel": channel, "address": address, "person_id": person_id, "now_ms": now_ms},
    )


async def contact(tx: Tx, address: str) -> Row | None:
    """One contact: person_id, channel, state."""
    return await tx.one(
        "SELECT person_id, channel, address, state, last_in_ms FROM contacts"
        " WHERE township_id = :t AND address = :address",
        {"address": address},
    )


async def contacts_of(tx: Tx, person_id: int) -> Sequence[Row]:
    """A person's contacts that can be reached, the one used last first."""
    return await tx.all(
        "SELECT channel, address, state FROM contacts WHERE township_id = :t AND person_id = :person_id"
        " AND state = 'active' ORDER BY last_in_ms DESC, address",
        {"person_id": person_id},
    )


async def seen(tx: Tx, rows: Sequence[tuple[str, int]]) -> None:
    """(address, now_ms): that contact wrote just now, so it can be reached."""
    await tx.many(
        "UPDATE contacts SET state = 'active', last_in_ms = :now_ms WHERE township_id = :t AND address = :address",
        [{"t": tx.township_id, "address": address, "now_ms": now_ms} for address, now_ms in rows],
    )


async def set_contact_state(tx: Tx, address: str, state: str) -> None:
    """Mark a contact active, unreachable or erased."""
    await tx.run(
        "UPDATE contacts SET state = :state WHERE township_id = :t AND address = :address",
        {"address": address, "state": state},
    )


async def move_contacts(tx: Tx, *, from_person: int, to_person: int) -> None:
    """Give all contacts of one person to another (the two are the same human)."""
    await tx.run(
        "UPDATE contacts SET person_id = :to_person WHERE township_id = :t AND person_id = :from_person",
        {"from_person": from_person, "to_person": to_person},
    )


async def grant(
    tx: Tx, *, role_id: int, person_id: int, role: str, area_id: int, granted_by: int | None, now_ms: int
) -> None:
    """Give a person a role for an area."""
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


async def end_role(tx: Tx, *, person_id: int, role: str, now_ms: int) -> int:
    """End a person's role; how many areas it covered."""
    return await tx.run(
        "UPDATE roles SET until_ms = :now_ms WHERE township_id = :t AND person_id = :person_id AND role = :role"
        " AND until_ms IS NULL",
        {"person_id": person_id, "role": role, "now_ms": now_ms},
    )


async def holders(tx: Tx, roles: Sequence[str]) -> Sequence[Row]:
    """Everyone with one of the roles in force: person_id, role, area_id, language."""
    names = ", ".join(f":r{at}" for at in range(len(roles)))
    return await tx.all(
        "SELECT r.person_id, r.role, r.area_id, p.name, p.language FROM roles r"
        " JOIN people p ON p.township_id = r.township_id AND p.id = r.person_id AND p.state = 'active'"
        f" WHERE r.township_id = :t AND r.until_ms IS NULL AND r.role IN ({names}) ORDER BY r.id",
        {f"r{at}": role for at, role in enumerate(roles)},
    )


async def add_invitation(
    tx: Tx,
    *,
    token_hash: str,
    kind: str,
    now_ms: int,
    expires_ms: int,
    role: str | None = None,
    area_id: int | None = None,
    person_id: int | None = None,
    created_by: int | None = None,
) -> None:
    """An invitation to a role, or a code that joins a second contact to a person. Only the hash is kept."""
    await tx.run(
        "INSERT INTO invitations (township_id, token_hash, kind, role, area_id, person_id, created_by,"
        " created_ms, expires_ms) VALUES (:t, :token_hash, :kind, :role, :area_id, :person_id, :created_by,"
        " :now_ms, :expires_ms)",
        {
            "token_hash": token_hash,
            "kind": kind,
            "role": role,
            "area_id": area_id,
            "person_id": person_id,
            "created_by": created_by,
            "now_ms": now_ms,
            "expires_ms": expires_ms,
        },
    )


async def invitation(tx: Tx, token_hash: str) -> Row | None:
    """An invitation by the hash of its token."""
    return await tx.one(
        "SELECT kind, role, area_id, person_id, created_by, expires_ms, used_by, used_ms FROM invitations"
        " WHERE township_id = :t AND token_hash = :token_hash",
        {"token_hash": token_hash},
    )


async def use_invitation(tx: Tx, token_hash: str, *, used_by: int, now_ms: int) -> bool:
    """Use an invitation up; False when somebody was quicker."""
    return (
        await tx.run(
            "UPDATE invitations SET used_by = :used_by, used_ms = :now_ms"
            " WHERE township_id = :t AND token_hash = :token_hash AND used_ms IS NULL",
            {"token_hash": token_hash, "used_by": used_by, "now_ms": now_ms},
        )
        == 1
    )
