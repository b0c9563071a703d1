"""Verification (D47): the area's staff say true, not true, or a duplicate; once, and never of their own report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Option
from bot.talk.messages import Text, on_lines, text
from bot.talk.spans import DAY_MS
from handlers.cases import rules
from handlers.cases.claiming import EXPIRE
from handlers.cases.known import Known, case_chosen, case_said, numbered
from handlers.cases.notices import apart_m, kind_text, shortened, state_text, tell_reporter
from handlers.cases.points import move
from handlers.cases.showing import change_cards, decided_text, show_case
from handlers.households.beneficiary import beneficiary_account
from handlers.people.actions import called, private
from handlers.people.charge import check_area
from handlers.world import Desk, Turn
from storage.product import accounts, cases

RIGHT = "verify_case"
DUPLICATES_OFFERED = 6
DUPLICATES_LOOKED_AT = 60
DUPLICATE_DAYS = 30
VERDICTS = {
    **dict.fromkeys(("true", "yes", "属实"), "verified"),
    **dict.fromkeys(("false", "no", "不属实", "不实"), "rejected"),
    **dict.fromkeys(("dup", "duplicate", "重复"), "duplicate"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about a case: the event, the policy's reason and words of a refusal, the case it repeats."""

    event: str
    reason: str = ""
    note: str = ""
    original_id: int | None = None


async def verify(turn: Turn, args: str) -> None:
    """`/verify 2026-0113 true|false|dup`; without a verdict the case is shown with its buttons."""
    private(turn)
    said, _, verdict = args.strip().partition(" ")
    found = await case_said(turn, said)
    case, event = found.case, VERDICTS.get(verdict.strip().lower())
    check_area(turn, RIGHT, case.area_id)
    if event is None:
        await show_case(turn, found)
        return
    if case.state != "registered":
        turn.reply(await decided_text(turn, case))
        return
    _not_own(turn, found)
    chosen = {"id": str(case.id), "label": case.number}
    if event == "rejected":
        turn.open("reject_case", case=chosen)
    elif event == "duplicate":
        turn.open("duplicate_case", case=chosen)
    else:
        await _decide(turn, found, Verdict("verified"))


async def submit_rejection(turn: Turn, answers: Mapping[str, Any]) -> None:
    """«Not true», with a reason of the policy and, if they like, words."""
    verdict = Verdict("rejected", reason=str(answers["reason"]["id"]), note=(answers.get("note") or "").strip())
    await _decide_by_form(turn, await case_chosen(turn, answers["case"]), verdict)


async def submit_duplicate(turn: Turn, answers: Mapping[str, Any]) -> None:
    """«Duplicate of…»: the first report stands, this one's points go back."""
    found = await case_chosen(turn, answers["case"])
    case, original = found.case, (await case_chosen(turn, answers["original"])).case
    if case.state != "registered":
        turn.reply(await decided_text(turn, case))
        return
    while original.duplicate_of is not None:
        original = (await case_chosen(turn, {"id": original.duplicate_of})).case
    receipts = (case.received_ms, case.id), (original.received_ms, original.id)
    if code := rules.refuse_duplicate(*receipts, original.state):
        raise PersonError(f"case_{code}", step="original", number=original.number, this=case.number)
    await _decide_by_form(turn, found, Verdict("duplicate", original_id=original.id))


async def _decide_by_form(turn: Turn, found: Known, verdict: Verdict) -> None:
    check_area(turn, RIGHT, found.case.area_id)
    _not_own(turn, found)
    await _decide(turn, found, verdict)


