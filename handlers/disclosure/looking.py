"""It is shown who reported; the look is written down, and some days later the reporter hears of it by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.talk.messages import Say, Text, Words, text
from bot.talk.spans import DAY_MS
from handlers.cases.known import Known
from handlers.cases.notices import shortened
from handlers.people.actions import called
from handlers.people.charge import when_awake
from handlers.world import Desk, Turn
from storage.people import households, people
from storage.product import case_vault, cases
from storage.product.case_vault import Reporter
from storage.security import reporter_looks
from storage.security.reporter_looks import Look


async def show(turn: Turn, found: Known, entries: Sequence[Look]) -> None:
    """Say who reported to whoever may see it now: an entry of the request, an event of the case, a timer."""
    case, who = found.case, found.reporter
    assert who is not None and who.person_id is not None, "it was looked at before"
    row = await people.person(turn.tx, who.person_id)
    asked = entries[0]
    await reporter_looks.add(
        turn.tx,
        look_id=turn.ids.next(),
        request_id=asked.request_id,
        case_id=case.id,
        event="seen",
        person_id=turn.person.id,
        why=asked.why,
        at_ms=turn.now_ms,
    )
    await cases.add_event(
        turn.tx,
        event_id=turn.ids.next(),
        case_id=case.id,
        event="reporter_seen",
        area_id=case.area_id,
        points=0,
        policy_version=case.policy_version,
        at_ms=turn.now_ms,
        person_id=turn.person.id,
    )
    days = turn.world.policy.security.reporter_told_days
    key, fire_ms = f"{reporter_looks.TELL}:{asked.request_id}", turn.now_ms + days * DAY_MS
    turn.later(reporter_looks.TELL, key, fire_ms, request_id=asked.request_id)
    turn.reply(await _name(turn, found.case.number, who, called(row["name"] if row is not None else "")))


async def _name(turn: Turn, number: str, who: Reporter, name: Words) -> Text:
    """The reporter, and the household they acted for: the reward is its, else the reporter's own."""
    found = await households.household(turn.tx, who.household_id) if who.household_id is not None else None
    if found is None:
        return text("reporter.own", number=number, name=name)
    return text("reporter.household", number=number, name=name, householder=found.householder, village=found.village)


async def tell(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: tell the reporter when somebody looked first, and why; nobody, when nothing is known of them any more."""
    entries = await reporter_looks.of_request(desk.tx, int(payload["request_id"]))
    seen = next((one for one in entries if one.event == "seen"), None)
    case = await cases.case(desk.tx, seen.case_id) if seen is not None else None
    who = await case_vault.reporter(desk.tx, case.id) if case is not None else None
    if seen is None or case is None or who is None or who.person_id is None or who.person_id == seen.person_id:
        return
    asked = entries[0]
    second = any(one.event == "confirmed" for one in entries)
    keeper = desk.world.policy.consent.keeper.in_language(who.language or desk.catalogues.default)
    said = text(
        "disclosure.told.two" if second else "disclosure.told.one",
        number=case.number,
        at_ms=seen.at_ms,
        why=reason_said(asked),
        keeper=keeper,
    )
    await desk.tell(who.person_id, Say(said), when_awake(desk, f"case:{case.id}:looked:{asked.request_id}"))


def reason_said(asked: Look) -> Words:
    """The reason as it is told: its name, and the words where it has no other."""
    if asked.why == "other" and asked.words:
        return shortened(asked.words, 200)
    return text(f"form.disclose.why.option.{asked.why}")
