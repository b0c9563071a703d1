"""What a capability declares about itself, on one page (`handlers/<name>/capability.py`); `registry` joins them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.talk.form import Form
from bot.talk.session import Frame
from bot.talk.understanding.slots import Reader
from bot.turn import Intent
from handlers.declared import Figure, Forget, Saying, Wait
from handlers.world import Desk, Turn, World
from storage.database import Tx
from storage.product.integrity import Flaw, Reference

T = TypeVar("T")
Action = Callable[[Turn, str], Awaitable[None]]
Interpreter = Callable[[Turn], Awaitable[Intent | None]]
WholeLine = Callable[[Turn, Frame], Awaitable[Intent | None]]
OtherMatter = Callable[[Turn, bool], Awaitable[Intent | None]]
Takes = Callable[[Turn, str], bool]
Timer = Callable[[Desk, Mapping[str, Any]], Awaitable[None]]
Check = Callable[[Tx, World], Awaitable[list[Flaw]]]


def takes_nothing(turn: Turn, rest: str) -> bool:
    """The `takes` of a command that stands alone: its name with more behind it is another sentence."""
    return False


@dataclass(frozen=True, slots=True)
class Command:
    """What a command runs, and the right it needs (a key of `people.rules.RIGHTS`; "" for everyone).

    `takes` decides whether words behind the command's name («点名 11月20日») are what it is to be run with. `refused`
    writes down what somebody without the right tried.
    """

    action: Action
    right: str = ""
    takes: Takes = takes_nothing
    refused: Action | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Everything that a capability adds to the product."""

    name: str
    """Its folder in `handlers/`."""

    commands: Mapping[str, Command] = field(default_factory=dict)
    """Command name → what it runs and the right it needs. What people may type for it is the text `phrase.<name>`."""

    form_commands: Mapping[str, str] = field(default_factory=dict)
    """Command name → id of the form that it opens when no words follow it."""

    forms: tuple[Form, ...] = ()
    """Its forms."""

    hints: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Form id → keys of its answers that are no step: what who opens the form knows and its steps read."""

    intents: tuple[Interpreter, ...] = ()
    """What a photo, a place, or a line of an exact shape is when no question is open, asked in this order."""

    sayings: tuple[Saying, ...] = ()
    """What can be said to it in free words, and what follows; how people say it: `locales/*/sayings/`."""

    readers: tuple[Callable[[World], Reader], ...] = ()
    """What reads slots of its own out of words: places, numbers, kinds; the strongest first."""

    numbers: tuple[Interpreter, ...] = ()
    """What shows the thing of a number, when words are nothing but that number; asked at any time, in this order."""

    other_matters: tuple[OtherMatter, ...] = ()
    """What words surely are although a question is open (turn, whether that question takes any words)."""

    whole_lines: Mapping[str, WholeLine] = field(default_factory=dict)
    """Form id → how a whole line said to one of its questions takes the place of the open draft."""

    timers: Mapping[str, Timer] = field(default_factory=dict)
    """Timer kind → its action (desk, payload)."""

    plan: tuple[Callable[[Desk], Awaitable[None]], ...] = ()
    """What writes the timers of the periods to come; run again and again, a period's key makes it run once."""

    figures: tuple[Figure, ...] = ()
    """The numbers that digests, lists and pages take from it."""

    waits: tuple[Wait, ...] = ()
    """What waits in it for somebody with a right."""

    checks: Mapping[str, Check] = field(default_factory=dict)
    """Name → what `verify` and `doctor` look at: a line for each fault, none in a sound town."""

    references: tuple[Reference, ...] = ()
    """Columns of its tables that name rows which must be there."""

    forgets: tuple[Forget, ...] = ()
    """What it keeps about people, and how that is erased."""

    pages: tuple[str, ...] = ()
    """The pages of `docs/<language>/` that say how to use it."""

    without: Mapping[str, str] = field(default_factory=dict)
    """Field name (or `story`) → why it has none, where a capability is expected to have some."""


def joined(
    capabilities: Iterable[Capability], what: str, pairs: Callable[[Capability], Iterable[tuple[str, T]]]
) -> dict[str, T]:
    """Put what all capabilities declare into one mapping. Raises ValueError, which names both, for a repeated key."""
    found: dict[str, T] = {}
    owners: dict[str, str] = {}
    for capability in capabilities:
        for key, value in pairs(capability):
            if key in owners:
                raise ValueError(f"{what} {key!r} is declared by {owners[key]} and by {capability.name}")
            owners[key], found[key] = capability.name, value
    return found
