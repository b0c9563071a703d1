"""Staff correct by reversal: what a ticket paid goes back, and a new ticket says what is right (D8, 1B.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Answers
from bot.talk.messages import Say, Text, Words, on_lines, text
from bot.turn import Dispatch
from handlers.film import decide, record, rules, search, show
from handlers.film.record import Entry
from handlers.film.weighing.reading import whole_weight
from handlers.people.actions import private
from handlers.people.charge import tell_each
from handlers.people.rules import may
from handlers.world import Turn
from storage.people import households
from storage.people.households import HouseholdFound
from storage.product.film import Ticket


async def command(turn: Turn, args: str) -> None:
    """`/correct F2026-00042`: ask what was wrong with it."""
    private(turn)
    ticket = await search.ticket_said(turn, args)
    await _check(turn, ticket)
    turn.open("correct_ticket", ticket=await decide.chosen(turn, ticket))


async def _check(turn: Turn, ticket: Ticket) -> None:
    """Raise PersonError when this person may not take this ticket back."""
    world = turn.world
    if not may(turn.person.roles, "correct_film", ticket.village_id, world.places.covers):
        raise PersonError("film_other_area", number=ticket.number, place=show.place_name(world, ticket))
    if turn.person.id in await show.members_of(turn.tx, ticket.household_id):
        raise PersonError("film_own_household", number=ticket.number)
    if ticket.state == "held":
        raise PersonError("film_still_held", number=ticket.number)
    if not rules.may_follow(ticket.state, "reversed"):
        raise PersonError("film_decided", number=ticket.number, state=text(f"film.state.{ticket.state}"))
    if ticket.state == "objected" and turn.person.id in await show.writers(turn.tx, ticket):
        raise PersonError("film_own_ticket", number=ticket.number)


async def submit(turn: Turn, answers: Answers) -> None:
    """The `submit` of `correct_ticket`: reverse, and unless the ticket is void write the right one in its place."""
    old = await search.ticket_said(turn, answers["ticket"]["id"])
    await _check(turn, old)
    reason, objected = answers["reason"], old.state == "objected"
    old = await record.count(turn, old, "reversed", reason)
    new = None if answers["wrong"] == "void" else await _right_one(turn, old, answers)
    await record.give_back(turn, old, reason)
    name = await show.householder(turn.tx, old)
    lines: list[Words] = [text("film.reversed", number=old.number, name=name)]
    if new is not None:
        lines += [await _change(turn, old, new, answers["wrong"]), _instead(new)]
        lines += show.figures(turn.world, new, await show.householder(turn.tx, new), turn.person.language)
    turn.reply(on_lines(lines))
    await show.settle_cards(turn, old, name)
    await _tell(turn, old, new, answers, objected)
    if new is not None:
        await show.announce(turn, new, await show.householder(turn.tx, new))


async def _right_one(turn: Turn, old: Ticket, answers: Answers) -> Ticket:
    """The ticket in place of a reversed one: only what was wrong differs; who weighed, the date, its policy stay."""
    changed: dict[str, Any] = {}
    household = await _household(turn, answers, old)
    if answers["wrong"] == "weight":
        weight = whole_weight(answers)
        if weight["net_g"] <= 0:
            raise PersonError("film_tare", step="tare", gross_g=weight["gross_g"], tare_g=weight["tare_g"])
        changed = {name: weight[name] for name in ("gross_g", "tare_g", "net_g")}
        if "impurity_bp" in weight:
            changed["impurity_bp"] = weight["impurity_bp"]
    elif answers["wrong"] == "kind":
        changed = {"kind": answers["kind"]["id"]}
    elif answers["wrong"] == "impurity":
        changed = {"impurity_bp": answers["impurity"]["bp"]}
    entry = Entry(
        household=household,
        kind=old.kind,
        gross_g=old.gross_g,
        tare_g=old.tare_g,
        net_g=old.net_g,
        impurity_bp=old.impurity_bp,
        photos=old.photos,
        weighed_ms=old.weighed_ms,
        station_id=old.station_id,
        corrects=old.id,
        operator_id=old.operator_id,
    )
    return await record.record(turn, replace(entry, **changed))


async def _household(turn: Turn, answers: Answers, old: Ticket) -> HouseholdFound:
    household_id = int(answers["household"]["id"]) if answers["wrong"] == "household" else old.household_id
    found = await households.household(turn.tx, household_id)
    if found is None:
        raise PersonError("film_household_gone")
    if answers["wrong"] == "household" and household_id == old.household_id:
        raise PersonError("film_same_household", step="household")
    return found


async def _change(turn: Turn, old: Ticket, new: Ticket, wrong: str) -> Text:
    """What was changed, from what to what: «重量：15.6公斤 → 20公斤»."""
    fields = {
        "household": (await show.householder(turn.tx, old), await show.householder(turn.tx, new)),
        "weight": tuple(text("film.weight.net", net_g=one.net_g) for one in (old, new)),
        "kind": tuple(show.kind_name(turn.world, one, turn.person.language) for one in (old, new)),
        "impurity": tuple(text("film.impurity", impurity_bp=one.impurity_bp) for one in (old, new)),
    }
    was, now = fields[wrong]
    return text("film.change", what=text(f"form.correct_ticket.wrong.option.{wrong}"), was=was, now=now)


def _instead(new: Ticket) -> Text:
    """The number of the ticket that stands now."""
    return text("film.corrected.held" if new.state == "held" else "film.corrected", number=new.number)


async def _tell(turn: Turn, old: Ticket, new: Ticket | None, answers: Answers, objected: bool) -> None:
    """The household and who weighed hear who changed what, from what to what, why, and the new number."""
    wrong, reason = answers["wrong"], answers["reason"]
    name = await show.householder(turn.tx, old)
    done: list[Words] = [await _change(turn, old, new, wrong), _instead(new)] if new is not None else []
    returned = text("film.returned", county_fen=old.county_fen, township_fen=old.township_fen, points=old.points)
    key = "film.reversed.objection" if objected else "film.reversed.household"
    why = text("film.reason", by=await show.name_of(turn.tx, turn.person.id), reason=reason)
    members = await show.members_of(turn.tx, old.household_id)
    message = on_lines([text(key, number=old.number), *done, returned, why])
    await tell_each(turn, members, Say(message), Dispatch(f"film:{old.id}:reversed"))
    weigher = await show.same_person(turn.tx, old.operator_id)
    if weigher != turn.person.id:
        head = text("film.reversed.operator", number=old.number, name=name, net_g=old.net_g)
        how = Dispatch(f"film:{old.id}:reversed:operator")
        await tell_each(turn, [weigher], Say(on_lines([head, *done, why])), how)
