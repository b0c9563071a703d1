"""A form that was left open: whether what comes now still belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.talk.session import Session
from bot.turn import Intent, Turn

RESUME_AFTER_MS = 12 * 3_600_000


def idle(turn: Turn, session: Session) -> bool:
    """Whether free words come so long after the question that they may be about something else."""
    return (
        session.top is not None
        and not session.stash
        and turn.event.kind in ("text", "media", "place")
        and session.updated_ms > 0
        and turn.now_ms - session.updated_ms > RESUME_AFTER_MS
    )


def known_before(turn: Turn, session: Session, intent: Intent) -> Mapping[str, Any]:
    """What a form begins with.

    What a link brings is added to the same form, if it was open a moment ago (the photos are there, now the sign is
    scanned), unless it says otherwise of something: then it is another matter.
    """
    known = intent.answers
    before = next((frame.answers for frame in session.frames if frame.form == intent.form), None)
    if before is None or turn.event.kind != "start" or turn.now_ms - session.updated_ms > RESUME_AFTER_MS:
        return known
    differs = any(before.get(step, value) != value for step, value in known.items())
    return known if differs else {**before, **known}
