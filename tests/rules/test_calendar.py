"""The working calendar and the day of each week's clean-up (D21)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import CapturingLogger

from handlers.duties.rules import cleanup_day, reminder_day, report_days, week_of
from handlers.policy import calendar
from handlers.policy.calendar import Calendar, CalendarYear, calendar_of
from handlers.policy.loader import PolicyInvalid, load_calendar

ROOT = Path(__file__).parents[2]
DAYS = st.dates(date(2005, 1, 1), date(2060, 12, 31))
is_workday = Calendar().is_workday


@pytest.fixture(autouse=True)
def nothing_after_2026(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library as it is before the next announcement."""
    published = calendar.is_published.__wrapped__
    monkeypatch.setattr(calendar, "is_published", lambda year: year < 2027 and published(year))
    calendar._by_law.cache_clear()
    yield
    calendar._by_law.cache_clear()


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


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2027-01-01", False),  # New Year, a Friday
        ("2027-02-05", False),  # the eve of Spring Festival, by the moon, a Friday
        ("2027-02-10", False),  # made up for a weekend day of Spring Festival
        ("2027-02-12", True),
        ("2027-06-09", False),  # Dragon Boat
        ("2027-10-01", False),  # National Day, a Friday
        ("2027-10-09", False),  # no Saturday is worked in exchange before it is announced
        ("2033-01-31", False),  # Spring Festival of a year with a leap month near its end
        ("2028-05-29", False),  # Dragon Boat on a Sunday is made up on Monday
    ],
)
def test_years_without_an_announcement_have_the_law_s_holidays(day: str, works: bool) -> None:
    assert is_workday(date.fromisoformat(day)) is works


def test_an_unknown_year_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    log = CapturingLogger()
    monkeypatch.setattr(calendar, "log", log)
    for at in range(14):
        is_workday(date(2055, 9, 25) + timedelta(days=at))
    assert [(call.args, call.kwargs["year"]) for call in log.calls] == [(("calendar.year_unknown",), 2055)]


@given(st.integers(2027, 2090).flatmap(lambda year: st.dates(date(year, 1, 1), date(year, 12, 31))))
def test_no_weekend_and_no_fixed_holiday_is_worked_in_an_unknown_year(day: date) -> None:
    fixed = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}
    if day.isoweekday() > 5 or (day.month, day.day) in fixed:
        assert not is_workday(day)
    if day.month in (3, 7, 8, 11, 12) and day.isoweekday() < 6:
        assert is_workday(day)


def documented(language: str) -> str:
    text = (ROOT / "docs" / language / "operator.md").read_text("utf-8")
    return next(block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if block.startswith("year"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_guide_s_announcement_of_2026_is_the_library_s(language: str) -> None:
    year = load_calendar(documented(language))
    imported = calendar_of([year])
    days = [date(2026, 1, 1) + timedelta(days=at) for at in range(365)]
    assert [day for day in days if imported.is_workday(day) != is_workday(day)] == []
    assert year.lacks() == []


def announced(**other: object) -> str:
    lines = {"year": "2027", "basis": '"国办发明电〔2026〕0号"', **other}
    head = "\n".join(f"{key} = {value}" for key, value in lines.items())
    return f'{head}\n[[holidays]]\nname = "元旦"\nfirst = 2026-12-31\nlast = 2027-01-02\nwork = [2027-01-03]\n'


def test_an_imported_year_counts_before_everything_also_across_its_end() -> None:
    found = calendar_of([load_calendar(announced())])
    days = ["2026-12-31", "2027-01-01", "2027-01-03", "2027-10-01", "2028-01-01"]
    assert [found.is_workday(date.fromisoformat(day)) for day in days] == [False, False, True, True, False]
    assert (found.knows(2027), found.knows(2028)) == (True, False)
    assert date(2027, 10, 1) in load_calendar(announced()).lacks()


def test_what_is_missing_is_said_in_its_time() -> None:
    none, with_2027 = Calendar(), calendar_of([load_calendar(announced())])
    assert [none.missing(date(2026, month, 1), 12) for month in (10, 11, 12)] == [None, None, 2027]
    assert none.missing(date(2027, 3, 1), 12) == 2027
    assert with_2027.missing(date(2026, 12, 1), 12) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        ("last = 2027-01-02", "last = 2026-12-30", 3, "policy_holiday_days"),
        ("last = 2027-01-02", "last = 2027-12-02", 3, "policy_holiday_days"),
        ("[2027-01-03]", "[2027-01-04]", 3, "policy_holiday_work"),
        ("[2027-01-03]", "[2027-01-02]", 3, "policy_holiday_work"),
        ("year = 2027", "year = 2029", 1, "policy_holiday_year"),
        ("[2027-01-03]", '["2027-01-03"]', 7, "policy_wrong_type"),
        ('name = "元旦"', "name = 0.5", 4, "policy_wrong_type"),
        ("first =", "frist =", 5, "policy_unknown_key"),
    ],
)
def test_an_announcement_that_can_not_be_is_told_with_its_line(old: str, new: str, line: int, code: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        load_calendar(announced().replace(old, new))
    assert (line, code) in [(fault.line, fault.code) for fault in caught.value.faults]


@given(st.lists(st.tuples(DAYS, st.integers(0, 8)), min_size=1, max_size=5))
def test_a_calendar_of_announcements_works_on_every_day_once(spans: list[tuple[date, int]]) -> None:
    years = [
        CalendarYear.model_construct(
            year=first.year,
            basis="x",
            holidays=(
                calendar.Holiday.model_construct(name="x", first=first, last=first + timedelta(days=days), work=()),
            ),
        )
        for first, days in spans
    ]
    found = calendar_of(years)
    assert not found.off & found.work
    assert not any(found.is_workday(first + timedelta(days=days)) for first, days in spans)


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
    expected = {20: [20], 21: [20, 21], 22: [20, 22], 23: [20, 23], 24: [24], 26: [26], 27: [27]}
    for today, days in expected.items():
        found = report_days(date(2026, 11, today), fridays.__contains__, 3)
        assert found == [date(2026, 11, day) for day in days]
