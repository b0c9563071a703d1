"""Weights, volumes and counts with their units, exactly as people say them. Pure; sources: D14, D15, 1B.2.

Grams, litres and whole pieces are integers. Each reading keeps the unit that was said; units are never converted
into one another across kinds (方 is not 吨, 台次 is not 台班).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from bot.talk.numerals import (
    FORMAL,
    MAX_CHARS,
    NUMERAL_CHARS,
    QuantityError,
    numeral,
    parse_number,
    refuse_vague,
    tidy,
)

__all__ = [
    "Counted",
    "QuantityError",
    "Volume",
    "Weight",
    "format_kg",
    "format_volume",
    "format_yuan",
    "parse_bags",
    "parse_number",
    "parse_people",
    "parse_percent_bp",
    "parse_vehicles",
    "parse_volume_l",
    "parse_weight_g",
]

WEIGHT_STEP_G = 10  # 0.01 kg, the step of the tickets (D14)
VOLUME_STEP_L = 10  # 0.01 m³
LARGEST_WEIGHT_G = 10**9  # 1,000 t: more than a township's year
LARGEST_VOLUME_L = 10**8
LARGEST_COUNT = 10**6
GRAMS = {
    **dict.fromkeys(("克", "g"), 1),
    "两": 50,
    **dict.fromkeys(("斤", "市斤"), 500),
    **dict.fromkeys(("公斤", "千克", "kg", "kgs"), 1_000),
    **dict.fromkeys(("吨", "公吨", "t"), 1_000_000),
}
LITRES = {
    **dict.fromkeys(("升", "l"), 1),
    **dict.fromkeys(("方", "立方", "立方米", "m3", "方量", "土方"), 1_000),
}
PEOPLE = dict.fromkeys(("人", "个人", "名", "个", "位", "口人", "人次", "名群众", "名党员", "名干部"), 1)
VEHICLES = dict.fromkeys(("辆", "辆车", "车", "车次", "台", "台车", "台次", "部", "趟"), 1)
BAGS = dict.fromkeys(("袋", "袋子", "包", "编织袋", "蛇皮袋", "麻袋", "大袋", "小袋"), 1)
TENTHS = (GRAMS["斤"], GRAMS["公斤"], GRAMS["吨"])  # «五斤二» is 5.2 斤, «八方五» 8.5 方
_END_MARKS = "。.,,!!;;、整呢了吧 "


@dataclass(frozen=True, slots=True)
class Weight:
    """Whole grams in steps of 10, and the unit that was said."""

    grams: int
    unit: str


@dataclass(frozen=True, slots=True)
class Volume:
    """Whole litres in steps of 10 (1 方 = 1,000), and the unit that was said."""

    litres: int
    unit: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A whole number of people, vehicles or bags, and the unit that was said («人次», «车»)."""

    value: int
    unit: str


def parse_weight_g(text: str, *, default_unit: str | None = None, largest_g: int = LARGEST_WEIGHT_G) -> Weight:
    """`15.6公斤`, `三十一斤半`, `3斤2两`, `2.3万斤`: rounded half-up to 0.01 kg, D14.

    A bare number needs `default_unit` (a key of GRAMS). Raises QuantityError; finer than 1 g is `too_precise`,
    and so is a weight above nothing that would round to nothing.
    """
    exact, unit = measure(text, GRAMS, default_unit)
    grams = _stepped(exact, WEIGHT_STEP_G, text)
    if grams > largest_g:
        raise QuantityError("too_large", text)
    return Weight(grams, unit)


def parse_volume_l(text: str, *, default_unit: str | None = None) -> Volume:
    """`8方`, `8.5 m³`, `两立方半`: rounded half-up to 0.01 m³. Raises QuantityError."""
    exact, unit = measure(text, LITRES, default_unit)
    litres = _stepped(exact, VOLUME_STEP_L, text)
    if litres > LARGEST_VOLUME_L:
        raise QuantityError("too_large", text)
    return Volume(litres, unit)


def parse_people(text: str, *, default_unit: str | None = None) -> Counted:
    """`12人`, `35人次`, `十二个人`. Raises QuantityError."""
    return _count(text, PEOPLE, default_unit)


def parse_vehicles(text: str, *, default_unit: str | None = None) -> Counted:
    """`3车`, `两辆`, `3台次`. Raises QuantityError."""
    return _count(text, VEHICLES, default_unit)


def parse_bags(text: str, *, default_unit: str | None = None) -> Counted:
    """`7袋`, `三编织袋`. Raises QuantityError."""
    return _count(text, BAGS, default_unit)


def parse_percent_bp(text: str) -> int:
    """`5%`, `百分之五`, `5个点`, or a bare `5` meant as a percentage: hundredths of a percent, 0 to 10,000."""
    said = tidy(text).rstrip(_END_MARKS)
    refuse_vague(said)
    for mark in ("%", "个百分点", "个点", "点"):
        said = said.removesuffix(mark)
    value = parse_number(said.removeprefix("百分之")) * 100
    if value > 10_000:
        raise QuantityError("too_large", text)
    if value % 1:
        raise QuantityError("too_precise", text)
    return int(value)


