"""The day that words name, or the week, month or year: «昨天», «上周五», «十一月二十号», «上个月». Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
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

_WEEK = re.compile("(上上|上|这|本)个?(?:周|星期|礼拜)")
_MONTH = re.compile("(上上|上|这|本|当)个?月份?")
_NAMED_MONTH = re.compile("([0-9]{1,2}|[一二三四五六七八九十]{1,2})月份?")
_YEARS = {"今年": 0, "本年": 0, "this year": 0, "去年": -1, "last year": -1, "前年": -2}
_SPANS = {"last week": "上周", "this week": "这周", "last month": "上月", "this month": "这月"}
Span = tuple[date, date]


def span_of(words: str, today: date) -> Span | None:
    """Read the week, month or year that words name: its first day, and its last one or today; None without one.

    A month by its name is the latest one.
    """
    said = words.strip().lower()
    said = _SPANS.get(said, said)
    if week := _WEEK.fullmatch(said):
        monday = _of_week(week[1], 0, today)
        return monday, min(today, monday + timedelta(days=6))
    if month := _MONTH.fullmatch(said):
        back = {"上上": 2, "上": 1}.get(month[1], 0)
        return _month(today.year, today.month - back, today)
    if named := _NAMED_MONTH.fullmatch(said):
        number = _number(named[1])
        return _month(today.year - (number > today.month), number, today) if 1 <= number <= 12 else None
    if said in _YEARS:
        year = today.year + _YEARS[said]
        return date(year, 1, 1), min(today, date(year, 12, 31))
    return None


def _month(year: int, month: int, today: date) -> Span:
    """A month until today; below 1 it is one of the year before."""
    year, month = (year, month) if month >= 1 else (year - 1, month + 12)
    after = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, 1), min(today, after - timedelta(days=1))


def spoken_of(words: Sequence[str], today: date) -> Span | None:
    """Read the time that several words name together («上个月», «15号»): a day is closer than what it lies in."""
    span = next((span for one in words if (span := span_of(one, today)) is not None), None)
    for one in words:
        if span_of(one, today) is not None:
            continue
        only = _DAY_ONLY.fullmatch(one)
        day = day_of(f"{span[0].year}-{span[0].month}-{only[1]}" if span is not None and only else one, today)
        if day is not None:
            return day, day
    return span


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
