"""Who may look at a county's townships, which days and townships words mean, and how figures are added up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.i18n import Catalogues
from handlers.county.looking import Glance, WriteRefused
from handlers.county.rules import Days, Seen, Sums, Town, compose, days_of, periods, sums_of, towns_named
from handlers.digests.rules import Figures, Scope
from handlers.duties.rules import Rollcall, Village
from handlers.people.rules import COUNTY_RIGHTS, COUNTY_ROLES, GRANTS, RIGHTS, ROLES, STANDS_FOR, may, may_grant

TODAY = date(2026, 11, 20)  # a Friday
WHOLE = Scope(True, ("镇",), frozenset(), frozenset())
FIGURES = Figures("青禾塬镇", 0, 0, 86_400_000, True, WHOLE)
COUNTS = st.integers(0, 10**9)
SUMS = st.builds(Sums, *(COUNTS for _ in Sums.__slots__))


@dataclass(frozen=True)
class Held:
    name: str
    area_id: int


# ── rights ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ROLES)
def test_no_role_of_a_township_sees_the_county_or_gives_it_away(role: str) -> None:
    assert not may([Held(role, 1)], "see_county")
    assert not any(may_grant([Held(role, 1)], given_out, 1) for given_out in COUNTY_ROLES)


@pytest.mark.parametrize("role", COUNTY_ROLES)
def test_county_roles_only_look(role: str) -> None:
    allowed = {right for right in (*RIGHTS, *COUNTY_RIGHTS) if may([Held(role, 1)], right)}
    assert allowed == {"see_county", "ask_digest"}
    assert role not in STANDS_FOR and role not in GRANTS and role not in ROLES


# ── days ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("", TODAY, TODAY),
        ("昨天", date(2026, 11, 19), date(2026, 11, 19)),
        ("2026-11-01", date(2026, 11, 1), date(2026, 11, 1)),
        ("2026-11-14 2026-11-20", date(2026, 11, 14), TODAY),
        ("2026-11-20 2026-11-14", date(2026, 11, 14), TODAY),
        ("11月14日到11月20日", date(2026, 11, 14), TODAY),
        ("2026-11-14 — 2026-11-20", date(2026, 11, 14), TODAY),
        ("2026-11-14 to 2026-11-20", date(2026, 11, 14), TODAY),
        ("本周", date(2026, 11, 16), TODAY),
        ("month", date(2026, 11, 1), TODAY),
    ],
)
def test_days_as_they_are_said(said: str, first: date, last: date) -> None:
    assert days_of(said, TODAY) == Days(first, last)


@pytest.mark.parametrize("said", ["后天吧", "2026-13-01", "2026-11-01 2026-11-02 2026-11-03", "2026-11-01 x"])
def test_what_is_no_day(said: str) -> None:
    assert days_of(said, TODAY) is None


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 30))
def test_days_read_back_as_they_are_printed(last: date, more: int) -> None:
    days = Days(date.fromordinal(last.toordinal() - more), last)
    assert days_of(days.said, last) == days
    assert (days.each()[0], days.each()[-1], len(days.each())) == (days.first, days.last, more + 1)
    for name, one in periods(last).items():
        assert one.first <= one.last <= last and days_of(one.said, last) == one, name


# ── townships ────────────────────────────────────────────────────────────────


def test_a_township_is_known_by_its_code_or_its_name() -> None:
    qinghe, peace, peace_too = Town(1, "101", "青禾塬镇"), Town(2, "102", "和平镇"), Town(3, "103", "和平乡")
    towns = [qinghe, peace, peace_too]
    for said in ("101", "青禾塬镇", "青禾塬"):
        assert towns_named(towns, said) == [qinghe]
    assert towns_named(towns, "和平") == [peace, peace_too]
    assert towns_named(towns, "和平乡") == [peace_too]
    for said in ("", "青禾", "10", "2026-11-20", "镇"):
        assert towns_named(towns, said) == []


# ── figures ──────────────────────────────────────────────────────────────────


@given(st.lists(SUMS, max_size=5))
def test_adding_up_keeps_every_figure_and_the_funds_apart(every: list[Sums]) -> None:
    total = sum(every, Sums())
    for name in Sums.__slots__:
        assert getattr(total, name) == sum(getattr(one, name) for one in every)


def roll(reported: int, villages: int) -> Rollcall:
    """A clean-up to which so many of the villages answered."""
    each = tuple(Village(at, f"{at}村", () if at < reported else None) for at in range(villages))
    return Rollcall(0, 1, 1, each)


def test_the_list_has_the_digest_s_own_figures() -> None:
    figures = replace(
        FIGURES,
        values={
            "cases.new": 5,
            "cases.verified": 1,
            "cases.rejected": 2,
            "cases.duplicate": 1,
            "film.tickets": 2,
            "film.accepted_g": 15_600,
            "film.county_fen": 1_560,
            "film.township_fen": 780,
        },
        waiting={"cases": 7},
        late={"cases": 3},
        cleaning=(roll(18, 24), roll(20, 24), replace(roll(1, 1), common=False)),
    )
    assert sums_of(Seen(Town(1, "1", "镇"), figures)) == Sums(5, 4, 7, 3, 15_600, 1_560, 780, 38, 48)
    assert sums_of(Seen(Town(1, "1", "镇"))) is None


def listed(every: Sequence[Seen]) -> str:
    say = compose("某县", Days(TODAY, TODAY), every, TODAY)
    assert all(len(button.data.encode()) <= 40 for row in say.rows for button in row)
    return Catalogues(ZoneInfo("Asia/Shanghai"))["zh_CN"].render(say.text)


def test_townships_with_other_hours_say_their_own_period() -> None:
    a, b = Town(1, "629999101", "甲镇"), Town(2, "629999102", "乙镇")
    same = listed([Seen(a, FIGURES), Seen(b, FIGURES)])
    assert same.count("数据时间") == 1 and same.index("数据时间") < same.index("甲镇")
    later = replace(FIGURES, until_ms=90_000_000)
    differ = listed([Seen(a, FIGURES), Seen(b, later)])
    assert differ.count("数据时间") == 2 and differ.index("数据时间") > differ.index("甲镇")
    unknown = listed([Seen(a), Seen(b, FIGURES)])
    assert "【甲镇】\n暂无数据" in unknown


# ── nothing is written ───────────────────────────────────────────────────────


class Rows:
    """A transaction that would do anything."""

    township_id = 2
    sealing = None

    async def one(self, sql: str, params: Any = None) -> Any:
        return {"n": 1}

    all = run = one


@pytest.mark.parametrize(
    "sql", ["INSERT INTO x VALUES (1) RETURNING a", " update x set a = 1", "DELETE FROM x", "DROP TABLE x"]
)
def test_what_is_looked_at_can_t_be_written(sql: str) -> None:
    glance = Glance(Rows())  # type: ignore[arg-type]
    assert asyncio.run(glance.one("SELECT 1 AS n")) == {"n": 1}
    for call in (glance.one, glance.all, glance.run):
        with pytest.raises(WriteRefused):
            asyncio.run(call(sql))
    for refused in (glance.many(sql, [{}]), glance.notify("topic", "")):
        with pytest.raises(WriteRefused):
            asyncio.run(refused)  # type: ignore[arg-type]
    for leave in (glance.savepoint, lambda: glance.at(1)):
        with pytest.raises(WriteRefused):
            leave()
