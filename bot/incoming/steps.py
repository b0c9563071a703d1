"""The steps of a conversation: what happens next, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.talk.engine import Effect
from bot.talk.form import Form, Option
from bot.talk.messages import In
from bot.talk.session import Session
from bot.turn import Intent


@dataclass(slots=True)
class Route:
    """Find out what an event is for."""

    event: In


@dataclass(slots=True)
class Run:
    """Run a command, then ask the open question again."""

    intent: Intent


@dataclass(slots=True)
class Open:
    """Begin a form above the others."""

    intent: Intent


@dataclass(slots=True)
class GiveAnswer:
    """Give the turn's event to the form on top: with what its search found for the words (None: it was not asked),
    and the answers that words change although they were not asked for.
    """

    found: Sequence[Option] | None = None
    aside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Show:
    """Show what the engine wants shown."""

    form: Form
    effect: Effect
    stale: bool = False


@dataclass(slots=True)
class ShowAgain:
    """Show the present question once more, after a note; nothing without an open question."""

    note: str = ""


@dataclass(slots=True)
class SubmitOpen:
    """Submit the form of that id, if it is the one that is open, and complete."""

    form: str


Step = Route | Run | Open | GiveAnswer | Show | ShowAgain | SubmitOpen
Next = tuple[Session, Sequence[Step]]


def do(intent: Intent) -> Step:
    """The step that an intent asks for."""
    if intent.submits:
        return SubmitOpen(intent.form)
    return Open(intent) if intent.form else Run(intent)
