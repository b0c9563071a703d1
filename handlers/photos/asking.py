"""Bare photos of somebody who weighs: of a scale, or of rubbish? The line that follows decides, else two buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.form import Choice, Form, Photos
from bot.turn import Intent
from handlers.households.reporting import REPORT_FORM, begun
from handlers.people.rules import may
from handlers.world import Turn

FORM = "photos_for"


async def interpret(turn: Turn) -> Intent | None:
    """Photos without a word by somebody who weighs; with words they are what the words say."""
    event = turn.event
    if event.kind != "media" or event.text.strip() or not may(turn.person.roles, "weigh_film"):
        return None
    return Intent(form=FORM, answers={"photos": [[one.kind, one.ref, one.size_bytes] for one in event.media]})


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Begin the weigh-in or the report with the photos."""
    photos = answers["photos"]
    if answers["job"] == "weigh":
        turn.open("weigh", photo=[one for one in photos if one[0] == "image"] or None)
    else:
        turn.open(REPORT_FORM, **await begun(turn, photos=photos))


PHOTOS_FOR = Form(
    FORM,
    (Photos(id="photos"), Choice(id="job", options=("weigh", "report"))),
    submit,
    review=False,
)
