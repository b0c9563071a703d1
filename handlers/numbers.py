"""Numbers of cases («2026-0113») and of tickets («F2026-00042»): written, and read as people type them. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

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
        plain = unicodedata.normalize("NFKC", said).strip(" #号:.。").replace("—", "-").replace("–", "-")
        found = _READ.fullmatch(plain)
        if found is None or found["prefix"].upper() not in ("", self.prefix):
            return None
        if len(found["sequence"]) > self.most_digits:
            return None
        return self.write(int(found["year"] or this_year), int(found["sequence"]))


CASES = Series("", 4, 6)
TICKETS = Series("F", 5, 9)
