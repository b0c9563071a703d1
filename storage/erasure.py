"""Erasing what is kept about a person (PIPL 47): names, addresses, words. Figures and who-did-what ids stay."""

from __future__ import annotations

from storage.database import Tx

EMPTY_SESSION = '{"rev":0,"frames":[]}'


async def forget_person(tx: Tx, person_id: int) -> None:
    """Blank a person's row (and those that were joined with it) and their conversation."""
    values = {"id": person_id, "empty": EMPTY_SESSION}
    await tx.run(
        "UPDATE people SET name = '', consent_version = NULL, consent_ms = NULL, reminders_off = 1,"
        " state = CASE WHEN id = :id THEN 'erased' ELSE state END"
        " WHERE township_id = :t AND (id = :id OR merged_into = :id)",
        {"id": person_id},
    )
    await tx.run("UPDATE sessions SET body = :empty WHERE township_id = :t AND person_id = :id", values)


async def forget_contact(tx: Tx, address: str, pseudonym: str) -> None:
    """Put a pseudonym in place of a contact's address: whoever writes from there again is somebody new."""
    await tx.run(
        "UPDATE contacts SET address = :pseudonym, state = 'erased' WHERE township_id = :t AND address = :address",
        {"address": address, "pseudonym": pseudonym},
    )


async def forget_words(tx: Tx, address: str, pseudonym: str, *, until_ms: int) -> None:
    """Blank what came from and went to an address until then, and its address there.

    An update still to be handled keeps its words; a message that has not reached anybody never will.
    """
    values = {"address": address, "pseudonym": pseudonym, "until_ms": until_ms}
    await tx.run(
        "UPDATE inbox SET body = :empty, address = :pseudonym WHERE township_id = :t AND address = :address"
        " AND received_ms <= :until_ms AND state <> 'new'",
        {**values, "empty": b""},
    )
    await tx.run(
        "UPDATE outbox SET body = '{}', address = :pseudonym,"
        " state = CASE WHEN state = 'sent' THEN state ELSE 'expired' END"
        " WHERE township_id = :t AND address = :address AND created_ms <= :until_ms",
        values,
    )


async def end_links(tx: Tx, person_id: int, *, now_ms: int) -> None:
    """End a person's roles and household links, and withdraw what they claimed or gave out."""
    values = {"id": person_id, "now_ms": now_ms}
    for statement in (
        "UPDATE roles SET until_ms = :now_ms WHERE township_id = :t AND person_id = :id AND until_ms IS NULL",
        "UPDATE household_members SET until_ms = :now_ms WHERE township_id = :t AND person_id = :id"
        " AND until_ms IS NULL",
        "UPDATE household_claims SET state = 'withdrawn', decided_ms = :now_ms WHERE township_id = :t"
        " AND person_id = :id AND state = 'pending'",
        "UPDATE invitations SET withdrawn_ms = :now_ms WHERE township_id = :t AND (person_id = :id"
        " OR created_by = :id) AND used_ms IS NULL AND withdrawn_ms IS NULL",
    ):
        await tx.run(statement, values)


async def forget_timer(tx: Tx, timer_key: str) -> None:
    """Blank a timer's payload that names an address."""
    await tx.run(
        "UPDATE timers SET payload = '{}' WHERE township_id = :t AND timer_key = :timer_key", {"timer_key": timer_key}
    )
