"""Who has forgotten their PIN gets rid of it through an admin; and the auditor sees what became of PINs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Form, Found, Option
from bot.talk.messages import Say, Words, on_lines, text
from handlers.people.actions import called, private, role_at
from handlers.people.rules import ROLES, may
from handlers.pins.setting import tell_all
from handlers.world import Turn
from storage.people import people
from storage.security import pins

RIGHT = "manage_roles"
SHOWN, LINES = 8, 30


async def _with_pin(turn: Turn, _: Mapping[str, Any], said: str) -> Sequence[Option]:
    """People by their name, with what they do, who have a PIN and hold a role in the admin's areas."""
    places, found = turn.world.places, dict[str, Option]()
    for row in await people.holders(turn.tx, ROLES):
        if said.strip() not in row["name"] or not may(turn.person.roles, RIGHT, row["area_id"], places.covers):
            continue
        if str(row["person_id"]) not in found and await pins.hash_of(turn.tx, row["person_id"]):
            what = text("roles.line", name=called(row["name"]), role=role_at(places, row["role"], row["area_id"]))
            found[str(row["person_id"])] = Option(str(row["person_id"]), what)
    return list(found.values())[:SHOWN]


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Their PIN is void; they hear of it in all their chats, and set another when they are asked for one."""
    person_id = int(answers["who"]["id"])
    row = await people.person(turn.tx, person_id)
    roles = await people.roles_of_person(turn.tx, person_id)
    covers = turn.world.places.covers
    if row is None or not any(may(turn.person.roles, RIGHT, role["area_id"], covers) for role in roles):
        raise PersonError("no_right", who=text(f"right.{RIGHT}.who"))
    if person_id == turn.person.id:
        raise PersonError("pin_reset_own", step="who")
    if await pins.hash_of(turn.tx, person_id) is None:
        raise PersonError("pin_reset_none", step="who")
    await pins.keep(turn.tx, person_id, None, now_ms=turn.now_ms)
    await pins.add_event(
        turn.tx,
        event_id=turn.ids.next(),
        person_id=person_id,
        event="reset",
        at_ms=turn.now_ms,
        by_id=turn.person.id,
    )
    turn.reply(text("pin.reset", name=called(row["name"])))
    await tell_all(turn, person_id, Say(text("pin.reset.told", who=called(turn.person.name))))


async def events(turn: Turn, _: str) -> None:
    """`/pins`: who set, changed, got reset, gave right or wrong, the newest first; never any digits."""
    private(turn)
    lines: list[Words] = []
    for row in await pins.all_newest(turn.tx, limit=LINES):
        who, by = [await people.person(turn.tx, one) if one else None for one in (row["person_id"], row["by_id"])]
        name = called(who["name"] if who is not None else "")
        by_name = called(by["name"] if by is not None else "")
        lines.append(text(f"pins.{row['event']}", at_ms=row["at_ms"], name=name, by=by_name))
    turn.reply(Say(on_lines([text("pins.head"), *lines]) if lines else text("pins.none")))


PIN_RESET = Form("pin_reset", (Found(id="who", search=_with_pin),), submit, right=RIGHT)
