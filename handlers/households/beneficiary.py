"""Whose a reward is: the household's, the person's while they have none, or the elder's for whom somebody acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Choice, Option
from bot.talk.messages import Words, text
from handlers.world import Turn
from storage.database import Row, Tx
from storage.people import people
from storage.people.claims import links_of_person
from storage.product import accounts

OWN = "own"


async def acting_for(tx: Tx, person_id: int) -> list[Row]:
    """The households that a person was confirmed to act for: household_id, householder, village."""
    return [link for link in await links_of_person(tx, person_id) if link["relation"] == "proxy"]


async def beneficiary_household(tx: Tx, person_id: int, answers: Mapping[str, Any]) -> int | None:
    """The household that gets the reward of what a person files; None when it stays with the person.

    `answers["beneficiary"]`, if there, is the answer of `beneficiary_step`. Raises PersonError for a household
    that the person was not confirmed for.
    """
    links = await links_of_person(tx, person_id)
    chosen = str((answers.get("beneficiary") or {}).get("id", OWN))
    if chosen == OWN:
        return next((int(link["household_id"]) for link in links if link["relation"] != "proxy"), None)
    if not any(str(link["household_id"]) == chosen for link in links):
        raise PersonError("not_your_household")
    return int(chosen)


async def beneficiary_account(tx: Tx, person_id: int, answers: Mapping[str, Any]) -> str:
    """The ledger account of whoever gets the reward: `household:<id>` or `person:<id>` (see above)."""
    household_id = await beneficiary_household(tx, person_id, answers)
    if household_id is not None:
        return accounts.of_household(household_id)
    return await current_account(tx, accounts.of_person(person_id))


async def current_account(tx: Tx, account: str) -> str:
    """The account itself; for a person who was joined with another one, the other's."""
    person_id = accounts.person_of(account)
    row = await people.person(tx, person_id) if person_id is not None else None
    return accounts.of_person(row["id"]) if row is not None else account


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
