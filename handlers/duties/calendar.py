"""Chinese working days: weekends, public holidays and 调休 (D21), as far as the years are known."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import chinese_calendar
import structlog

SATURDAY = 6
log = structlog.get_logger()


def is_workday(day: date) -> bool:
    """Whether people work that day. A year without published holidays counts plain weekdays."""
    if not is_known(day.year):
        return day.isoweekday() < SATURDAY
    return bool(chinese_calendar.is_workday(day))


@lru_cache(maxsize=256)
def is_known(year: int) -> bool:
    """Whether the holidays of a year are known; an unknown one is said in the log, once."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        log.warning("calendar.year_unknown", year=year, advice="update chinesecalendar; weekdays count until then")
        return False
    return True
