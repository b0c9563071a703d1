"""A village's effort said in one line: «12人 3车 8方», also inside a sentence. Pure; D15, D21."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.talk.form import read_day
from bot.talk.numerals import NUMERAL_CHARS, VAGUE, QuantityError, tidy
from bot.talk.quantity import LITRES, PEOPLE, VEHICLES, parse_people, parse_vehicles, parse_volume_l

MAX_LINE_CHARS = 200
_N = rf"[{NUMERAL_CHARS}]"
ACCUSING = ("有人", "举报", "偷", "乱倒", "乱扔")
_PARSERS: Mapping[str, Callable[[str], object]] = {
    "people": parse_people,
    "vehicles": parse_vehicles,
    "volume": parse_volume_l,
}
_NAMED = re.compile(rf"[{NUMERAL_CHARS}几多来]\s*(?:个|名)?(人|车|方)")
_DAY = re.compile(r"今天|昨天|前天|(?<!\d)\d{1,2}月\d{1,2}[日号]")
_BREAKS = str.maketrans("，、；：:;", "      ")


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A Friday's effort (D21); None is «not said», never zero. The units are kept as said (D15: no conversion)."""

    people: int | None = None
    vehicles: int | None = None
    volume_l: int | None = None
    people_unit: str = ""
    vehicle_unit: str = ""

    @property
    def metrics(self) -> frozenset[str]:
        """What was said: of `people`, `vehicles` and `volume`."""
        said = {"people": self.people, "vehicles": self.vehicles, "volume": self.volume_l}
        return frozenset(metric for metric, value in said.items() if value is not None)


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


def is_cleanup_line(said: str, *, strict: bool = True) -> bool:
    """Whether free words are a village's report, perhaps with a wrong number in it; never an accusation («有人…»).

    Strict: at least two of people, vehicles and m³, or one of them and nothing else. Otherwise one is enough.
    """
    if any(word in said for word in ACCUSING):
        return False
    try:
        named = parse_cleanup_line(said).metrics
    except QuantityError as problem:
        return problem.code != "not_a_number" and (not strict or len({*_NAMED.findall(said)}) > 1)
    return not strict or len(named) > 1 or any(_is_all(said, metric) for metric in named)


def is_line_of_another_day(said: str) -> bool:
    """Whether a line said on no clean-up day is a village's report all the same: its people and more, readable or not.

    One figure alone says too little where nobody expects a report.
    """
    return is_whole_line(said) or (is_cleanup_line(said) and not _readable(said) and "人" in said)


def is_one_figure(said: str) -> bool:
    """Whether words are one figure of a report and nothing else: «12人», «3车», «8方»."""
    named = _readable(said)
    return len(named) == 1 and any(_is_all(said, metric) for metric in named)


def _readable(said: str) -> frozenset[str]:
    """The metrics that a line says; none when a number of it can't be read."""
    try:
        return parse_cleanup_line(said).metrics
    except QuantityError:
        return frozenset()


def is_whole_line(said: str) -> bool:
    """Whether a line says the people and something else of a report, all of it readable."""
    return is_cleanup_line(said) and {"people"} < _readable(said)


def _is_all(said: str, metric: str) -> bool:
    """Whether the words are that one figure and nothing else."""
    try:
        _PARSERS[metric](said)
    except QuantityError:
        return False
    return True


def after_command_word(said: str, words: Sequence[str]) -> str | None:
    """What follows a command word at the beginning («周五 12人3车»), or None when there is no such word."""
    for word in sorted(words, key=len, reverse=True):
        if word and said.casefold().startswith(word.casefold()):
            return said[len(word) :].lstrip(" :：,，。")
    return None


def day_in(said: str, today: date) -> date | None:
    """The day that a line says («今天王家沟12个人…», «11月20日 12人 3车»); None when it says none."""
    found = _DAY.search(said)
    return read_day(found.group(), today) if found else None
