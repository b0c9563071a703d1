"""A role that somebody took along and nobody has any more: whoever can give it to another is told."""

from __future__ import annotations

from collections.abc import Sequence

from bot.talk.messages import Button, Say, text
from bot.turn import Dispatch, Role
from handlers.people.actions import role_at
from handlers.people.rules import ROLES, may_grant, may_take
from handlers.world import Desk
from storage.database import Row
from storage.people import people


async def tell_of_vacancies(desk: Desk, roles: Sequence[Row]) -> None:
    """`roles` (role_id, role, area_id) have just ended: tell of those that nobody else has there.

    Who had them is not said: they wanted to be forgotten. With the last admin goes whoever could give any role; then
    staff hear what the operator has to do.
    """
    places = desk.world.places
    for ended in roles:
        name, area_id = ended["role"], ended["area_id"]
        if any(places.covers(row["area_id"], area_id) for row in await people.holders(desk.tx, (name,))):
            continue
        what = text("role.vacant", role=role_at(places, name, area_id))
        told = 0
        for row in await people.holders(desk.tx, ROLES):
            held = (Role(row["role"], row["area_id"]),)
            if may_take(held, name, area_id, places.covers):
                gives = may_grant(held, name, area_id, places.covers)
                rows = ((Button(text("menu.invite"), "/invite"),),) if gives else ()
                told += await _tell(desk, row["person_id"], Say(what, rows), ended["role_id"])
        if name == "admin" and not told:
            for row in await people.holders(desk.tx, ("staff",)):
                await _tell(desk, row["person_id"], Say(text("role.vacant_admin")), ended["role_id"])


async def _tell(desk: Desk, person_id: int, say: Say, role_id: int) -> bool:
    due_ms = desk.world.after_quiet_ms(desk.now_ms)
    return await desk.tell(person_id, say, Dispatch(f"vacant.{role_id}", due_ms=due_ms))
