"""«不对»: a household objects to a ticket within policy days, and staff uphold it or take it back (D13, 1B.5)."""

from __future__ import annotations

from bot.errors import PersonError
from bot.talk.form import Answers
from bot.talk.messages import Say, text
from bot.turn import Dispatch
from handlers.film import decide, record, rules, search, show
from handlers.people.actions import private
from handlers.people.charge import tell_each
from handlers.world import Turn
from storage.product.film import Ticket


async def command(turn: Turn, args: str) -> None:
    """`/object ID`: ask the household what is wrong."""
    private(turn)
    ticket = await search.ticket_said(turn, args.strip())
    if await _may_object(turn, ticket):
        turn.open("object_ticket", ticket=await decide.chosen(turn, ticket))


async def _may_object(turn: Turn, ticket: Ticket) -> bool:
    """Whether an objection is possible now; False when there is one already. Raises PersonError otherwise."""
    if turn.person.id not in await show.members_of(turn.tx, ticket.household_id):
        raise PersonError("film_not_yours", number=ticket.number)
    if ticket.state == "objected":
        turn.reply(text("film.objected_already", number=ticket.number))
        return False
    if not rules.may_follow(ticket.state, "objected"):
        raise PersonError("film_no_objection", number=ticket.number, state=text(f"film.state.{ticket.state}"))
    until_ms = await search.objection_until_ms(turn, ticket)
    if turn.now_ms >= until_ms:
        raise PersonError("film_too_late", number=ticket.number, at_ms=until_ms)
    return True


async def submit_objection(turn: Turn, answers: Answers) -> None:
    """The `submit` of `object_ticket`: staff of the area are asked."""
    ticket = await search.ticket_said(turn, answers["ticket"]["id"])
    if not await _may_object(turn, ticket):
        return
    reason = answers["reason"]
    ticket = await record.count(turn, ticket, "objected", reason)
    world = turn.world
    turn.reply(text("film.objected", number=ticket.number))
    name = await show.householder(turn.tx, ticket)
    operator = await show.name_of(turn.tx, ticket.operator_id)
    await show.ask_staff(
        turn,
        ticket,
        lambda language: show.for_staff_objected(world, ticket, name, language, reason, operator),
        turn.now_ms,
    )


async def decide_command(turn: Turn, args: str) -> None:
    """`/objection ID reverse|uphold`: open the form that asks for the reason."""
    private(turn)
    said, _, verdict = args.partition(" ")
    forms = {"reverse": ("correct_ticket", "reversed"), "uphold": ("uphold_ticket", "upheld")}
    if verdict.strip() not in forms:
        raise PersonError("film_how_objection")
    form, event = forms[verdict.strip()]
    ticket = await search.ticket_said(turn, said)
    if await decide.check(turn, ticket, "correct_film", event):
        turn.open(form, ticket=await decide.chosen(turn, ticket))


async def submit_uphold(turn: Turn, answers: Answers) -> None:
    """The `submit` of `uphold_ticket`: the ticket stands, and both sides hear why."""
    ticket = await search.ticket_said(turn, answers["ticket"]["id"])
    if not await decide.check(turn, ticket, "correct_film", "upheld"):
        return
    ticket = await record.count(turn, ticket, "upheld", answers["reason"])
    name = await show.householder(turn.tx, ticket)
    turn.reply(text("film.upheld", number=ticket.number, name=name))
    await show.settle_cards(turn, ticket, name)
    message = Say(text("film.upheld.household", number=ticket.number, reason=answers["reason"]))
    members = await show.members_of(turn.tx, ticket.household_id)
    await tell_each(turn, members, message, Dispatch(f"film:{ticket.id}:upheld"))
    await decide.tell_operator(turn, ticket, "film.upheld.operator", name=name, reason=answers["reason"])
