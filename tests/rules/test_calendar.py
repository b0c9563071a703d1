"""The working calendar and the day of each week's clean-up (D21)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import CapturingLogger

from handlers.duties import calendar
from handlers.duties.calendar import is_workday
from handlers.duties.rules import cleanup_day, reminder_day, report_days, week_of

DAYS = st.dates(date(2005, 1, 1), date(2060, 12, 31))


@pytest.fixture(autouse=True)
def forgotten_years() -> Iterator[None]:
    calendar.is_known.cache_clear()
    yield
    calendar.is_known.cache_clear()


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-20", True),  # an ordinary Friday
        ("2026-11-21", False),  # Saturday
        ("2026-10-01", False),  # National Day
        ("2026-10-02", False),  # a Friday inside the holiday
        ("2026-10-09", True),  # the Friday after it
        ("2026-10-10", True),  # a Saturday worked in exchange (调休)
        ("2026-09-20", True),  # a Sunday worked in exchange
        ("2026-09-25", False),  # Mid-Autumn, a Friday
        ("2026-02-20", False),  # Spring Festival, a Friday
    ],
)
def test_published_years_know_holidays_and_swapped_days(day: str, works: bool) -> None:
    assert is_workday(date.fromisoformat(day)) is works


def test_unknown_years_count_plain_weekdays_and_say_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    log = CapturingLogger()
    monkeypatch.setattr(calendar, "log", log)
    days = [date(2055, 10, 1) + timedelta(days=at) for at in range(14)]
    assert [is_workday(day) for day in days] == [day.isoweekday() < 6 for day in days]
    assert [(call.args, call.kwargs["year"]) for call in log.calls] == [(("calendar.year_unknown",), 2055)]


@pytest.mark.parametrize(
    ("nominal", "on_holiday", "expected"),
    [
        ("2026-11-20", "skip", "2026-11-20"),
        ("2026-10-02", "skip", None),
        ("2026-10-02", "last_workday", "2026-09-30"),  # Thursday is a holiday too
        ("2026-09-25", "last_workday", "2026-09-24"),
        ("2026-02-20", "last_workday", None),  # the whole week is a holiday
        ("2026-10-09", "last_workday", "2026-10-09"),
    ],
)
def test_the_day_of_the_clean_up(nominal: str, on_holiday: str, expected: str | None) -> None:
    found = cleanup_day(date.fromisoformat(nominal), on_holiday, is_workday)
    assert found == (date.fromisoformat(expected) if expected else None)


@given(DAYS, st.sampled_from(["skip", "last_workday"]), st.frozensets(st.integers(0, 6)))
def test_a_clean_up_is_on_a_working_day_of_its_own_week(nominal: date, on_holiday: str, off: frozenset[int]) -> None:
    week = week_of(nominal)
    found = cleanup_day(nominal, on_holiday, lambda day: week.index(day) not in off)
    if found is None:
        expected_free = week[: nominal.isoweekday()] if on_holiday == "last_workday" else [nominal]
        assert all(week.index(day) in off for day in expected_free)
    else:
        assert found in week and found <= nominal and week.index(found) not in off
        between = [day for day in week if found < day <= nominal]
        assert all(week.index(day) in off for day in between)


@given(DAYS)
def test_a_week_begins_on_monday_and_holds_its_day(day: date) -> None:
    week = week_of(day)
    assert len(week) == 7 and day in week
    assert [one.isoweekday() for one in week] == [1, 2, 3, 4, 5, 6, 7]


@given(DAYS, st.integers(1, 7), st.integers(1, 7))
def test_reminders_keep_their_distance_from_a_moved_clean_up(cleanup: date, weekday: int, reminder: int) -> None:
    before = (cleanup - reminder_day(cleanup, weekday, reminder)).days
    assert 0 <= before < 7
    assert (weekday - before - reminder) % 7 == 0


def test_a_late_report_may_be_about_the_clean_up_just_past() -> None:
    fridays = {date(2026, 11, 20), date(2026, 11, 27)}
    expected = {20: [20], 21: [20, 21], 22: [20, 22], 23: [23], 26: [26], 27: [27]}
    for today, days in expected.items():
        found = report_days(date(2026, 11, today), fridays.__contains__)
        assert found == [date(2026, 11, day) for day in days]
