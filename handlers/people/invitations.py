"""Invitations: a single-use, expiring link that gives a role for an area, and what happens when it is opened."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import segno

from bot.errors import PersonError
from bot.talk.form import Choice, Form, Found, Option
from bot.talk.messages import Button, Link, Say, Words, on_lines, text
from bot.talk.spans import HOUR_MS
from bot.talk.understanding.slots import Read
from bot.turn import Dispatch, Intent, Role
from handlers.people.actions import area_name, keeper, private, role_at
from handlers.people.guide import menu
from handlers.people.rules import grantable, invitation_state, may_grant
from handlers.people.search import grant_areas, own_areas
from handlers.waiting import waiting_for
from handlers.world import Turn
from storage.database import Row, Tx
from storage.machine import media
from storage.people import invitations, people

QR_SCALE, QR_BORDER = 8, 4
_TOKEN = re.compile(r"[?&](?:join|start)=([A-Za-z0-9_-]{16,128})\b")
_ALONE = re.compile(r"[A-Za-z0-9_-]{43}")  # as `bot.clock.Dice.token` makes them


class InvitationIds(Protocol):
    """Where ids come from (`bot.clock.Ids`)."""

    def next(self) -> int: ...


class InvitationDice(Protocol):
    """Where tokens come from (`bot.clock.Dice`)."""

    def token(self) -> str: ...


async def create_invitation(
    tx: Tx,
    ids: InvitationIds,
    dice: InvitationDice,
    role: str,
    area_id: int,
    now_ms: int,
    valid_hours: int,
    created_by: int | None = None,
) -> str:
    """A fresh token for a role at an area; the caller hands it out, the database keeps only its hash."""
    return (await _create(tx, ids, dice, role, area_id, now_ms, valid_hours, created_by))[0]


async def _create(
    tx: Tx,
    ids: InvitationIds,
    dice: InvitationDice,
    role: str,
    area_id: int,
    now_ms: int,
    valid_hours: int,
    created_by: int | None,
) -> tuple[str, int]:
    token, invitation_id = dice.token(), ids.next()
    await invitations.add_invitation(
        tx,
        invitation_id=invitation_id,
        token_hash=invitations.hash_of(token),
        kind="role",
        role=role,
        area_id=area_id,
        created_by=created_by,
        now_ms=now_ms,
        expires_ms=now_ms + valid_hours * HOUR_MS,
    )
    return token, invitation_id


def qr_png(url: str) -> bytes:
    """A QR picture of an address, below 2 kB, large enough to scan from a phone's screen."""
    picture = io.BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="png", scale=QR_SCALE, border=QR_BORDER)
    return picture.getvalue()


async def grantable_roles(turn: Turn, _: Mapping[str, Any]) -> Sequence[Option]:
    """The roles that the person may hand out."""
    return [Option(role, text(f"role.{role}")) for role in grantable(turn.person.roles)]


async def asked(turn: Turn, read: Read) -> Intent | None:
    """«给李师傅发个保洁员邀请»: the form, with the role that was named."""
    catalogue = turn.catalogues[turn.person.language]
    labels = {catalogue.render(text(f"role.{role}")): role for role in grantable(turn.person.roles)}
    named = max((label for label in labels if label.lower() in read.said.lower()), key=len, default="")
    return Intent(form="invite", answers={"role": {"id": labels[named], "label": named}} if named else {})


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Make the invitation; answer with the link and its QR picture, ready to be passed on."""
    private(turn)
    world = turn.world
    role, area_id = str(answers["role"]["id"]), int(answers["area"]["id"])
    if not may_grant(turn.person.roles, role, area_id, world.places.covers):
        area = area_name(world.places, area_id)
        raise PersonError("not_your_area", step="area", area=area, who=text("right.manage_roles.who"))
    valid_hours = world.policy.invitations.valid_hours
    token, invitation_id = await _create(
        turn.tx, turn.ids, turn.dice, role, area_id, turn.now_ms, valid_hours, turn.person.id
    )
    url = f"{world.public_url}/?join={token}&t={world.code}"
    lines: list[Words] = [
        text(
            "invite.made",
            role=role_at(world.places, role, area_id),
            hours=valid_hours,
            until_ms=turn.now_ms + valid_hours * HOUR_MS,
        ),
        url,
    ]
    links = [Link(text("invite.open_web"), url)]
    bot_name = world.telegram_name
    if bot_name:
        telegram = f"https://t.me/{bot_name}?start={token}"
        lines.append(telegram)
        links.append(Link(text("invite.open_telegram"), telegram))
    picture = await media.put_generated(turn.tx, turn.dice, qr_png(url), now_ms=turn.now_ms, person_id=turn.person.id)
    withdraw = Button(text("invite.withdraw"), f"/withdraw {invitation_id}", "danger")
    turn.reply(Say(on_lines(lines), ((withdraw,),), media=(picture,), links=tuple(links)))


async def withdraw(turn: Turn, args: str) -> None:
    """`/withdraw ID`: make an invitation void that was sent to the wrong person."""
    row = await invitations.invitation_by_id(turn.tx, int(args)) if args.isdigit() else None
    if row is None or row["kind"] != "role":
        raise PersonError("invitation_unknown", who=keeper(turn))
    if not may_grant(turn.person.roles, row["role"], row["area_id"], turn.world.places.covers):
        raise PersonError("no_right", who=text("right.manage_roles.who"))
    await invitations.withdraw(turn.tx, row["id"], now_ms=turn.now_ms)
    turn.reply(text("invite.used_already" if row["used_ms"] is not None else "invite.withdrawn"))


def like_a_token(said: str) -> bool:
    """Whether words have the shape of an invitation's token, or are a link with one."""
    return bool(_ALONE.fullmatch(said) or _TOKEN.search(said))


