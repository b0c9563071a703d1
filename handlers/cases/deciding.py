"""Verification (D47): the area's staff say true, not true, or a duplicate; once, and never of their own report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Option
from bot.talk.messages import Text, on_lines, text
from bot.talk.spans import DAY_MS
from handlers.cases import rules
from handlers.cases.claiming import EXPIRE
from handlers.cases.notices import apart_m, kind_text, shortened, state_text, tell_reporter
from handlers.cases.points import move
from handlers.cases.showing import change_cards, decided_text, show_case
from handlers.numbers import CASES
from handlers.people.actions import called, private
from handlers.people.beneficiary import beneficiary_account
from handlers.people.charge import check_area
from handlers.world import Desk, Turn
from storage.database import Row
from storage.product import accounts, case_vault, cases

DUPLICATES_OFFERED = 6
DUPLICATES_LOOKED_AT = 60
DUPLICATE_DAYS = 30
VERDICTS = {
    **dict.fromkeys(("true", "yes", "属实"), "verified"),
    **dict.fromkeys(("false", "no", "不属实", "不实"), "rejected"),
    **dict.fromkeys(("dup", "duplicate", "重复"), "duplicate"),
}


async def verify(turn: Turn, args: str) -> None:
    """`/verify 2026-0113 true|false|dup`; without a verdict the case is shown with its buttons."""
    private(turn)
    said, _, verdict = args.strip().partition(" ")
    case = await case_said(turn, said)
    event = VERDICTS.get(verdict.strip().lower())
    check_area(turn, "verify_case", case["area_id"])
    if event is None:
        await show_case(turn, case)
        return
    if case["state"] != "registered":
        turn.reply(await decided_text(turn, case))
        return
    await _not_own(turn, case)
    chosen = {"id": str(case["id"]), "label": case["number"]}
    if event == "rejected":
        turn.open("reject_case", case=chosen)
    elif event == "duplicate":
        turn.open("duplicate_case", case=chosen)
    else:
        await _decide(turn, case, "verified")


async def submit_rejection(turn: Turn, answers: Mapping[str, Any]) -> None:
    """«Not true», with a reason of the policy and, if they like, words."""
    await _decide_by_form(turn, answers, "rejected", reason=str(answers["reason"]["id"]), note=answers.get("note"))


async def submit_duplicate(turn: Turn, answers: Mapping[str, Any]) -> None:
    """«Duplicate of…»: the first report stands, this one's points go back."""
    case = await _case_of(turn, answers["case"])
    original = await _case_of(turn, answers["original"])
    if case["state"] != "registered":
        turn.reply(await decided_text(turn, case))
        return
    while original["duplicate_of"] is not None:
        original = await _case_of(turn, {"id": original["duplicate_of"]})
    receipts = (case["received_ms"], case["id"]), (original["received_ms"], original["id"])
    if code := rules.refuse_duplicate(*receipts, original["state"]):
        raise PersonError(f"case_{code}", step="original", number=original["number"], this=case["number"])
    await _decide_by_form(turn, answers, "duplicate", original=original)


async def _decide_by_form(
    turn: Turn,
    answers: Mapping[str, Any],
    event: str,
    *,
    reason: str = "",
    note: str | None = None,
    original: Row | None = None,
) -> None:
    case = await _case_of(turn, answers["case"])
    check_area(turn, "verify_case", case["area_id"])
    await _not_own(turn, case)
    await _decide(turn, case, event, reason=reason, note=(note or "").strip(), original=original)


async def _decide(
    turn: Turn, case: Row, event: str, *, reason: str = "", note: str = "", original: Row | None = None
) -> None:
    """Write the decision, move the points, tell the reporter and whoever decided; said once if it was decided."""
    claimed_by_code, beneficiary = await _beneficiary(turn, case)
    claim_until_ms = None
    if event == "verified" and claimed_by_code and case["points"]:
        claim_until_ms = turn.now_ms + turn.world.policy.report.claim_days * DAY_MS
    moved = rules.follows(case["state"], event) and await cases.decide(
        turn.tx,
        case,
        event,
        event_id=turn.ids.next(),
        person_id=turn.person.id,
        policy_version=turn.world.current.version,
        now_ms=turn.now_ms,
        reason=reason,
        note=note,
        original_id=original["id"] if original is not None else None,
        claim_until_ms=claim_until_ms,
    )
    if not moved:
        turn.reply(await decided_text(turn, case))
        return
    step = rules.settle(case["id"], event, beneficiary)
    await move(
        turn,
        step,
        case_id=case["id"],
        points=case["points"],
        policy_version=case["policy_version"],
        created_by=turn.person.id,
    )
    if claim_until_ms is not None:
        turn.later(EXPIRE, f"{EXPIRE}:{case['id']}", claim_until_ms, case_id=case["id"])
    await tell_reporter(turn, case, await _result(turn, case, event, claim_until_ms, reason, note), key="result")
    turn.reply(
        text(
            "case.decided",
            number=case["number"],
            kind=kind_text(case["kind"]),
            place=shortened(case["place"]),
            state=state_text(event),
            by=called(turn.person.name),
        )
    )
    decided = await cases.case(turn.tx, case["id"])
    assert decided is not None, "it was decided just now"
    await change_cards(turn, decided)


