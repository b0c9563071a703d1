"""Weighing in: what a finished form writes, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Answers
from bot.talk.messages import Text, on_lines, text
from bot.turn import Intent
from handlers.areas import codes
from handlers.areas.places import Station
from handlers.film import rules, undoing
from handlers.film.record import Entry, record
from handlers.film.weighing import reading
from handlers.world import Turn
from storage.people import households
from storage.people.households import HouseholdFound
from storage.product import film

DOUBTS = "doubts"  # in the entry that is to be confirmed: what is odd about it, as (code, fields)


async def submit(turn: Turn, answers: Answers) -> None:
    """The `submit` of `weigh`: write the ticket, or ask once more about what is odd or was just entered."""
    household = await _household(turn, answers["household"]["id"])
    answers = {**answers, "weight": _weight(answers)}
    doubts = reading.concerns(answers, turn.world.policy.film.bounds)
    before = await film.same_again(
        turn.tx,
        household_id=household.household_id,
        operator_id=turn.person.id,
        net_g=answers["weight"]["net_g"],
        since_ms=turn.now_ms - rules.SAME_WITHIN_MS,
    )
    if before is not None:
        known = {"net_g": before.net_g, "number": before.number, "at_ms": before.created_ms}
        doubts.append(("twice", {"name": household.householder, **known}))
    if doubts:
        turn.open("weigh_sure", entry={**answers, "label": household.householder, DOUBTS: doubts})
        return
    await _write(turn, answers, household)


def _weight(answers: Mapping[str, Any]) -> dict[str, Any]:
    weight = reading.whole_weight(answers)
    if weight["net_g"] <= 0:
        raise PersonError("film_tare", step="tare", gross_g=weight["gross_g"], tare_g=weight["tare_g"])
    return weight


def are_you_sure(answers: Mapping[str, Any]) -> Text:
    """The question of `weigh_sure`, after what is odd about the entry."""
    doubts = [text(f"film.sure.{code}", **fields) for code, fields in answers["entry"].get(DOUBTS, ())]
    return on_lines([*doubts, text("form.weigh_sure.sure.ask")])


async def submit_sure(turn: Turn, answers: Answers) -> None:
    """The `submit` of `weigh_sure`: write what was doubted, or drop it."""
    entry = answers["entry"]
    if not answers["sure"]:
        turn.reply(text("film.dropped"))
        return
    await _write(turn, entry, await _household(turn, entry["household"]["id"]))


async def _household(turn: Turn, household_id: str) -> HouseholdFound:
    found = await households.household(turn.tx, int(household_id))
    if found is None:
        raise PersonError("film_household_gone", step="household")
    return found


async def _write(turn: Turn, answers: Mapping[str, Any], household: HouseholdFound) -> None:
    photos = await turn.attach(turn.person.id, turn.person.channel, answers.get("photo") or ())
    weight, impurity = answers["weight"], answers.get("impurity") or {"bp": 0}
    station = _station(turn, answers)
    ticket = await record(
        turn,
        Entry(
            household=household,
            kind=answers["kind"]["id"],
            gross_g=weight["gross_g"],
            tare_g=weight["tare_g"],
            net_g=weight["net_g"],
            impurity_bp=impurity["bp"],
            photos=tuple(photos),
            weighed_ms=turn.now_ms,
            station_id=station.station_id if station is not None else None,
        ),
    )
    again = f"/start {codes.of_station(station)}" if station is not None else "/weigh"
    await undoing.hold(turn, ticket, again)
    if answers.get("rest"):
        turn.opened = Intent(command="weigh", args=str(answers["rest"]))  # of the next household of the same message


def _station(turn: Turn, answers: Mapping[str, Any]) -> Station | None:
    """The station whose code was scanned."""
    world = turn.world
    chosen = (answers.get("station") or {}).get("id")
    return next((one for one in world.places.stations if str(one.station_id) == chosen), None)
