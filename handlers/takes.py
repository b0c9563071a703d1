"""What commands take behind their names: a day, a number, a name (the `takes` of `capability.Command`)."""

from __future__ import annotations

import re

from bot.talk.form import read_day
from handlers.numbers import CASES, TICKETS
from handlers.world import Turn

NAME_CHARS = 20
_COUNT = re.compile(r"[0-9]{1,5}")
_DIGITS = re.compile(r"[0-9 -]{4,}")


def a_name(turn: Turn, rest: str) -> bool:
    """A name: short, on one line."""
    return 0 < len(rest) <= NAME_CHARS and "\n" not in rest


def a_day(turn: Turn, rest: str) -> bool:
    """A day as people write it."""
    return read_day(rest, turn.world.day(turn.now_ms)) is not None


def days(turn: Turn, rest: str) -> bool:
    """A day, or two, perhaps behind a name («沙井乡 2026-11-20»)."""
    return any(a_day(turn, one) for one in rest.split()[-2:])


def a_count(turn: Turn, rest: str) -> bool:
    """A small number: a page, minutes."""
    return bool(_COUNT.fullmatch(rest))


def a_code(turn: Turn, rest: str) -> bool:
    """Digits, grouped or not."""
    return bool(_DIGITS.fullmatch(rest))


def a_case(turn: Turn, rest: str) -> bool:
    """A case's number."""
    return CASES.read(rest, turn.world.day(turn.now_ms).year) is not None


def a_ticket(turn: Turn, rest: str) -> bool:
    """A ticket's number."""
    return TICKETS.read(rest, turn.world.day(turn.now_ms).year) is not None
