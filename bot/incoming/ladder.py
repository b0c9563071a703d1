"""The ladder: what a message is while a question is open. The first rung that knows it decides; the question stays.

1. said to the program itself: `/command`, a command's button, a printed code
2. the whole matter of the open form, said anew in one line
3. a button of the question, by its label, its number or its meaning (取消, 返回); its exact answer
4. a number of something, as it is printed
5. a command by its name, with or without more behind it
6. words that are surely another matter, or a question of their own; photos too, where the form takes none
7. words: for the question if it takes any, else for whatever in the form they are about
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.incoming.resuming import said_anew
from bot.incoming.screens import labelled
from bot.incoming.steps import GiveAnswer, Next, Route, ShowAgain, do
from bot.talk.form import Form, FreeText, Option, Photos
from bot.talk.hearing import Heard, hear
from bot.talk.session import Frame, Session
from bot.turn import Intent, Product, Turn


@dataclass(slots=True)
class Question:
    """An open question and what is said to it."""

    product: Product
    turn: Turn[Any]
    form: Form
    frame: Frame
    heard: Heard
    found: Sequence[Option] | None


async def climb(product: Product, turn: Turn[Any], session: Session) -> Next:
    """What follows from an event that comes while a question is open."""
    frame, event = session.top, turn.event
    assert frame is not None
    form = product.forms.get(frame.form)
    if form is None or event.kind not in ("text", "media"):
        passed = form is not None and form.passing and event.kind == "place"
        return (session.pop(), (Route(event),)) if passed else (session, (GiveAnswer(),))
    heard, found = await _heard(product, turn, form, frame)
    if heard.rung != "button" and (intent := await said_anew(product, turn, frame)) is not None:
        return session.pop(), (do(intent),)
    question = Question(product, turn, form, frame, heard, found)
    mark = len(turn.outbox)
    if heard.rung not in ("button", "answer"):
        for rung in RUNGS if event.kind == "text" else _for_photos(form):
            if (intent := await rung(question)) is not None:
                return session.pop() if form.passing else session, (do(intent),)
    if len(turn.outbox) > mark:  # it was a question of its own, and is answered
        return session.pop() if form.passing else session, () if form.passing else (ShowAgain(),)
    if form.passing and heard.rung == "nothing":
        return session.pop(), (Route(event),)
    return session, (GiveAnswer(found, await _aside(question)),)


async def _heard(product: Product, turn: Turn[Any], form: Form, frame: Frame) -> tuple[Heard, Sequence[Option] | None]:
    """What the open question itself makes of the event, and what its search finds for words that are no button."""
    event = turn.event
    if event.kind != "text":
        return Heard("nothing"), None
    facts, words = product.facts(turn), turn.catalogues[turn.person.language].control_words
    heard = hear(form, frame, event, facts, words)
    step = form.step(frame.asked)
    if heard.rung != "nothing" or step is None or step.search is None:
        return heard, None
    found = labelled(turn, await step.search(turn, frame.answers, event.text))
    return hear(form, frame, event, facts, words, found), found


async def _number(question: Question) -> Intent | None:
    return await question.product.number(question.turn)


async def _command(question: Question) -> Intent | None:
    return question.product.phrase(question.turn)


async def _other_matter(question: Question) -> Intent | None:
    takes_words = question.heard.rung == "free" and not question.form.passing
    intent = await question.product.other_matter(question.turn, takes_words=takes_words)
    return intent if intent is not None and intent.form != question.form.id else None


RUNGS: tuple[Callable[[Question], Awaitable[Intent | None]], ...] = (_number, _command, _other_matter)


def _for_photos(form: Form) -> Sequence[Callable[[Question], Awaitable[Intent | None]]]:
    """The rungs for photos: a form that takes any keeps them, in another they may be what was asked for elsewhere."""
    return () if any(isinstance(step, Photos) for step in form.steps) else (_other_matter,)


async def _aside(question: Question) -> Mapping[str, Any]:
    """What words that answer nothing, or a caption, are to the rest of the form."""
    form, said = question.form, question.turn.event.text.strip()
    if form.words is None or not said or question.heard.rung != "nothing":
        return {}
    if question.turn.event.kind == "text" and isinstance(form.step(question.frame.asked), FreeText):
        return {}  # it takes words: what it refuses is too long, or none
    return await form.words(question.turn, question.frame.answers, said)
