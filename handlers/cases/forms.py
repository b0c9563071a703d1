"""What is asked: a report in at most three questions beside the review, and the two refusals of staff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.form import Choice, Form, Found, FreeText, Photos, Place, YesNo
from bot.talk.messages import Words, text
from handlers.cases.filing import NAME_FORM, submit_report
from handlers.cases.notices import shortened
from handlers.cases.opening import BENEFICIARY, KINDS, WORDS_LARGEST, before_photos, before_place, supposed_place, words
from handlers.cases.places import offered_villages, reported_before, search_place, search_villages, without_village
from handlers.cases.talk import naming
from handlers.cases.verdicts import revising
from handlers.cases.verdicts.deciding import (
    earlier_cases,
    rejection_reasons,
    search_case,
    submit_duplicate,
    submit_rejection,
)

SHOWN_CHARS = 120


def kind_assumed(answers: Mapping[str, Any]) -> str | None:
    """A report that begins with a photo is about dumping until its reporter says otherwise in the review."""
    return "dumping" if answers.get("photos") else None


def kind_shown(kind: str) -> Words:
    """The kind in the review; a fire once more with whom to call."""
    return text(f"form.report.kind.shown.{kind}|form.report.kind.option.{kind}")


def words_shown(words: str) -> Words:
    """Words in the review."""
    return shortened(words, SHOWN_CHARS) if words else text("review.none")


def name_shown(anonymous: bool) -> Words:
    """In the review: whether the reporter's name is kept, and for whom."""
    return text(f"form.report.anonymous.shown.{'without' if anonymous else 'with'}")


REPORT = Form(
    "report",
    (
        Choice(id="kind", options=KINDS, assume=kind_assumed, shown=kind_shown),
        Photos(id="photos", optional=True, limit=9, prepare=before_photos),
        Place(id="place", suppose=supposed_place, prepare=before_place, search=search_place),
        Choice(
            id="village",
            optional=True,
            when=without_village,
            prepare=offered_villages,
            search=search_villages,
        ),
        FreeText(id="statement", optional=True, max_chars=WORDS_LARGEST, assume=lambda _: "", shown=words_shown),
        YesNo(id="anonymous", assume=lambda _: False, shown=name_shown),
        BENEFICIARY,
    ),
    submit_report,
    words=words,
    remark=reported_before,
)

REPORTER = Form(
    NAME_FORM,
    (Found(id="name", alone=True, prepare=naming.later, search=naming.search_name),),
    naming.submit,
    review=False,
    passing=True,
)

REJECT_CASE = Form(
    "reject_case",
    (
        Found(id="case", search=search_case),
        Choice(id="reason", columns=1, prepare=rejection_reasons),
        FreeText(id="note", optional=True, max_chars=500, assume=lambda _: "", shown=words_shown),
    ),
    submit_rejection,
    right="verify_case",
)

DUPLICATE_CASE = Form(
    "duplicate_case",
    (Found(id="case", search=search_case), Found(id="original", prepare=earlier_cases, search=search_case)),
    submit_duplicate,
    right="verify_case",
)

REVISE_CASE = Form(
    revising.FORM,
    (
        Found(id="case", search=search_case),
        Choice(id="verdict", options=("verified", "rejected")),
        FreeText(id="why", min_chars=2, max_chars=500),
    ),
    revising.submit,
    right="verify_case",
)
