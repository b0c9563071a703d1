"""Somebody leaves: their roles and links end, and whoever can fill a role that nobody else has is told."""

from __future__ import annotations

from collections.abc import Sequence

from bot.talk.messages import Button, Say, text
from bot.turn import Role
from handlers.declared import Leaver
from handlers.people.actions import role_at
from handlers.people.charge import tell_each, when_awake
from handlers.people.rules import ROLES, may_grant, may_take, roles_with
from handlers.world import Desk
from storage.database import Row
from storage.people import erasure, people


async def end_links(desk: Desk, leaver: Leaver) -> None:
    """End a leaver's roles, households, claims and invitations; whoever can fill a role left vacant is told."""
    roles = await people.roles_of_person(desk.tx, leaver.person_id)
    await erasure.end_links(desk.tx, leaver.person_id, now_ms=desk.now_ms)
    await tell_of_vacancies(desk, roles)


async def tell_of_vacancies(desk: Desk, roles: Sequence[Row]) -> None:
    """`roles` (role_id, role, area_id) have just ended: tell of those that nobody else has there.

    Who had them is not said: they wanted to be forgotten. When nobody is left who could give the role, those who
    invite hear what the operator has to do.
    """
    places = desk.world.places
    for ended in roles:
        name, area_id = ended["role"], ended["area_id"]
        if any(places.covers(row["area_id"], area_id) for row in await people.holders(desk.tx, (name,))):
            continue
        what, how = (
            text("role.vacant", role=role_at(places, name, area_id)),
            when_awake(desk, f"vacant.{ended['role_id']}"),
        )
        told = 0
        for row in await people.holders(desk.tx, ROLES):
            held = (Role(row["role"], row["area_id"]),)
            if may_take(held, name, area_id, places.covers):
                gives = may_grant(held, name, area_id, places.covers)
                rows = ((Button(text("menu.invite"), "/invite"),),) if gives else ()
                told += await tell_each(desk, [row["person_id"]], Say(what, rows), how)
        if name in roles_with("manage_roles") and not told:
            staff = await people.holders(desk.tx, sorted(roles_with("invite")))
            await tell_each(desk, [row["person_id"] for row in staff], Say(text("role.vacant_admin")), how)
