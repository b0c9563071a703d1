"""Writing a ticket, counting it, taking it back: the only places where film moves money and points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from bot.errors import PersonError
from handlers.film import rules, show
from handlers.film.rules import Amounts, Terms, WeightError
from handlers.film.terms import period_of, terms_of
from handlers.numbers import TICKETS
from handlers.people.rules import may, station_areas
from handlers.policy.model import PolicyVersion
from handlers.world import Turn, World
from storage.numbers import next_number
from storage.people.households import HouseholdFound
from storage.product import accounts, film, ledger
from storage.product.film import Fund, Ticket
from storage.product.ledger import Overdrawn, Transfer

PARTS = ("county", "township", "points")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A weigh-in ready to be written."""

    household: HouseholdFound
    kind: str
    gross_g: int
    tare_g: int
    net_g: int
    impurity_bp: int
    photos: tuple[str, ...]
    weighed_ms: int
    station_id: int | None = None
    corrects: int | None = None
    operator_id: int | None = None
    """Who weighed, where that is not who writes (a correction)."""


def transfer_key(ticket: Ticket, part: str) -> str:
    """The key of one of a ticket's three transfers."""
    return f"film:{ticket.id}:{part}"


async def record(turn: Turn, entry: Entry) -> Ticket:
    """Write a ticket with its figures by the policy of its date; counted at once, or held for staff.

    Raises PersonError for a weight, impurity or kind that the policy does not take.
    """
    world = turn.world
    version = world.policy_at(entry.weighed_ms)
    terms, given = await _figures(turn, version, entry)
    held = await _held_for(turn, version, entry, given)
    year = world.day(turn.now_ms).year
    ticket = Ticket(
        id=turn.ids.next(),
        number=TICKETS.write(year, await next_number(turn.tx, "film", year)),
        household_id=entry.household.household_id,
        village_id=entry.household.village_id,
        area_id=entry.household.area_id,
        station_id=_station(turn, world) if entry.station_id is None else entry.station_id,
        operator_id=turn.person.id if entry.operator_id is None else entry.operator_id,
        kind=entry.kind,
        gross_g=entry.gross_g,
        tare_g=entry.tare_g,
        net_g=entry.net_g,
        impurity_bp=entry.impurity_bp,
        accepted_g=given.accepted_g,
        policy_version=version.version,
        county_rate_e4=terms.county_rate_e4,
        township_rate_e4=terms.township_rate_e4,
        points_rate_e4=terms.points_rate_e4,
        county_left_fen=terms.county_left_fen,
        township_left_fen=terms.township_left_fen,
        points_left=terms.points_left or 0,
        county_period=period_of(version.policy.film.county),
        township_period=period_of(version.policy.film.township),
        county_fen=given.county_fen,
        township_fen=given.township_fen,
        points=given.points,
        held_for=held,
        photos=entry.photos,
        corrects=entry.corrects,
        weighed_ms=entry.weighed_ms,
        created_ms=turn.now_ms,
    )
    await film.add_ticket(turn.tx, ticket)
    await film.spend(turn.tx, "county", ticket.county_period, ticket.county_fen)
    await film.spend(turn.tx, "township", ticket.township_period, ticket.township_fen)
    return await count(turn, ticket, "held" if held else "counted")


async def count(turn: Turn, ticket: Ticket, event: film.EventKind, note: str = "") -> Ticket:
    """Append an event; one that makes the ticket count also pays. The ticket in its new state."""
    if not rules.may_follow(ticket.state, event):
        raise PersonError("film_decided", number=ticket.number)
    await film.add_event(
        turn.tx, ticket, event, id=turn.ids.next(), at_ms=turn.now_ms, by_person=turn.person.id, note=note
    )
    if event in ("counted", "approved"):
        await _pay(turn, ticket)
    if event in ("refused", "reversed"):
        await film.spend(turn.tx, "county", ticket.county_period, -ticket.county_fen)
        await film.spend(turn.tx, "township", ticket.township_period, -ticket.township_fen)
    return replace(ticket, state=event)


