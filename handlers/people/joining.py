"""Two people who turn out to be one: the older stays, with everything that the newer one had."""

from __future__ import annotations

from dataclasses import replace

from handlers.people.actions import load_person
from handlers.people.rules import older
from handlers.world import Turn
from storage.database import Row
from storage.people import claims, households, merging, people, rewards
from storage.product import accounts, ledger
from storage.security import pins


async def join(turn: Turn, one: Row, other: Row) -> Row:
    """Make two people's rows one person; the row of the one who stays.

    `one` is who writes now. Both conversations go on as one, with the question that `one` had open.
    """
    kept, gone = older(one, other)
    addresses = [row["address"] for row in await people.contacts_of(turn.tx, other["id"])]
    await _move_balances(turn, gone["id"], kept["id"])
    await _move_roles(turn, gone["id"], kept["id"])
    await _move_households(turn, gone["id"], kept["id"])
    await merging.join_people(turn.tx, from_person=gone["id"], to_person=kept["id"], now_ms=turn.now_ms)
    version = max(kept["consent_version"] or 0, gone["consent_version"] or 0)
    await people.set_person(turn.tx, kept["id"], name=kept["name"] or gone["name"], consent_version=version or None)
    await pins.add_event(turn.tx, event_id=turn.ids.next(), person_id=kept["id"], event="over", at_ms=turn.now_ms)
    turn.person = replace(await load_person(turn, kept["id"]), language=turn.person.language)
    turn.meet_again(addresses)
    return kept


async def _move_balances(turn: Turn, gone: int, kept: int) -> None:
    own = accounts.of_person(gone), accounts.of_person(kept)
    theirs = await rewards.account_of(turn.tx, gone), await rewards.account_of(turn.tx, kept)
    moves = [(*own, unit, own[1], kept) for unit in ledger.UNITS]
    for source, destination, unit, ref, created_by in [*moves, (*theirs, rewards.UNIT, "", None)]:
        amount = await ledger.balance(turn.tx, source, unit)
        if amount > 0:
            await ledger.transfer(
                turn.tx,
                ledger.Transfer(
                    id=turn.ids.next(),
                    source=source,
                    destination=destination,
                    amount=amount,
                    unit=unit,
                    key=f"people_joined:{source.removeprefix(accounts.PERSON)}:{unit}",
                    reason="people_joined",
                    ref=ref,
                    policy_version=turn.world.current.version,
                    at_ms=turn.now_ms,
                    created_by=created_by,
                ),
            )


async def _move_roles(turn: Turn, gone: int, kept: int) -> None:
    have = {(row["role"], row["area_id"]) for row in await people.roles_of_person(turn.tx, kept)}
    for row in await people.roles_of_person(turn.tx, gone):
        await people.end_role_row(turn.tx, row["role_id"], now_ms=turn.now_ms)
        if (row["role"], row["area_id"]) not in have:
            await people.grant(
                turn.tx,
                role_id=turn.ids.next(),
                person_id=kept,
                role=row["role"],
                area_id=row["area_id"],
                granted_by=kept,
                now_ms=turn.now_ms,
            )


async def _move_households(turn: Turn, gone: int, kept: int) -> None:
    """The older person's own household stays theirs; what else the newer one belonged to or acted for is added."""
    have = await claims.links_of_person(turn.tx, kept)
    own = any(link["relation"] != "proxy" for link in have)
    known = {link["household_id"] for link in have}
    moving = await claims.links_of_person(turn.tx, gone)
    await households.unlink_person(turn.tx, gone, now_ms=turn.now_ms)
    for row in moving:
        if row["household_id"] in known or (own and row["relation"] != "proxy"):
            continue
        await households.link_person(
            turn.tx,
            link_id=turn.ids.next(),
            household_id=row["household_id"],
            person_id=kept,
            relation=row["relation"],
            linked_by=kept,
            now_ms=turn.now_ms,
        )
