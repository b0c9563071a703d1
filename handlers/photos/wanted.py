"""A photo that could not be used is asked for again; what comes then goes where that one belonged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.form import Form, Photos
from bot.talk.messages import text
from bot.talk.spans import HOUR_MS
from bot.turn import Intent
from handlers.cases.notices import more_photos
from handlers.world import Desk, Turn
from storage.database import Row
from storage.photos import wanted
from storage.product import cases

FORM = "photo_again"


async def case_of(desk: Desk, person_id: int) -> Row | None:
    """The case (id, number) that waits for a photo of that person in place of one that could not be used."""
    hours = desk.world.policy.report.photo_again_hours
    return await wanted.wanted_for(desk.tx, person_id, since_ms=desk.now_ms - hours * HOUR_MS)


async def interpret(turn: Turn) -> Intent | None:
    """Photos without a word while a case waits for one: they are what was asked for."""
    event = turn.event
    if event.kind != "media" or event.text.strip() or await case_of(turn, turn.person.id) is None:
        return None
    return Intent(form=FORM, answers={"photos": [[one.kind, one.ref, one.size_bytes] for one in event.media]})


async def surely(turn: Turn, takes_words: bool) -> Intent | None:
    """The same while a question is open that takes no photos."""
    return await interpret(turn)


async def submit(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Put the photos with the case, and show them to those who decide on it."""
    found = await case_of(turn, turn.person.id)
    if found is None:  # another of their chats was faster, or it was decided meanwhile
        turn.reply(text("photo.not_wanted"))
        return
    media_ids = await turn.attach(turn.person.id, turn.person.channel, answers["photos"])
    await wanted.append(turn.tx, found["id"], media_ids)
    case = await cases.case(turn.tx, found["id"])
    if case is not None:
        await more_photos(turn, case, media_ids, not_to=turn.person.id)
    turn.reply(text("photo.added", number=found["number"], count=len(media_ids)))


PHOTO_AGAIN = Form(FORM, (Photos(id="photos"),), submit, review=False)
