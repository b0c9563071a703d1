"""One explicit table: command → action, form id → form, timer → action, what may interpret free words.

A capability's lines stand together. `FORM_COMMANDS` are the commands that just open a form.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.talk.form import Form
from bot.turn import Desk, Intent, Turn

Action = Callable[[Turn, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """What a command runs, and the right it needs (a key of `people.rules.RIGHTS`; "" for everyone)."""

    action: Action
    right: str = ""


COMMANDS: Mapping[str, Command] = {}
FORM_COMMANDS: Mapping[str, str] = {}
FORMS: Mapping[str, Form] = {}
TIMERS: Mapping[str, Callable[[Desk, Mapping[str, Any]], Awaitable[None]]] = {}
INTERPRETERS: tuple[Callable[[Turn], Awaitable[Intent | None]], ...] = ()
PLANS: tuple[Callable[[Desk], Awaitable[None]], ...] = ()
