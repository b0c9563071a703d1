"""Whether what comes now belongs to the form that is open: after a silence, before consent, said all over again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from bot.incoming.steps import Next, Route, ShowAgain
from bot.talk.hearing import bare
from bot.talk.messages import Button, In, Media, Say, text
from bot.talk.session import Frame, Session, tag_of
from bot.turn import Intent, Product, Turn

RESUME_AFTER_MS = 12 * 3_600_000
CONTINUE, DROP = "~c", "~d"
MAX_STASH = 12
SHORTEST_KEPT = 3  # characters: «好», «嗯嗯» are no matter of their own


def idle(turn: Turn[Any], session: Session) -> bool:
    """Whether free words come so long after the question that they may be about something else."""
    return (
        session.top is not None
        and not session.stash
        and turn.event.kind in ("text", "media", "place")
        and session.updated_ms > 0
        and turn.now_ms - session.updated_ms > RESUME_AFTER_MS
    )


def ask_resume(turn: Turn[Any], session: Session) -> Session:
    """After a long silence ask whether the words go on with the old form or are something new."""
    top = session.top
    assert top is not None
    session = replace(session, rev=session.rev + 1, stash=(turn.event.to_json(),))
    prefix = f"{tag_of(turn.person.id)}.{session.rev}."
    buttons = (
        (Button(text("button.continue"), prefix + CONTINUE, "primary"),),
        (Button(text("button.drop"), prefix + DROP),),
    )
    turn.reply(Say(text("form.resume", title=text(f"form.{top.form}.title")), buttons, ask="choice"))
    return session.with_top(replace(top, rev=session.rev))


def known_before(turn: Turn[Any], session: Session, intent: Intent) -> Mapping[str, Any]:
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


def waits(event: In, control_words: Collection[str]) -> bool:
    """Whether what is sent before the gate's question is answered is worth doing afterwards.

    Words that only answer (a yes, a number, a sign) are not: as the answer of another question they would be wrong.
    """
    if event.kind != "text":
        return event.kind in ("media", "place", "start")
    plain = bare(event.text)
    return len(plain) >= SHORTEST_KEPT and not plain.isdigit() and plain not in control_words


def stashed(session: Session, event: In) -> Session:
    """The session with one more event that waits."""
    return replace(session, stash=(*session.stash, event.to_json())[-MAX_STASH:])


def kept_of(session: Session) -> list[Route]:
    """What waited behind the gate or a question of this module."""
    return [Route(In.from_json(kept)) for kept in session.stash]


def resumed(turn: Turn[Any], session: Session, verb: str) -> Next:
    """The answer to `_ask_resume`: what was said then is handled now, in the old form or without it."""
    kept = kept_of(session)
    session = replace(session, updated_ms=turn.now_ms, stash=())
    if verb == DROP:
        return session.pop(), kept
    return session, kept or (ShowAgain(),)


async def said_anew(product: Product, turn: Turn[Any], frame: Frame) -> Intent | None:
    """What words mean that are no answer: the caption of the photos that the form began with, or the whole matter
    in one line, in place of the open draft.
    """
    if not turn.event.text.strip():
        return None
    return await _caption(product, turn, frame) or await product.again(turn, frame)


async def _caption(product: Product, turn: Turn[Any], frame: Frame) -> Intent | None:
    """What words right after bare photos mean as their caption, when that says more than an answer would: many
    platforms can't send the two together.
    """
    event = turn.event
    if event.kind != "text" or not frame.of_photos:
        return None
    mark = len(turn.outbox), len(turn.timers)
    photos = tuple(Media(*item) for item in frame.answers[frame.of_photos])
    turn.event = In("media", event.text, media=photos, album=frame.album)
    intent = await product.interpret(turn)
    if intent is not None and (intent.form != frame.form or len(intent.answers) > len(frame.answers) + 1):
        return intent
    turn.event = event
    undo(turn, mark)
    return None


def undo(turn: Turn[Any], mark: tuple[int, int]) -> None:
    """Forget the messages and timers of an action that was refused."""
    turn.told.difference_update((row["message_key"], row["address"]) for row in turn.outbox[mark[0] :])
    del turn.outbox[mark[0] :]
    del turn.timers[mark[1] :]
    turn.opened = None