async def _result(turn: Turn, case: Row, event: str, claim_until_ms: int | None, reason: str, note: str) -> Text:
    """What the reporter hears: the points that count now, how to claim them, or the reason."""
    number, points = case["number"], case["points"]
    head = text("report.result", number=number, kind=kind_text(case["kind"]), place=case["place"])
    lines = [head, text(f"report.result.{event}")]
    if event == "verified" and points:
        if claim_until_ms is not None:
            lines.append(text("report.result.claim", number=number, points=points, until_ms=claim_until_ms))
        else:
            lines.append(text("report.result.points", points=points))
    if event == "rejected":
        lines.append(text("report.result.reason", reason=reason_name(turn, reason, await _language(turn, case))))
    if note:
        lines.append(text("report.result.note", note=shortened(note)))
    return on_lines(lines)


async def _language(turn: Turn, case: Row) -> str:
    """The reporter's language."""
    return await case_vault.language(turn.tx, case["id"]) or turn.person.language


def reason_name(desk: Desk, reason: str, language: str) -> str:
    """A reason's name by the policy in force; its id when the policy no longer has it."""
    found = next((one for one in desk.world.policy.report.not_true_reasons if one.id == reason), None)
    return found.name.in_language(language) if found else reason


async def _beneficiary(turn: Turn, case: Row) -> tuple[bool, str | None]:
    """Whether the points wait for the code (anonymous, or the identity was erased), else whose they are."""
    reporter = await case_vault.reporter(turn.tx, case["id"])
    if reporter is None or reporter["anonymous"] or reporter["person_id"] is None:
        return True, None
    if reporter["household_id"] is not None:
        return False, accounts.of_household(reporter["household_id"])
    return False, await beneficiary_account(turn.tx, reporter["person_id"], {})


async def _not_own(turn: Turn, case: Row) -> None:
    """Separation of duties (1B.6): nobody verifies what they reported."""
    reporter = await case_vault.reporter(turn.tx, case["id"])
    if reporter is not None and reporter["person_id"] == turn.person.id:
        raise PersonError("case_own_report", number=case["number"])


async def case_said(turn: Turn, said: str) -> Row:
    """The case whose number was said; raises PersonError."""
    number = CASES.read(said, turn.world.local(turn.now_ms).year)
    case = await cases.case_of_number(turn.tx, number) if number else None
    if case is None:
        raise PersonError("case_unknown", said=said[:40])
    return case


async def _case_of(turn: Turn, answer: Mapping[str, Any]) -> Row:
    """The case of a form's answer."""
    case = await cases.case(turn.tx, int(answer["id"]))
    if case is None:
        raise PersonError("case_unknown", said=str(answer.get("label", "")))
    return case


async def search_case(turn: Turn, answers: Mapping[str, Any], said: str) -> Sequence[Option]:
    """A case by its typed number."""
    number = CASES.read(said, turn.world.local(turn.now_ms).year)
    case = await cases.case_of_number(turn.tx, number) if number else None
    return (Option(str(case["id"]), case["number"]),) if case is not None else ()


async def rejection_reasons(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """The policy's reasons."""
    language = turn.person.language
    return [Option(one.id, one.name.in_language(language)) for one in turn.world.policy.report.not_true_reasons]


async def earlier_cases(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """Open cases of the same area that came first: the suspected one, then the same kind, then the nearest."""
    case = await _case_of(turn, answers["case"])
    since_ms = case["received_ms"] - DUPLICATE_DAYS * DAY_MS
    found = await cases.open_before(turn.tx, case, since_ms=since_ms, limit=DUPLICATES_LOOKED_AT)
    ranked = sorted(
        found,
        key=lambda one: (
            one["id"] != case["maybe_duplicate_of"],
            one["kind"] != case["kind"],
            apart_m(case, one) if one["lat"] is not None and case["lat"] is not None else 1_000_000,
            -one["id"],
        ),
    )
    return [
        Option(
            str(one["id"]),
            text("case.option", number=one["number"], kind=kind_text(one["kind"]), place=shortened(one["place"], 20)),
        )
        for one in ranked[:DUPLICATES_OFFERED]
    ]
