"""What film forms look up while they ask: households by name, card or code, and tickets by number."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import PersonError
from bot.talk.form import Answers, Option
from bot.talk.messages import text
from bot.talk.spans import YEAR_MS
from handlers.areas import actions
from handlers.film import rules, show
from handlers.film.weighing.reading import card_said
from handlers.numbers import TICKETS
from handlers.people.charge import villages_of
from handlers.people.rules import may, roles_with
from handlers.world import Turn
from storage.people.households import HouseholdFound
from storage.product import film
from storage.product.film import Ticket

OFFERED_TICKETS = 6
OFFERED_STATIONS = 8
ID_DIGITS = 17  # more than an id has


def home_village(turn: Turn, right: str) -> int | None:
    """The village that a person works in by a right: there a name is looked for first."""
    world = turn.world
    for area_id in sorted(turn.person.areas(*roles_with(right))):
        village = world.places.village_of(area_id)
        if village is not None:
            return village.area_id
    return None


async def find_households(turn: Turn, said: str) -> list[HouseholdFound]:
    """Households by card, by the words of a scanned code, or by name: the person's village first."""
    village_id = home_village(turn, "weigh_film")
    return await actions.find_households(
        turn.tx,
        turn.world.places,
        card_said(said),
        village_id=village_id,
        tails_in=villages_of(turn, "weigh_film"),
    )


async def households_named(turn: Turn, answers: Answers, said: str) -> Sequence[Option]:
    """The `search` of a household step."""
    return [household_option(found) for found in await find_households(turn, said)]


async def households_said(turn: Turn, answers: Answers) -> Sequence[Option]:
    """What to offer when a one-line weigh-in named several households."""
    said = answers.get("household_said")
    return await households_named(turn, answers, said) if isinstance(said, str) else ()


def household_option(found: HouseholdFound) -> Option:
    """A household to choose."""
    return Option(str(found.household_id), show.household_label(found))


async def stations_named(turn: Turn, answers: Answers, said: str) -> Sequence[Option]:
    """The recycling stations that words may mean: a code, a name or another name of theirs."""
    world = turn.world
    words = said.strip()
    names = {one.station_id: (one.code, one.name, *one.aliases) for one in world.places.stations}
    exact = [one for one in world.places.stations if words in names[one.station_id]]
    alike = [one for one in world.places.stations if any(words in name for name in names[one.station_id])]
    return [Option(str(one.station_id), one.name) for one in (exact or alike)[:OFFERED_STATIONS] if words]


async def ticket_said(turn: Turn, said: str) -> Ticket:
    """The ticket of a number as people type it, or of an id as older buttons bring it; raises PersonError."""
    plain = said.strip()
    if not plain:
        raise PersonError("film_which_ticket")
    number = TICKETS.read(plain, turn.world.day(turn.now_ms).year)
    ticket = await film.ticket_by_number(turn.tx, number) if number else None
    if ticket is None and plain.isascii() and plain.isdigit() and len(plain) < ID_DIGITS:
        ticket = await film.ticket(turn.tx, int(plain))
    if ticket is None:
        raise PersonError("film_no_ticket", said=plain[:30])
    return ticket


async def ticket_of_area(turn: Turn, answers: Answers, said: str) -> Sequence[Option]:
    """A ticket by its number, where the person may see it."""
    number = TICKETS.read(said, turn.world.day(turn.now_ms).year)
    ticket = await film.ticket_by_number(turn.tx, number) if number else None
    world = turn.world
    if ticket is None or not may(turn.person.roles, "see_ledger", ticket.village_id, world.places.covers):
        return ()
    return [await ticket_option(turn, ticket)]


async def ticket_option(turn: Turn, ticket: Ticket) -> Option:
    """A ticket to choose: whose, which film, how much, when."""
    return Option(
        str(ticket.id),
        text(
            "film.ticket.option",
            number=ticket.number,
            name=await show.householder(turn.tx, ticket),
            kind=show.kind_name(turn.world, ticket, turn.person.language),
            net_g=ticket.net_g,
            at_ms=ticket.weighed_ms,
        ),
    )


async def tickets_to_object(turn: Turn, answers: Answers) -> Sequence[Option]:
    """The person's household's tickets that may still be objected to."""
    tickets: list[Ticket] = []
    since_ms = turn.now_ms - YEAR_MS
    for household_id in await show.households_of(turn.tx, turn.person.id):
        tickets += await film.of_household(turn.tx, household_id, since_ms=since_ms, limit=OFFERED_TICKETS)
    open_ones = [
        ticket
        for ticket in tickets
        if rules.may_follow(ticket.state, "objected") and turn.now_ms < await objection_until_ms(turn, ticket)
    ]
    return [await ticket_option(turn, ticket) for ticket in open_ones[:OFFERED_TICKETS]]


async def ticket_to_object(turn: Turn, answers: Answers, said: str) -> Sequence[Option]:
    """One of those by its number."""
    number = TICKETS.read(said, turn.world.day(turn.now_ms).year)
    ticket = await film.ticket_by_number(turn.tx, number) if number else None
    options = await tickets_to_object(turn, answers)
    return [option for option in options if ticket is not None and option.value == str(ticket.id)]


async def objection_until_ms(turn: Turn, ticket: Ticket) -> int:
    """Until when the household may object: policy days from when the ticket began to count."""
    world = turn.world
    rows = await film.events(turn.tx, ticket.id)
    counted_ms = next((row["at_ms"] for row in rows if row["kind"] in ("counted", "approved")), ticket.created_ms)
    return rules.objection_until_ms(counted_ms, world.policy_at(ticket.weighed_ms).policy.film.objection_days)
