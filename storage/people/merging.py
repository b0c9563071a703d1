"""Two people who turn out to be one: what names the newer one's id is made to name the older one's."""

from __future__ import annotations

from storage.database import Tx
from storage.machine import wecom
from storage.people import claims, page_sessions
from storage.photos import owners
from storage.product import case_vault
from storage.security import pins


async def join_people(tx: Tx, *, from_person: int, to_person: int, now_ms: int) -> None:
    """Give the contacts, photos, reports, PIN, undecided claims and the WeCom name of `from_person` to `to_person`,
    and point the one at the other.

    Rows elsewhere that still name the old id find the person through `people.merged_into`. Roles, households and
    balances are moved by whoever calls this, with rows of their own. Their web pages get new cookies.
    """
    await owners.move(tx, from_person=from_person, to_person=to_person)
    await wecom.move(tx, from_person=from_person, to_person=to_person)
    await pins.hand_over(tx, from_person=from_person, to_person=to_person, now_ms=now_ms)
    await case_vault.hand_over(tx, from_person=from_person, to_person=to_person)
    await claims.hand_over(tx, from_person=from_person, to_person=to_person)
    values = {"from_person": from_person, "to_person": to_person}
    for statement in (
        "UPDATE contacts SET person_id = :to_person WHERE township_id = :t AND person_id = :from_person",
        "UPDATE sessions SET body = :empty WHERE township_id = :t AND person_id = :from_person",
        "UPDATE people SET merged_into = :to_person WHERE township_id = :t AND merged_into = :from_person",
        "UPDATE people SET merged_into = :to_person, state = 'merged', name = ''"
        " WHERE township_id = :t AND id = :from_person",
    ):
        await tx.run(statement, {**values, "empty": '{"rev":0,"frames":[]}'})
    await page_sessions.renew(tx, to_person, now_ms=now_ms)
