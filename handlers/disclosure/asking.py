"""`/reporter`: a reason is asked and kept, somebody else confirms, and only then it is shown who reported (D47, 1B.6).

A try that is refused is written down, so a refusal is answered here and is no PersonError, which would undo that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Choice, Form, Found, FreeText
from bot.talk.messages import Button, Say, Text, Words, text
from bot.talk.spans import HOUR_MS
from handlers.cases import rules as case_rules
from handlers.cases.known import Known, case_chosen, case_said, numbered
from handlers.cases.notices import kind_text, shortened
from handlers.cases.points import claimable
from handlers.cases.showing import may_see_reporter
from handlers.cases.verdicts.deciding import search_case
from handlers.disclosure import rules
from handlers.disclosure.looking import reason_said, show
from handlers.people.actions import called, private
from handlers.people.charge import in_charge, tell_each, when_awake
from handlers.world import Turn
from storage.product.cases import Case
from storage.security import reporter_looks
from storage.security.reporter_looks import Look

FORM = "disclose"
CONFIRMS = "confirm_disclosure"


async def reporter(turn: Turn, args: str) -> None:
    """`/reporter 2026-0113`: who made a named report that was verified; the first time it asks why."""
    private(turn)
    if not args.strip():
        raise PersonError("reporter_which")
    found = await case_said(turn, args)
    if await _refused(turn, found, args[:40]):
        return
    request_id = await reporter_looks.newest_request(turn.tx, found.case.id, turn.person.id)
    entries = await reporter_looks.of_request(turn.tx, request_id) if request_id is not None else ()
    match state(turn, entries):
        case "open":
            await show(turn, found, entries)
        case "waits":
            turn.reply(text("disclosure.waits", number=found.case.number, until_ms=until_ms(turn, entries)))
        case _:
            turn.open(FORM, case={"id": str(found.case.id), "label": found.case.number})


def state(turn: Turn, entries: Sequence[Look]) -> rules.State:
    """How a request stands, by the policy in force."""
    policy = turn.world.policy.security
    return rules.state_of(
        entries, turn.now_ms, needs_second=policy.reporter_second_person, valid_hours=policy.reporter_look_hours
    )


def until_ms(turn: Turn, entries: Sequence[Look]) -> int:
    """Until when what was asked last can be confirmed, or what was confirmed last looked at."""
    begins = [one.at_ms for one in entries if one.event in ("asked", "confirmed")]
    return max(begins) + turn.world.policy.security.reporter_look_hours * HOUR_MS


async def without_right(turn: Turn, args: str) -> None:
    """Note that somebody tried who may not see it anywhere."""
    case = await numbered(turn, args)
    if case is not None:
        await note_refused(turn, case, "no_right")


async def note_refused(turn: Turn, case: Case, why: str) -> None:
    """Write down a try that was refused: who, when, which case, why."""
    await reporter_looks.add(
        turn.tx,
        look_id=(look_id := turn.ids.next()),
        request_id=look_id,
        case_id=case.id,
        event="refused",
        person_id=turn.person.id,
        why=why,
        at_ms=turn.now_ms,
    )


async def _refused(turn: Turn, found: Known, said: str) -> bool:
    """Answer and note a try that can't be let through; False when nothing speaks against it."""
    case, who = found.case, found.reporter
    if not may_see_reporter(turn, case):
        why, answer = "other_area", text("error.case_unknown", said=said)
    elif not case_rules.was_verified(case.told_state):
        why, answer = "not_yet", text("error.reporter_not_yet", number=case.number)
    elif who is not None and who.anonymous:
        why, answer = "anonymous", text("reporter.anonymous", number=case.number)
    elif who is None or who.person_id is None:
        why, answer = "erased", await _erased(turn, case)
    else:
        return False
    await note_refused(turn, case, why)
    turn.reply(answer)
    return True


async def _erased(turn: Turn, case: Case) -> Text:
    points = await claimable(turn, case)
    waits = points and case.claim_until_ms is not None
    key = "reporter.erased.claimable" if waits else "reporter.erased"
    return text(key, number=case.number, points=points, until_ms=case.claim_until_ms)


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Keep the reason, and ask somebody else to confirm; where the policy wants nobody, show it."""
    found = await case_chosen(turn, answers["case"])
    case = found.case
    if await _refused(turn, found, case.number):
        return
    others = [row["person_id"] for row in await in_charge(turn, CONFIRMS, case.area_id, barred=(turn.person.id,))]
    needs_second = turn.world.policy.security.reporter_second_person
    if needs_second and not others:
        await note_refused(turn, case, "nobody")
        turn.reply(text("disclosure.nobody", number=case.number, who=text(f"right.{CONFIRMS}.who")))
        return
    why, words = str(answers["why"]), str(answers.get("words") or "").strip()
    await reporter_looks.add(
        turn.tx,
        look_id=(look_id := turn.ids.next()),
        request_id=look_id,
        case_id=case.id,
        event="asked",
        person_id=turn.person.id,
        why=why,
        words=words,
        at_ms=turn.now_ms,
    )
    entries = await reporter_looks.of_request(turn.tx, look_id)
    if not needs_second:
        await show(turn, found, entries)
        return
    say = confirm_say(case, called(turn.person.name), reason_said(entries[0]), look_id, until_ms(turn, entries))
    await tell_each(turn, others, say, when_awake(turn, f"look:{look_id}"))
    turn.reply(text("disclosure.asked", number=case.number, until_ms=until_ms(turn, entries)))


def confirm_say(case: Case, who: Words, why: Words, request_id: int, until: int) -> Say:
    """What the second person is asked."""
    said: Text = text(
        "disclosure.confirm",
        who=who,
        number=case.number,
        kind=kind_text(case.kind),
        place=shortened(case.place, 30),
        why=why,
        until_ms=until,
    )
    yes = Button(text("disclosure.yes"), f"/disclosure {request_id} yes", "primary")
    no = Button(text("disclosure.no"), f"/disclosure {request_id} no", "danger")
    return Say(said, ((yes, no),), card=card_of(request_id))


def card_of(request_id: int) -> str:
    """What the messages about a request are known by."""
    return f"look:{request_id}"


DISCLOSE = Form(
    FORM,
    (
        Found(id="case", search=search_case),
        Choice(id="why", options=rules.REASONS, columns=1),
        FreeText(id="words", min_chars=4, max_chars=200, when=lambda answers: answers.get("why") == "other"),
    ),
    submit,
    review=False,
    right="see_reporter",
)
