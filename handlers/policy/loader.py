"""Read `policy.toml` and `calendar.toml`: what they set, or every fault with its line and column."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from handlers.policy.calendar import CalendarYear
from handlers.policy.fields import Table
from handlers.policy.model import Policy

TOWNSHIP_TIME = ZoneInfo("Asia/Shanghai")
LARGEST_CHARS = 200_000
_CODES = {"missing": "policy_missing", "extra_forbidden": "policy_unknown_key"}
_BOUNDS = ("greater_than", "less_than", "too_long", "too_short", "decimal_", "pattern", "literal")
_EXAMPLES = {
    "int": "24",
    "string": '"…"',
    "date": "2026-01-01",
    "time": "18:00:00",
    "bool": "true / false",
    "decimal": "0.5",
    "is_instance": "0.5",
    "tuple": "[ … ]",
    "dict": "{ … }",
    "model": "{ … }",
}
_TABLE = re.compile(r"^\s*(\[\[|\[)\s*([^\[\]]+?)\s*\]{1,2}")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-\"']+)\s*=")
Path = tuple[str | int, ...]
T = TypeVar("T", bound=Table)


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One fault: where it stands (from 1), its code and what fills the code's text."""

    line: int
    column: int
    code: str
    fields: Mapping[str, str] = field(default_factory=dict)


class PolicyInvalid(ValueError):
    """The text is no policy; `faults` say all that is wrong."""

    def __init__(self, faults: tuple[PolicyFault, ...]) -> None:
        super().__init__("; ".join(f"{fault.line}:{fault.column} {fault.code}" for fault in faults))
        self.faults = faults


def load(text: str) -> Policy:
    """The policy that the TOML `text` sets; raises PolicyInvalid."""
    return _load(text, Policy)


def load_calendar(text: str) -> CalendarYear:
    """A year's holidays as the TOML `text` has them; raises PolicyInvalid."""
    return _load(text, CalendarYear)


def _load(text: str, model: type[T]) -> T:
    if len(text) > LARGEST_CHARS:
        raise PolicyInvalid((PolicyFault(1, 1, "file_too_large", {"limit": str(LARGEST_CHARS)}),))
    try:
        found = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as problem:
        place = re.search(r"line (\d+), column (\d+)", str(problem))
        line, column = (int(place[1]), int(place[2])) if place else (text.count("\n") + 1, 1)
        detail = re.sub(r" \(at .*\)$", "", str(problem))
        raise PolicyInvalid((PolicyFault(line, column, "toml_syntax", {"detail": detail}),)) from None
    try:
        return model.model_validate(found)
    except ValidationError as problem:
        places = key_places(text)
        faults = [_fault(error, places) for error in problem.errors(include_url=False)]
        raise PolicyInvalid(tuple(sorted(faults, key=lambda one: (one.line, one.column)))) from None


def effective_from_ms(policy: Policy, zone: ZoneInfo = TOWNSHIP_TIME) -> int:
    """Midnight of the policy's first day in the township's time, in ms UTC."""
    return day_start_ms(policy.effective_from, zone)


def day_start_ms(day: date, zone: ZoneInfo = TOWNSHIP_TIME) -> int:
    """Midnight of `day` in the township's time, in ms UTC."""
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)


def _fault(error: ErrorDetails, places: Mapping[Path, tuple[int, int]]) -> PolicyFault:
    path: Path = error["loc"]
    known = path
    while known and known not in places:
        known = known[:-1]
    line, column = places.get(known, (1, 1))
    fields = {"key": _dotted(path), **{name: str(value) for name, value in error.get("ctx", {}).items()}}
    kind = error["type"]
    if kind.startswith("policy_"):
        return PolicyFault(line, column, kind, fields)
    said = str(error.get("input", ""))[:40]
    if kind in _CODES:
        return PolicyFault(line, column, _CODES[kind], {"key": fields["key"]})
    code = "policy_out_of_range" if any(mark in kind for mark in _BOUNDS) else "policy_wrong_type"
    fields = {"key": fields["key"], "value": said, "expected": _expected(error)}
    return PolicyFault(line, column, code, fields)


def _expected(error: ErrorDetails) -> str:
    """What would be right, in signs and examples that need no translation."""
    signs = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}
    context = error.get("ctx", {})
    if "decimal_places" in context:
        return "0." + "0" * (int(context["decimal_places"]) - 1) + "1"
    for name, sign in signs.items():
        if name in context:
            return sign.format(context[name])
    if "expected" in context:
        return str(context["expected"]).replace(" or ", " / ").replace("'", '"')
    if "pattern" in context:
        return str(context["pattern"])
    for name in ("min_length", "max_length"):
        if name in context:
            return f"{'≥' if name == 'min_length' else '≤'} {context[name]}"
    kind = error["type"]
    return next((example for start, example in _EXAMPLES.items() if kind.startswith(start)), error["msg"])


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def key_places(text: str) -> dict[Path, tuple[int, int]]:
    """Line and column (from 1) of each table and key, by path; what is inline stands at its key's place."""
    places: dict[Path, tuple[int, int]] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    for number, line in _plain_lines(text):
        if table := _TABLE.match(line):
            here = _enter(_parts(table[2]), counts, repeated=table[1] == "[[")
            if table[1] == "[[":
                places.setdefault(here[:-1], (number, table.start(1) + 1))
            places.setdefault(here, (number, table.start(1) + 1))
        elif key := _KEY.match(line):
            places.setdefault(here + _parts(key[1]), (number, key.start(1) + 1))
    return places


def _parts(dotted: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _enter(path: Path, counts: dict[Path, int], *, repeated: bool) -> Path:
    """The table's path with the positions of the arrays of tables on its way."""
    real: Path = ()
    for part in path[:-1]:
        real = (*real, part)
        if real in counts:
            real = (*real, counts[real] - 1)
    real = (*real, path[-1])
    if repeated:
        counts[real] = counts.get(real, 0) + 1
        real = (*real, counts[real] - 1)
    return real


def _plain_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside multi-line strings, with their numbers."""
    closing = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            if closing in line:
                closing = ""
            continue
        yield number, line
        for mark in ('"""', "'''"):
            if line.count(mark) % 2:
                closing = mark
