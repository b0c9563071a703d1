"""Erasing what is kept about a person (PIPL 47): names, addresses, words. Figures and who-did-what ids stay."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Tx
from storage.machine.sessions import EMPTY as EMPTY_SESSION
from storage.people import belonging, push
from storage.photos import owners
from storage.sql import in_list

DAY_MS = 86_400_000


async def forget_person(tx: Tx, person_id: int) -> None:
    """Blank a person's row (and those that were joined with it) and their conversation.

    When they came and agreed is known to the day from then on: the minute would tell who reported a moment later.
    """
    values = {"id": person_id, "empty": EMPTY_SESSION}
    await tx.run(
        "UPDATE people SET name = '', consent_version = NULL, consent_ms = NULL, reminders_off = 1,"
        " state = CASE WHEN id = :id THEN 'erased' ELSE state END"
        " WHERE township_id = :t AND (id = :id OR merged_into = :id)",
        {"id": person_id},
    )
    await tx.run("UPDATE sessions SET body = :empty WHERE township_id = :t AND person_id = :id", values)
    met = await tx.all(
        "SELECT id, created_ms FROM people WHERE township_id = :t AND (id = :id OR merged_into = :id)",
        {"id": person_id},
    )
    await tx.many(
        "UPDATE people SET created_ms = :created_ms WHERE township_id = :t AND id = :id",
        [{"t": tx.township_id, "id": row["id"], "created_ms": row["created_ms"] // DAY_MS * DAY_MS} for row in met],
    )
    agreed = await tx.all(
        "SELECT id, at_ms FROM consents WHERE township_id = :t AND person_id = :id ORDER BY id", {"id": person_id}
    )
    await tx.many(
        "UPDATE consents SET at_ms = :at_ms WHERE township_id = :t AND id = :id",
        [{"t": tx.township_id, "id": row["id"], "at_ms": row["at_ms"] // DAY_MS * DAY_MS} for row in agreed],
    )


async def forget_contact(tx: Tx, address: str, pseudonym: str) -> None:
    """Put a pseudonym in place of a contact's address: whoever writes from there again is somebody new. Its browser is
    not told of anything any more.

    Pages that were opened from there (`people.opened_from`) are erased with it by whoever calls this.
    """
    await tx.run(
        "UPDATE contacts SET address = :pseudonym, state = 'erased', opened_from = ''"
        " WHERE township_id = :t AND address = :address",
        {"address": address, "pseudonym": pseudonym},
    )
    await push.unsubscribe(tx, address)


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
        "UPDATE outbox SET body = '{}', address = :pseudonym, person_id = 0, message_key = NULL, card = NULL,"
        " state = CASE WHEN state = 'sent' THEN state ELSE 'expired' END"
        " WHERE township_id = :t AND address = :address AND created_ms <= :until_ms",
        values,
    )


async def forget_keys(tx: Tx, pseudonym: str) -> None:
    """Of what came from an address that is a pseudonym now: the keys by which its repetitions were known.

    A platform's key may name the person. To be called when nothing is repeated any more.
    """
    await tx.run(
        "UPDATE inbox SET update_key = address || ':' || CAST(id AS TEXT)"
        " WHERE township_id = :t AND address = :pseudonym",
        {"pseudonym": pseudonym},
    )


async def forget_quota(tx: Tx, address: str) -> None:
    """Delete what may still be sent to an address that nobody has any more."""
    await tx.run(
        "DELETE FROM wechat_quotas WHERE township_id = :t AND address = :address AND NOT EXISTS"
        " (SELECT 1 FROM contacts c WHERE c.township_id = :t AND c.address = :address)",
        {"address": address},
    )


async def hand_over(tx: Tx, address: str, *, stranger_id: int, now_ms: int) -> None:
    """A contact is from now on somebody's of whom nothing is known, and no longer its person's."""
    await tx.run(
        "INSERT INTO people (township_id, id, name, language, reminders_off, state, created_ms)"
        " SELECT p.township_id, :stranger_id, '', p.language, 1, 'erased', :now_ms FROM people p"
        " JOIN contacts c ON c.township_id = p.township_id AND c.person_id = p.id"
        " WHERE p.township_id = :t AND c.address = :address"
        " ON CONFLICT (township_id, id) DO NOTHING",
        {"address": address, "stranger_id": stranger_id, "now_ms": now_ms},
    )
    await tx.run(
        "UPDATE contacts SET person_id = :stranger_id WHERE township_id = :t AND address = :address",
        {"address": address, "stranger_id": stranger_id},
    )


async def unlink_photos(tx: Tx, person_id: int, channel: str, addresses: Sequence[str]) -> None:
    """Unlink a person from the photos that came by one channel or were uploaded from these addresses.

    One that is still to be fetched keeps the name that its channel knows it by.
    """
    names, params = in_list("a", [await owners.door_of(tx, one) for one in addresses])
    await tx.run(
        "UPDATE media SET owner_address = NULL, person_id = NULL, sealed = NULL,"
        " ref = CASE WHEN state = 'fetching' THEN ref ELSE '' END WHERE township_id = :t"
        f" AND (person_id = :person_id AND channel = :channel OR owner_address IN ({names}))",
        {"person_id": await owners.viewer_of(tx, person_id), "channel": channel, **params},
    )


async def end_links(tx: Tx, person_id: int, *, now_ms: int) -> None:
    """End a person's roles and household links, and withdraw what they claimed or gave out."""
    values = {"id": person_id, "key": await belonging.key_of(tx, person_id), "now_ms": now_ms}
    for statement in (
        "UPDATE roles SET until_ms = :now_ms WHERE township_id = :t AND person_id = :id AND until_ms IS NULL",
        "UPDATE household_members SET until_ms = :now_ms WHERE township_id = :t AND person_id = :key"
        " AND until_ms IS NULL",
        "UPDATE household_claims SET state = 'withdrawn', decided_ms = :now_ms WHERE township_id = :t"
        " AND person_id = :key AND state = 'pending'",
        "UPDATE invitations SET withdrawn_ms = :now_ms WHERE township_id = :t AND (person_id = :id"
        " OR created_by = :id) AND used_ms IS NULL AND withdrawn_ms IS NULL",
    ):
        await tx.run(statement, values)


async def forget_timer(tx: Tx, timer_key: str) -> None:
    """Blank a timer's payload that names an address."""
    await tx.run(
        "UPDATE timers SET payload = '{}' WHERE township_id = :t AND timer_key = :timer_key", {"timer_key": timer_key}
    )
