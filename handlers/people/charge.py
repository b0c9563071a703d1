"""Who answers for a place, and telling them: by rights alone, at a decent hour, each person once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from bot.errors import PersonError
from bot.talk.messages import Say, text
from bot.turn import AT_ONCE, Dispatch
from handlers.people.actions import area_name
from handlers.people.rules import EVERY_ROLE, is_last_resort, may, roles_with
from handlers.world import Desk, Turn
from storage.database import Row
from storage.people import people
from storage.photos import owners


async def in_charge(desk: Desk, right: str, area_id: int, barred: Collection[int] = ()) -> list[Row]:
    """Find who may do `right` at an area, each person once: person_id, role, area_id, name, language.

    Admins are asked only where there is nobody else. `barred`: people who may not decide about this very thing.
    """
    covers = desk.world.places.covers
    found = [
        row
        for row in await people.holders(desk.tx, sorted(roles_with(right)))
        if covers(row["area_id"], area_id) and row["person_id"] not in barred
    ]
    nearer = [row for row in found if not is_last_resort(row["role"])] or found
    return list({row["person_id"]: row for row in reversed(nearer)}.values())[::-1]


def check_area(turn: Turn, right: str, area_id: int) -> None:
    """Raise PersonError unless the person may do `right` at that very area."""
    places = turn.world.places
    if not may(turn.person.roles, right, area_id, places.covers):
        raise PersonError("not_your_area", area=area_name(places, area_id), who=text(f"right.{right}.who"))


def villages_of(turn: Turn, *rights: str) -> list[int]:
    """The villages that a person's roles reach, in order: the roles with one of these rights, or all of them."""
    places = turn.world.places
    names = frozenset[str]().union(*map(roles_with, rights)) if rights else frozenset(EVERY_ROLE)
    held = turn.person.areas(*names)
    reached = {village.area_id for one in held if (village := places.village_of(one)) is not None}
    return [one.area_id for one in places.villages if one.area_id in reached or _below_any(turn, held, one.area_id)]


def _below_any(turn: Turn, outer: Iterable[int], area_id: int) -> bool:
    return any(turn.world.places.covers(one, area_id) for one in outer)


def when_awake(desk: Desk, key: str, *, urgent: bool = False) -> Dispatch:
    """Send once for a key after the quiet hours; at any hour when it is urgent, or to whoever is here just now."""
    due_ms = None if urgent else desk.world.after_quiet_ms(desk.now_ms)
    return Dispatch(key, urgent=urgent, due_ms=due_ms, unless_here=True)


async def tell_each(
    desk: Desk, person_ids: Iterable[int], say: Say | Callable[[str], Say], how: Dispatch = AT_ONCE
) -> int:
    """Tell several people the same thing; how many could be told. Photos in it become theirs to look at.

    `say` may be made for a language, where it holds words that no catalogue has.
    """
    told = 0
    for person_id in dict.fromkeys(person_ids):
        message = say if isinstance(say, Say) else await _in_language(desk, person_id, say)
        if message is not None and await desk.tell(person_id, message, how):
            await owners.grant(desk.tx, message.media, person_id)
            told += 1
    return told


async def _in_language(desk: Desk, person_id: int, say: Callable[[str], Say]) -> Say | None:
    row = await people.person(desk.tx, person_id)
    return say(row["language"]) if row is not None else None
