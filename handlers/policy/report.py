"""What the policy says of tip-offs: kinds, points, times, reasons (D10, D45, D47)."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from handlers.policy.fields import Days, Hours, Id, Many, Points, Positive, Table, Word, Words, fault, no_repeats

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
    photo_again_hours: Hours = 72
    position_error_largest_m: Positive = 500  # a position that may be farther off says no place: a village is as wide
    position_error_said_m: Positive = 50
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
