"""Whose a reward is: the person's own, or the elder's household's for which somebody acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Choice, Option
from bot.talk.messages import Words, text
from handlers.world import Turn
from storage.database import Row, Tx
from storage.people.claims import links_of_person

OWN = "own"


async def acting_for(tx: Tx, person_id: int) -> list[Row]:
    """The households that a person was confirmed to act for: household_id, householder, village."""
    return [link for link in await links_of_person(tx, person_id) if link["relation"] == "proxy"]


async def beneficiary_household(tx: Tx, person_id: int, answers: Mapping[str, Any]) -> int | None:
    """The household for which a person files, and whose the reward is; None when they file for themselves.

    `answers["beneficiary"]`, if there, is the answer of `beneficiary_step`. Raises PersonError for a household
    that the person was not confirmed for.
    """
    chosen = str((answers.get("beneficiary") or {}).get("id", OWN))
    if chosen == OWN:
        return None
    if not any(str(link["household_id"]) == chosen for link in await links_of_person(tx, person_id)):
        raise PersonError("not_your_household")
    return int(chosen)


async def beneficiary_options(turn: Turn, _: Mapping[str, Any]) -> Sequence[Option]:
    """Oneself and every household one may act for."""
    links = await acting_for(turn.tx, turn.person.id)
    return [Option(OWN, text("beneficiary.own")), *(Option(str(link["household_id"]), label(link)) for link in links)]


def label(link: Row) -> str:
    """A household as its proxy sees it («王得胜家 王家沟村»)."""
    return f"{link['householder']}家 {link['village']}"


def beneficiary_step(step_id: str = "beneficiary") -> Choice:
    """The step «who gets the reward» of a form: taken to be oneself, changed in the review by a proxy."""
    return Choice(
        id=step_id,
        columns=1,
        assume=lambda _: {"id": OWN, "label": ""},
        prepare=beneficiary_options,
        shown=_shown,
    )


def _shown(value: Any) -> Words:
    return text("beneficiary.own") if value["id"] == OWN else str(value["label"])
