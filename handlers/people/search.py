"""What the steps of these forms search for: areas by name, people who hold a role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.talk.form import Option
from handlers.areas.index import Gazetteer
from handlers.areas.places import Area
from handlers.people.actions import area_name, called, role_at
from handlers.people.rules import EVERY_ROLE, may_grant, may_take
from handlers.world import Turn
from storage.people import people

SHOWN = 8


def named_areas(places: Gazetteer, said: str) -> list[Area]:
    """The areas that words may mean: the town, a village, a hamlet («王家沟 阳洼社»), or villages that sound so."""
    said = said.strip()
    if not said:
        return []
    if places.town is not None and said in (places.town.name, places.town.name.removesuffix("镇")):
        return [places.town]
    match = places.find_place(said)
    if match is not None and match.village is not None:
        return [match.hamlet or match.village]
    if match is not None:
        return [choice.village for choice in match.choices][:SHOWN]
    return [one for one in places.villages if said in one.name or any(said in alias for alias in one.aliases)][:SHOWN]


async def any_area(turn: Turn, _: Mapping[str, Any], said: str) -> Sequence[Option]:
    """Every area that the words may mean."""
    return [_option(turn.world.places, area) for area in named_areas(turn.world.places, said)]


async def own_areas(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """The areas for which the person may hand out the chosen role, as far as their own roles name them."""
    places = turn.world.places
    role = _role(answers)
    ids = dict.fromkeys(held.area_id for held in turn.person.roles)
    areas = [places.areas[area_id] for area_id in ids if area_id in places.areas]
    return [_option(places, area) for area in areas if _may_give(turn, role, area)]


async def grant_areas(turn: Turn, answers: Mapping[str, Any], said: str) -> Sequence[Option]:
    """The areas that the words may mean and for which the person may hand out the chosen role."""
    places = turn.world.places
    role = _role(answers)
    return [_option(places, area) for area in named_areas(places, said) if _may_give(turn, role, area)]


async def role_holders(turn: Turn, _: Mapping[str, Any], said: str) -> Sequence[Option]:
    """Roles that the person may take back, by the holder's name or the area's; the value is the role row's id."""
    places = turn.world.places
    areas = {area.area_id for area in named_areas(places, said)}
    found = [
        row
        for row in await people.holders(turn.tx, EVERY_ROLE)
        if (said.strip() and said.strip() in row["name"]) or row["area_id"] in areas
    ]
    mine = [row for row in found if may_take(turn.person.roles, row["role"], row["area_id"], places.covers)]
    render = turn.catalogues[turn.person.language].render
    return [
        Option(
            str(row["role_id"]),
            f"{render(called(row['name']))} · {render(role_at(places, row['role'], row['area_id']))}",
        )
        for row in mine[:SHOWN]
    ]


def _role(answers: Mapping[str, Any]) -> str:
    return str((answers.get("role") or {}).get("id", ""))


def _may_give(turn: Turn, role: str, area: Area) -> bool:
    return may_grant(turn.person.roles, role, area.area_id, turn.world.places.covers)


def _option(places: Gazetteer, area: Area) -> Option:
    return Option(str(area.area_id), area_name(places, area.area_id))
