"""No statement of the hot path reads a growing table from end to end (docs/decisions/0006).

A day in a small town is played on the real program while every statement is noted; each is then explained by a
migrated database, whose statistics are written by rule.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.web import history
from storage.database import Tx
from storage.engine.migrate import migrate
from storage.engine.opening import SQLITE
from storage.engine.sqlite import SqliteTx
from storage.machine import inbox, media, outbox, timers
from tests.stories.doings import belongs, cleaner_of, number_and_code, weighs
from tests.stories.template import make_template
from tests.stories.town import Someone, Town

GROWING = frozenset(
    {
        "inbox", "outbox", "sessions", "timers", "people", "contacts", "consents", "transfers", "balances", "media",
        "media_grants", "cases", "case_events", "case_reporters", "case_media", "film_tickets", "film_ticket_events",
        "film_waits", "cleanup_reports", "effort_entries", "digest_runs", "digest_undelivered", "duty_drops",
        "reversals",
    }
)  # fmt: skip
# Statements that may, and why; each is known by how it begins.
ALLOWED: dict[str, str] = dict.fromkeys(
    (
        "SELECT MAX(n) AS n FROM (SELECT (SELECT MAX(x.id)",
        "SELECT MAX(n) AS n FROM (SELECT MAX(id)",
        "SELECT (SELECT claim FROM deliveries WHERE township_id = :t) AS claim, (SELECT MAX(id) FROM outbox",
    ),
    "the newest id of a township: SQLite reads one row at the index's end",
) | {
    "SELECT x.destination AS account, x.ref, x.amount FROM transfers x": "what was given before; once",
}
NAMED = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?", re.IGNORECASE)
STEP = re.compile(r"(SCAN|SEARCH) (\w+)(?: USING (.*))?")
INDEX = re.compile(r"(?:COVERING )?INDEX (\w+)")


class Anything(dict[str, Any]):
    """A value for every parameter: a plan doesn't depend on them."""

    def __missing__(self, name: str) -> Any:
        return 1


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Every statement that the program runs."""
    found: set[str] = set()

    def note(name: str) -> None:
        real = getattr(SqliteTx, name)

        def noting(self: SqliteTx, sql: str, *rest: Any) -> Any:
            found.add(sql)
            return real(self, sql, *rest)

        monkeypatch.setattr(SqliteTx, name, noting)

    for name in ("one", "all", "run", "many"):
        note(name)
    yield found


@pytest.fixture
def empty(tmp_path: Path) -> sqlite3.Connection:
    """A migrated database with nothing in it."""
    migrate(tmp_path / "empty.db", now_ms=0)
    return sqlite3.connect(tmp_path / "empty.db")


async def a_day(folder: Path) -> None:
    """What happens all the time: reports, verification, film, points, cleaning, reminders, a digest, a night."""
    url = f"{SQLITE}{folder / 'town.db'}"
    await make_template(url)
    town = await Town.open(folder / "data", url, "web")
    try:
        keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
        staff = await town.person("孙干事", role="staff")
        cleaner = await cleaner_of(town)
        aunt = await town.person("张大娘")
        await belongs(town, aunt)
        await aunt.sends_photo(2, caption="王家沟桥头有人倒垃圾")
        await aunt.taps("提交")
        await aunt.says("我要举报")
        await aunt.taps("乱倒垃圾")
        await aunt.taps("跳过")
        await aunt.sends_place(35.651781, 104.734687)
        await aunt.taps("改留名")
        await aunt.taps("匿名")
        await aunt.taps("提交")
        number, code = number_and_code(aunt.sees("领奖码"))
        await town.tick()
        await keeper.says("待核实")
        for one in ("2026-0001", number):
            await keeper.says(f"/verify {one} true")
        await aunt.says(f"领奖 {number} {code}")
        await weighs(cleaner, "张三 15.6公斤")
        for words in ("我的积分", "我的补贴", "我的举报", f"/case {number}", "我的信息", "谁负责王家沟"):
            await aunt.says(words)
        await cleaner.says("今日称重")
        await cleaner.says("/ticket 1")
        for when in ("2026-11-19 19:00", "2026-11-20 08:00"):
            town.clock.go_to(when)
            await town.tick()
        await keeper.says("12人 3车 8方")
        await keeper.taps("提交")
        await staff.says("点名")
        await staff.says("日报")
        for when in ("2026-11-20 18:00", "2026-11-20 20:00", "2026-11-21 03:30"):
            town.clock.go_to(when)
            await town.tick()
        await more(town, staff, keeper, aunt)
    finally:
        await town.close()


async def more(town: Town, staff: Someone, keeper: Someone, aunt: Someone) -> None:
    """Corrections, duplicates, invitations, a page that is opened, what `/health` asks, somebody who leaves."""
    seen = next(heard.media[0] for heard in keeper.heard if heard.media)
    assert await town.app.media.of(1).may_see(seen, keeper.driver.address)
    town.clock.go_to("2026-11-21 10:00")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    await keeper.taps("重复…")
    await keeper.taps("2026-0001")
    await keeper.taps("确定重复")
    keeper.sees("重复")
    await aunt.says("/object 1")
    await staff.says("/correct 1")
    await staff.taps("重量")
    await staff.says("20公斤")
    await staff.says("少看了一袋")
    await staff.taps("确认更正")
    staff.sees("原来的作废")
    await aunt.says("/link")
    await staff.says("发邀请")
    await staff.taps("保洁员")
    await staff.says("王家沟")
    await staff.taps("生成邀请")
    await aunt.starts(staff.sees("?join=").links[0][1].partition("?join=")[2].partition("&")[0])
    aunt.sees("欢迎")

    async def page(tx: Tx) -> None:
        address, now_ms, catalogues = aunt.driver.address, town.clock.now_ms(), town.app.catalogues
        await history.before(tx, address, catalogues, before_id=history.NEWEST, limit=50, now_ms=now_ms)
        await history.after(tx, address, catalogues, after_id=0, limit=50, now_ms=now_ms)
        await history.waiting(tx, address)
        for counts in (inbox.counts, outbox.counts, timers.counts, media.counts):
            await counts(tx)

    await town.app.database.read(page)
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    town.clock.advance(hours=2)
    await town.tick()


def whole_table(connection: sqlite3.Connection, sql: str) -> list[str]:
    """The steps of a statement's plan that read a growing table by nothing but its township."""
    names = {alias.lower(): table.lower() for table, alias in NAMED.findall(sql) if alias}
    partial = {
        row[1] for table in GROWING for row in connection.execute(f"PRAGMA index_list({table})").fetchall() if row[4]
    }
    found = []
    for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {sql}", Anything()).fetchall():
        step = STEP.match(detail)
        if step is None or names.get(step[2].lower(), step[2].lower()) not in GROWING:
            continue
        how = step[3] or ""
        index = INDEX.match(how)
        if index is not None and index[1] in partial:
            continue
        if step[1] == "SCAN" or how.endswith("(township_id=?)"):
            found.append(detail)
    return found


