"""What staff decide about a weight that waits: it counts, or it doesn't (weigher ≠ approver, 1B.6)."""

from __future__ import annotations

from bot.errors import PersonError
from bot.talk.form import Answers
from bot.talk.messages import Say, text
from bot.turn import Dispatch
from handlers.film import record, rules, search, show
from handlers.people.actions import private
from handlers.people.charge import tell_each
from handlers.people.rules import may
from handlers.world import Turn
from storage.product.film import Ticket


async def check(turn: Turn, ticket: Ticket, right: str, event: str) -> bool:
    """Whether this person may let `event` happen to a ticket. False: it was decided before, and that is said.

    Raises PersonError for another area's staff, for who weighed, and for the ticket's own household.
    """
    world = turn.world
    if not may(turn.person.roles, right, ticket.village_id, world.places.covers):
        raise PersonError("film_other_area", number=ticket.number, place=show.place_name(world, ticket))
    verdict = rules.may_decide(
        writer_ids=await show.writers(turn.tx, ticket),
        decider_id=turn.person.id,
        member_ids=await show.members_of(turn.tx, ticket.household_id),
        state=ticket.state,
        event=event,
    )
    if verdict == "decided":
        turn.reply(text("film.decided", number=ticket.number, state=text(f"film.state.{ticket.state}")))
        return False
    if verdict != "good":
        raise PersonError(f"film_{verdict}", number=ticket.number)
    return True


async def command(turn: Turn, args: str) -> None:
    """`/weight ID ok|no`: approve a weight that waits, or say why it doesn't count."""
    private(turn)
    said, _, verdict = args.partition(" ")
    if verdict.strip() not in ("ok", "no"):
        raise PersonError("film_how_weight")
    ticket = await search.ticket_said(turn, said)
    approved = verdict.strip() == "ok"
    if not await check(turn, ticket, "approve_weight", "approved" if approved else "refused"):
        return
    if not approved:
        turn.open("refuse_weight", ticket=await chosen(turn, ticket))
        return
    ticket = await record.count(turn, ticket, "approved")
    name = await show.householder(turn.tx, ticket)
    turn.reply(text("film.approved", number=ticket.number, name=name, net_g=ticket.net_g))
    await show.settle_cards(turn, ticket, name)
    await show.announce(turn, ticket, name)
    await tell_operator(turn, ticket, "film.approved.operator", name=name, net_g=ticket.net_g)


async def chosen(turn: Turn, ticket: Ticket) -> dict[str, str]:
    """A ticket as a form's answer."""
    option = await search.ticket_option(turn, ticket)
    return {"id": option.value, "label": turn.catalogues[turn.person.language].render(option.label)}


async def submit_refusal(turn: Turn, answers: Answers) -> None:
    """The `submit` of `refuse_weight`."""
    ticket = await search.ticket_said(turn, answers["ticket"]["id"])
    if not await check(turn, ticket, "approve_weight", "refused"):
        return
    ticket = await record.count(turn, ticket, "refused", answers["reason"])
    name = await show.householder(turn.tx, ticket)
    turn.reply(text("film.refused", number=ticket.number, name=name))
    await show.settle_cards(turn, ticket, name)
    await tell_operator(turn, ticket, "film.refused.operator", name=name, net_g=ticket.net_g, reason=answers["reason"])


async def tell_operator(turn: Turn, ticket: Ticket, key: str, **fields: object) -> None:
    """Tell who weighed what became of it (unless it is who decides)."""
    operator_id = await show.same_person(turn.tx, ticket.operator_id)
    if operator_id != turn.person.id:
        how = Dispatch(f"film:{ticket.id}:{ticket.state}:operator")
        await tell_each(turn, [operator_id], Say(text(key, number=ticket.number, **fields)), how)