async def _decide(turn: Turn, found: Known, verdict: Verdict) -> None:
    """Write the decision, move the points, tell the reporter and whoever decided; said once if it was decided."""
    case = found.case
    claimed_by_code, beneficiary = await _beneficiary(turn, found)
    claim_until_ms = None
    if verdict.event == "verified" and claimed_by_code and case.points:
        claim_until_ms = turn.now_ms + turn.world.policy.report.claim_days * DAY_MS
    moved = rules.follows(case.state, verdict.event) and await cases.decide(
        turn.tx,
        case,
        verdict.event,
        event_id=turn.ids.next(),
        person_id=turn.person.id,
        policy_version=turn.world.current.version,
        now_ms=turn.now_ms,
        reason=verdict.reason,
        note=verdict.note,
        original_id=verdict.original_id,
        claim_until_ms=claim_until_ms,
    )
    if not moved:
        turn.reply(await decided_text(turn, case))
        return
    await move(
        turn,
        rules.settle(case.id, verdict.event, beneficiary),
        case_id=case.id,
        points=case.points,
        policy_version=case.policy_version,
        created_by=turn.person.id,
    )
    if claim_until_ms is not None:
        turn.later(EXPIRE, f"{EXPIRE}:{case.id}", claim_until_ms, case_id=case.id)
    await tell_reporter(turn, found, _result(turn, found, verdict, claim_until_ms), key="result")
    turn.reply(
        text(
            "case.decided",
            number=case.number,
            kind=kind_text(case.kind),
            place=shortened(case.place),
            state=state_text(verdict.event),
            by=called(turn.person.name),
        )
    )
    decided = await cases.case(turn.tx, case.id)
    assert decided is not None, "it was decided just now"
    await change_cards(turn, decided)


def _result(turn: Turn, found: Known, verdict: Verdict, claim_until_ms: int | None) -> Text:
    """What the reporter hears: the points that count now, how to claim them, or the reason."""
    case = found.case
    number, points = case.number, case.points
    head = text("report.result", number=number, kind=kind_text(case.kind), place=case.place)
    lines = [head, text(f"report.result.{verdict.event}")]
    if verdict.event == "verified" and points:
        if claim_until_ms is not None:
            lines.append(text("report.result.claim", number=number, points=points, until_ms=claim_until_ms))
        else:
            lines.append(text("report.result.points", points=points))
    if verdict.event == "rejected":
        language = (found.reporter.language if found.reporter else None) or turn.person.language
        lines.append(text("report.result.reason", reason=reason_name(turn, verdict.reason, language)))
    if verdict.note:
        lines.append(text("report.result.note", note=shortened(verdict.note)))
    return on_lines(lines)


def reason_name(desk: Desk, reason: str, language: str) -> str:
    """A reason's name by the policy in force; its id when the policy no longer has it."""
    found = next((one for one in desk.world.policy.report.not_true_reasons if one.id == reason), None)
    return found.name.in_language(language) if found else reason


async def _beneficiary(turn: Turn, found: Known) -> tuple[bool, str | None]:
    """Whether the points wait for the code (anonymous, or the identity was erased), else whose they are."""
    reporter = found.reporter
    if reporter is None or reporter.anonymous or reporter.person_id is None:
        return True, None
    if reporter.household_id is not None:
        return False, accounts.of_household(reporter.household_id)
    return False, await beneficiary_account(turn.tx, reporter.person_id, {})


def _not_own(turn: Turn, found: Known) -> None:
    """Separation of duties (1B.6): nobody verifies what they reported."""
    if found.is_of(turn.person.id):
        raise PersonError("case_own_report", number=found.case.number)


async def search_case(turn: Turn, answers: Mapping[str, Any], said: str) -> Sequence[Option]:
    """A case by its typed number."""
    case = await numbered(turn, said)
    return (Option(str(case.id), case.number),) if case is not None else ()


async def rejection_reasons(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """The policy's reasons."""
    language = turn.person.language
    return [Option(one.id, one.name.in_language(language)) for one in turn.world.policy.report.not_true_reasons]


async def earlier_cases(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """Open cases of the same area that came first: the suspected one, then the same kind, then the nearest."""
    case = (await case_chosen(turn, answers["case"])).case
    since_ms = case.received_ms - DUPLICATE_DAYS * DAY_MS
    found = await cases.open_before(turn.tx, case, since_ms=since_ms, limit=DUPLICATES_LOOKED_AT)
    ranked = sorted(
        found,
        key=lambda one: (
            one.id != case.maybe_duplicate_of,
            one.kind != case.kind,
            apart_m(case, one) if one.lat is not None and case.lat is not None else 1_000_000,
            -one.id,
        ),
    )
    return [
        Option(
            str(one.id),
            text("case.option", number=one.number, kind=kind_text(one.kind), place=shortened(one.place, 20)),
        )
        for one in ranked[:DUPLICATES_OFFERED]
    ]
