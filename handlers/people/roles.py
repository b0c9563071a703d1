"""Who holds what where: `/roles`, `/revoke`, and «谁负责 王家沟»."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Form, Found, Option
from bot.talk.messages import Button, Say, Text, text
from bot.turn import Dispatch
from handlers.areas.index import Gazetteer
from handlers.people.actions import area_name, called, private, role_at
from handlers.people.menu import menu_rows
from handlers.people.rules import ANSWERABLE, EVERY_ROLE, may, may_take, roles_with
from handlers.people.search import any_area, named_areas, role_holders
from handlers.world import Turn
from storage.database import Row
from storage.people import people

PAGE = 20


async def roles(turn: Turn, args: str) -> None:
    """`/roles [PAGE]`: everyone who holds a role within the person's areas, by area."""
    private(turn)
    places = turn.world.places
    found = [
        row
        for row in await people.holders(turn.tx, EVERY_ROLE)
        if may(turn.person.roles, "manage_roles", row["area_id"], places.covers)
    ]
    found.sort(key=lambda row: (_code(places, row["area_id"]), EVERY_ROLE.index(row["role"]), row["role_id"]))
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(int(args), 1), pages) if args.isascii() and args.isdigit() and len(args) < 6 else 1
    shown = found[(page - 1) * PAGE : page * PAGE]
    lines = [
        text("roles.line", name=called(row["name"]), role=role_at(places, row["role"], row["area_id"])) for row in shown
    ]
    buttons: list[tuple[Button, ...]] = []
    if page < pages:
        buttons.append((Button(text("roles.more"), f"/roles {page + 1}"),))
    buttons.append((Button(text("menu.invite"), "/invite"), Button(text("menu.revoke"), "/revoke")))
    turn.reply(
        Say(text("roles.list", count=len(found), page=page, pages=pages, lines=lines or text("none")), tuple(buttons))
    )


def _code(places: Gazetteer, area_id: int) -> tuple[bool, str]:
    area = places.areas.get(area_id)
    return (area is None or area.level != "town", area.code if area is not None else "")


async def revoke_submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Take a role back; its holder is told."""
    places = turn.world.places
    row = await people.role_row(turn.tx, int(answers["role"]["id"]))
    if row is None or row["until_ms"] is not None:
        raise PersonError("role_gone", step="role")
    if not may_take(turn.person.roles, row["role"], row["area_id"], places.covers):
        raise PersonError("no_right", who=text("right.manage_roles.who"))
    heads = roles_with("manage_roles")
    if row["role"] in heads and len(await people.holders(turn.tx, sorted(heads))) == 1:
        raise PersonError("last_admin")
    await people.end_role_row(turn.tx, row["role_id"], now_ms=turn.now_ms)
    what = role_at(places, row["role"], row["area_id"])
    turn.reply(text("revoke.done", name=called(row["name"]), role=what))
    if row["person_id"] != turn.person.id:
        say = Say(text("revoke.told", role=what, who=called(turn.person.name)))
        await turn.tell(row["person_id"], say, Dispatch(f"revoked.{row['role_id']}"))


def names_an_area(turn: Turn, rest: str) -> bool:
    """Whether words name a place that somebody may answer for."""
    return bool(named_areas(turn.world.places, rest))


async def who(turn: Turn, args: str) -> None:
    """`/who PLACE`: who answers for a place; without one it is asked."""
    places = turn.world.places
    if not args.strip():
        if turn.event.group:
            raise PersonError("who_where")
        turn.open("who")
        return
    found = named_areas(places, args)
    if not found:
        raise PersonError("place_unknown", said=args.strip()[:40])
    if len(found) > 1:
        rows = tuple((Button(area_name(places, one.area_id), f"/who {one.name}"),) for one in found)
        turn.reply(Say(text("who.which"), rows))
        return
    await _answer(turn, found[0].area_id)


async def who_submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """The same from the form."""
    await _answer(turn, int(answers["area"]["id"]))


async def _answer(turn: Turn, area_id: int) -> None:
    places = turn.world.places
    found = [row for row in await people.holders(turn.tx, ANSWERABLE) if places.covers(row["area_id"], area_id)]
    lines: list[Text] = [
        text("who.line", role=text(f"role.{role}"), names=_names(turn, found, role))
        for role in ANSWERABLE
        if any(row["role"] == role for row in found)
    ]
    area = area_name(places, area_id)
    if lines:
        turn.reply(Say(text("who.answer", area=area, lines=lines), menu_rows(())[:1]))
    else:
        turn.reply(
            text("who.nobody", area=area, keeper=turn.world.policy.consent.keeper.in_language(turn.person.language))
        )


def _names(turn: Turn, found: Sequence[Row], role: str) -> str:
    render = turn.catalogues[turn.person.language].render
    return "、".join(dict.fromkeys(render(called(row["name"])) for row in found if row["role"] == role))


async def home(turn: Turn, _: Mapping[str, Any]) -> Sequence[Option]:
    """The villages where the person works: most ask about those."""
    places = turn.world.places
    ids = dict.fromkeys(held.area_id for held in turn.person.roles if held.area_id in places.areas)
    return [Option(str(area_id), area_name(places, area_id)) for area_id in ids]


REVOKE = Form("revoke", (Found(id="role", search=role_holders),), revoke_submit, right="invite")
WHO = Form("who", (Found(id="area", prepare=home, search=any_area),), who_submit, review=False)
