"""The one screen before anything else, in five lines: what is kept, why, who sees it, how long, how to erase it.

PIPL 13, 15, 17. The policy's whole text is a button away (`/privacy`, which may be read before agreeing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Choice, Form, Option
from bot.talk.messages import Button, Say, Text, Words, on_lines, text
from handlers.privacy.erasing import forget_everything
from handlers.world import Turn
from storage.people import people

AGREE, REFUSE, LEAVE, STAY = "1", "0", "leave", "stay"
READABLE_BEFORE = frozenset({"privacy"})  # commands that only explain what is to be agreed to


async def offer(turn: Turn, _: Mapping[str, Any]) -> Sequence[Option]:
    """Tell the five lines once, with the way to the rest, then offer the two answers.

    Somebody who had agreed before and now refuses is asked once more, for it ends all that they have here.
    """
    known = turn.person.consent_version is not None
    said: Words = text("consent.changed" if known else "consent.first", township=turn.world.name, lines=_lines(turn))
    if turn.event.kind == "media":
        said = on_lines([said, text("consent.photo_waits")])
    turn.reply(Say(said, ((Button(text("consent.details"), "/privacy"),),)))
    refuse = LEAVE if known else REFUSE
    return (Option(AGREE, text("consent.agree")), Option(refuse, text("consent.refuse")))


def _lines(turn: Turn) -> Text:
    """The five lines, with the policy's own times and keeper."""
    kept, doors = turn.world.policy.retention, turn.world.policy.security
    return text(
        "consent.lines",
        conversation_days=kept.conversation_days,
        reporter_days=kept.reporter_identity_days,
        photo_days=kept.photo_days,
        seen=text(f"consent.seen.{'two' if doors.reporter_second_person else 'one'}", days=doors.reporter_told_days),
        keeper=turn.world.policy.consent.keeper.in_language(turn.person.language),
    )


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Store the answer; a refusal erases the contact and says how to come back."""
    chosen = answers["agree"]["id"]
    if chosen == LEAVE and answers["sure"] != LEAVE:
        raise PersonError("consent_needed")
    if chosen != AGREE:
        farewell = await forget_everything(turn, turn.person.id, "refused")
        turn.reply(on_lines([text("consent.refused"), *farewell]))
        turn.forget()
        return
    version = turn.world.policy.consent.version
    await people.set_person(turn.tx, turn.person.id, consent_version=version, consent_ms=turn.now_ms)
    await people.add_consent(
        turn.tx,
        consent_id=turn.ids.next(),
        person_id=turn.person.id,
        version=version,
        answer="agreed",
        now_ms=turn.now_ms,
    )
    turn.person = replace(turn.person, consent_version=version)
    turn.reply(text("consent.accepted"))


CONSENT = Form(
    "consent",
    (
        Choice(id="agree", prepare=offer, columns=1),
        Choice(  # no yes or no: «好的» and «同意» here may mean either, and one of them can't be undone
            id="sure",
            options=(LEAVE, STAY),
            when=lambda answers: (answers.get("agree") or {}).get("id") == LEAVE,
        ),
    ),
    submit,
    review=False,
    cancel=False,
)
