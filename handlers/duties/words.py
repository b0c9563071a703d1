"""A village's effort said in one line: «12人 3车 8方», also inside a sentence. Pure; D15, D21."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.talk.numerals import NUMERAL_CHARS, VAGUE, QuantityError, tidy
from bot.talk.quantity import LITRES, PEOPLE, VEHICLES, parse_people, parse_vehicles, parse_volume_l

MAX_LINE_CHARS = 200
_N = rf"[{NUMERAL_CHARS}]"
_BREAKS = str.maketrans("，、；：:;", "      ")


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A Friday's effort (D21); None is «not said», never zero. The units are kept as said (D15: no conversion)."""

    people: int | None = None
    vehicles: int | None = None
    volume_l: int | None = None
    people_unit: str = ""
    vehicle_unit: str = ""


_SAID_ALONE = {"个", "位", "部", "趟"}  # «一个», «一部分» mean no people and no vehicles in a sentence
_START = NUMERAL_CHARS.replace(".,", "").replace("点", "")
_EFFORT = {
    name: re.compile(
        rf"(?:[-负几数约近]|大约|大概)?[{_START}]{_N}*[多余来几]?\s*"
        rf"(?:{'|'.join(sorted(units.keys() - _SAID_ALONE, key=len, reverse=True))})半?(?:左右|上下|以上|多)?"
        r"(?![村社组镇班面法向便a-z])",
        re.IGNORECASE,
    )
    for name, units in (("people", PEOPLE), ("vehicles", VEHICLES), ("volume", LITRES))
}
_LABEL_FIRST = re.compile(rf"(^|\s)(人|车|方)[数次辆]?:?\s?({_N}+)(?=\s|$)")


def parse_cleanup_line(text: str) -> Cleanup:
    """«12人 3车 8方», also inside a sentence («出动群众35人次，清运垃圾8.5方»).

    Raises QuantityError: `not_a_number` when no effort is named, `repeated` when one kind is named twice
    (台次 and 车次 are never added), or what is wrong with a number.
    """
    said = _LABEL_FIRST.sub(r"\1\3\2", tidy(text.translate(_BREAKS)))
    if len(said) > MAX_LINE_CHARS:
        raise QuantityError("not_a_number", text)
    parts = {name: _effort(said, name) for name in _EFFORT}
    if not any(parts.values()):
        raise QuantityError("not_a_number", text)
    people = parse_people(parts["people"]) if parts["people"] else None
    vehicles = parse_vehicles(parts["vehicles"]) if parts["vehicles"] else None
    volume = parse_volume_l(parts["volume"]) if parts["volume"] else None
    return Cleanup(
        people=people.value if people else None,
        vehicles=vehicles.value if vehicles else None,
        volume_l=volume.litres if volume else None,
        people_unit=people.unit if people else "",
        vehicle_unit=vehicles.unit if vehicles else "",
    )


def _effort(said: str, name: str) -> str:
    """The words of one kind of effort, or ""."""
    found = [match.group() for match in _EFFORT[name].finditer(said)]
    if len(found) > 1:
        raise QuantityError("repeated", found[1])
    if found and VAGUE.search(found[0]):
        raise QuantityError("vague", found[0])
    return found[0] if found else ""
