"""Numbers of cases («2026-0113») and of tickets («F2026-00042»): written, and read as people type them. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.talk.understanding.slots import Slot

_BEFORE = (
    "编号",
    "单号",
    "案件",
    "查案",
    "磅单",
    "称重单",
    "举报的",
    "称的",
    "认可",
    "case",
    "ticket",
    "report",
    "number",
    "no",
)
_YEARLY = r"20[0-9]{2}-[0-9]{4,9}"
_PRINTED = re.compile(rf"(?<![A-Za-z0-9-])(?P<prefix>F?){_YEARLY}(?![0-9-])", re.IGNORECASE)
_READ = re.compile(r"(?P<prefix>[A-Za-z]?)(?:(?P<year>20[0-9]{2})\s*-?\s*)?(?P<sequence>[0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Series:
    """A series of numbers: the letter before the year, to how many digits a sequence is filled up, the most it has."""

    prefix: str
    digits: int
    most_digits: int

    def write(self, year: int, sequence: int) -> str:
        """Write a number of this series."""
        return f"{self.prefix}{year}-{sequence:0{self.digits}d}"

    def read(self, said: str, this_year: int) -> str | None:
        """Read a number as people type it («2026-113», «f42», «２０２６－０１１３»), or None when it is none."""
        plain = _plain(said).strip(" #号:.。")
        found = _READ.fullmatch(plain)
        if found is None or found["prefix"].upper() not in ("", self.prefix):
            return None
        if len(found["sequence"]) > self.most_digits:
            return None
        return self.write(int(found["year"] or this_year), int(found["sequence"]))

    def printed(self, said: str) -> str | None:
        """The number in words as they are printed: alone or behind its label, at the beginning or the end of a line.

        None for several numbers, and for words that only mention one.
        """
        plain = _plain(said)
        found = list(re.finditer(rf"(?<![A-Za-z0-9-]){self.prefix}{_YEARLY}(?![0-9-])", plain, re.IGNORECASE))
        numbers = {self.read(one.group(), 0) for one in found}
        if len(numbers) != 1:
            return None
        for one in found:
            before = plain[: one.start()].rstrip(" #:：「\n")
            behind = re.sub(r"^ *\([^()]*\)", "", plain[one.end() :]).lstrip(" 。.!)」")
            if not before or not behind or before.casefold().endswith(_BEFORE):
                return numbers.pop()
        return None

    def short(self, said: str, this_year: int) -> str | None:
        """The number that «0001», «f42» or «单号 00042» may be: nothing but that, with its zeros."""
        plain = _plain(said).casefold().strip(" #:：。.")
        label = next((one for one in _BEFORE if plain.startswith(one)), "")
        plain = plain[len(label) :].strip(" #:：。.")
        lettered = bool(self.prefix) and plain.startswith(self.prefix.casefold())
        zeros = plain.isascii() and plain.isdigit() and len(plain) == self.digits and (plain[0] == "0" or bool(label))
        return self.read(plain, this_year) if lettered or zeros or (label and plain[:2] == "20") else None


def numbers_in(said: str) -> Iterator[Slot]:
    """The numbers of cases and tickets in words, as they are printed (a slot reader)."""
    for one in _PRINTED.finditer(said):
        yield Slot("ticket" if one["prefix"] else "case", one.start(), one.end(), one.group().upper())


def _plain(said: str) -> str:
    return unicodedata.normalize("NFKC", said).strip().replace("—", "-").replace("–", "-")


CASES = Series("", 4, 6)
TICKETS = Series("F", 5, 9)