def measure(text: str, units: Mapping[str, int], default_unit: str | None = None) -> tuple[Decimal, str]:
    """The exact value of `text` in the base unit of `units`, and the (last, smallest) unit's first word said."""
    said = tidy(text).rstrip(_END_MARKS).translate(FORMAL).lower()
    if not said or len(said) > MAX_CHARS or not any(is_numeral(c) for c in said):
        raise QuantityError("vague" if said.startswith("几") else "not_a_number", text)
    refuse_vague(said)
    if any(is_numeral(said[i - 1]) and is_numeral(said[i + 1]) for i, c in enumerate(said) if c == " "):
        raise QuantityError("not_a_number", text)
    said = said.replace(" ", "")
    reading = next(_readings(said, units, None), None)
    if reading is not None:
        return reading
    end = next((i for i, c in enumerate(said) if not is_numeral(c)), len(said))
    if end < len(said):
        known = said[end:].lower() in units
        raise QuantityError("not_a_number" if end == 0 or known else "unit_unknown", text)
    if default_unit is None:
        numeral("0.5" if said == "半" else said)
        raise QuantityError("unit_missing", text)
    value = Decimal("0.5") if said == "半" else numeral(said)
    return value * units[default_unit], default_unit


def is_numeral(character: str) -> bool:
    """Can the (one) character stand inside a number?"""
    return character in _NUMERALS


_NUMERALS = frozenset(NUMERAL_CHARS.replace("0-9", "0123456789"))


def _readings(said: str, units: Mapping[str, int], above: int | None) -> Iterator[tuple[Decimal, str]]:
    """Ways to read all of `said` as number-unit pairs of falling units, likeliest first.

    The longest number comes first («两万五千克» is 25 kg, not 25,000 kg); the unit's name is then the longest
    one of the same value («五千克» said 千克).
    """
    end = next((i for i, c in enumerate(said) if not is_numeral(c) and c not in "两"), len(said))
    for cut in range(min(end, len(said) - 1), 0, -1):
        try:
            value = Decimal("0.5") if said[:cut] == "半" else numeral(said[:cut])
        except QuantityError as problem:
            loud = cut == end and problem.code in ("vague", "too_large", "too_precise")
            if loud and any(said.startswith(unit, cut) for unit in units):
                raise
            continue
        for unit in sorted((u for u in units if said.startswith(u, cut)), key=len, reverse=True):
            size = units[unit]
            if above is not None and size >= above:
                continue
            for low, _ in _tails(said[cut + len(unit) :], units, size):
                yield value * size + low, _longest_name(said, cut, unit, units, value)


def _tails(rest: str, units: Mapping[str, int], size: int) -> Iterator[tuple[Decimal, str]]:
    """What may follow a pair: nothing, 半 (half of that unit), a digit («五斤二», «一吨二»: its tenth), more pairs."""
    if not rest:
        yield Decimal(0), ""
    elif rest == "半":
        yield Decimal(size) / 2, ""
    elif size in TENTHS and len(rest) == 1 and rest in "一二三四五六七八九123456789":
        yield numeral(rest) * size / 10, ""
    else:
        yield from _readings(rest, units, size)


def _longest_name(said: str, cut: int, unit: str, units: Mapping[str, int], value: Decimal) -> str:
    wider = said[cut - 1] + unit
    if wider in units and cut > 1:
        try:
            if numeral(said[: cut - 1]) * units[wider] == value * units[unit]:
                return wider
        except QuantityError:
            return unit
    return unit


def _stepped(exact: Decimal, step: int, said: str) -> int:
    if exact % 1:
        raise QuantityError("too_precise", said)
    rounded = int((exact / step).quantize(Decimal(1), ROUND_HALF_UP)) * step
    if exact and not rounded:
        raise QuantityError("too_precise", said)
    return rounded


def _count(text: str, units: Mapping[str, int], default_unit: str | None) -> Counted:
    exact, unit = measure(text, units, default_unit)
    if exact % 1:
        raise QuantityError("too_precise", text)
    if exact > LARGEST_COUNT:
        raise QuantityError("too_large", text)
    return Counted(int(exact), unit)


def format_kg(grams: int) -> str:
    """Kilograms without needless zeros: 15750 → `15.75`, 15600 → `15.6`, 12000 → `12`."""
    return _trimmed(grams)


def format_volume(litres: int) -> str:
    """Cubic metres without needless zeros: 8500 → `8.5`."""
    return _trimmed(litres)


def _trimmed(thousandths: int) -> str:
    sign, size = ("-" if thousandths < 0 else ""), abs(thousandths)
    part = f"{size % 1000:03d}".rstrip("0")
    return f"{sign}{size // 1000}{'.' if part else ''}{part}"


def format_yuan(fen: int) -> str:
    """Yuan with two places: 394 → `3.94`, -5 → `-0.05`."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"
