"""The one step of a conversation: `advance(form, frame, event)` gives the next frame and one effect. Pure.

The position is derived from the answers; only `asked`, the step last shown, is stored, because free text
answers what was asked. A button carries the revision of its screen: an old one is known to be old.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.talk.form import (
    Answer,
    Choice,
    Day,
    Doubt,
    Form,
    Option,
    Photos,
    Place,
    Step,
    Wrong,
    YesNo,
)
from bot.talk.frozen import dataclass
from bot.talk.hearing import BACK, CANCEL, CHOOSE, CONFIRM, DONE, EDIT, RETYPE, SKIP, SUBMIT, hear
from bot.talk.messages import In, Text
from bot.talk.session import REVIEW, Frame, earlier, next_step, path


@dataclass(frozen=True, slots=True)
class Ask:
    """Show `step`; first say `problem`, the doubt, or the note about what was just taken."""

    step: Step
    problem: Wrong | None = None
    doubt: Doubt | None = None
    note: Wrong | Text | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """Show every answer, to be submitted or changed; first say the note about what could not be taken."""

    note: Wrong | Text | None = None


@dataclass(frozen=True, slots=True)
class Submit:
    """Call the form's `submit`."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The person gave the form up."""


@dataclass(frozen=True, slots=True)
class Stale:
    """An old button: say so and show the present question again."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Taken, and nothing to say."""


Effect = Ask | Review | Submit | Cancelled | Stale | Quiet


def begin(form: Form, answers: Mapping[str, Any], facts: Any = None, note: Text | None = None) -> tuple[Frame, Effect]:
    """Open a form with what is already known; of more photos than it takes the first ones, and it says so.

    `note`: what is said first of how it came to what is known.
    """
    known = dict(answers)
    said: Wrong | Text | None = note
    for step in form.steps:
        photos = known.get(step.id)
        if isinstance(step, Photos) and isinstance(photos, list) and len(photos) > (largest := step.largest(facts)):
            known[step.id] = photos[:largest]
            said = note or Wrong("photos_full", {"count": largest, "max": largest})
    return proceed(form, Frame(form.id, known), said)


def proceed(form: Form, frame: Frame, note: Wrong | Text | None = None) -> tuple[Frame, Effect]:
    """Go to the first open question, else to the review or the submission."""
    step = next_step(form, frame.answers)
    if step is not None:
        return ask(frame, step, note=note)
    if form.review:
        return frame.asking(REVIEW, (), None), Review(note)
    return frame, Submit()


def ask(
    frame: Frame,
    step: Step,
    *,
    problem: Wrong | None = None,
    doubt: Doubt | None = None,
    note: Wrong | Text | None = None,
) -> tuple[Frame, Effect]:
    """Show a step; what was offered for it stays only while the same step is asked again."""
    offered = frame.offered if frame.asked == step.id else ()
    shown = frame.asking(step.id, offered, doubt.value if doubt else None)
    return shown, Ask(step, problem, doubt, note)


def supposes(frame: Frame, effect: Ask) -> bool:
    """Whether what may be supposed of a step is to be said before it is asked: not while something else is said about
    the answer, nor once it was denied or the question itself was shown.
    """
    if effect.doubt is not None or effect.problem is not None:
        return False
    denied = effect.note is None and any(verb == RETYPE for _, verb in frame.menu)
    return frame.doubt is not None or not (denied or frame.offered)


def advance(
    form: Form,
    frame: Frame,
    event: In,
    facts: Any,
    words: Mapping[str, Sequence[str]],
    found: Sequence[Option] | None = None,
    aside: Mapping[str, Any] | None = None,
) -> tuple[Frame, Effect]:
    """Apply one event to a frame.

    `event.data` of a tap is `<rev>.<verb>`; `words` maps typed control words («取消») to verbs; `found` is what
    the asked step's `search` found for the typed words; `aside` the answers that words (a caption) change although
    nothing asked for them.
    """
    if event.kind == "tap":
        rev, _, verb = event.data.partition(".")
        if rev != str(frame.rev):
            return frame, Stale()
        return press(form, frame, verb)
    heard = hear(form, frame, event, facts, words, found) if event.kind == "text" else None
    if heard is not None and heard.verb:
        return press(form, frame, heard.verb)
    if heard is not None and heard.rung == "nothing" and aside:
        return take_aside(form, frame, aside)
    step = form.step(frame.asked)
    if step is None or not step.when(frame.answers):
        if frame.asked == REVIEW:
            return absorb(form, frame, event, facts, aside) or (frame, Review(Wrong("review_first")))
        return proceed(form, frame, note=Wrong("question_gone"))
    if isinstance(step, Photos) and event.kind == "media":
        return take_media(form, frame, step, event, facts, aside)
    if found is not None and heard is not None:
        return take_found(form, frame, step, event, found)
    reading = heard.reading if heard is not None and heard.reading is not None else step.read(event, facts)
    if isinstance(reading, Answer):
        return answer(form, frame, step, reading.value)
    if isinstance(reading, Doubt):
        if frame.doubt is not None and frame.doubt == reading.value:
            return answer(form, frame, step, reading.value)
        return ask(frame, step, doubt=reading)
    return absorb(form, frame, event, facts, aside) or ask(frame, step, problem=reading)


def answer(form: Form, frame: Frame, step: Step, value: Any) -> tuple[Frame, Effect]:
    """Store an answer and go on."""
    return proceed(form, frame.answered(step.id, value))


