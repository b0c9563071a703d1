"""What other capabilities need to know about people: what they and places are called, whom to ask, private matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.errors import PersonError
from bot.talk.messages import Text, Words, text
from bot.turn import Person, Role
from handlers.areas.index import Gazetteer
from handlers.world import Turn
from storage.database import Row
from storage.people import people
from storage.people.claims import links_of_person


def private(turn: Turn) -> None:
    """Raise PersonError in a group: what is personal is told in the person's own chat."""
    if turn.event.group:
        raise PersonError("in_group")


def keeper(turn: Turn) -> str:
    """Whom to ask when nobody else helps: the office and its telephone, from the policy."""
    world = turn.world
    return world.policy.consent.keeper.in_language(turn.person.language)


def policy_text(turn: Turn, key: str) -> Text:
    """The policy's own words about personal data, under a heading."""
    world = turn.world
    consent, language = world.policy.consent, turn.person.language
    return text(
        key,
        township=world.name,
        words=consent.text.in_language(language).strip(),
        keeper=consent.keeper.in_language(language),
    )


def area_name(places: Gazetteer, area_id: int) -> str:
    """An area as people call it, a hamlet with its village («王家沟村 阳洼社»)."""
    area = places.areas.get(area_id)
    if area is None:
        return "?"
    village = places.village_of(area_id)
    return area.name if village is None or village is area else f"{village.name} {area.name}"


def role_at(places: Gazetteer, role: str, area_id: int) -> Text:
    """A role with its area («王家沟村 保洁员»)."""
    return text("role.at", area=area_name(places, area_id), role=text(f"role.{role}"))


def called(name: str) -> Words:
    """A person's name, or what to call somebody who gave none."""
    return name or text("person.nameless")


async def load_person(turn: Turn, person_id: int) -> Person:
    """A person as they are in the database now, at the contact that writes. Raises LookupError."""
    row = await people.person(turn.tx, person_id)
    if row is None:
        raise LookupError(f"no person {person_id}")
    roles = await people.roles_of_person(turn.tx, row["id"])
    links: Sequence[Row] = await links_of_person(turn.tx, row["id"])
    return replace(
        turn.person,
        id=row["id"],
        name=row["name"],
        language=row["language"],
        consent_version=row["consent_version"],
        household_id=next((link["household_id"] for link in links if link["relation"] != "proxy"), None),
        roles=tuple(Role(role["role"], role["area_id"]) for role in roles),
    )