async def test_no_statement_of_the_hot_path_reads_a_growing_table_through(
    noted: set[str], empty: sqlite3.Connection, tmp_path: Path
) -> None:
    await a_day(tmp_path)
    statements = [sql for sql in noted if not sql.startswith(tuple(ALLOWED))]
    assert len(statements) > 100, "the day did not play"
    offenders = {sql: steps for sql in statements if (steps := whole_table(empty, sql))}
    assert offenders == {}
    assert [start for start in ALLOWED if not any(sql.startswith(start) for sql in noted)] == [], "no longer run"


def test_a_statement_that_reads_a_table_through_is_found(empty: sqlite3.Connection) -> None:
    """The check bites."""
    for sql in (
        "SELECT * FROM inbox",
        "SELECT * FROM outbox o WHERE o.township_id = :t AND o.body LIKE :x",
        "UPDATE cases SET place = '' WHERE township_id = :t AND statement = :x",
        "SELECT p.name FROM roles r JOIN people AS p ON p.township_id = r.township_id AND p.name = :x"
        " WHERE r.township_id = :t AND r.person_id = :y",
    ):
        assert whole_table(empty, sql), sql
    for sql in (
        "SELECT * FROM inbox WHERE township_id = :t AND id = :id",
        "SELECT * FROM outbox WHERE township_id = :t AND state = 'due' ORDER BY id LIMIT 5",
    ):
        assert whole_table(empty, sql) == [], sql