async def join(turn: Turn, args: str) -> None:
    """`/start TOKEN`, a join link, or the link pasted as words: take the role that the token gives."""
    private(turn)
    pasted = _TOKEN.search(args)
    token = pasted.group(1) if pasted else args.strip()
    if not token:
        raise PersonError("join_empty", who=keeper(turn))
    token_hash = invitations.hash_of(token)
    row = await invitations.invitation(turn.tx, token_hash)
    state = invitation_state(row, "role", turn.person.id, turn.now_ms)
    if row is None or state == "unknown":
        raise PersonError("invitation_unknown", who=keeper(turn))
    places = turn.world.places
    what = role_at(places, row["role"], row["area_id"])
    if state == "yours" or Role(row["role"], row["area_id"]) in turn.person.roles:
        turn.reply(Say(text("join.already", role=what), await menu(turn)))
        return
    inviter = await _inviter(turn, row)
    who = inviter["name"] if inviter is not None and inviter["name"] else keeper(turn)
    if state != "good":
        raise PersonError(f"invitation_{state}", role=what, who=who)
    if inviter is not None and not await _still_may(turn, inviter, row):
        raise PersonError("invitation_withdrawn", role=what, who=keeper(turn))
    await _take(turn, row, token_hash)
    welcome = text("join.welcome", role=what)
    turn.reply(Say(on_lines([welcome, *await _waiting(turn)]), await menu(turn)))
    if inviter is not None:
        told = text("join.told", name=turn.person.name, role=what)
        say = Say(told if turn.person.name else text("join.told_nameless", role=what))
        await turn.tell(inviter["id"], say, Dispatch(f"joined.{row['id']}"))
    if not turn.person.name:
        turn.open("name")  # what they decide is signed with it


async def _waiting(turn: Turn) -> list[Words]:
    """What waits for somebody who has just joined, a line a kind."""
    waiting = await waiting_for(turn, turn.person.roles)
    return (
        [text("join.waiting"), *(text(f"todo.{wait}", count=one.all) for wait, one in waiting.items())]
        if waiting
        else []
    )


async def _inviter(turn: Turn, row: Row) -> Row | None:
    return await people.person(turn.tx, row["created_by"]) if row["created_by"] is not None else None


async def _still_may(turn: Turn, inviter: Row, row: Row) -> bool:
    """Whether who invited may still hand out that role."""
    held = [Role(one["role"], one["area_id"]) for one in await people.roles_of_person(turn.tx, inviter["id"])]
    return may_grant(held, row["role"], row["area_id"], turn.world.places.covers)


async def _take(turn: Turn, row: Row, token_hash: str) -> None:
    if not await invitations.use_invitation(turn.tx, token_hash, used_by=turn.person.id, now_ms=turn.now_ms):
        raise PersonError("invitation_unknown", who=keeper(turn))
    await people.grant(
        turn.tx,
        role_id=turn.ids.next(),
        person_id=turn.person.id,
        role=row["role"],
        area_id=row["area_id"],
        granted_by=row["created_by"],
        now_ms=turn.now_ms,
    )
    turn.person = replace(turn.person, roles=(*turn.person.roles, Role(row["role"], row["area_id"])))


async def pasted_link(turn: Turn) -> Intent | None:
    """Interpreter: an invitation's address sent as words."""
    found = _TOKEN.search(turn.event.text) if turn.event.kind == "text" else None
    return Intent(command="join", args=found.group(1)) if found else None


INVITE = Form(
    "invite",
    (
        Choice(id="role", prepare=grantable_roles),
        Found(id="area", prepare=own_areas, search=grant_areas),
    ),
    submit,
    right="invite",
)
