"""One person on several channels: a code from one, typed on the other, joins the two into one."""

from __future__ import annotations

from dataclasses import replace

import orjson

from bot.errors import PersonError
from bot.talk.messages import Say, text
from bot.talk.session import Session
from bot.talk.spans import HOUR_MS, MINUTE_MS
from bot.turn import Intent
from handlers.people.actions import load_person, private
from handlers.people.rules import (
    LINK_CODE_DIGITS,
    WRONG_CODES_AN_HOUR,
    invitation_state,
    older,
    read_code,
)
from handlers.world import Turn
from storage.database import Row
from storage.machine import sessions
from storage.people import claims, households, invitations, merging, people
from storage.product import accounts, ledger

DRAWS = 5


async def link(turn: Turn, args: str) -> None:
    """`/link` gives a code, `/link CODE` takes one from the other channel."""
    private(turn)
    if args.strip():
        await _take_code(turn, args)
    else:
        await _give_code(turn)


async def code_sent(turn: Turn) -> Intent | None:
    """Interpreter: the digits of a code sent by themselves, as the text beside the code asks for them."""
    said = turn.event.text if turn.event.kind == "text" else ""
    return Intent(command="link", args=said) if read_code(said) is not None else None


async def _give_code(turn: Turn) -> None:
    world = turn.world
    minutes = world.policy.invitations.link_code_valid_minutes
    await invitations.withdraw_codes(turn.tx, turn.person.id, now_ms=turn.now_ms)
    for _ in range(DRAWS):
        code = turn.dice.digits(LINK_CODE_DIGITS)
        if await invitations.add_invitation(
            turn.tx,
            invitation_id=turn.ids.next(),
            token_hash=invitations.hash_of(code),
            kind="link",
            person_id=turn.person.id,
            created_by=turn.person.id,
            now_ms=turn.now_ms,
            expires_ms=turn.now_ms + minutes * MINUTE_MS,
        ):
            half = LINK_CODE_DIGITS // 2
            turn.reply(text("link.code", digits=LINK_CODE_DIGITS, code=f"{code[:half]} {code[half:]}", minutes=minutes))
            return
    raise PersonError("link_later")


async def _take_code(turn: Turn, args: str) -> None:
    """Join with the code's person. A wrong code is noted (so nothing here may be undone by a PersonError)."""
    since_ms = turn.now_ms - HOUR_MS
    wrong = await invitations.wrong_codes(turn.tx, turn.person.id, since_ms=since_ms)
    if wrong >= WRONG_CODES_AN_HOUR:
        turn.reply(text("link.locked", max=WRONG_CODES_AN_HOUR))
        return
    code = read_code(args)
    if code is None:
        turn.reply(text("link.how", digits=LINK_CODE_DIGITS))
        return
    token_hash = invitations.hash_of(code)
    row = await invitations.invitation(turn.tx, token_hash)
    state = invitation_state(row, "link", turn.person.id, turn.now_ms)
    owner = await people.person(turn.tx, row["person_id"]) if row is not None and row["person_id"] else None
    if row is not None and owner is not None and owner["id"] == turn.person.id:
        turn.reply(text("link.same" if row["used_ms"] is None else "link.joined_already"))
        return
    if state != "good" or owner is None or owner["state"] != "active":
        await invitations.add_wrong_code(turn.tx, row_id=turn.ids.next(), person_id=turn.person.id, now_ms=turn.now_ms)
        turn.reply(text("link.wrong", left=WRONG_CODES_AN_HOUR - wrong - 1))
        return
    await invitations.use_invitation(turn.tx, token_hash, used_by=turn.person.id, now_ms=turn.now_ms)
    await _join(turn, owner)


async def _join(turn: Turn, owner: Row) -> None:
    """Make the two one: the older person stays, with everything that the newer one had."""
    me = await people.person(turn.tx, turn.person.id)
    assert me is not None
    kept, gone = older(me, owner)
    others = await people.contacts_of(turn.tx, owner["id"])
    await _move_balances(turn, gone["id"], kept["id"])
    await _move_roles(turn, gone["id"], kept["id"])
    await _move_households(turn, gone["id"], kept["id"])
    waiting = await _open_question(turn, owner["id"])
    await merging.join_people(turn.tx, from_person=gone["id"], to_person=kept["id"])
    version = max(kept["consent_version"] or 0, gone["consent_version"] or 0)
    await people.set_person(turn.tx, kept["id"], name=kept["name"] or gone["name"], consent_version=version or None)
    turn.person = replace(await load_person(turn, kept["id"]), language=turn.person.language)
    turn.reply(text("link.joined", name=turn.person.name or text("person.nameless")))
    told = turn.catalogues[kept["language"]].out(Say(text("link.told")))
    for contact in others:
        turn.post(kept["id"], contact["channel"], contact["address"], told)
    if waiting is not None:
        turn.open(waiting[0], **waiting[1])


async def _open_question(turn: Turn, person_id: int) -> tuple[str, dict[str, object]] | None:
    """The form that the other contact had open, to go on with it here."""
    row = await sessions.of_person(turn.tx, person_id)
    try:
        top = Session.from_json(orjson.loads(row["body"])).top if row is not None else None
    except (KeyError, TypeError, ValueError):
        return None
    return (top.form, dict(top.answers)) if top is not None else None


async def _move_balances(turn: Turn, gone: int, kept: int) -> None:
    for unit in ledger.UNITS:
        amount = await ledger.balance(turn.tx, accounts.of_person(gone), unit)
        if amount > 0:
            await ledger.transfer(
                turn.tx,
                ledger.Transfer(
                    id=turn.ids.next(),
                    source=accounts.of_person(gone),
                    destination=accounts.of_person(kept),
                    amount=amount,
                    unit=unit,
                    key=f"people_joined:{gone}:{unit}",
                    reason="people_joined",
                    ref=accounts.of_person(kept),
                    policy_version=turn.world.current.version,
                    at_ms=turn.now_ms,
                    created_by=kept,
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
