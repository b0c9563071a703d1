"""The readers of what everybody says the same way: telephones, plates, days, times, weights, counts, money. Pure.

`READERS` has them in their order: what only looks like a number (a telephone, a plate, a day) is read before what is
one, so that a weight is never read out of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.talk.numerals import NUMERAL_CHARS, QuantityError
from bot.talk.quantity import (
    BAGS,
    GRAMS,
    LITRES,
    PEOPLE,
    VEHICLES,
    parse_bags,
    parse_number,
    parse_people,
    parse_percent_bp,
    parse_vehicles,
    parse_volume_l,
    parse_weight_g,
)
from bot.talk.understanding.names import people
from bot.talk.understanding.slots import Reader, Slot

LONGEST_QUANTITY = 24  # characters of one quantity
PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
_N = rf"[{NUMERAL_CHARS}]"
_START = NUMERAL_CHARS.replace(".,", "").replace("点", "")
_PHONE = re.compile(
    r"(?<![0-9A-Za-z.])(?:\+?86[- ]?)?(?:1[0-9]{2}[- ]?[0-9]{4}[- ]?[0-9]{4}|0[0-9]{2,3}-?[0-9]{7,8})(?![0-9])"
)
_HOTLINE = re.compile(r"(?<![0-9A-Za-z.])(?:1[12][0-9]|12[0-9]{3})(?=(?:热线|电话|$|[^0-9.A-Za-z一-鿿]))")
_PLATE = re.compile(rf"[{PROVINCES}]\s?[A-Za-z]\s?[·.-]?\s?[A-Za-z0-9]{{5,6}}(?![0-9])")
_NO_PLATE = re.compile("没有?(?:挂|上)?(?:车牌|牌子|牌照|牌)|无牌照?|没挂牌")
_CN = "一二三四五六七八九十廿卅"
_DATES = re.compile(
    r"20[0-9]{2}\s?[-年./]\s?[0-9]{1,2}\s?[-月./]\s?[0-9]{1,2}(?![0-9])\s?[日号]?"
    r"|(?<![0-9.])[0-9]{1,2}\s?月\s?[0-9]{1,2}\s?[日号]?"
    rf"|[{_CN}]{{1,2}}月[{_CN}]{{1,3}}[日号]?"
    r"|(?<![0-9.])[0-9]{1,2}[号日](?![0-9楼院])"
)
_DAYS = re.compile(
    "大前[天日]|前[天日儿]|昨[天日儿]|今[天日儿]|明[天日儿]|后[天日]|昨晚|今早|今晚|昨夜"
    "|(?:上上?|这|本|下)?个?(?:周|星期|礼拜)[一二三四五六日天]"
    "|(?:上|这|本|下)个?(?:周末|周|星期|礼拜)|(?:上|这|本|下)个?月|去年|今年|月底|年底"
    "|[一二三四五六七八九十两几好0-9]{1,4}(?:天|个?月|个?礼拜|个?星期|周)(?:[前里了])?"
    "|\\b(?:today|yesterday|tomorrow|tonight|last week|this week|last month|this month"
    "|(?:last |this |next )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday))\\b",
    re.IGNORECASE,
)
_TIMES = re.compile(
    r"(?:凌晨|早上|上午|中午|下午|晚上|半夜)?(?<![0-9.])(?:[01]?[0-9]|2[0-4])(?:[::][0-5][0-9]|点(?:[0-5]?[0-9]分?|半|多|钟|左右)?(?![0-9.]))(?![斤方吨人车])"
    rf"|(?:凌晨|早上|上午|中午|下午|晚上|半夜)[{_CN}两]{{1,3}}点(?:半|多|钟|[{_CN}]{{1,3}}分)?(?![斤方吨])"
    "|凌晨|清早|大清早|早上|上午|中午|下午|傍晚|晚上|半夜|夜里|天黑"
)
_PERCENT = re.compile(rf"{_N}{{1,16}}\s?(?:%|个百分点|个点)|百分之{_N}{{1,16}}")
_TENTH = "[1-9](?![0-9.斤公千吨个袋])|[一二三四五六七八九](?![一二三四五六七八九十百斤公千吨个袋])"
_MONEY = re.compile(
    rf"[{_START}]{_N}{{0,16}}\s?(?:块(?:[一二三四五六七八九1-9]毛|{_TENTH}|钱)?|元钱?|毛钱?|角钱?|分钱)"
)


def _units(names: Mapping[str, int], leaving: frozenset[str] = frozenset()) -> str:
    return "|".join(sorted((re.escape(one) for one in names.keys() - leaving), key=len, reverse=True))


_WEIGHT = re.compile(
    rf"[{_START}]{_N}{{0,16}}[多余来几]?\s?(?:{_units(GRAMS)})(?![a-z])(?:[{_START}]{_N}{{0,16}}(?:{_units(GRAMS)})(?![a-z]))*"
    rf"(?:半|[一二三四五六七八九1-9](?![{NUMERAL_CHARS}个家户车袋包毛块]))?",
    re.IGNORECASE,
)
_VOLUME = re.compile(rf"[{_START}]{_N}{{0,16}}\s?(?:{_units(LITRES)})(?![a-z面向便法])(?:半)?", re.IGNORECASE)
_LOOSE = frozenset(("个", "位", "部", "趟"))
_PEOPLE = re.compile(rf"[{_START}]{_N}{{0,16}}\s?(?:{_units(PEOPLE, _LOOSE)})")
_VEHICLES = re.compile(rf"[{_START}]{_N}{{0,16}}\s?(?:{_units(VEHICLES, _LOOSE)})")
_BAGS = re.compile(rf"[{_START}]{_N}{{0,16}}\s?(?:{_units(BAGS)})")


def _spans(kind: str, pattern: re.Pattern[str], *, opaque: bool = True) -> Reader:
    """A reader whose value is the words themselves."""

    def found(said: str) -> Iterator[Slot]:
        for one in pattern.finditer(said):
            yield Slot(kind, one.start(), one.end(), one.group().strip(), opaque)

    return found


def _quantity(kind: str, pattern: re.Pattern[str], parse: Callable[[str], Any]) -> Reader:
    """A reader of quantities. Of words that are none as a whole the longest end that is one is taken.

    Where nothing can be read the value is the problem's code (`vague`, `too_precise`): something of the kind stands
    there all the same.
    """

    def found(said: str) -> Iterator[Slot]:
        for one in pattern.finditer(said):
            if one.end() - one.start() > LONGEST_QUANTITY:
                continue
            problem, at = "", one.start()
            for start in range(one.start(), one.end()):
                if start > one.start() and said[start - 1].isdigit() and said[start].isdigit():
                    continue
                try:
                    yield Slot(kind, start, one.end(), parse(said[start : one.end()]))
                    break
                except QuantityError as refused:
                    if refused.code != "not_a_number" or not problem:
                        problem, at = refused.code, start
            else:
                yield Slot(kind, at, one.end(), problem)

    return found


def _fen(said: str) -> int:
    """Money as people say it («3块5», «八毛», «12.5元») in fen."""
    whole = re.fullmatch(rf"({_N}+)\s?(?:元钱?|块钱?)(?:({_N})毛?)?", said)
    if whole:
        return int(parse_number(whole[1]) * 100 + (parse_number(whole[2]) * 10 if whole[2] else 0))
    tenths = re.fullmatch(rf"({_N}+)\s?[毛角]钱?", said)
    if tenths:
        return int(parse_number(tenths[1]) * 10)
    if not said.endswith("分钱"):
        raise QuantityError("unit_missing", said)
    return int(parse_number(said.removesuffix("分钱")))


def _no_plate(said: str) -> Iterator[Slot]:
    for one in _NO_PLATE.finditer(said):
        yield Slot("plate", one.start(), one.end(), "", opaque=False)


READERS: tuple[Reader, ...] = (
    _spans("phone", _PHONE),
    _spans("plate", _PLATE),
    _no_plate,
    _spans("date", _DATES),
    people,
    _spans("day", _DAYS, opaque=False),
    _quantity("percent", _PERCENT, parse_percent_bp),
    _quantity("money", _MONEY, _fen),
    _quantity("weight", _WEIGHT, parse_weight_g),
    _quantity("volume", _VOLUME, parse_volume_l),
    _spans("time", _TIMES, opaque=False),
    _quantity("bags", _BAGS, parse_bags),
    _quantity("people", _PEOPLE, parse_people),
    _quantity("vehicles", _VEHICLES, parse_vehicles),
    _spans("phone", _HOTLINE),
)
