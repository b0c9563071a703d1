"""A decision is taken back by whoever made it, in time; later somebody else decides anew, with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import PersonError
from handlers.cases import rules
from handlers.cases.known import Known, case_chosen, case_said
from handlers.cases.notices import state_text
from handlers.cases.showing import change_cards, show_case
from handlers.cases.verdicts.settling import SETTLE, decided_say, standing, take_effect
from handlers.people.actions import called, private
from handlers.people.charge import check_area
from handlers.undo import take_back
from handlers.world import Turn
from storage.database import Row
from storage.machine import reversals
from storage.product import cases, verdicts

RIGHT = "verify_case"
FORM = "revise_case"
CASE = "case"  # what a row of `reversals` is about


async def withdraw(turn: Turn, args: str) -> None:
    """`/takeback 2026-0113`, 「撤回」: as if it had not been decided; only by who decided, and only in time."""
    private(turn)
    found, decided = await _decided(turn, await case_said(turn, args))
    case = found.case
    if decided["person_id"] != turn.person.id:
        raise PersonError("case_not_your_verdict", number=case.number, by=called(decided["name"] or ""))
    if not await take_back(turn, SETTLE, decided["id"]):
        raise PersonError("case_too_late_to_withdraw", number=case.number)
    await _reverse(turn, case.id, decided, "withdrawn", "")
    await verdicts.undecide(turn.tx, case.id)
    open_again = await case_said(turn, case.number)
    await turn.refresh(decided_say(open_again.case, decided))
    await change_cards(turn, open_again.case)
    await show_case(turn, open_again)


async def revise(turn: Turn, args: str) -> None:
    """`/revise 2026-0113`: decide anew what somebody else decided."""
    private(turn)
    found, _ = await _may_revise(turn, await case_said(turn, args))
    turn.open(FORM, case={"id": str(found.case.id), "label": found.case.number})


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """The other verdict, with its reason: a new entry; the old one stays and counts no more."""
    found, decided = await _may_revise(turn, await case_chosen(turn, answers["case"]))
    case, event = found.case, str(answers["verdict"])
    if event == decided["event"]:
        raise PersonError("case_same_verdict", step="verdict", number=case.number, state=state_text(event))
    why = str(answers["why"]).strip()
    await _reverse(turn, case.id, decided, "overturned", why)
    await verdicts.decide(
        turn.tx,
        case,
        event,
        event_id=turn.ids.next(),
        person_id=turn.person.id,
        policy_version=turn.world.current.version,
        now_ms=turn.now_ms,
        note=why,
    )
    again = await case_said(turn, case.number)
    new = standing(list(await cases.events(turn.tx, case.id)))
    assert new is not None, "it was decided just now"
    await take_effect(turn, again, new)
    turn.reply(decided_say(again.case, new))


async def _decided(turn: Turn, found: Known) -> tuple[Known, Row]:
    check_area(turn, RIGHT, found.case.area_id)
    decided = standing(list(await cases.events(turn.tx, found.case.id)))
    if decided is None or found.case.state not in rules.DECISIONS:
        raise PersonError("case_not_decided", number=found.case.number)
    return found, decided


async def _may_revise(turn: Turn, found: Known) -> tuple[Known, Row]:
    """Raise PersonError for a report of one's own, a verdict of one's own, and one that can still be taken back."""
    found, decided = await _decided(turn, found)
    case = found.case
    if found.is_of(turn.person.id):
        raise PersonError("case_own_report", number=case.number)
    if case.settles_ms is not None:
        raise PersonError(
            "case_still_open", number=case.number, by=called(decided["name"] or ""), until_ms=case.settles_ms
        )
    if decided["person_id"] == turn.person.id:
        raise PersonError("case_own_verdict", number=case.number)
    return found, decided


async def _reverse(turn: Turn, case_id: int, decided: Row, kind: reversals.Kind, reason: str) -> None:
    await reversals.add_reversal(
        turn.tx,
        reversal_id=turn.ids.next(),
        what=CASE,
        subject_id=case_id,
        entry_id=decided["id"],
        entry_ms=decided["at_ms"],
        kind=kind,
        person_id=turn.person.id,
        reason=reason,
        at_ms=turn.now_ms,
    )
