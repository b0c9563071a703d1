"""Looking at tickets: «今天的称重», one ticket with all that became of it."""

from __future__ import annotations

from bot.errors import PersonError
from bot.talk.messages import Button, Say, Words, on_lines, text
from bot.turn import Intent
from handlers.film import rules, search, show
from handlers.film.record import day_bounds_ms
from handlers.numbers import TICKETS
from handlers.people.actions import private
from handlers.people.rules import may
from handlers.world import Turn
from storage.product import film, film_figures
from storage.product.film import Ticket

LISTED = 20


async def today(turn: Turn, args: str) -> None:
    """`/tickets`: what was counted today of what this person weighed, less what was taken back, as the digest counts.

    A line for each ticket to which something happened, with what that gave or took: the lines add up to the head.
    """
    private(turn)
    world = turn.world
    from_ms, until_ms = day_bounds_ms(world, world.day(turn.now_ms))
    rows = await film_figures.of_weigher(turn.tx, turn.person.id, from_ms=from_ms, until_ms=until_ms)
    if not rows:
        turn.reply(Say(text("film.today.none"), ((Button(text("film.button.weigh"), "/weigh"),),)))
        return
    total = film_figures.added_up(rows)
    changes: dict[int, int] = {}
    for row in rows:
        changes[row["ticket_id"]] = changes.get(row["ticket_id"], 0) + int(row["accepted_g"])
    tickets = await film.tickets(turn.tx, list(changes))
    lines: list[Words] = [
        text(
            "film.today.head.void" if total.reversed_tickets else "film.today.head",
            count=total.tickets,
            void=total.reversed_tickets,
            accepted_g=total.accepted_g,
            county_fen=total.county_fen,
            township_fen=total.township_fen,
            points=total.points,
        )
    ]
    waiting = sum(ticket.state == "held" for ticket in tickets.values())
    if waiting:
        lines.append(text("film.today.waiting", count=waiting))
    shown = [tickets[ticket_id] for ticket_id in list(changes)[:LISTED]]
    lines += [await _line(turn, ticket, changes[ticket.id], from_ms) for ticket in shown]
    if len(changes) > LISTED:
        lines.append(text("film.today.more", count=len(changes) - LISTED))
    turn.reply(on_lines(lines))


async def _line(turn: Turn, ticket: Ticket, change_g: int, from_ms: int) -> Words:
    """A ticket's line: what the day gave or took, and its state where that is not plain."""
    key = "film.today.line" if ticket.state in ("counted", "approved") else "film.today.line.marked"
    if ticket.created_ms < from_ms:
        key = "film.today.line.earlier"
    return text(
        key,
        at_ms=ticket.created_ms,
        name=await show.householder(turn.tx, ticket),
        accepted_g=ticket.accepted_g if ticket.state == "held" else change_g,
        number=ticket.number,
        state=text(f"film.state.{ticket.state}"),
    )


async def numbered(turn: Turn) -> Intent | None:
    """The number of a ticket that there is, as it is printed or short («f42», «00042»)."""
    intent = await any_number(turn)
    return intent if intent and await film.ticket_by_number(turn.tx, intent.args) is not None else None


async def any_number(turn: Turn) -> Intent | None:
    """A ticket's number, there or not."""
    said = turn.event.text.strip() if turn.event.kind == "text" else ""
    number = TICKETS.printed(said) or TICKETS.short(said, turn.world.day(turn.now_ms).year)
    return Intent(command="ticket", args=number) if number else None


async def one(turn: Turn, args: str) -> None:
    """`/ticket F2026-00042`: for who weighed it, the household, and those who may see the ledger there."""
    private(turn)
    ticket = await search.ticket_said(turn, args)
    world = turn.world
    mine = await show.same_person(turn.tx, ticket.operator_id) == turn.person.id
    ours = turn.person.id in await show.members_of(turn.tx, ticket.household_id)
    if not (mine or ours or may(turn.person.roles, "see_ledger", ticket.village_id, world.places.covers)):
        raise PersonError("film_not_yours", number=ticket.number)
    name = await show.householder(turn.tx, ticket)
    corrector = await show.corrector_of(turn.tx, ticket)
    lines: list[Words] = [
        text(
            "film.one.head" if corrector is None else "film.one.head.corrected",
            by=await show.name_of(turn.tx, corrector) if corrector is not None else "",
            number=ticket.number,
            at_ms=ticket.weighed_ms,
            operator=await show.name_of(turn.tx, ticket.operator_id),
            state=text(f"film.state.{ticket.state}"),
        ),
        *show.figures(world, ticket, name, turn.person.language),
        *_basis(turn, ticket),
        *await _history(turn, ticket),
    ]
    turn.reply(Say(on_lines(lines), await _buttons(turn, ticket, ours=ours)))


def _basis(turn: Turn, ticket: Ticket) -> list[Words]:
    """What the amounts rest on: the policy and, for each fund that pays, its document and who approved it (D13)."""
    world = turn.world
    language = turn.person.language
    policy = next((one.policy for one in world.policies.versions if one.version == ticket.policy_version), None)
    if policy is None:
        return []
    title = policy.title.in_language(language)
    lines: list[Words] = [text("film.one.policy", version=ticket.policy_version, title=title, basis=policy.basis)]
    for fund, amount_fen in ((policy.film.county, ticket.county_fen), (policy.film.township, ticket.township_fen)):
        if amount_fen:
            name = fund.name.in_language(language)
            lines.append(text("film.one.fund", fund=name, basis=fund.basis, approved_by=fund.approved_by))
    return lines


async def _history(turn: Turn, ticket: Ticket) -> list[Words]:
    lines: list[Words] = []
    for row in await film.events(turn.tx, ticket.id):
        key = "film.one.event.noted" if row["note"] else "film.one.event"
        event = text(f"film.event.{row['kind']}")
        lines.append(text(key, at_ms=row["at_ms"], event=event, name=row["name"] or "—", note=row["note"]))
    if ticket.corrects is not None:
        numbers = await film.numbers(turn.tx, [ticket.corrects])
        lines.append(text("film.one.corrects", number=numbers[ticket.corrects]))
    newer = await film.corrected_by(turn.tx, ticket.id)
    if newer is not None:
        lines.append(text("film.one.corrected_by", number=newer.number))
    return lines


async def _buttons(turn: Turn, ticket: Ticket, *, ours: bool) -> tuple[tuple[Button, ...], ...]:
    """What this person could do next with this ticket."""
    world = turn.world
    buttons: list[Button] = []
    if ours and rules.may_follow(ticket.state, "objected"):
        if turn.now_ms < await search.objection_until_ms(turn, ticket):
            buttons.append(Button(text("film.button.object"), f"/object {ticket.id}"))
    elif may(turn.person.roles, "correct_film", ticket.village_id, world.places.covers):
        if ticket.state == "held":
            buttons.append(Button(text("film.button.approve"), f"/weight {ticket.id} ok", "primary"))
            buttons.append(Button(text("film.button.refuse"), f"/weight {ticket.id} no", "danger"))
        elif ticket.state == "objected":
            buttons.append(Button(text("film.button.reverse"), f"/objection {ticket.id} reverse", "danger"))
            buttons.append(Button(text("film.button.uphold"), f"/objection {ticket.id} uphold"))
        elif rules.may_follow(ticket.state, "reversed"):
            buttons.append(Button(text("film.button.correct"), f"/correct {ticket.number}"))
    return (tuple(buttons),) if buttons else ()
