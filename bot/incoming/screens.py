"""Screens of a form: under a new revision, in the person's language, remembered by the session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from bot.talk.form import Option
from bot.talk.messages import Out, Say
from bot.talk.session import Frame, Session, tag_of
from bot.turn import Turn

DEVICE = "#"  # a button that the person's own device answers, such as «send my position»


def labelled(turn: Turn[Any], options: Iterable[Option]) -> list[Option]:
    """Options with their labels in the person's language."""
    render = turn.catalogues[turn.person.language].render
    return [replace(option, label=render(option.label)) for option in options]


def screen(turn: Turn[Any], session: Session, say_of: Callable[[Frame], Say], *, stale: bool) -> Session:
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