def press(form: Form, frame: Frame, verb: str) -> tuple[Frame, Effect]:
    """Apply a button of the present screen."""
    step = form.step(frame.asked)
    if verb == CANCEL:
        return frame, Cancelled()
    if verb == SUBMIT and frame.asked == REVIEW:
        return (frame, Submit()) if next_step(form, frame.answers) is None else proceed(form, frame)
    if verb == BACK:
        return back(form, frame)
    if verb.startswith(EDIT):
        target = form.step(verb[1:])
        return ask(frame, target) if target else (frame, Stale())
    if step is None:
        return frame, Stale()
    if verb == CONFIRM and frame.doubt is not None:
        return answer(form, frame, step, frame.doubt)
    if verb == RETYPE:
        return ask(replace(frame, doubt=None), step)
    if verb == SKIP and step.optional:
        return answer(form, frame, step, frame.answers.get(step.id))
    if verb == DONE and isinstance(step, Photos) and (frame.answers.get(step.id) or step.optional):
        return answer(form, frame, step, frame.answers.get(step.id))
    if verb.startswith(CHOOSE):
        return choose(form, frame, step, verb[1:])
    return frame, Stale()


def choose(form: Form, frame: Frame, step: Step, value: str) -> tuple[Frame, Effect]:
    """Take one of the shown options."""
    if isinstance(step, YesNo):
        return answer(form, frame, step, value == "1")
    if isinstance(step, Choice) and value in step.options:
        return answer(form, frame, step, value)
    label = dict(frame.offered).get(value)
    if label is not None and isinstance(step, Day):
        return answer(form, frame, step, value)
    return answer(form, frame, step, {"id": value, "label": label}) if label is not None else (frame, Stale())


def back(form: Form, frame: Frame) -> tuple[Frame, Effect]:
    """The question before the present one on the path; the answers stay."""
    step = earlier(form, frame)
    if step is not None:
        return ask(frame, step)
    current = form.step(frame.asked)
    return ask(frame, current, note=Wrong("first_question")) if current else proceed(form, frame)


def take_aside(form: Form, frame: Frame, aside: Mapping[str, Any]) -> tuple[Frame, Effect]:
    """Take answers that were given to other questions than the one asked, and go on where the conversation stands."""
    frame = replace(frame, answers={**frame.answers, **aside}, of_photos="")
    step = form.step(frame.asked)
    if step is not None and (step.id in aside or not step.when(frame.answers)):
        return proceed(form, frame)
    note = Wrong("words_noted")
    return ask(frame, step, note=note) if step is not None else (frame, Review(note))


def take_media(
    form: Form, frame: Frame, step: Photos, event: In, facts: Any, aside: Mapping[str, Any] | None = None
) -> tuple[Frame, Effect]:
    """Append photos, and what their caption says; an album's later parts are taken without another answer."""
    reading = step.read(event, facts)
    if not isinstance(reading, Answer):
        return ask(frame, step, problem=reading if isinstance(reading, Wrong) else None)
    have = list(frame.answers.get(step.id) or [])
    largest = step.largest(facts)
    room = max(0, largest - len(have))
    taken = have + [item for item in reading.value if item not in have][:room]
    known_album = bool(event.album) and event.album == frame.album
    frame = replace(frame, answers={**frame.answers, step.id: taken}, album=event.album)
    if aside:
        frame = replace(frame, answers={**frame.answers, **aside}, of_photos="")
    if len(reading.value) > room:
        note = Wrong("photos_full", {"count": len(taken), "max": largest})
    elif known_album and aside:
        note = Wrong("words_noted")
    elif known_album:
        return frame, Quiet()
    else:
        code = "photos_noted" if frame.asked == step.id else "photos_kept"  # only there is «done» on the screen
        note = Wrong(code, {"count": len(taken), "max": largest})
    if aside and frame.asked in aside:
        return proceed(form, frame, note)
    return ask(frame, step, note=note) if frame.asked == step.id else show_again(form, frame, note)


def take_found(form: Form, frame: Frame, step: Step, event: In, found: Sequence[Option]) -> tuple[Frame, Effect]:
    """What the search found: one is the answer, several are offered, none is a mistake."""
    if len(found) == 1:
        return answer(form, frame, step, {"id": found[0].value, "label": found[0].label})
    if not found:
        return ask(frame, step, problem=Wrong("unknown", {"said": event.text[:40]}))
    offered = tuple((option.value, str(option.label)) for option in found)
    frame = replace(frame, asked=step.id, offered=offered, doubt=None)
    return frame, Ask(step, note=Wrong("which_one", {"count": len(found)}))


def absorb(
    form: Form, frame: Frame, event: In, facts: Any, aside: Mapping[str, Any] | None = None
) -> tuple[Frame, Effect] | None:
    """Give a photo or a position that came early (or late) to the step that wants one."""
    wanted = {"media": Photos, "place": Place}.get(event.kind)
    steps = path(form, frame.answers)
    step = next((step for step in steps if wanted and isinstance(step, wanted)), None)
    if step is None or step.id == frame.asked:
        return None
    if isinstance(step, Photos):
        return take_media(form, frame, step, event, facts, aside)
    reading = step.read(event, facts)
    if not isinstance(reading, Answer):
        return None
    frame = replace(frame, answers={**frame.answers, step.id: reading.value})
    return show_again(form, frame, Wrong("place_noted"))


def show_again(form: Form, frame: Frame, note: Wrong) -> tuple[Frame, Effect]:
    """The present question once more, after a note; the next one when what was noted has answered it."""
    step = form.step(frame.asked)
    if step is not None and not step.when(frame.answers):
        return proceed(form, frame, note)
    return ask(frame, step, note=note) if step else (frame, Review(note))
