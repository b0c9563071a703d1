"""A decision takes effect when it can no longer be taken back: points move, its reporter is told, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.talk.messages import Button, Say, Text, Words, on_lines, text
from handlers.cases import rules
from handlers.cases.known import Known, known
from handlers.cases.notices import kind_text, shortened, state_text, tell_reporter
from handlers.cases.points import pay
from handlers.cases.showing import change_cards
from handlers.cases.verdicts.waiting import by_code, grant
from handlers.people.actions import called
from handlers.undo import withdraw_button
from handlers.world import Desk
from storage.database import Row
from storage.product import cases, verdicts
from storage.product.cases import Case
from storage.security import reward_watch

SETTLE = "verdicts.settle"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about a case: the event, the policy's reason and words of a refusal, the case it repeats."""

    event: str
    reason: str = ""
    note: str = ""
    original_id: int | None = None


def standing(events: list[Row] | tuple[Row, ...]) -> Row | None:
    """The decision that holds, of a case's history: its newest one that was not taken back."""
    decided = [row for row in events if row["event"] in rules.DECISIONS and not row["taken_back"]]
    return decided[-1] if decided else None


async def settle(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: nobody took the decision back."""
    case = await cases.case(desk.tx, int(payload["case_id"]))
    decided = standing(list(await cases.events(desk.tx, case.id))) if case is not None else None
    if case is not None and decided is not None and decided["id"] == payload["entry_id"]:
        await take_effect(desk, await known(desk, case), decided)


async def take_effect(desk: Desk, found: Known, decided: Row) -> None:
    """Move the points to where the decision says, tell the reporter, and take 「撤回」 off the card of who decided."""
    case = found.case
    verdict = Verdict(decided["event"], decided["reason"], decided["note"], decided["other_case_id"])
    waits, claim_until_ms = False, None
    if verdict.event == "verified":
        waits, claim_until_ms = await grant(desk, found, decided)
    else:
        await pay(desk, case, decided, by_code=by_code(found))
        await reward_watch.end_hold(desk.tx, case.id, by_id=decided["person_id"], now_ms=desk.now_ms)
        await verdicts.settle(desk.tx, case.id, claim_until_ms=None)
    words = _result(desk, found, verdict, claim_until_ms, waits=waits)
    await tell_reporter(desk, found, words, key=f"result:{decided['id']}")
    settled = await cases.case(desk.tx, case.id)
    assert settled is not None, "it was settled just now"
    await desk.refresh(decided_say(settled, decided))
    await change_cards(desk, settled)


def decided_say(case: Case, decided: Row, *, tell_ms: int | None = None) -> Say:
    """What whoever decided sees: what, until when it can be taken back and when the reporter hears; 【下一件】."""
    lines: list[Words] = [
        text(
            "case.decided",
            number=case.number,
            kind=kind_text(case.kind),
            place=shortened(case.place),
            state=state_text(decided["event"]),
            by=called(decided["name"] or ""),
        )
    ]
    row = [Button(text("case.next"), "/cases next", "primary")]
    if case.settles_ms is not None:
        lines.append(text("case.decided.until", until_ms=case.settles_ms))
        row.insert(0, withdraw_button(f"/takeback {case.number}"))
    if tell_ms is not None:
        lines.append(text("case.decided.tell_later", at_ms=tell_ms))
    return Say(on_lines(lines), (tuple(row),), card=f"verdict:{case.number}")


def _result(desk: Desk, found: Known, verdict: Verdict, claim_until_ms: int | None, *, waits: bool) -> Text:
    """What the reporter hears: the points that count now, how to claim them, or the reason."""
    case = found.case
    number, points = case.number, case.points
    head = text("report.result", number=number, kind=kind_text(case.kind), place=case.place)
    lines = [head, text(f"report.result.{verdict.event}")]
    if verdict.event == "verified" and points:
        if waits:
            lines.append(text("report.result.waits", points=points))
        elif claim_until_ms is not None:
            lines.append(text("report.result.claim", number=number, points=points, until_ms=claim_until_ms))
        else:
            lines.append(text("report.result.points", points=points))
    if verdict.event == "rejected" and verdict.reason:
        language = (found.reporter.language if found.reporter else None) or desk.catalogues.default
        lines.append(text("report.result.reason", reason=_reason_name(desk, verdict.reason, language)))
    if verdict.note:
        lines.append(text("report.result.note", note=shortened(verdict.note)))
    return on_lines(lines)


def _reason_name(desk: Desk, reason: str, language: str) -> str:
    """A reason's name by the policy in force; its id when the policy no longer has it."""
    found = next((one for one in desk.world.policy.report.not_true_reasons if one.id == reason), None)
    return found.name.in_language(language) if found else reason
