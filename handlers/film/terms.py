"""From a policy version to a ticket's terms, and a ticket's figures worked out again from what it stores."""

from __future__ import annotations

from datetime import date

from handlers.film import rules
from handlers.film.rules import Amounts, Terms
from handlers.policy.film import FundRates
from handlers.policy.model import Policy
from storage.product.film import Ticket


def period_of(fund: FundRates) -> str:
    """The name of the period that a fund's cap holds for: the day it began; "" without a cap (D13)."""
    if fund.budget_fen is None:
        return ""
    return fund.paid_from.isoformat() if fund.paid_from else "always"


def terms_of(
    policy: Policy,
    kind: str,
    day: date,
    *,
    county_left_fen: int | None,
    township_left_fen: int | None,
    points_left: int,
) -> Terms:
    """What a policy gives for a kind of film on a day. Raises KeyError for a kind it doesn't have."""
    return Terms(
        county_rate_e4=rules.rate_e4(policy.film.county.fen_per_kg_on(day, kind)),
        township_rate_e4=rules.rate_e4(policy.film.township.fen_per_kg_on(day, kind)),
        points_rate_e4=rules.rate_e4(policy.film.kind(kind).points_per_kg),
        points_rounding=policy.film.points_rounding,
        county_left_fen=county_left_fen,
        township_left_fen=township_left_fen,
        points_left=points_left,
    )


def recompute(ticket: Ticket, policy: Policy, day: date) -> tuple[Terms, Amounts]:
    """A ticket's rates and figures from its stored inputs and `policy`, the one of its version (D14)."""
    terms = terms_of(
        policy,
        ticket.kind,
        day,
        county_left_fen=ticket.county_left_fen,
        township_left_fen=ticket.township_left_fen,
        points_left=ticket.points_left,
    )
    return terms, rules.amounts(ticket.net_g, ticket.impurity_bp, terms)
