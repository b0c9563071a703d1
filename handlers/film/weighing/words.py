"""A weigh-in said in one line: «张三 15.6公斤», «张三家 毛16 皮0.4 公斤 杂质5%». Pure; D14.

A name can end in a numeral («张三三十一斤半»), so a line gives every reading, the longest name first;
the caller keeps those whose name it knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.talk.numerals import NUMERAL_CHARS, QuantityError, tidy
from bot.talk.quantity import (
    GRAMS,
    Weight,
    is_numeral,
    parse_percent_bp,
    parse_weight_g,
)

MAX_LINE_CHARS = 200
MAX_NAME_CHARS = 30
_N = rf"[{NUMERAL_CHARS}]"
_UNIT = "|".join(sorted(GRAMS, key=len, reverse=True))
_IMPURITY = re.compile(
    rf"(?:含?杂质?率?|扣杂?率?|扣除)\s*[:=]?\s*((?:百分之)?{_N}+\s*(?:%|个百分点|个点)?)(?P<weight>\s*(?:{_UNIT})(?![a-z]))?"
    rf"|({_N}+\s*%)"
)
_LABEL = re.compile(rf"(毛|皮|净|总)(重?)(\s*[:=]?\s*)(?={_N})")
_LABEL_LAST = re.compile(r"[^\s](?:毛|皮|净|总)重?$|\s(?:毛|皮|净|总)重$")
_LABELLED_BEHIND = re.compile(
    rf"((?:[0-9]+(?:[.,][0-9]+)?|[{NUMERAL_CHARS.replace('0-9.,', '')}]+)\s*(?:{_UNIT})?)\s*(毛|皮|净|总)重?",
    re.IGNORECASE,
)
_ROLES = {"毛": "gross", "总": "gross", "皮": "tare", "净": "net"}
_WEIGHT_SAID = re.compile(rf"{_N}[多余几来]*\s*(?:{_UNIT})", re.IGNORECASE)
_BREAKS = str.maketrans("，、；：:;", "      ")
_WORTH_TELLING = ("vague", "negative", "too_large", "too_precise")
_A_WEIGHT_BEGINS = re.compile(rf"{_N}|[-–—负]|大概|大约|约|差不多|将近|不到|超过|至少|好?几")
_BARE_NUMBER = re.compile(rf"^\S+ {_N}+$")
_CARD = re.compile(r"^[A-Za-z0-9-]+$|(?:尾号|后[四4]位)[A-Za-z0-9-]+$")  # or what lists show of one
_LOUD = ("vague", "negative", "too_large", "too_precise", "tare_exceeds_gross", "mismatch", "repeated")


@dataclass(frozen=True, slots=True)
class WeighReading:
    """One way to read a weigh-in line: whose film, its weights in grams, impurity in basis points, film kind id."""

    name_text: str
    gross_g: int | None = None
    tare_g: int | None = None
    net_g: int | None = None
    impurity_bp: int | None = None
    unit: str = ""
    kind: str | None = None


def parse_weigh_line(
    text: str, *, default_unit: str | None = None, kinds: Mapping[str, str] | None = None
) -> tuple[WeighReading, ...]:
    """Every reading of a one-line weigh-in, the longest name first; never empty.

    `kinds` maps words («棚膜») to film kind ids. A bare number takes the unit said elsewhere in the line, else
    `default_unit`. Raises QuantityError: `not_a_number` when the line is no weigh-in at all, `name_missing`, or
    what is wrong with its weight.
    """
    said = tidy(text.translate(_BREAKS))
    if len(said) > MAX_LINE_CHARS:
        raise QuantityError("not_a_number", text)
    said, kind = _take_kind(_labels_first(said), kinds or {})
    said, impurity_bp = _take_impurity(said)
    line_unit = _line_unit(said) or default_unit
    found: dict[WeighReading, None] = {}
    problems: list[QuantityError] = []
    ways, firm = _labelled(said, line_unit, problems)
    if not firm:
        ways += _unlabelled(said, default_unit, problems)
    for name, weights in ways:
        for spelling in _spellings(name):
            found[_reading(spelling, weights, impurity_bp, kind)] = None
    if found:
        return tuple(sorted(found, key=lambda reading: -len(reading.name_text)))
    raise _worst(said, problems)


def _labels_first(said: str) -> str:
    """«16公斤毛重 0.4公斤皮重» as «毛重16公斤 皮重0.4公斤»: each label follows its weight."""
    return _LABELLED_BEHIND.sub(r" \2重\1", said) if _LABEL_LAST.search(said) else said


def _take_kind(said: str, kinds: Mapping[str, str]) -> tuple[str, str | None]:
    for word in sorted(kinds, key=len, reverse=True):
        at = said.find(word, 1)
        if at > 0:
            return f"{said[:at].rstrip()} {said[at + len(word) :].lstrip()}".strip(), kinds[word]
    return said, None


def _take_impurity(said: str) -> tuple[str, int | None]:
    found = _IMPURITY.search(said, 1)
    if not found:
        return said, None
    if found["weight"]:
        raise QuantityError("unit_unknown", found.group())
    percent = parse_percent_bp(found[1] or found[3])
    return f"{said[: found.start()].rstrip()} {said[found.end() :].lstrip()}".strip(), percent


def _line_unit(said: str) -> str | None:
    found = re.findall(rf"{_N}\s*({_UNIT})(?![a-z])", said, re.IGNORECASE)
    return found[-1].lower() if found else None


_Weights = dict[str, Weight]
_Ways = list[tuple[str, _Weights]]


def _labelled(said: str, unit: str | None, problems: list[QuantityError]) -> tuple[_Ways, bool]:
    """Readings by 毛/皮/净, and whether the labels leave no other reading.

    A label glued to the name («张三毛16») counts only with 重 or right before a digit, and is not firm.
    """
    before = " " + "".join(GRAMS) + "0123456789"
    every = [found for found in _LABEL.finditer(said) if found.start()]
    labels = [
        found
        for found in every
        if found[2] or said[found.start() - 1] in before or (not found[3] and said[found.end()].isdigit())
    ]
    if not labels:
        return [], False
    firm = bool(labels[0][2]) or said[labels[0].start() - 1] in before
    weights: _Weights = {}
    ends = [label.start() for label in labels[1:]] + [len(said)]
    head = said[: labels[0].start()]
    try:
        for label, end in zip(labels, ends, strict=True):
            role = _ROLES[label[1]]
            if role in weights:
                raise QuantityError("repeated", label[1])
            weights[role] = parse_weight_g(said[label.end() : end], default_unit=unit)
        if "gross" in weights or "net" in weights:
            return [(head, _complete(weights))], firm
        whole = [(name, {"gross": more["net"], **weights}) for name, more in _unlabelled(head, unit, problems)]
        return [(name, _complete(parts)) for name, parts in whole], firm
    except QuantityError as problem:
        problems.append(problem)
        return [], firm


def _complete(weights: _Weights) -> _Weights:
    """Work out the third of gross, tare, net; a contradiction is an error."""
    gross, tare, net = (weights.get(role) for role in ("gross", "tare", "net"))
    if gross and tare:
        if tare.grams >= gross.grams:
            raise QuantityError("tare_exceeds_gross", f"{gross.grams} {tare.grams}")
        difference = Weight(gross.grams - tare.grams, gross.unit)
        if net and net.grams != difference.grams:
            raise QuantityError("mismatch", f"{gross.grams} {tare.grams} {net.grams}")
        return {**weights, "net": difference}
    if gross and net:
        if net.grams > gross.grams:
            raise QuantityError("mismatch", f"{gross.grams} {net.grams}")
        return {**weights, "tare": Weight(gross.grams - net.grams, gross.unit)}
    return weights


def _unlabelled(said: str, unit: str | None, problems: list[QuantityError]) -> _Ways:
    """A name and one net weight: a space decides where the name ends; without one, every place is tried."""
    said = said.strip()
    spaces = [at for at, character in enumerate(said) if character == " "]
    for at in spaces:
        rest = said[at + 1 :]
        if (weight := _try_weight(rest, unit, problems)) is not None:
            if any(_try_weight(word, None, []) for word in said[:at].split()[1:]):
                problems.append(QuantityError("repeated", rest))
                return []
            return [(said[:at], {"net": weight})]
        if problems[-1].code in _WORTH_TELLING and _A_WEIGHT_BEGINS.match(rest):
            return []
    for at in reversed(spaces):
        if not is_numeral(said[at + 1]) and (weight := _try_weight(said[:at], unit, [])) is not None:
            return [(said[at + 1 :], {"net": weight})]
    tries = [(said[:at], _try_weight(said[at:], unit, problems)) for at in _glued_cuts(said)]
    return [(name, {"net": weight}) for name, weight in tries if weight is not None]


def _glued_cuts(said: str) -> Iterator[int]:
    """Where a weight could begin right after a name: never inside a run of digits, letters or a minus sign."""
    for at in range(len(said) - 1, 0, -1):
        before, here = said[at - 1], said[at]
        inside = before.isascii() and (before.isalnum() or before in ".,-") and here.isascii()
        if is_numeral(here) and here not in ".,点" and not inside and before not in "-–—负点":
            yield at


def _try_weight(text: str, unit: str | None, problems: list[QuantityError]) -> Weight | None:
    try:
        return parse_weight_g(text, default_unit=unit)
    except QuantityError as problem:
        problems.append(problem)
        return None


def _spellings(name: str) -> Iterator[str]:
    """The name as said, and without «家» or «户» («张三家»)."""
    plain = name.strip(" :.,;。的-")
    last = plain.split(" ")[-1]
    digits_in_a_name = re.search("[0-9]", last) and not _CARD.search(last)
    if plain and len(plain) <= MAX_NAME_CHARS and not digits_in_a_name:
        yield plain
        if len(plain) > 2 and plain[-1] in "家户":
            yield plain[:-1]


def _reading(name: str, weights: _Weights, impurity_bp: int | None, kind: str | None) -> WeighReading:
    grams = {role: weight.grams for role, weight in weights.items()}
    unit = next(iter(weights.values())).unit
    return WeighReading(
        name, grams.get("gross"), grams.get("tare"), grams.get("net"), impurity_bp, unit=unit, kind=kind
    )


def _worst(said: str, problems: list[QuantityError]) -> QuantityError:
    """The problem worth telling; a line without a weight is no weigh-in, whatever its words made of numerals."""
    if _WEIGHT_SAID.search(said):
        try:
            parse_weight_g(said)
        except QuantityError as problem:
            if problem.code in ("not_a_number", "unit_unknown"):
                for code in _LOUD:
                    if found := next((p for p in problems if p.code == code), None):
                        return found
            return problem
        return QuantityError("name_missing", said)
    if _BARE_NUMBER.match(said):
        return QuantityError("unit_missing", said)
    return QuantityError("not_a_number", said)
