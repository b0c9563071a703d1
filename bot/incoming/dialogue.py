"""One event of one person: which command or form it belongs to, and what the screen shows next.

A conversation moves on by steps: find out what an event means, run a command, open a form, answer it, show a screen.
Each step gives the session and the steps that follow; one loop takes them in order. The engine decides; this module
fetches what the engine can't know (searches, prepared options) and calls `submit`. It writes only through the turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.errors import PersonError
from bot.incoming.ladder import climb
from bot.incoming.resuming import CONTINUE, DROP, ask_resume, idle, kept_of, known_before, resumed, stashed, undo, waits
from bot.incoming.screens import labelled, screen
from bot.incoming.steps import GiveAnswer, Next, Open, Route, Run, Show, ShowAgain, Step, SubmitOpen, do
from bot.talk import engine
from bot.talk.engine import Ask, Cancelled, Quiet, Review, Stale, Submit, supposes
from bot.talk.form import Form, Photos, Wrong
from bot.talk.messages import VOICE, In, text
from bot.talk.render import ask_say, review_say
from bot.talk.session import REVIEW, Frame, Session, complete, next_step, tag_of, tells_a_secret, without_secrets
from bot.turn import Intent, Product, Turn


class Dialogue:
    """The conversations of a product."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._take: dict[type, Callable[[Turn[Any], Session, Any], Any]] = {
            Route: self._route,
            Run: self._run,
            Open: self._open,
            GiveAnswer: self._answer,
            Show: self._show,
            ShowAgain: self._ask_again,
            SubmitOpen: self._submit_open,
        }

    async def handle(self, turn: Turn[Any], session: Session) -> Session:
        """Apply the turn's event; the session to store."""
        event = turn.event
        if event.kind == "left":
            await self._product.left(turn)
            return Session(rev=session.rev) if turn.forgotten else session
        if event.kind == "nothing":
            return session
        if event.kind == "edited":
            key = f"edited:{self._product.facts(turn).today}"
            if not await turn.was_told(key, turn.person.address):
                turn.reply(text("edited.ignored"), key=key)
            return session
        if event.group:
            return await self._in_group(turn, session)
        turn.hidden = self._is_secret(session, event)
        gate = self._product.gate(turn)
        if gate is not None:
            return await self._behind_gate(turn, session, gate)
        if not turn.hidden and idle(turn, session):
            session = self._past_passing(session)
            if session.top is not None and self._product.phrase(turn) is None:
                return ask_resume(turn, session)
        return await self._follow(turn, session, Route(event))

    async def _follow(self, turn: Turn[Any], session: Session, *steps: Step) -> Session:
        """Take the steps in order, each with those that follow from it."""
        agenda = list(reversed(steps))
        while agenda:
            step = agenda.pop()
            session, following = await self._take[type(step)](turn, session, step)
            agenda.extend(reversed(following))
        return session

    async def _in_group(self, turn: Turn[Any], session: Session) -> Session:
        """In a group only commands and mentions are answered, and nothing personal is asked there."""
        intent = self._product.phrase(turn)
        if intent is None or intent.form or self._product.gate(turn) is not None:
            turn.reply(text("group.private"))
            return session
        if await self._product.asks_first(turn, intent) is not None:
            turn.reply(text("group.private"))
            return session
        await self._command(turn, intent)
        turn.opened = None
        return session

    def _is_secret(self, session: Session, event: In) -> bool:
        """Whether what was said answers a secret question: then it is kept nowhere, and waits for nothing."""
        top = session.top
        return top is not None and tells_a_secret(self._product.forms.get(top.form), top, event)

    async def _behind_gate(self, turn: Turn[Any], session: Session, gate: str) -> Session:
        """Nothing is done before the gate's form; what was sent meanwhile is kept, and done once the gate is open."""
        session = await self._at_gate(turn, session, gate)
        if self._product.gate(turn) is not None:
            return session
        return await self._follow(turn, replace(session, stash=()), *kept_of(session))

    async def _at_gate(self, turn: Turn[Any], session: Session, gate: str) -> Session:
        top, event = session.top, turn.event
        intent = self._product.phrase(turn)
        if intent is not None and self._product.before_gate(intent) and top is not None and top.form == gate:
            return await self._follow(turn, session, Run(intent))
        command = intent is not None
        keep = command or waits(event, turn.catalogues[turn.person.language].control_words)
        kept = stashed(session, event) if keep else session
        if top is None or top.form != gate:
            if not keep:  # an answer of a form below, an old button; else a greeting, which gets the menu afterwards
                kept = stashed(session, event if top is not None or event.kind == "tap" else In("start"))
            return await self._follow(turn, kept, Open(Intent(form=gate)))
        if command and event.kind == "tap":
            return await self._follow(turn, kept, ShowAgain("choose"))
        rev = top.rev
        was_answer = event.kind == "tap"
        if was_answer and not _own_tap(turn):
            return session
        session = await self._follow(turn, session, GiveAnswer())
        if session.top is None or session.top.form != gate:
            return session if self._product.gate(turn) is None else replace(session, stash=())
        return replace(session, stash=kept.stash) if session.top.rev != rev and not was_answer else session

    # -- the steps

    async def _route(self, turn: Turn[Any], session: Session, step: Route) -> Next:
        turn.event = event = step.event
        if session.stash and event.kind != "tap":
            return replace(session, stash=()), (*kept_of(session), step)
        intent = self._product.addressed(turn)
        if intent is not None:
            return self._past_passing(session), (do(intent),)
        if event.kind == "tap":
            return self._pressed(turn, session)
        if session.top is not None:
            return await climb(self._product, turn, session)
        intent = self._product.phrase(turn) or await self._product.number(turn) or await self._product.interpret(turn)
        return session, () if intent is None else (do(intent),)

    def _past_passing(self, session: Session) -> Session:
        """The session without a question that was asked in passing."""
        form = self._product.forms.get(session.top.form) if session.top is not None else None
        return session.pop() if form is not None and form.passing else session

    def _pressed(self, turn: Turn[Any], session: Session) -> Next:
        """A button that is no command: an answer, of the question that is open."""
        if not _own_tap(turn):
            return session, ()
        rev, _, verb = turn.event.data.partition(".")
        if session.top is None:
            turn.reply(text("step.stale"))
            return session, ()
        if verb in (CONTINUE, DROP) and rev == str(session.rev):
            return resumed(turn, session, verb)
        return session, (GiveAnswer(),)

    async def _run(self, turn: Turn[Any], session: Session, step: Run) -> Next:
        first = await self._product.asks_first(turn, step.intent)
        if first is not None:
            return session, (Open(first),)
        await self._command(turn, step.intent)
        return _after_action(turn, session)

    async def _command(self, turn: Turn[Any], intent: Intent) -> None:
        """Run a command; a refusal undoes what it wrote and says why."""
        mark = len(turn.outbox), len(turn.timers)
        try:
            async with turn.tx.savepoint():
                await self._product.command(turn, intent)
        except PersonError as error:
            undo(turn, mark)
            turn.reply(text(f"error.{error.code}", **error.fields))

    async def _open(self, turn: Turn[Any], session: Session, step: Open) -> Next:
        form = self._product.forms[step.intent.form]
        try:
            await self._product.may_open(turn, form)
        except PersonError as error:
            turn.reply(text(f"error.{error.code}", **error.fields))
            return session, (ShowAgain(),)
        known, note = known_before(turn, session, step.intent), step.intent.note
        frame, effect = engine.begin(form, known, self._product.facts(turn), note)
        frame = replace(frame, album=turn.event.album)  # its other photos belong to the same answer
        if turn.event.kind == "media" and not turn.event.text:
            photos = (one.id for one in form.steps if isinstance(one, Photos) and frame.answers.get(one.id))
            frame = replace(frame, of_photos=next(photos, ""))
        return session.push(frame), (Show(form, effect),)

    async def _answer(self, turn: Turn[Any], session: Session, given: GiveAnswer) -> Next:
        frame = _top(session)
        form = self._product.forms.get(frame.form)
        if form is None:
            turn.reply(text("session.retired"))
            return session.pop(), (Route(turn.event),)
        if turn.event.kind == "face":
            turn.reply(text("input.face.asked"))
            return session, ()
        if turn.event.kind in ("file", "other"):
            turn.reply(text("input.voice" if turn.event.data == VOICE else f"input.{turn.event.kind}"))
            return session, (ShowAgain(),)
        words = turn.catalogues[turn.person.language].control_words
        facts = self._product.facts(turn)
        frame, effect = engine.advance(form, frame, turn.event, facts, words, given.found, given.aside)
        return session.with_top(frame), (Show(form, effect),)

    async def _show(self, turn: Turn[Any], session: Session, step: Show) -> Next:
        form, effect, stale = step.form, step.effect, step.stale
        match effect:
            case Quiet():
                return session, ()
            case Stale():
                return session, (ShowAgain("stale"),)
            case Cancelled():
                turn.reply(text("form.cancelled", title=text(f"form.{form.id}.title")))
                return session.pop(), (ShowAgain("back_to"),)
            case Submit():
                return await self._submit(turn, session, form)
            case Review(note=note):
                remark = await form.remark(turn, complete(form, _top(session).answers)) if form.remark else None
                return screen(turn, session, lambda frame: review_say(form, frame, note, remark), stale=stale), ()
            case Ask(step=asked):
                frame = _top(session)
                doubt = await asked.suppose(turn, frame.answers) if asked.suppose and supposes(frame, effect) else None
                if doubt is not None:
                    session, effect = session.with_top(replace(frame, doubt=doubt.value)), replace(effect, doubt=doubt)
                elif asked.prepare is not None and not frame.offered:
                    options = labelled(turn, await asked.prepare(turn, frame.answers))
                    pairs = tuple((option.value, str(option.label)) for option in options)
                    session = session.with_top(replace(frame, offered=pairs))
                shown = effect
                return screen(turn, session, lambda frame: ask_say(form, frame, shown), stale=stale), ()

    async def _submit_open(self, turn: Turn[Any], session: Session, step: SubmitOpen) -> Next:
        top, form = session.top, self._product.forms.get(step.form)
        if top is None or form is None or top.form != step.form or next_step(form, top.answers) is not None:
            return session, (ShowAgain(),)
        return session, (Show(form, Submit()),)

    async def _submit(self, turn: Turn[Any], session: Session, form: Form) -> Next:
        first = await self._product.asks_first(turn, Intent(form=form.id, submits=True))
        if first is not None:
            return session, (Open(first),)
        answers = complete(form, _top(session).answers)
        frame = without_secrets(form, _top(session))
        mark = len(turn.outbox), len(turn.timers)
        try:
            async with turn.tx.savepoint():
                await form.submit(turn, answers)
        except PersonError as error:
            undo(turn, mark)
            turn.reply(text(f"error.{error.code}", **error.fields))
            step = form.step(error.step) if error.step else None
            if step is not None:
                frame, effect = engine.ask(frame, step)
                return session.with_top(frame), (Show(form, effect),)
            if form.review:
                return session.with_top(replace(frame, asked=REVIEW)), (Show(form, Review()),)
            return session.pop(), (ShowAgain("back_to"),)
        return _after_action(turn, session.pop())

    async def _ask_again(self, turn: Turn[Any], session: Session, step: ShowAgain) -> Next:
        frame, note = session.top, step.note
        if frame is None:
            return session, ()
        form = self._product.forms.get(frame.form)
        if form is None:
            turn.reply(text("session.retired"))
            return session.pop(), ()
        wrong = Wrong(note, {"title": text(f"form.{form.id}.title")}) if note else None
        asked = form.step(frame.asked)
        if asked is not None:
            return session, (Show(form, Ask(asked, note=wrong), stale=note == "stale"),)
        if note == "stale":
            turn.reply(text("step.stale"))
        frame, effect = engine.proceed(form, frame)
        return session.with_top(frame), (Show(form, effect, stale=note == "stale"),)


def _top(session: Session) -> Frame:
    frame = session.top
    assert frame is not None
    return frame


def _own_tap(turn: Turn[Any]) -> bool:
    """Take the person's tag off a pressed button; False, and said so, when it is another person's."""
    tag, _, rest = turn.event.data.partition(".")
    if tag != tag_of(turn.person.id):
        turn.reply(text("tap.not_yours"))
        return False
    turn.event = replace(turn.event, data=rest)
    return True


def _after_action(turn: Turn[Any], session: Session) -> Next:
    if turn.forgotten:
        return Session(rev=session.rev), ()
    if turn.opened is not None:
        intent, turn.opened = turn.opened, None
        return session, (do(intent),)
    return session, (ShowAgain(),)
