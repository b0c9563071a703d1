"""What `/points` and `/subsidy` are asked for: whose account, and from which entry on. Pure."""

from __future__ import annotations

from dataclasses import dataclass

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
HOUSEHOLD, PAGE = "h:", "~"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`household_id`, or `said` (a name or card to look up), or neither: one's own; only entries before `before_id`."""

    household_id: int | None = None
    said: str = ""
    before_id: int | None = None


def short(number: int) -> str:
    """An id in base 36: two of them fit a button."""
    if number < 0:
        raise ValueError("ids are not negative")
    found = ""
    while number:
        number, digit = divmod(number, 36)
        found = DIGITS[digit] + found
    return found or "0"


def long(said: str) -> int | None:
    """The id that `short` wrote, or None."""
    if not said or len(said) > 12 or any(one not in DIGITS for one in said):
        return None
    return int(said, 36)


def read(args: str) -> Wanted:
    """«», «张三», `h:k3x9`, each with `~8zq` for the entries before that id. Anything else is a name."""
    words = args.split()
    before_id = None
    if words and words[-1].startswith(PAGE) and (found := long(words[-1][1:])) is not None:
        before_id = found
        words = words[:-1]
    said = " ".join(words)
    if said.startswith(HOUSEHOLD) and (household_id := long(said[2:])) is not None:
        return Wanted(household_id=household_id, before_id=before_id)
    return Wanted(said=said, before_id=before_id)


def write(command: str, household_id: int | None, before_id: int | None = None) -> str:
    """The button data that `read` reads back: `/points h:k3x9 ~8zq`."""
    parts = [f"/{command}"]
    if household_id is not None:
        parts.append(HOUSEHOLD + short(household_id))
    if before_id is not None:
        parts.append(PAGE + short(before_id))
    return " ".join(parts)
