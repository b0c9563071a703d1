"""Public holidays of a year that nobody announced yet: kept by law, asked for, imported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.policy import calendar
from tests.stories.doings import imports, ticks
from tests.stories.town import Someone, Town

NEW_YEAR = """
year = 2027
basis = "国办发明电〔2026〕0号（虚构）"
[[holidays]]
name = "元旦"
first = 2027-01-01
last = 2027-01-03
[[holidays]]
name = "春节"
first = 2027-02-05
last = 2027-02-13
work = [2027-02-20]
[[holidays]]
name = "清明节"
first = 2027-04-03
last = 2027-04-05
[[holidays]]
name = "劳动节"
first = 2027-05-01
last = 2027-05-05
[[holidays]]
name = "端午节"
first = 2027-06-09
last = 2027-06-09
[[holidays]]
name = "中秋节"
first = 2027-09-15
last = 2027-09-15
[[holidays]]
name = "国庆节"
first = 2027-10-01
last = 2027-10-07
"""


@pytest.fixture(autouse=True)
def nothing_after_2026(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library as it is before the next announcement."""
    published = calendar.is_published.__wrapped__
    monkeypatch.setattr(calendar, "is_published", lambda year: year < 2027 and published(year))
    calendar._by_law.cache_clear()
    yield
    calendar._by_law.cache_clear()


def reminders(someone: Someone) -> list[str]:
    return [heard.text for heard in someone.heard if "集中整治，请" in heard.text]


async def test_new_year_s_day_of_an_unannounced_year_reminds_nobody(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-12-28 09:00")
    await town.tick()
    before = len(reminders(keeper))
    await ticks(town, "2026-12-31 19:00", "2027-01-01 08:00", "2027-01-01 20:00")
    assert len(reminders(keeper)) == before
    staff.sees_not("集中整治点名 2027-01-01")
    await staff.says("点名")
    staff.sees("1月1日 周五", "没有集中整治", "下一次是 1月8日 周五")
    await keeper.says("待办")  # a page that nobody has used for a month is signed out
    await ticks(town, "2027-01-07 19:00")
    keeper.sees("明天（1月8日 周五）集中整治")


async def test_spring_festival_of_an_unannounced_year_reminds_nobody(town: Town) -> None:
    """By the moon: the eve is Friday, 5 February 2027."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2027-02-01 09:00")
    await town.tick()
    before = len(reminders(keeper))
    await ticks(town, "2027-02-04 19:00", "2027-02-05 08:00")
    assert len(reminders(keeper)) == before


async def test_the_december_digest_asks_for_next_year_until_it_is_imported(town: Town, tmp_path: Path) -> None:
    staff = await town.person("孙干事", role="staff")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await ticks(town, "2026-11-29 18:00", "2026-11-30 18:00")
    staff.sees_not("放假安排")
    await ticks(town, "2026-12-01 18:00")
    staff.sees("还没有 2027 年的放假安排", "calendar.toml")
    keeper.sees_not("放假安排")
    asked = [heard for heard in staff.heard if "放假安排" in heard.text]
    await ticks(town, "2026-12-02 18:00")
    assert [heard for heard in staff.heard if "放假安排" in heard.text] == asked  # not every day
    await imports(town, tmp_path / "calendar-2027.toml", NEW_YEAR)
    await ticks(town, "2026-12-07 18:00")
    assert [heard for heard in staff.heard if "放假安排" in heard.text] == asked


async def test_an_imported_announcement_moves_the_week_at_once(town: Town, tmp_path: Path) -> None:
    """12 February is a working day by law alone; the announcement makes it a day off, and a later one takes it back."""
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2027-02-12 09:00")
    await staff.says("点名")
    staff.sees("集中整治点名 2027-02-12")
    await imports(town, tmp_path / "calendar-2027.toml", NEW_YEAR)
    await staff.says("点名")
    staff.sees("2月12日 周五", "没有集中整治", "下一次是 2月19日 周五")
    await imports(town, tmp_path / "calendar-2027.toml", NEW_YEAR.replace("2027-02-13", "2027-02-11"))
    await staff.says("点名")
    staff.sees("集中整治点名 2027-02-12")
