"""The one screen before anything else: what is kept, why, how long, how to erase it (PIPL 13, 15, 17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Choice, Form, Option
from bot.talk.messages import text
from handlers.people.actions import policy_text
from handlers.people.privacy import forget_everything
from handlers.world import Turn
from storage.people import people

AGREE, REFUSE, LEAVE, STAY = "1", "0", "leave", "stay"


async def offer(turn: Turn, _: Mapping[str, Any]) -> Sequence[Option]:
    """Tell the whole text once, then offer the two answers.

    Somebody who had agreed before and now refuses is asked once more, for it ends all that they have here.
    """
    known = turn.person.consent_version is not None
    turn.reply(policy_text(turn, "consent.changed" if known else "consent.first"))
    refuse = LEAVE if known else REFUSE
    return (Option(AGREE, text("consent.agree")), Option(refuse, text("consent.refuse")))


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Store the answer; a refusal erases the contact and says how to come back."""
    chosen = answers["agree"]["id"]
    if chosen == LEAVE and answers["sure"] != LEAVE:
        raise PersonError("consent_needed")
    if chosen != AGREE:
        await forget_everything(turn, turn.person.id, "refused")
        turn.reply(text("consent.refused"))
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
