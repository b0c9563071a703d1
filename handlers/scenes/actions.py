"""A scanned code: at a station the weigh-in or its hours, at a sign the report, at a door the household."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.talk.messages import Button, Say, Words, on_lines, text
from bot.talk.spans import YEAR_MS
from bot.turn import Intent
from handlers.areas import codes
from handlers.areas.places import PlaceMatch, Station
from handlers.facts import place_answer
from handlers.film import search, show
from handlers.households.reporting import REPORT_FORM, begun
from handlers.people import guide, invitations
from handlers.people.actions import area_name, private
from handlers.people.guide import menu
from handlers.people.menu import Rows
from handlers.people.rules import may
from handlers.points import actions as accounts
from handlers.points import rules as point_rules
from handlers.world import Turn
from storage.people import claims, households
from storage.people.households import HouseholdFound
from storage.product import film
from storage.product.film import Ticket

TICKETS_SHOWN = 3


async def start(turn: Turn, args: str) -> None:
    """`/start` opens the menu; with a printed code what belongs to it, with an invitation's token it takes that."""
    said = args.strip()
    scene = codes.read(said)
    if scene is not None:
        private(turn)
        await OPENS[scene.kind](turn, scene.code)
    elif invitations.like_a_token(said):
        await invitations.join(turn, said)
    elif said:
        private(turn)
        await _gone(turn)
    else:
        await guide.help_(turn, "")


async def pasted_code(turn: Turn) -> Intent | None:
    """Interpreter: the address of a printed code sent as words."""
    said = turn.event.text if turn.event.kind == "text" else ""
    return Intent(command="start", args=said) if "=" in said and codes.read(said) else None


async def _gone(turn: Turn) -> None:
    turn.reply(Say(text("scene.gone"), await menu(turn)))


# ── a station


async def _station(turn: Turn, code: str) -> None:
    """Who weighs there gets the form with the station in it; everybody else when it is open, and their tickets."""
    station = codes.station_with(turn.world.places, code)
    if station is None:
        await _gone(turn)
    elif may(turn.person.roles, "weigh_film"):
        turn.reply(text("scene.station.weigh", name=station.name))
        turn.open("weigh", station={"id": str(station.station_id), "label": station.name})
    else:
        await _station_page(turn, station)


async def _station_page(turn: Turn, station: Station) -> None:
    places = turn.world.places
    lines: list[Words] = [text("scene.station", name=station.name, village=area_name(places, station.village_id))]
    if station.hours:
        lines.append(text("scene.station.hours", hours=station.hours))
    if station.phone:
        lines.append(text("scene.station.phone", phone=station.phone))
    household_ids = await show.households_of(turn.tx, turn.person.id)
    rows: Rows
    if household_ids:
        tickets = await _tickets(turn, household_ids)
        lines.append(text("scene.station.tickets" if tickets else "scene.station.no_tickets"))
        rows = tuple([(await _ticket_button(turn, ticket),) for ticket in tickets])
        rows += ((Button(text("menu.subsidies"), "/subsidies"), Button(text("menu.points"), "/points")),)
    else:
        lines.append(text("scene.station.join"))
        rows = ((Button(text("menu.household"), "/household", "primary"),),)
    turn.reply(Say(on_lines(lines), rows))


async def _tickets(turn: Turn, household_ids: list[int]) -> list[Ticket]:
    since_ms = turn.now_ms - YEAR_MS
    found: list[Ticket] = []
    for household_id in household_ids:
        found += await film.of_household(turn.tx, household_id, since_ms=since_ms, limit=TICKETS_SHOWN)
    return sorted(found, key=lambda ticket: -ticket.id)[:TICKETS_SHOWN]


async def _ticket_button(turn: Turn, ticket: Ticket) -> Button:
    return Button((await search.ticket_option(turn, ticket)).label, f"/ticket {ticket.number}")


# ── a sign


async def _sign(turn: Turn, code: str) -> None:
    """The report with its place known."""
    places = turn.world.places
    landmark = codes.landmark_with(places, code)
    village = places.village_of(landmark.village_id) if landmark is not None else None
    if landmark is None or village is None:
        await _gone(turn)
        return
    place = place_answer(PlaceMatch(village, None, landmark, landmark.name, ""), landmark.name)
    turn.reply(text("scene.sign", place=place["label"]))
    turn.open(REPORT_FORM, **await begun(turn, place=place))


# ── a door


async def _door(turn: Turn, code: str) -> None:
    """One's own household's points; who weighs gets the form with it; who has none may ask for this one."""
    card_no = codes.card_with(code)
    household = await households.by_card(turn.tx, card_no) if card_no else None
    if household is None:
        await _gone(turn)
        return
    links = await claims.links_of_person(turn.tx, turn.person.id)
    relations = {row["relation"] for row in links if row["household_id"] == household.household_id}
    if relations - {"proxy"}:
        await accounts.points(turn, "")
    elif may(turn.person.roles, "weigh_film"):
        chosen = _chosen(turn, household)
        turn.reply(text("scene.door.weigh", household=chosen["label"]))
        turn.open("weigh", household=chosen)
    elif relations or may(turn.person.roles, "see_ledger", household.village_id, turn.world.places.covers):
        await accounts.points(turn, point_rules.HOUSEHOLD + point_rules.short(household.household_id))
    else:
        await _somebody_elses(turn, household, has_one=turn.person.household_id is not None)


async def _somebody_elses(turn: Turn, household: HouseholdFound, *, has_one: bool) -> None:
    """A door of others: nothing is told of them, not even their name."""
    label = f"{area_name(turn.world.places, household.area_id)} {household.card_no}"
    waiting = await claims.pending_of(turn.tx, turn.person.id)
    if any(row["household_id"] == household.household_id for row in waiting):
        turn.reply(Say(text("scene.door.waits", door=label), await menu(turn)))
    elif has_one:
        proxy = ((Button(text("menu.proxy"), "/proxy"),),)
        turn.reply(Say(text("scene.door.others", door=label), (*proxy, *await menu(turn))))
    else:
        turn.reply(text("scene.door.bind", door=label))
        turn.open("household", household={"id": str(household.household_id), "label": label})


def _chosen(turn: Turn, household: HouseholdFound) -> Mapping[str, str]:
    option = search.household_option(household)
    return {"id": option.value, "label": turn.catalogues[turn.person.language].render(option.label)}


OPENS: Mapping[codes.Kind, Callable[[Turn, str], Awaitable[None]]] = {
    "station": _station,
    "sign": _sign,
    "door": _door,
}
