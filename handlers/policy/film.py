"""What the policy says of film: kinds, the two funds, what a weigh-in may be (D13, D14)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import model_validator

from handlers.policy.fields import BasisPoints, Days, Fen, Grams, Id, Many, Rate, Table, Word, Words, fault, no_repeats

Fund = Literal["county", "township"]
FUNDS: tuple[Fund, ...] = ("county", "township")


class FilmKind(Table):
    """A kind of film (D14): `words` are what people call it in a one-line weigh-in."""

    id: Id
    name: Words
    words: Many[Word]
    points_per_kg: Rate


class FundRates(Table):
    """One of the two funds of the 双补 (D13), an object of its own: rates, dates, cap, who approved it."""

    name: Words
    basis: str
    approved_by: str
    fen_per_kg: dict[Id, Rate]
    paid_from: date | None = None
    paid_until: date | None = None
    budget_fen: Fen | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.paid_from and self.paid_until and self.paid_until < self.paid_from:
            raise fault("policy_out_of_order", first="paid_from", second="paid_until")
        return self

    def fen_per_kg_on(self, day: date, kind: str) -> Decimal:
        """The rate for a kind on a day; zero outside the fund's own dates."""
        if (self.paid_from and day < self.paid_from) or (self.paid_until and day > self.paid_until):
            return Decimal(0)
        return self.fen_per_kg[kind]


class FilmBounds(Table):
    """What a weigh-in may be: odd weights are asked again, odder ones wait for staff."""

    smallest_g: Grams
    ask_again_above_g: Grams
    staff_above_g: Grams
    household_year_staff_above_g: Grams
    impurity_ask_again_above_bp: BasisPoints
    impurity_largest_bp: BasisPoints

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.smallest_g <= self.ask_again_above_g <= self.staff_above_g:
            raise fault("policy_out_of_order", first="ask_again_above_g", second="staff_above_g")
        if self.impurity_ask_again_above_bp > self.impurity_largest_bp:
            raise fault("policy_out_of_order", first="impurity_ask_again_above_bp", second="impurity_largest_bp")
        return self


class Film(Table):
    """Film by weight: kinds, the two funds, bounds (D13, D14)."""

    default_unit: Literal["公斤", "斤", "吨"] | None = None
    objection_days: Days
    points_rounding: Literal["down", "half_up"]
    kinds: Many[FilmKind]
    county: FundRates
    township: FundRates
    bounds: FilmBounds

    @model_validator(mode="after")
    def _kinds_fit(self) -> Self:
        ids = [kind.id for kind in self.kinds]
        if not ids:
            raise fault("policy_empty", key="film.kinds")
        no_repeats(ids, "policy_repeated")
        no_repeats((word for kind in self.kinds for word in kind.words), "policy_repeated")
        for name in FUNDS:
            missing = set(ids) ^ set(self.fund(name).fen_per_kg)
            if missing:
                raise fault("policy_rate_kinds", fund=name, value=", ".join(sorted(missing)))
        return self

    def fund(self, name: Fund) -> FundRates:
        """The county's or the township's own rates."""
        return self.county if name == "county" else self.township

    def kind(self, kind_id: str) -> FilmKind:
        """The kind with this id; raises KeyError."""
        for kind in self.kinds:
            if kind.id == kind_id:
                return kind
        raise KeyError(kind_id)

    def kind_words(self) -> dict[str, str]:
        """What people call each kind → its id, names included (for `parse_weigh_line`)."""
        found = {word: kind.id for kind in self.kinds for word in kind.words}
        return {**found, **{kind.name.zh_CN: kind.id for kind in self.kinds}}
