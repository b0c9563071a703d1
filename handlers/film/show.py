"""How a ticket is told: to who weighed, to the household, to staff. Every figure with its unit, each fund apart."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from bot.talk.messages import Button, Say, Words, on_lines, text
from bot.turn import Dispatch
from handlers import undo
from handlers.declared import Pending
from handlers.film import rules
from handlers.people.charge import in_charge, tell_each, when_awake
from handlers.todo.bundling import tell_of_waiting
from handlers.world import Desk, Turn, World
from storage.database import Tx
from storage.people import claims, households, people
from storage.people.households import HouseholdFound
from storage.product import film
from storage.product.film import Ticket


def kind_name(world: World, ticket: Ticket, language: str) -> str:
    """The film kind as the ticket's policy calls it."""
    for version in world.policies.versions:
        if version.version == ticket.policy_version:
            return version.policy.film.kind(ticket.kind).name.in_language(language)
    return ticket.kind


def place_name(world: World, ticket: Ticket) -> str:
    """Village and hamlet of the ticket's household."""
    ids = dict.fromkeys((ticket.village_id, ticket.area_id))
    return "".join(world.places.areas[one].name for one in ids if one in world.places.areas)


def yuan_rate(rate_e4: int) -> str:
    """A rate of ten-thousandths of a fen as yuan: 1_000_000 → `1`, 505_000 → `0.505`."""
    return f"{(Decimal(rate_e4) / 1_000_000).normalize():f}"


async def householder(tx: Tx, ticket: Ticket) -> str:
    """The name of the ticket's household today; its number stands for one that is closed."""
    found = await households.household(tx, ticket.household_id)
    return found.householder if found else f"#{ticket.household_id}"


def household_label(found: HouseholdFound) -> Words:
    """A household among others of its name: village, hamlet, card's last digits."""
    key = "film.household" if found.matched in (found.householder, found.card_no) else "film.household.member"
    return text(
        key,
        name=found.householder,
        said=found.matched,
        village=found.village,
        hamlet=found.hamlet if found.area_id != found.village_id else "",
        card=found.card_no[-4:],
    )


def weight_line(gross_g: int, tare_g: int, net_g: int) -> Words:
    """A weight as it was taken."""
    key = "film.weight.with_tare" if tare_g else "film.weight.net"
    return text(key, gross_g=gross_g, tare_g=tare_g, net_g=net_g)


def figures(world: World, ticket: Ticket, name: str, language: str) -> list[Words]:
    """The body of every ticket message (D14): gross, deduction, accepted, each fund, their sum, points."""
    lines: list[Words] = [
        text("film.ticket.who", name=name, place=place_name(world, ticket), kind=kind_name(world, ticket, language)),
        text("film.ticket.weight", gross_g=ticket.gross_g, tare_g=ticket.tare_g, net_g=ticket.net_g),
        text(
            "film.ticket.deduction" if ticket.impurity_bp else "film.ticket.no_deduction",
            impurity_bp=ticket.impurity_bp,
            deduction_g=ticket.net_g - ticket.accepted_g,
        ),
        text("film.ticket.accepted", accepted_g=ticket.accepted_g),
    ]
    for fund, amount_fen, rate, left in (
        ("county", ticket.county_fen, ticket.county_rate_e4, ticket.county_left_fen),
        ("township", ticket.township_fen, ticket.township_rate_e4, ticket.township_left_fen),
    ):
        full_fen = rules.of_rate(ticket.accepted_g, rate, "half_up")
        key = f"film.ticket.{fund}" + (".capped" if left is not None and full_fen > left else "")
        lines.append(text(key, amount_fen=amount_fen, full_fen=full_fen, rate=yuan_rate(rate)))
    lines.append(text("film.ticket.total", amount_fen=ticket.total_fen))
    capped = ticket.points >= ticket.points_left and ticket.points_rate_e4 > 0
    lines.append(text("film.ticket.points.capped" if capped else "film.ticket.points", points=ticket.points))
    return lines


def held_lines(ticket: Ticket) -> list[Words]:
    """Why a ticket waits for staff."""
    return [text(f"film.held.{reason}", net_g=ticket.net_g) for reason in ticket.held_for]


def weighed_card(ticket: Ticket) -> str:
    """The card that shows a ticket to who weighed it."""
    return f"weighed:{ticket.number}"


def staff_card(ticket: Ticket) -> str:
    """The card that asks staff about a ticket."""
    return f"ticket:{ticket.number}"


def for_operator(
    world: World, ticket: Ticket, name: str, language: str, *, again: str = "/weigh", takes_back: bool = False
) -> Say:
    """The answer to who weighed, with 「撤回」 while they may take it back; the next one begins with `again`."""
    head = "film.weighed.held" if ticket.state == "held" else "film.weighed"
    lines = [text(head, number=ticket.number), *figures(world, ticket, name, language), *held_lines(ticket)]
    rows = ((Button(text("film.button.next"), again), Button(text("film.button.today"), "/tickets")),)
    back = ((undo.withdraw_button(f"/unweigh {ticket.id}"),),) if takes_back else ()
    return Say(on_lines(lines), (*rows, *back), card=weighed_card(ticket))


