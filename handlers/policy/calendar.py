"""Chinese working days: weekends, public holidays and 调休 (D21).

What the State Council publishes each autumn for the next year comes from an imported `calendar.toml`, else from
`chinesecalendar`. A year that neither knows has the holidays that the law fixes (全国年节及纪念日放假办法), the lunar
ones too, without any day worked in exchange.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated

import structlog
from pydantic import Field, model_validator

from handlers.policy.fields import Many, Table, Word, fault

SATURDAY = 6
LONGEST_DAYS = 16
FIRST_YEAR, LAST_YEAR = 2024, 2100
log = structlog.get_logger()


class Holiday(Table):
    """One paragraph of the announcement: «元旦：1月1日至3日放假调休，共3天。1月4日（周日）上班。»"""

    name: Word
    first: date
    last: date
    work: Many[date] = ()

    @property
    def days(self) -> Iterator[date]:
        """The days off, the first one first."""
        return (self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1))

    @model_validator(mode="after")
    def _possible(self) -> Holiday:
        if not 0 <= (self.last - self.first).days < LONGEST_DAYS:
            raise fault("policy_holiday_days", name=self.name)
        for day in self.work:
            if day.isoweekday() < SATURDAY or self.first <= day <= self.last:
                raise fault("policy_holiday_work", name=self.name, value=day.isoformat())
        return self


class CalendarYear(Table):
    """The announcement for one year, as a township imports it."""

    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    basis: Annotated[str, Field(min_length=1, max_length=200)]
    holidays: Annotated[Many[Holiday], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _of_the_year(self) -> CalendarYear:
        for one in self.holidays:
            if self.year not in (one.first.year, one.last.year):
                raise fault("policy_holiday_year", name=one.name, year=self.year)
        return self

    def lacks(self) -> list[date]:
        """The days off by law that are none here: a table that was typed in only in part."""
        off = {day for one in self.holidays for day in one.days}
        return [day for day in sorted(_legal(self.year, made_up=False)) if day not in off]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of a township; `years` are those imported."""

    years: frozenset[int] = frozenset()
    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        """Whether people work that day."""
        if day in self.work or day in self.off:
            return day in self.work
        if day.year in self.years:
            return day.isoweekday() < SATURDAY
        if is_published(day.year):
            return _published_workday(day)
        return day.isoweekday() < SATURDAY and day not in _by_law(day.year)

    def knows(self, year: int) -> bool:
        """Whether the announcement for a year is known."""
        return year in self.years or is_published(year)

    def missing(self, today: date, since_month: int) -> int | None:
        """The year whose announcement should be known and is not: this one, or from a month on the next one."""
        if not self.knows(today.year):
            return today.year
        return today.year + 1 if today.month >= since_month and not self.knows(today.year + 1) else None


def calendar_of(years: Iterable[CalendarYear]) -> Calendar:
    """The calendar of the announcements; where two name a day, it is worked."""
    known = tuple(years)
    work = frozenset(day for year in known for one in year.holidays for day in one.work)
    off = frozenset(day for year in known for one in year.holidays for day in one.days) - work
    return Calendar(frozenset(year.year for year in known), off, work)


def _published_workday(day: date) -> bool:
    import chinese_calendar

    return bool(chinese_calendar.is_workday(day))


@lru_cache(maxsize=256)
def is_published(year: int) -> bool:
    """Whether the library has a year's announcement."""
    try:
        _published_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


@lru_cache(maxsize=256)
def _by_law(year: int) -> frozenset[date]:
    """The days off of a year that nobody announced yet; the log says so, once."""
    advice = "import the announcement as calendar.toml, or update chinesecalendar; the law's holidays count until then"
    log.warning("calendar.year_unknown", year=year, advice=advice)
    return _legal(year, made_up=True)


def _legal(year: int, *, made_up: bool) -> frozenset[date]:
    """The law's holidays; `made_up` adds the working day that the law gives for one on a weekend (article 6)."""
    import holidays

    return frozenset(holidays.country_holidays("CN", years=year, observed=made_up))