async def give_back(turn: Turn, ticket: Ticket, note: str) -> None:
    """Reverse what a ticket paid; its event `reversed` is written by `count`.

    Raises PersonError when the household no longer has it (nobody's account may fall below zero).
    """
    for part in PARTS:
        try:
            await ledger.reverse(
                turn.tx,
                transfer_key(ticket, part),
                id=turn.ids.next(),
                reason="film_reversed",
                note=note,
                at_ms=turn.now_ms,
                created_by=turn.person.id,
            )
        except Overdrawn as problem:
            unit = "points" if part == "points" else "fen"
            raise PersonError(
                f"film_overdrawn_{unit}",
                number=ticket.number,
                balance=problem.balance,
                amount=problem.amount,
                missing=problem.amount - problem.balance,
            ) from None


async def _pay(turn: Turn, ticket: Ticket) -> None:
    parts = (
        ("county", accounts.of_fund("county"), ticket.county_fen, "fen"),
        ("township", accounts.of_fund("township"), ticket.township_fen, "fen"),
        ("points", accounts.FILM, ticket.points, "points"),
    )
    for part, source, amount, unit in parts:
        if amount:
            await ledger.transfer(
                turn.tx,
                Transfer(
                    id=turn.ids.next(),
                    source=source,
                    destination=accounts.of_household(ticket.household_id),
                    amount=amount,
                    unit=unit,
                    key=transfer_key(ticket, part),
                    reason=f"film_{part}",
                    ref=ticket.ref,
                    policy_version=ticket.policy_version,
                    at_ms=turn.now_ms,
                    created_by=turn.person.id,
                ),
            )


async def _figures(turn: Turn, version: PolicyVersion, entry: Entry) -> tuple[Terms, Amounts]:
    policy, day = version.policy, turn.world.day(entry.weighed_ms)
    from_ms, until_ms = day_bounds_ms(turn.world, day)
    _, points_given = await film.given(turn.tx, entry.household.household_id, from_ms=from_ms, until_ms=until_ms)
    try:
        bounds = policy.film.bounds
        rules.refuse_weight(entry.net_g, bounds)
        rules.refuse_impurity(entry.impurity_bp, bounds)
        terms = terms_of(
            policy,
            entry.kind,
            day,
            county_left_fen=await _left_fen(turn, version, "county"),
            township_left_fen=await _left_fen(turn, version, "township"),
            points_left=max(0, policy.points.household_day_largest - points_given),
        )
        return terms, rules.amounts(entry.net_g, entry.impurity_bp, terms)
    except WeightError as problem:
        raise PersonError(
            f"film_{problem.code}", step=problem.field, limit_g=problem.limit, limit_bp=problem.limit
        ) from None
    except KeyError:
        raise PersonError("film_kind_gone", step="kind") from None


async def _left_fen(turn: Turn, version: PolicyVersion, fund: Fund) -> int | None:
    """What is left of a fund's cap (D13); None when it has none."""
    rates = version.policy.film.fund(fund)
    if rates.budget_fen is None:
        return None
    return max(0, rates.budget_fen - await film.spent_fen(turn.tx, fund, period_of(rates)))


async def _held_for(turn: Turn, version: PolicyVersion, entry: Entry, given: Amounts) -> tuple[str, ...]:
    """Staff must look first: odd figures, the weigher's own household, or a village that isn't theirs (1B.6)."""
    world = turn.world
    household = entry.household
    year = world.day(entry.weighed_ms).year
    from_ms, until_ms = day_bounds_ms(world, date(year, 1, 1))[0], day_bounds_ms(world, date(year + 1, 1, 1))[0]
    year_g, _ = await film.given(turn.tx, household.household_id, from_ms=from_ms, until_ms=until_ms)
    at_a_station = bool(station_areas(turn.person.roles))
    near = may(turn.person.roles, "weigh_film", household.village_id, world.places.covers)
    return rules.held_for(
        net_g=entry.net_g,
        accepted=given.accepted_g,
        year_before_g=year_g,
        own_household=turn.person.id in await show.members_of(turn.tx, household.household_id),
        other_area=not near and not at_a_station,
        bounds=version.policy.film.bounds,
    )


def _station(turn: Turn, world: World) -> int | None:
    """The station of a keeper whose area has exactly one."""
    areas = station_areas(turn.person.roles)
    near = [one for one in world.places.stations if any(world.places.covers(area, one.village_id) for area in areas)]
    return near[0].station_id if len(near) == 1 else None


def day_bounds_ms(world: World, day: date) -> tuple[int, int]:
    """When a day of the township begins, and when the next one does (ms UTC)."""
    return world.moment_ms(day, time()), world.moment_ms(day + timedelta(days=1), time())
