"""One event of one person: which command or form it belongs to, and what the screen shows next.

The engine decides; this module fetches what the engine can't know (searches, prepared options), calls `submit`,
and turns effects into messages. It writes nothing but through the turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.errors import PersonError
from bot.incoming.resuming import idle, known_before, said_anew, undo, waits
from bot.talk import engine
from bot.talk.engine import Ask, Cancelled, Effect, Quiet, Review, Stale, Submit
from bot.talk.form import Form, Option, Photos, Wrong
from bot.talk.messages import VOICE, Button, In, Out, Say, text
from bot.talk.render import ask_say, review_say
from bot.talk.session import REVIEW, Frame, Session, tag_of
from bot.turn import Intent, Product, Turn

MAX_STASH = 12
CONTINUE, DROP = "~c", "~d"
DEVICE = "#"  # a button that the person's own device answers, such as «send my position»


class Dialogue:
    """The conversations of a product."""

    def __init__(self, product: Product) -> None:
        self._product = product

    async def handle(self, turn: Turn[Any], session: Session) -> Session:
        """Apply the turn's event; the session to store."""
        event = turn.event
        if event.kind == "left":
            await self._product.left(turn)
            return Session(rev=session.rev) if turn.forgotten else session
        if event.kind == "nothing":
            return session
        if event.kind == "edited":
            turn.reply(text("edited.ignored"))
            return session
        if event.group:
            return await self._in_group(turn, session)
        gate = self._product.gate(turn)
        if gate is not None:
            session = await self._behind_gate(turn, session, gate)
            if self._product.gate(turn) is not None:
                return session
        elif idle(turn, session) and self._product.phrase(turn) is None:
            return self._ask_resume(turn, session)
        else:
            return await self._route(turn, session)
        return await self._replay(turn, session)

    async def _in_group(self, turn: Turn[Any], session: Session) -> Session:
        """In a group only commands and mentions are answered, and nothing personal is asked there."""
        intent = self._product.phrase(turn)
        if intent is None or intent.form or self._product.gate(turn) is not None:
            turn.reply(text("group.private"))
            return session
        await self._run(turn, intent)
        turn.opened = None
        return session

    async def _behind_gate(self, turn: Turn[Any], session: Session, gate: str) -> Session:
        """Nothing is done before the gate's form; what was sent meanwhile is kept for afterwards."""
        top, event = session.top, turn.event
        command = self._product.phrase(turn) is not None
        keep = command or waits(event, turn.catalogues[turn.person.language].control_words)
        kept = replace(session, stash=(*session.stash, event.to_json())[-MAX_STASH:]) if keep else session
        if top is None or top.form != gate:
            if not keep:  # an answer of a form below, an old button; else a greeting, which gets the menu afterwards
                first = event if top is not None or event.kind == "tap" else In("start")
                kept = replace(session, stash=(*session.stash, first.to_json())[-MAX_STASH:])
            return await self._open(turn, kept, Intent(form=gate))
        if command and event.kind == "tap":
            return await self._ask_again(turn, kept, "choose")
        rev = top.rev
        was_answer = event.kind == "tap"
        if was_answer and not self._own_tap(turn):
            return session
        session = await self._in_form(turn, session)
        if session.top is None or session.top.form != gate:
            return session if self._product.gate(turn) is None else replace(session, stash=())
        return replace(session, stash=kept.stash) if session.top.rev != rev and not was_answer else session

    async def _replay(self, turn: Turn[Any], session: Session) -> Session:
        """Handle what waited behind the gate or a question of this module."""
        stash, session = session.stash, replace(session, stash=())
        for kept in stash:
            turn.event = In.from_json(kept)
            session = await self._route(turn, session)
        return session

    def _ask_resume(self, turn: Turn[Any], session: Session) -> Session:
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

    async def _route(self, turn: Turn[Any], session: Session) -> Session:
        event = turn.event
        if session.stash and event.kind != "tap":
            session = await self._replay(turn, session)
            turn.event = event
        intent = self._product.phrase(turn)
        if intent is not None:
            return await self._do(turn, session, intent)
        if event.kind == "tap":
            if not self._own_tap(turn):
                return session
            rev, _, verb = turn.event.data.partition(".")
            if verb in (CONTINUE, DROP) and rev == str(session.rev) and session.top:
                return await self._resumed(turn, session, verb)
        if session.top is not None:
            intent = await said_anew(self._product, turn, session.top)
            if intent is not None:
                return await self._do(turn, session.pop(), intent)
            return await self._in_form(turn, session)
        if event.kind == "tap":
            turn.reply(text("step.stale"))
            return session
        intent = await self._product.interpret(turn)
        return session if intent is None else await self._do(turn, session, intent)

    @staticmethod
    def _own_tap(turn: Turn[Any]) -> bool:
        """Take the person's tag off a pressed button; False, and said so, when it is another person's."""
        tag, _, rest = turn.event.data.partition(".")
        if tag != tag_of(turn.person.id):
            turn.reply(text("tap.not_yours"))
            return False
        turn.event = replace(turn.event, data=rest)
        return True

    async def _resumed(self, turn: Turn[Any], session: Session, verb: str) -> Session:
        session = replace(session, updated_ms=turn.now_ms)
        if verb == DROP:
            return await self._replay(turn, session.pop())
        top = session.top
        assert top is not None
        if not session.stash:
            return await self._ask_again(turn, session)
        return await self._replay(turn, session)

    async def _do(self, turn: Turn[Any], session: Session, intent: Intent) -> Session:
        """Run a command or open a form; with a question open, ask it again afterwards."""
        if intent.form:
            return await self._open(turn, session, intent)
        await self._run(turn, intent)
        return await self._after_action(turn, session)

    async def _run(self, turn: Turn[Any], intent: Intent) -> None:
        """Run a command; a refusal undoes what it wrote and says why."""
        mark = len(turn.outbox), len(turn.timers)
        try:
            async with turn.tx.savepoint():
                await self._product.command(turn, intent)
        except PersonError as error:
            undo(turn, mark)
            turn.reply(text(f"error.{error.code}", **error.fields))

    async def _after_action(self, turn: Turn[Any], session: Session) -> Session:
        if turn.forgotten:
            return Session(rev=session.rev)
        if turn.opened is not None:
            intent, turn.opened = turn.opened, None
            return await self._open(turn, session, intent)
        return await self._ask_again(turn, session) if session.top else session

    async def _open(self, turn: Turn[Any], session: Session, intent: Intent) -> Session:
        form = self._product.forms[intent.form]
        try:
            await self._product.may_open(turn, form)
        except PersonError as error:
            turn.reply(text(f"error.{error.code}", **error.fields))
            return await self._ask_again(turn, session) if session.top else session
        frame, effect = engine.begin(form, known_before(turn, session, intent))
        frame = replace(frame, album=turn.event.album)  # its other photos belong to the same answer
        if turn.event.kind == "media" and not turn.event.text:
            photos = (step.id for step in form.steps if isinstance(step, Photos) and frame.answers.get(step.id))
            frame = replace(frame, of_photos=next(photos, ""))
        return await self._show(turn, session.push(frame), form, effect)

    async def _in_form(self, turn: Turn[Any], session: Session) -> Session:
        frame = session.top
        assert frame is not None
        form = self._product.forms.get(frame.form)
        if form is None:
            turn.reply(text("session.retired"))
            return await self._route(turn, session.pop())
        if turn.event.kind == "other" and turn.event.data == VOICE:
            turn.reply(text("input.voice"))
            return await self._ask_again(turn, session)
        step = form.step(frame.asked)
        words = turn.catalogues[turn.person.language].control_words
        found = None
        said = turn.event.text if turn.event.kind == "text" else ""
        if said and step is not None and step.search is not None and not engine.typed_verb(form, frame, said, words):
            found = self._labelled(turn, await step.search(turn, frame.answers, said))
        frame, effect = engine.advance(form, frame, turn.event, self._product.facts(turn), words, found)
        return await self._show(turn, session.with_top(frame), form, effect)

    def _labelled(self, turn: Turn[Any], options: Any) -> list[Option]:
        render = turn.catalogues[turn.person.language].render
        return [Option(option.value, render(option.label)) for option in options]

    async def _show(
        self, turn: Turn[Any], session: Session, form: Form, effect: Effect, *, stale: bool = False
    ) -> Session:
        """Turn an effect into a message, and the session it leaves."""
        match effect:
            case Quiet():
                return session
            case Stale():
                return await self._ask_again(turn, session, "stale")
            case Cancelled():
                turn.reply(text("form.cancelled", title=text(f"form.{form.id}.title")))
                session = session.pop()
                return await self._ask_again(turn, session, "back_to") if session.top else session
            case Submit():
                return await self._submit(turn, session, form)
            case Review(note=note):
                return self._screen(turn, session, lambda frame: review_say(form, frame, note), stale)
            case Ask(step=step):
                frame = session.top
                assert frame is not None
                if step.prepare is not None and not frame.offered:
                    options = self._labelled(turn, await step.prepare(turn, frame.answers))
                    pairs = tuple((option.value, str(option.label)) for option in options)
                    session = session.with_top(replace(frame, offered=pairs))
                return self._screen(turn, session, lambda frame: ask_say(form, frame, effect), stale)

    def _screen(self, turn: Turn[Any], session: Session, say_of: Callable[[Frame], Say], stale: bool) -> Session:
        """Show a screen under a new revision, and remember what its buttons stand for.

        After a stale button the same screen is shown again and keeps its revision: else a person whose updates
        wait in a queue would press buttons that are old before they are handled, without end.
        """
        frame = session.top
        assert frame is not None
        out = turn.catalogues[turn.person.language].out(say_of(frame))
        rev = frame.rev if stale else session.rev + 1
        prefix = f"{tag_of(turn.person.id)}.{rev}."
        menu = tuple((label, verb) for row in out.rows for label, verb, _ in row if verb[0] != DEVICE)
        rows = tuple(
            tuple((label, verb if verb[0] == DEVICE else prefix + verb, style) for label, verb, style in row)
            for row in out.rows
        )
        shown = Out(out.text, rows, out.ask, out.media, out.links)
        turn.post(turn.person.id, turn.person.channel, turn.person.address, shown)
        return session.showing(frame.on_screen(rev, menu))

    async def _submit(self, turn: Turn[Any], session: Session, form: Form) -> Session:
        frame = session.top
        assert frame is not None
        mark = len(turn.outbox), len(turn.timers)
        try:
            async with turn.tx.savepoint():
                await form.submit(turn, engine.complete(form, frame.answers))
        except PersonError as error:
            undo(turn, mark)
            turn.reply(text(f"error.{error.code}", **error.fields))
            step = form.step(error.step) if error.step else None
            if step is not None:
                frame, effect = engine.ask(frame, step)
                return await self._show(turn, session.with_top(frame), form, effect)
            if form.review:
                return await self._show(turn, session.with_top(replace(frame, asked=REVIEW)), form, Review())
            session = session.pop()
            return await self._ask_again(turn, session, "back_to") if session.top else session
        return await self._after_action(turn, session.pop())

    async def _ask_again(self, turn: Turn[Any], session: Session, note: str = "") -> Session:
        """The present question once more."""
        frame = session.top
        if frame is None:
            return session
        form = self._product.forms.get(frame.form)
        if form is None:
            turn.reply(text("session.retired"))
            return session.pop()
        wrong = Wrong(note, {"title": text(f"form.{form.id}.title")}) if note else None
        step = form.step(frame.asked)
        if step is None:
            if note == "stale":
                turn.reply(text("step.stale"))
            frame, effect = engine.proceed(form, frame)
            return await self._show(turn, session.with_top(frame), form, effect, stale=note == "stale")
        return await self._show(turn, session, form, Ask(step, note=wrong), stale=note == "stale")
