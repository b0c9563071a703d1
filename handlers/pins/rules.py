"""Which PINs are too easy, how long to wait after wrong ones, whose job asks for one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import pairwise

from bot.talk.spans import DAY_MS, HOUR_MS, MINUTE_MS
from handlers.people.rules import Fields, Held, may

FREE_TRIES = 3
# How long after the third wrong one in a row, the fourth, and so on; the last is for all that follow.
PAUSES_MS = (MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 8 * HOUR_MS, DAY_MS)
ENDS_WRONG = ("right", "set", "changed", "reset")
LOOKED_AT = 40
# Among the first that anybody tries who knows people here: patterns of the keypad, «我爱你一生一世».
WELL_KNOWN = frozenset(
    [
        "112358",
        "123654",
        "131420",
        "131452",
        "147258",
        "147369",
        "147896",
        "159357",
        "159753",
        "201314",
        "258369",
        "314159",
        "321654",
        "456789",
        "520131",
        "521131",
        "741852",
        "753951",
        "789456",
        "852963",
        "963852",
        "1314520",
        "1472583",
        "5201314",
        "7758258",
        "7758521",
        "14725836",
        "147258369",
        "789456123",
    ]
)
FIRST_YEAR, LAST_YEAR = 1920, 2049


def is_easy(pin: str) -> bool:
    """Whether a PIN is among the first that somebody would try.

    One or two digits over and over, a piece repeated (123123), a run up or down (234567), a mirror (123321), a day
    (19870312, 870312, 03121987), what is well known.
    """
    return (
        len(set(pin)) <= 2
        or any(pin == pin[:size] * (len(pin) // size) for size in range(1, len(pin) // 2 + 1) if len(pin) % size == 0)
        or len({(int(later) - int(first)) % 10 for first, later in pairwise(pin)}) == 1
        or pin == pin[::-1]
        or pin in WELL_KNOWN
        or is_day(pin)
    )


def is_day(pin: str) -> bool:
    """Whether digits are somebody's day of birth, as people write it, with or without the century."""
    if len(pin) == 8:
        return _is_day(pin[:4], pin[4:6], pin[6:]) or _is_day(pin[4:], pin[2:4], pin[:2])
    return len(pin) == 6 and any(_is_day(century + pin[:2], pin[2:4], pin[4:]) for century in ("19", "20"))


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        return FIRST_YEAR <= date(int(year), int(month), int(day)).year <= LAST_YEAR
    except ValueError:
        return False


def wait_until_ms(newest: Sequence[Fields]) -> int:
    """When the next try counts, after what became of a PIN (the newest first: event, at_ms); 0 for at once."""
    wrong_ms = wrong_in_a_row(newest)
    if len(wrong_ms) < FREE_TRIES:
        return 0
    return wrong_ms[0] + PAUSES_MS[min(len(wrong_ms) - FREE_TRIES, len(PAUSES_MS) - 1)]


def wrong_in_a_row(newest: Sequence[Fields]) -> list[int]:
    """When the wrong ones were given since the last right one, the newest first (ms)."""
    found: list[int] = []
    for one in newest:
        if one["event"] in ENDS_WRONG:
            break
        if one["event"] == "wrong":
            found.append(one["at_ms"])
    return found


def tries_left(newest: Sequence[Fields]) -> int:
    """How many wrong ones are still free before the first pause."""
    return max(0, FREE_TRIES - len(wrong_in_a_row(newest)))


def is_asked(roles: Iterable[Held], asks: Collection[str]) -> bool:
    """Whether anything that somebody with these roles may do asks for a PIN."""
    held = tuple(roles)
    return any(may(held, right) for right in asks)


def must_have(roles: Iterable[Held], required_of: Collection[str]) -> bool:
    """Whether somebody with these roles has to set a PIN first."""
    return any(role.name in required_of for role in roles)
