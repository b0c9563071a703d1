"""What a weigh-in is worth and what makes it odd (D13, D14, D51). Pure.

Grams, fen and points are whole numbers; rates are ten-thousandths a kilogram (`_e4`), impurity is in basis points.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Literal

from bot.talk.spans import DAY_MS, MINUTE_MS
from handlers.policy.film import FilmBounds

TICKET_STEP_G = 10  # 0.01 kg (D14)
RATE_SCALE = 10_000
WHOLE_BP = 10_000
SAME_WITHIN_MS = 10 * MINUTE_MS

PointsRounding = Literal["down", "half_up"]
HeldFor = Literal["heavy", "household_year", "own_household", "other_area"]
Verdict = Literal["good", "own_ticket", "own_household", "decided"]

STANDS: frozenset[str] = frozenset({"counted", "approved", "objected", "upheld"})
FOLLOWS: dict[str, frozenset[str]] = {
    "": frozenset({"counted", "held"}),
    "held": frozenset({"approved", "refused"}),
    "counted": frozenset({"objected", "reversed"}),
    "approved": frozenset({"objected", "reversed"}),
    "objected": frozenset({"upheld", "reversed"}),
    "upheld": frozenset({"reversed"}),
    "refused": frozenset(),
    "reversed": frozenset(),
}


class WeightError(ValueError):
    """A weight or impurity that can't be; `code` names the text, `field` the question it belongs to."""

    def __init__(self, code: str, field: str, limit: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.limit = limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for a ticket: rates a kilogram, and what is left of each cap (None: no cap)."""

    county_rate_e4: int
    township_rate_e4: int
    points_rate_e4: int
    points_rounding: PointsRounding
    county_left_fen: int | None = None
    township_left_fen: int | None = None
    points_left: int | None = None


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a ticket gives. The two funds stay apart (双补); `total_fen` is only for the eye."""

    accepted_g: int
    county_fen: int
    township_fen: int
    points: int

    @property
    def total_fen(self) -> int:
        """Both funds together."""
        return self.county_fen + self.township_fen


def rate_e4(rate: Decimal) -> int:
    """A policy rate (at most four decimals) as a whole number of ten-thousandths."""
    return int(rate * RATE_SCALE)


def accepted_g(net_g: int, impurity_bp: int) -> int:
    """Net less impurity, half-up to 0.01 kg (D14). Raises WeightError when the figures can't be."""
    if net_g <= 0:
        raise WeightError("not_positive", "weight")
    if not 0 <= impurity_bp <= WHOLE_BP:
        raise WeightError("impurity_range", "impurity")
    exact = Decimal(net_g) * (WHOLE_BP - impurity_bp) / WHOLE_BP
    rounded = int((exact / TICKET_STEP_G).quantize(Decimal(1), ROUND_HALF_UP)) * TICKET_STEP_G
    return min(rounded, net_g)


def of_rate(grams: int, rate: int, rounding: PointsRounding) -> int:
    """Kilograms × a rate in ten-thousandths, rounded to a whole fen or point."""
    exact = Decimal(grams) * rate / (1_000 * RATE_SCALE)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP if rounding == "half_up" else ROUND_DOWN))


def within(amount: int, left: int | None) -> int:
    """An amount as far as its cap reaches."""
    return amount if left is None else max(0, min(amount, left))


def amounts(net_g: int, impurity_bp: int, terms: Terms) -> Amounts:
    """What a weigh-in gives: each fund half-up to the fen by itself (D13), points as the policy rounds them."""
    grams = accepted_g(net_g, impurity_bp)
    return Amounts(
        grams,
        within(of_rate(grams, terms.county_rate_e4, "half_up"), terms.county_left_fen),
        within(of_rate(grams, terms.township_rate_e4, "half_up"), terms.township_left_fen),
        within(of_rate(grams, terms.points_rate_e4, terms.points_rounding), terms.points_left),
    )


def refuse_weight(net_g: int, bounds: FilmBounds) -> None:
    """Raise WeightError when nobody may count this weight."""
    if net_g <= 0:
        raise WeightError("not_positive", "weight")
    if net_g < bounds.smallest_g:
        raise WeightError("too_small", "weight", bounds.smallest_g)


def refuse_impurity(impurity_bp: int, bounds: FilmBounds) -> None:
    """Raise WeightError when film is too dirty to be taken at all."""
    if impurity_bp > bounds.impurity_largest_bp:
        raise WeightError("too_dirty", "impurity", bounds.impurity_largest_bp)


def heavy(net_g: int, bounds: FilmBounds) -> bool:
    """Whether a weight is asked once more."""
    return net_g > bounds.ask_again_above_g


def dirty(impurity_bp: int, bounds: FilmBounds) -> bool:
    """Whether an impurity is asked once more."""
    return impurity_bp > bounds.impurity_ask_again_above_bp


def held_for(
    *, net_g: int, accepted: int, year_before_g: int, own_household: bool, other_area: bool, bounds: FilmBounds
) -> tuple[HeldFor, ...]:
    """Why a ticket waits for staff before it counts; empty when it doesn't (D14, 1B.6)."""
    found: list[HeldFor] = []
    if net_g > bounds.staff_above_g:
        found.append("heavy")
    if year_before_g + accepted > bounds.household_year_staff_above_g:
        found.append("household_year")
    if own_household:
        found.append("own_household")
    if other_area:
        found.append("other_area")
    return tuple(found)


def may_follow(state: str, event: str) -> bool:
    """Whether an event may happen to a ticket whose last event was `state` ("" before the first)."""
    return event in FOLLOWS[state]


def may_decide(
    *, writer_ids: Collection[int], decider_id: int, member_ids: Iterable[int], state: str, event: str
) -> Verdict:
    """Whether a person may decide about a ticket: not one they weighed or corrected, not their household's (1B.6)."""
    if not may_follow(state, event):
        return "decided"
    if decider_id in writer_ids:
        return "own_ticket"
    return "own_household" if decider_id in set(member_ids) else "good"


def objection_until_ms(counted_ms: int, days: int) -> int:
    """Until when a household may say «不对»."""
    return counted_ms + days * DAY_MS
