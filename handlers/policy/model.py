"""The policy a township sets (`policy.toml`), as strict models. Units are in names; D-numbers are sources.

`PolicyVersion` is what the rest of the product holds: each computed row records its `version`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from handlers.policy.fields import (
    BasisPoints,
    Days,
    Fen,
    Grams,
    Hours,
    Id,
    KeptDays,
    Many,
    Points,
    Positive,
    Rate,
    Table,
    Weekday,
    Word,
    Words,
    fault,
    no_repeats,
)
from handlers.policy.menu import USUAL, Bar

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


ReportKindId = Literal["dumping", "burning", "river", "open_rubbish", "waste_film", "vehicle"]
REPORT_KINDS: tuple[ReportKindId, ...] = get_args(ReportKindId)


class ReportKind(Table):
    """A kind of tip-off (D10, D45, D47): `words` recognise it in a free sentence. Its name is the catalogue's."""

    id: ReportKindId
    words: Many[Word]
    points: Points
    verify_hours: Hours
    urgent: bool = False
    call_first: Annotated[str, Field(pattern=r"^[0-9]{3,12}$")] | None = None


class Reason(Table):
    """A reason that staff can choose."""

    id: Id
    name: Words


class Report(Table):
    """Tip-offs and their verification (D47; defaults after 龙塘镇's rules)."""

    anonymous: bool
    claim_days: Days
    same_place_m: Positive
    same_place_hours: Hours
    person_day_points_largest: Points
    waiting_too_long_hours: Hours
    kinds: Many[ReportKind]
    not_true_reasons: Many[Reason]

    @model_validator(mode="after")
    def _ids_once(self) -> Self:
        if not self.kinds or not self.not_true_reasons:
            raise fault("policy_empty", key="report.kinds / report.not_true_reasons")
        no_repeats((kind.id for kind in self.kinds), "policy_repeated")
        missing = sorted(set(REPORT_KINDS) - {kind.id for kind in self.kinds})
        if missing:
            raise fault("policy_report_kinds", value=", ".join(missing))
        no_repeats((word for kind in self.kinds for word in kind.words), "policy_repeated")
        no_repeats((reason.id for reason in self.not_true_reasons), "policy_repeated")
        return self

    def kind(self, kind_id: str) -> ReportKind:
        """The kind with this id; raises KeyError."""
        for kind in self.kinds:
            if kind.id == kind_id:
                return kind
        raise KeyError(kind_id)

    def kind_said(self, text: str) -> ReportKind | None:
        """The kind whose longest word stands in a free sentence, or None."""
        said = [(len(word), kind) for kind in self.kinds for word in kind.words if word in text]
        return max(said, key=lambda pair: pair[0])[1] if said else None


class Reminder(Table):
    """A weekday (1 = Monday) and the township's time of day."""

    weekday: Weekday
    at: time


class Friday(Table):
    """The weekly clean-up (D21): whom to remind when, until when villages answer, what is plausible."""

    weekday: Weekday
    reminders: Many[Reminder]
    report_until: time
    on_holiday: Literal["skip", "last_workday"]
    late_drop_minutes: Positive
    people_ask_again_above: Positive
    vehicles_ask_again_above: Positive
    volume_m3_ask_again_above: Positive


class Digest(Table):
    """The day's figures for staff."""

    at: time
    late_drop_minutes: Positive
    waiting_shown_largest: Annotated[int, Field(ge=1, le=50)]


class Quiet(Table):
    """No reminders between these times; urgent cases pass."""

    start: time
    end: time

    def covers(self, moment: time) -> bool:
        """Is the time of day inside the quiet hours (which may pass midnight)?"""
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


class Limits(Table):
    """How much one person may send. The upper ends are what the program itself can take."""

    messages_per_minute: Annotated[int, Field(ge=5, le=100_000)]
    text_chars_largest: Annotated[int, Field(ge=50, le=4_000)]
    photos_largest: Annotated[int, Field(ge=1, le=9)]
    photo_bytes_largest: Annotated[int, Field(ge=100_000, le=20_971_520)]
    photo_pixels_largest: Annotated[int, Field(ge=1_000_000, le=120_000_000)]
    video_bytes_largest: Annotated[int, Field(ge=100_000, le=20_971_520)]


class Consent(Table):
    """What a newcomer agrees to (PIPL 13, 17); a higher `version` asks everyone again."""

    version: Annotated[int, Field(ge=1)]
    keeper: Words
    text: Words


class Retention(Table):
    """How long what is personal is kept (PIPL 19). Ledgers, tickets and cases' histories are never erased (D8)."""

    reporter_identity_days: KeptDays
    photo_days: KeptDays
    position_days: KeptDays
    conversation_days: KeptDays
    delivery_days: KeptDays


class PointRules(Table):
    """Points for film (D51)."""

    household_day_largest: Points


class Reminding(Table):
    """What people may choose for reminders."""

    snooze_minutes: Many[Positive]


class Invitations(Table):
    """How long invitations and codes hold."""

    valid_hours: Hours
    link_code_valid_minutes: Positive


class Policy(Table):
    """Everything a township sets, for one period."""

    schema_version: Annotated[int, Field(alias="schema", ge=1, le=1)]
    title: Words
    basis: str
    effective_from: date
    film: Film
    report: Report
    friday: Friday
    digest: Digest
    quiet: Quiet
    limits: Limits
    consent: Consent
    retention: Retention
    points: PointRules
    reminders: Reminding
    invitations: Invitations
    wechat_menu: Bar = USUAL


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy with its number and the moment (ms UTC) from which it holds."""

    version: int
    effective_from_ms: int
    policy: Policy
