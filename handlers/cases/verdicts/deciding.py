"""Verification (D47): the area's staff say true, not true, or a duplicate; once, and never of their own report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Option
from bot.talk.messages import Button, Say, text
from bot.talk.spans import DAY_MS
from handlers.cases import rules
from handlers.cases.known import Known, case_chosen, case_said, numbered
from handlers.cases.notices import apart_m, card_of, decision_rows, kind_text, shortened
from handlers.cases.showing import change_cards, show_case, show_decided
from handlers.cases.verdicts.settling import SETTLE, Verdict, decided_say, standing
from handlers.people.actions import private
from handlers.people.charge import check_area
from handlers.undo import hold
from handlers.world import Turn
from storage.product import cases, verdicts
from storage.product.cases import Case

RIGHT = "verify_case"
SURE = "sure"
DUPLICATES_OFFERED = 6
DUPLICATES_LOOKED_AT = 60
DUPLICATE_DAYS = 30
VERDICTS = {
    **dict.fromkeys(("true", "yes", "属实"), "verified"),
    **dict.fromkeys(("false", "no", "不属实", "不实"), "rejected"),
    **dict.fromkeys(("dup", "duplicate", "重复"), "duplicate"),
}


async def verify(turn: Turn, args: str) -> None:
    """`/verify 2026-0113 true|false|dup`; without a verdict the case is shown with its buttons.

    What may well be a duplicate, or has neither photo nor position, is asked once more before «true» (`sure`).
    """
    private(turn)
    said, _, rest = args.strip().partition(" ")
    verdict, _, sure = rest.strip().lower().partition(" ")
    found = await case_said(turn, said)
    case, event = found.case, VERDICTS.get(verdict)
    check_area(turn, RIGHT, case.area_id)
    if event is None:
        await show_case(turn, found)
        return
    if case.state != "registered":
        await show_decided(turn, found)
        return
    _not_own(turn, found)
    chosen = {"id": str(case.id), "label": case.number}
    if event == "rejected":
        turn.open("reject_case", case=chosen)
    elif event == "duplicate":
        turn.open("duplicate_case", case=chosen)
    elif sure.strip() != SURE and (doubt := await _doubt(turn, case)) is not None:
        turn.reply(doubt)
    else:
        await _decide(turn, found, Verdict("verified"))


async def _doubt(turn: Turn, case: Case) -> Say | None:
    """What to ask before «true»; None when nothing speaks against it."""
    first = await cases.case(turn.tx, case.maybe_duplicate_of) if case.maybe_duplicate_of is not None else None
    if first is not None:
        said = text("case.sure.duplicate", number=case.number, first=first.number, metres=apart_m(case, first))
    elif case.lat is None and not await cases.media_of(turn.tx, case.id):
        said = text("case.sure.bare", number=case.number)
    else:
        return None
    (_, untrue), duplicate = decision_rows(case.number)
    sure = Button(text("case.sure.yes"), f"/verify {case.number} true {SURE}", "primary")
    return Say(said, ((sure, untrue), duplicate), card=card_of(case))


async def submit_rejection(turn: Turn, answers: Mapping[str, Any]) -> None:
    """«Not true», with a reason of the policy and, if they like, words."""
    verdict = Verdict("rejected", reason=str(answers["reason"]["id"]), note=(answers.get("note") or "").strip())
    await _decide_by_form(turn, await case_chosen(turn, answers["case"]), verdict)


async def submit_duplicate(turn: Turn, answers: Mapping[str, Any]) -> None:
    """«Duplicate of…»: the first report stands, this one's points go back."""
    found = await case_chosen(turn, answers["case"])
    case, original = found.case, (await case_chosen(turn, answers["original"])).case
    if case.state != "registered":
        await show_decided(turn, found)
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
    """Write the decision, which takes effect when it can no longer be taken back; said once if it was decided."""
    case = found.case
    event_id = turn.ids.next()
    moved = rules.follows(case.state, verdict.event) and await verdicts.decide(
        turn.tx,
        case,
        verdict.event,
        event_id=event_id,
        person_id=turn.person.id,
        policy_version=turn.world.current.version,
        now_ms=turn.now_ms,
        reason=verdict.reason,
        note=verdict.note,
        original_id=verdict.original_id,
    )
    if not moved:
        await show_decided(turn, found)
        return
    settles_ms = await hold(turn, SETTLE, event_id, case_id=case.id)
    await verdicts.put_off(turn.tx, case.id, settles_ms)
    decided = await cases.case(turn.tx, case.id)
    event = standing(list(await cases.events(turn.tx, case.id)))
    assert decided is not None and event is not None, "it was decided just now"
    awake_ms = turn.world.after_quiet_ms(settles_ms)
    turn.reply(decided_say(decided, event, tell_ms=awake_ms if awake_ms > settles_ms else None))
    await change_cards(turn, decided)


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