def for_household(world: World, ticket: Ticket, name: str, language: str, *, counted_ms: int) -> Say:
    """The ticket as the household gets it, with «不对» while the policy lets them object."""
    days = world.policy_at(ticket.weighed_ms).policy.film.objection_days
    lines = [
        text("film.yours", number=ticket.number, at_ms=ticket.weighed_ms),
        *figures(world, ticket, name, language),
        text("film.yours.until", at_ms=rules.objection_until_ms(counted_ms, days)),
    ]
    rows = ((Button(text("film.button.object"), f"/object {ticket.id}"),),)
    return Say(on_lines(lines), rows)


def for_staff_held(world: World, ticket: Ticket, name: str, language: str, operator: str) -> Say:
    """A weight that waits: why, and the two buttons."""
    lines = [
        text("film.ask_staff.held", number=ticket.number, operator=operator),
        *held_lines(ticket),
        *figures(world, ticket, name, language),
    ]
    rows = (
        (
            Button(text("film.button.approve"), f"/weight {ticket.id} ok", "primary"),
            Button(text("film.button.refuse"), f"/weight {ticket.id} no", "danger"),
        ),
    )
    return Say(on_lines(lines), rows, media=ticket.photos, card=staff_card(ticket))


def for_staff_objected(world: World, ticket: Ticket, name: str, language: str, reason: str, operator: str) -> Say:
    """An objection: what was said, the ticket, and the two buttons."""
    lines = [
        text("film.ask_staff.objected", number=ticket.number, operator=operator, reason=reason),
        *figures(world, ticket, name, language),
    ]
    rows = (
        (
            Button(text("film.button.reverse"), f"/objection {ticket.id} reverse", "danger"),
            Button(text("film.button.uphold"), f"/objection {ticket.id} uphold"),
        ),
    )
    return Say(on_lines(lines), rows, media=ticket.photos, card=staff_card(ticket))


async def settle_cards(turn: Turn, ticket: Ticket, name: str) -> None:
    """Take the buttons off every card that asked staff about a ticket; it says who decided what, and when."""
    state = undo.signed(text(f"film.state.{ticket.state}"), turn.person.name, turn.now_ms)
    said = text("film.settled", number=ticket.number, name=name, net_g=ticket.net_g, state=state)
    await turn.refresh(Say(said, card=staff_card(ticket)))


async def same_person(tx: Tx, person_id: int) -> int:
    """A person's id today: theirs, or of the person they were joined with."""
    row = await people.person(tx, person_id)
    return int(row["id"]) if row else person_id


async def writers(tx: Tx, ticket: Ticket) -> frozenset[int]:
    """Who weighed a ticket, and who wrote it down: another person where it corrects an earlier one."""
    found = {await same_person(tx, ticket.operator_id)}
    if ticket.corrects is not None and (corrector := await corrector_of(tx, ticket)) is not None:
        found.add(corrector)
    return frozenset(found)


async def corrector_of(tx: Tx, ticket: Ticket) -> int | None:
    """Who wrote a ticket in place of an earlier one; None where it corrects nothing."""
    if ticket.corrects is None:
        return None
    written_by = (await film.events(tx, ticket.id))[0]["by_person"]
    return None if written_by is None else await same_person(tx, written_by)


async def name_of(tx: Tx, person_id: int) -> str:
    """What a person is called, or a dash."""
    row = await people.person(tx, person_id)
    return (row["name"] if row else "") or "—"


async def members_of(tx: Tx, household_id: int) -> list[int]:
    """Everyone linked to a household, those who act for it too."""
    rows = await households.links_of_household(tx, household_id)
    return list(dict.fromkeys(int(row["person_id"]) for row in rows))


async def households_of(tx: Tx, person_id: int) -> list[int]:
    """The households a person belongs to or acts for, their own first."""
    return list(dict.fromkeys(int(row["household_id"]) for row in await claims.links_of_person(tx, person_id)))


async def deciders_of(desk: Desk, ticket: Ticket) -> list[int]:
    """Who decides about a ticket at its village: nobody who weighed or corrected it or belongs to the household."""
    barred = {*await writers(desk.tx, ticket), *await members_of(desk.tx, ticket.household_id)}
    return [row["person_id"] for row in await in_charge(desk, "approve_weight", ticket.village_id, barred)]


async def ask_staff(desk: Desk, ticket: Ticket, say: Callable[[str], Say], since_ms: int) -> None:
    """Tell those who decide about a ticket that it has waited for them since then."""
    pending = Pending(ticket.village_id, since_ms, ticket.number, ticket.state)
    how = when_awake(desk, f"film:{ticket.id}:{ticket.state}")
    await tell_of_waiting(desk, await deciders_of(desk, ticket), "film", pending, say, how)


async def announce(desk: Desk, ticket: Ticket, name: str, *, counted_ms: int | None = None) -> None:
    """Tell whom a new ticket concerns: the household when it counts, staff when it waits for them."""
    world = desk.world
    if ticket.state == "held":
        operator = await name_of(desk.tx, ticket.operator_id)
        await ask_staff(
            desk, ticket, lambda language: for_staff_held(world, ticket, name, language, operator), ticket.created_ms
        )
        return
    await tell_each(
        desk,
        await members_of(desk.tx, ticket.household_id),
        lambda language: for_household(
            world, ticket, name, language, counted_ms=desk.now_ms if counted_ms is None else counted_ms
        ),
        Dispatch(f"film:{ticket.id}:ticket"),
    )
