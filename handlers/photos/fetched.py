"""What a fetched photo changes: its row, or a kind word to its sender about why it can't be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.messages import Say, on_lines, text
from bot.turn import Dispatch
from handlers.photos import wanted
from handlers.world import Desk
from storage.machine import media
from storage.photos import owners

CODES = frozenset(
    {
        "too_large",
        "not_a_picture",
        "broken_picture",
        "picture_too_big",
        "video_too_large",
        "broken_video",
    }
)


async def media_erased(_: Desk, payload: Mapping[str, Any]) -> None:
    """Timer `media.erase`, after its errand: raises when files are still there, so that `doctor` names the timer."""
    if "failed" in payload:
        raise RuntimeError(f"files of erased photos could not be removed: {payload['failed']}")


async def media_fetched(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer `media.fetch`, after its errand.

    The payload: `media_id`, `number` (which of the photos sent together), and from the errand either the file's
    facts, `refused` (a code of CODES), `failed` (any reason why it can't be had) or `settled` (nothing left to do).
    """
    if "settled" in payload:
        return
    media_id = payload["media_id"]
    if "sha256" in payload:
        await media.fetched(desk.tx, media_id, payload)
        return
    code = payload.get("refused", "lost")
    code = code if code in CODES else "lost"
    row = await media.get(desk.tx, media_id)
    if row is None or not await media.refused(desk.tx, media_id, code):
        return
    person_id, _ = await owners.owner(desk.tx, row)
    if person_id is None:
        return
    words = text(f"media.refused.{row['kind']}", number=payload.get("number", 1), reason=text(f"error.media.{code}"))
    waiting = await wanted.case_of(desk, person_id)
    if waiting is not None:
        words = on_lines([words, text("photo.again", number=waiting["number"])])
    await desk.tell(person_id, Say(words), Dispatch(f"media.refused:{media_id}"))
