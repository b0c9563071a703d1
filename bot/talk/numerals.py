"""Numbers as people say and write them, read exactly: `15.6`, `15,6`, `1,200`, `三十一`, `一百二`, `2.3万`, `1万2千`.

Pure. Nothing is guessed: «二十多», «三五», «10-12» are refused as vague, and a malformed number is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal

from bot.talk import letters

MAX_CHARS = 60
MAX_DIGITS = 12
MAX_PLACES = 9
DIGITS = {"零": 0, "〇": 0, **{digit: value for value, digit in enumerate("一二三四五六七八九", start=1)}}
TENS = {"千": 1000, "百": 100, "十": 10}
BIG = {"亿": 10**8, "万": 10**4}
FORMAL = str.maketrans(
    "壹贰叁肆伍陆柒捌玖拾佰仟萬億貳參叄陸兩點〇俩",
    "一二三四五六七八九十百千万亿二三三六两点零两",
)
NUMERAL_CHARS = "0-9.,零一二三四五六七八九两十百千万亿点半廿卅"
VAGUE = re.compile(
    "[多余几约近至到或~]|数[十百千万]|好些|若干|左右|上下|大概|以上|以下|最少|不足|超过|[十百千万0-9]来|不止|顶多"
)
RANGE = re.compile(rf"[{NUMERAL_CHARS}][-–—−][{NUMERAL_CHARS}]")
NEGATIVE = re.compile(rf"^(?:[-–—−]|负)[{NUMERAL_CHARS}]")
_POINT = re.compile(r"(?<=[0-9])[。｡·•・‧](?=[0-9])")  # a phone's keyboard has them where the point is
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_COEFFICIENT = re.compile(r"[0-9]+(?:\.[0-9]+)?|[零一二三四五六七八九两]")


class QuantityError(ValueError):
    """What was said is not a usable quantity. `code` names the reason, `said` the words it is about.

    Codes: not_a_number, unit_missing, unit_unknown, negative, too_precise, vague, too_large, name_missing,
    tare_exceeds_gross, mismatch, repeated.
    """

    def __init__(self, code: str, said: str = "") -> None:
        super().__init__(f"{code}: {said[:40]}")
        self.code = code
        self.said = said[:40]


def tidy(text: str) -> str:
    """Full-width forms made plain, control and direction marks dropped, runs of spaces made one."""
    return _POINT.sub(".", letters.tidy(text[: 4 * MAX_CHARS]))


def refuse_vague(text: str) -> None:
    """Raise `vague` for «多, 余, 左右, 10-12», `negative` for a minus sign."""
    if NEGATIVE.search(text):
        raise QuantityError("negative", text)
    if VAGUE.search(text + " ") or RANGE.search(text):
        raise QuantityError("vague", text)


def parse_number(text: str, *, largest: int = 10**12) -> Decimal:
    """The exact number that the whole of `text` says; raises QuantityError."""
    said = tidy(text).translate(FORMAL)
    if not said or len(said) > MAX_CHARS:
        raise QuantityError("not_a_number", text)
    refuse_vague(said)
    if re.search(r"[0-9] [0-9]", said):
        raise QuantityError("not_a_number", text)
    said = said.replace(" ", "")
    value = Decimal("0.5") if said == "半" else numeral(said)
    if value > largest:
        raise QuantityError("too_large", text)
    return value


def numeral(said: str) -> Decimal:
    """The value of tidied numeral characters without spaces; raises not_a_number, vague, too_large, too_precise."""
    whole, point, part = said.partition("点")
    if not point:
        return _integer(said, said)
    digits = re.match(r"[零一二三四五六七八九0-9]+", part)
    if not digits or digits.end() > MAX_PLACES:
        raise QuantityError("not_a_number", said)
    fraction = "".join(str(DIGITS.get(c, c)) for c in digits.group())
    unit = part[digits.end() :]
    if unit not in {"", *TENS, *BIG}:
        raise QuantityError("not_a_number", said)
    return (_integer(whole, said) + Decimal(f"0.{fraction}")) * {**TENS, **BIG}.get(unit, 1)


def _arabic(digits: str) -> Decimal:
    whole, _, part = digits.partition(".")
    if len(whole.lstrip("0")) > MAX_DIGITS:
        raise QuantityError("too_large", digits)
    if len(part.rstrip("0")) > MAX_PLACES:
        raise QuantityError("too_precise", digits)
    return Decimal(digits)


def _integer(text: str, said: str) -> Decimal:
    """Sections of 亿 and 万; a lone last digit counts the next lower unit («一万二» is 12,000)."""
    for unit, size in BIG.items():
        head, found, tail = text.rpartition(unit)
        if not found:
            continue
        high = _integer(head, said)
        if high >= 10**4 or not high or (tail and high % 1):
            raise QuantityError("not_a_number", said)
        if len(tail) == 1 and tail not in "零0":
            return high * size + _digit(tail, said) * size // 10
        low = _integer(tail.removeprefix("零"), said) if tail else Decimal(0)
        if low >= size or low % 1:
            raise QuantityError("not_a_number", said)
        return high * size + low
    return _section(text, said)


def _digit(character: str, said: str) -> int:
    found = int(character) if character.isascii() and character.isdigit() else DIGITS.get(character)
    if found is None:
        raise QuantityError("not_a_number", said)
    return found


def _section(text: str, said: str) -> Decimal:
    """A number in plain digits, or one below 10,000 in 千, 百, 十 and ones."""
    if _THOUSANDS.fullmatch(text):
        return _arabic(text.replace(",", ""))
    if _PLAIN.fullmatch(text):
        return _arabic(text.replace(",", "."))
    if not text:
        raise QuantityError("not_a_number", said)
    if "零" in text and len(text) > 1 and all(c in DIGITS for c in text):
        return _arabic("".join(str(DIGITS[c]) for c in text))  # read digit by digit, as in 二零二六
    total, last_unit, zero, position = Decimal(0), 10**5, False, 0
    while position < len(text):
        if text[position] == "零" and position and position + 1 < len(text) and not zero:
            zero, position = True, position + 1
            continue
        value, unit, after = _term(text, position, said)
        if value % 1 and after < len(text):
            raise QuantityError("not_a_number", said)
        if unit == 1 and after < len(text):
            both_digits = text[position] in DIGITS and text[after] in DIGITS
            raise QuantityError("vague" if both_digits else "not_a_number", said)
        if unit == 1 and after - position == 1 and last_unit in (100, 1000) and not zero:
            unit = last_unit // 10
        if unit >= last_unit or (last_unit <= 1000 and value * unit >= last_unit):
            raise QuantityError("not_a_number", said)
        total, last_unit, zero, position = total + value * unit, unit, False, after
    return total


def _term(text: str, position: int, said: str) -> tuple[Decimal, int, int]:
    """One coefficient with its unit: (value, unit, position after it)."""
    if text[position] in "廿卅":
        after = position + 1
        return Decimal(2 if text[position] == "廿" else 3), 10, after
    if text[position] == "十":
        return Decimal(1), 10, position + 1
    found = _COEFFICIENT.match(text, position)
    if not found:
        raise QuantityError("not_a_number", said)
    after, word = found.end(), found.group()
    unit = TENS.get(text[after : after + 1], 1)
    if word == "两":
        if unit < 100 and not (position == 0 and after == len(text)):
            raise QuantityError("vague" if unit == 1 else "not_a_number", said)
        return Decimal(2), unit, after + (unit > 1)
    value = Decimal(DIGITS[word]) if word in DIGITS else _arabic(word)
    if not value and (unit > 1 or len(text) > 1):
        raise QuantityError("not_a_number", said)
    return value, unit, after + (unit > 1)
