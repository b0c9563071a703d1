"""The day that words name: «昨天», «上周五», «11月20号», «十一月二十号». Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot.talk.form import read_day
from bot.talk.numerals import QuantityError, parse_number

_NEAR = {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1, "后": 2}
_NEAR_DAY = re.compile("(大前|前|昨|今|明|后)[天日儿晚早夜]")
_WEEKDAY = re.compile("(上上|上|这|本|下)?个?(?:周|星期|礼拜)([一二三四五六日天])")
_ENGLISH = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKS = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1}
_CHINESE = re.compile("([一二三四五六七八九十]{1,2})月([一二三四五六七八九十廿卅]{1,3})[日号]?")
_DAY_ONLY = re.compile("([0-9]{1,2})[号日]")


def day_of(words: str, today: date) -> date | None:
    """Read the day that words name, or None. A weekday alone is the latest one, a day without a month this month's."""
    near = _NEAR_DAY.search(words)
    if near:
        return today + timedelta(days=_NEAR[near[1]])
    weekday = _WEEKDAY.search(words)
    if weekday:
        return _of_week(weekday[1], "一二三四五六日".index(weekday[2].replace("天", "日")), today)
    english = next((place for place, name in enumerate(_ENGLISH) if name in words.lower()), None)
    if english is not None:
        return _of_week("上" if "last" in words.lower() else None, english, today)
    chinese = _CHINESE.fullmatch(words)
    if chinese:
        words = "-".join(str(_number(part)) for part in chinese.groups())
    only = _DAY_ONLY.fullmatch(words)
    if only:
        words = f"{today.month}-{only[1]}"
    return read_day(words.replace(" ", "").lower(), today)


def _of_week(which: str | None, weekday: int, today: date) -> date:
    if which is None:
        return today - timedelta(days=(today.weekday() - weekday) % 7)
    return today + timedelta(days=weekday - today.weekday() + 7 * _WEEKS[which])


def _number(said: str) -> int:
    try:
        return int(parse_number(said))
    except QuantityError:
        return 0
