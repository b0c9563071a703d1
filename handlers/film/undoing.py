"""Taking back a weigh-in: for the policy's minutes whoever weighed undoes it alone, and nobody else has heard of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import PersonError
from bot.talk.messages import Button, Say, text
from handlers import undo
from handlers.film import record, search, show
from handlers.film.record import day_bounds_ms
from handlers.people.actions import private
from handlers.world import Desk, Turn
from storage.people import households, people
from storage.product import film, film_figures
from storage.product.film import Ticket

TOLD = "film.told"


async def hold(turn: Turn, ticket: Ticket, again: str) -> None:
    """Put off telling the household and staff of a new ticket; answer who weighed, with the way to take it back."""
    name, language = await show.householder(turn.tx, ticket), turn.person.language
    await undo.hold(turn, TOLD, ticket.id, again=again)
    turn.reply(show.for_operator(turn.world, ticket, name, language, again=again, takes_back=_minutes(turn) > 0))


def _minutes(desk: Desk) -> int:
    return desk.world.policy.undo.minutes


async def told(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: the time to take a ticket back is over; whom it concerns hears of it, and the button goes."""
    ticket = await film.ticket(desk.tx, payload["entry_id"])
    if ticket is None:
        return
    name = await show.householder(desk.tx, ticket)
    if ticket.state in ("counted", "held"):
        await show.announce(desk, ticket, name, counted_ms=ticket.created_ms)
    weigher = await people.person(desk.tx, await show.same_person(desk.tx, ticket.operator_id))
    if weigher is not None:
        language, again = weigher["language"], payload["again"]
        await desk.refresh(show.for_operator(desk.world, ticket, name, language, again=again))


async def command(turn: Turn, args: str) -> None:
    """`/unweigh [NUMBER] [w7500|kgreenhouse]`: take back what one has just weighed; without a number today's newest.

    With a weight (grams) or a kind of film behind the number the same weigh-in begins anew with that.
    """
    private(turn)
    number, _, anew = args.strip().partition(" ")
    ticket = await search.ticket_said(turn, number) if number else await newest_of(turn)
    if ticket is None:
        raise PersonError("film_nothing_weighed")
    if await show.same_person(turn.tx, ticket.operator_id) != turn.person.id or ticket.corrects is not None:
        raise PersonError("film_not_weighed", number=ticket.number)
    if ticket.state not in ("counted", "held"):
        raise PersonError("film_decided", number=ticket.number)
    if not await undo.take_back(turn, TOLD, ticket.id):
        raise PersonError("film_told", number=ticket.number)
    note = turn.catalogues[turn.person.language].render(text("film.withdrawn.note"))
    counted = ticket.state == "counted"
    ticket = await record.count(turn, ticket, "reversed" if counted else "refused", note)
    if counted:
        await record.give_back(turn, ticket, note)
    name = await show.householder(turn.tx, ticket)
    said = text("film.withdrawn", number=ticket.number, name=name, net_g=ticket.net_g)
    rows = ((Button(text("film.button.next"), "/weigh"), Button(text("film.button.today"), "/tickets")),)
    turn.reply(Say(said, () if anew else rows, card=show.weighed_card(ticket)))
    if anew:
        turn.open("weigh", **await _anew(turn, ticket, anew))


async def _anew(turn: Turn, ticket: Ticket, said: str) -> dict[str, Any]:
    """The weigh-in of a ticket as the form's answers, with another weight (`w…`) or kind (`k…`)."""
    film_policy = turn.world.policy.film
    grams = int(said[1:]) if said[0] == "w" and said[1:].isdigit() else ticket.net_g
    kind_id = said[1:] if said[0] == "k" and said[1:] in {one.id for one in film_policy.kinds} else ticket.kind
    household = await households.household(turn.tx, ticket.household_id)
    label = film_policy.kind(kind_id).name.in_language(turn.person.language)
    option = search.household_option(household) if household is not None else None
    render = turn.catalogues[turn.person.language].render
    return {
        **({"household": {"id": option.value, "label": render(option.label)}} if option is not None else {}),
        "kind": {"id": kind_id, "label": label},
        "weight": {"gross_g": grams, "tare_g": 0, "net_g": grams},
        "impurity": {"bp": ticket.impurity_bp} if ticket.impurity_bp else None,
        "photo": None,
    }


async def newest_of(turn: Turn) -> Ticket | None:
    """The newest of today's tickets that this person weighed."""
    world = turn.world
    from_ms, until_ms = day_bounds_ms(world, world.day(turn.now_ms))
    rows = await film_figures.of_weigher(turn.tx, turn.person.id, from_ms=from_ms, until_ms=until_ms)
    return await film.ticket(turn.tx, max(row["ticket_id"] for row in rows)) if rows else None
