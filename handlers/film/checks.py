"""What `doctor` asks of film: every ticket gives the same figures again, and paid exactly what it says."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.film import rules
from handlers.film.terms import recompute
from handlers.world import World
from storage.database import Tx
from storage.product import accounts, film, film_figures, ledger
from storage.product.film import Ticket
from storage.product.integrity import Flaw, broken

PAGE = 500


async def check_tickets(tx: Tx, world: World, *, limit: int = 100) -> list[Flaw]:
    """Look for faults of tickets, at most `limit`; empty when all is well.

    Each ticket is worked out again from its stored inputs and its policy version, and compared with its transfers;
    each fund's cap is compared with its tickets.
    """
    found = [
        broken("cap", fund=row["fund"], period=row["period"], spent=row["spent_fen"], derived=row["derived_fen"])
        for row in await film.broken_budgets(tx)
    ]
    found += [broken("film_waits", number=row["number"]) for row in await film_figures.broken_waits(tx)]
    after_id = 0
    while len(found) < limit and (page := await film.page_of_tickets(tx, after_id=after_id, limit=PAGE)):
        after_id = page[-1].id
        moved = await ledger.moved(tx, [ticket.ref for ticket in page])
        for ticket in page:
            found += [] if ticket.state else [broken("ticket_without_event", number=ticket.number)]
            found += _figures(ticket, world) + _transfers(ticket, moved.get(ticket.ref, {}))
    return found[:limit]


def _figures(ticket: Ticket, world: World) -> list[Flaw]:
    """Whether a ticket's rates and figures come out the same again."""
    policy = next((one.policy for one in world.policies.versions if one.version == ticket.policy_version), None)
    if policy is None:
        return [broken("policy_gone", number=ticket.number, version=ticket.policy_version)]
    try:
        terms, again = recompute(ticket, policy, world.day(ticket.weighed_ms))
    except (KeyError, rules.WeightError) as problem:
        return [broken("not_worked_out", number=ticket.number, problem=str(problem))]
    stored = {
        "county_rate_e4": (ticket.county_rate_e4, terms.county_rate_e4),
        "township_rate_e4": (ticket.township_rate_e4, terms.township_rate_e4),
        "points_rate_e4": (ticket.points_rate_e4, terms.points_rate_e4),
        "accepted_g": (ticket.accepted_g, again.accepted_g),
        "county_fen": (ticket.county_fen, again.county_fen),
        "township_fen": (ticket.township_fen, again.township_fen),
        "points": (ticket.points, again.points),
    }
    return [
        broken("figure", number=ticket.number, figure=name, had=had, new=new)
        for name, (had, new) in stored.items()
        if had != new
    ]


def _transfers(ticket: Ticket, moved: Mapping[tuple[str, str, str], int]) -> list[Flaw]:
    """Whether the ledger moved what the ticket says: its figures while it stands, nothing in sum otherwise."""
    stands = ticket.state in rules.STANDS
    account = accounts.of_household(ticket.household_id)
    wanted = {
        (accounts.of_fund("county"), account, "fen"): ticket.county_fen,
        (accounts.of_fund("township"), account, "fen"): ticket.township_fen,
        (accounts.FILM, account, "points"): ticket.points,
    }
    faults = []
    for way, amount in wanted.items():
        source, destination, unit = way
        net = moved.get(way, 0) - moved.get((destination, source, unit), 0)
        due = amount if stands else 0
        if net != due:
            state = ticket.state or "none"
            faults.append(
                broken("ticket_moved", number=ticket.number, state=state, source=source, moved=net, unit=unit, due=due)
            )
    return faults
