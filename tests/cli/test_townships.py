"""Several townships at the console: import beside one another, links, bots."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.console.doctor import look_around, seen_of
from bot.console.townships import bots_check, calendar_check, links
from bot.settings import Settings
from handlers.policy.calendar import Calendar
from storage.database import Tx
from storage.engine.opening import open_database
from storage.machine import townships
from tests.cli.console import Console
from tests.example import EXAMPLE, SECOND
from tests.fakes.botapi import FakeBotApi

QINGHE, SHAJING = "629999101", "629999102"


class Terminal(Console):
    """A console whose database is looked into."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.settings = Settings(_env_file=None, data_dir=folder, public_url="https://chat.example")

    def refused(self, *words: object) -> str:
        """What a command that did not work said; nothing was changed by it."""
        before = self.known()
        said = super().refused(*words)
        assert self.known() == before
        return said

    def rows(self, sql: str, township_id: int = 1) -> list[tuple[Any, ...]]:
        """Look into the database."""

        async def work(tx: Tx) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in await tx.all(sql)]

        async def look() -> list[tuple[Any, ...]]:
            database = await open_database(self.settings.database)
            try:
                return await database.read(work, township_id=township_id)
            finally:
                await database.close()

        return asyncio.run(look())

    def known(self) -> list[tuple[Any, ...]]:
        """Id, code, name and number of areas of each township."""
        if not (self.settings.data_dir / "jingxiang.db").exists():
            return []
        return self.rows(
            "SELECT t.township_id, t.code, t.name, (SELECT COUNT(*) FROM areas a WHERE a.township_id = t.township_id)"
            " FROM townships t ORDER BY t.township_id"
        )


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A console in an empty folder; the developer's own `.env` is out of sight."""
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path / "data")


@pytest.fixture
def county(console: Terminal) -> Iterator[Terminal]:
    """With both example townships."""
    console.done("import", EXAMPLE)
    console.done("import", SECOND, "--new")
    yield console


def recoded(folder: Path, old: str, new: str, source: Path = SECOND) -> Path:
    """A copy of a township's folder with another code."""
    shutil.copytree(source, folder)
    areas = folder / "areas.geojson"
    areas.write_text(areas.read_text("utf-8").replace(f'"{old}"', f'"{new}"'), "utf-8")
    return folder


# ── import ───────────────────────────────────────────────────────────────────


def test_two_townships_stand_beside_each_other(county: Terminal) -> None:
    names = [row[:3] for row in county.known()]
    assert names == [(1, QINGHE, "青禾塬镇"), (2, SHAJING, "沙井乡")]
    card = "SELECT householder FROM households WHERE township_id = :t AND card_no = 'N0123'"
    assert (county.rows(card, 1), county.rows(card, 2)) == ([("张三",)], [("刘三",)])


def test_a_folder_says_itself_whose_it_is(county: Terminal) -> None:
    before = county.known()
    for folder in (EXAMPLE, SECOND, SECOND / "areas.geojson"):
        assert "0 added, 0 changed" in county.done("import", folder)
    assert county.known() == before


def test_a_file_without_a_boundary_needs_the_township(county: Terminal) -> None:
    policy = SECOND / "policy.toml"
    said = county.refused("import", policy)
    assert said == f"say which township: --township CODE, one of {QINGHE} 青禾塬镇, {SHAJING} 沙井乡"
    assert county.rows("SELECT COUNT(*) FROM policies WHERE township_id = :t") == [(1,)]
    county.done("import", SECOND / "households.csv", "--township", SHAJING)
    assert county.rows("SELECT COUNT(*) FROM households WHERE township_id = :t", 2) == [(11,)]
    assert "no township has the code 620000000" in county.refused("import", policy, "--township", "620000000")


def test_a_second_township_is_never_written_over_the_only_one(console: Terminal) -> None:
    console.done("import", EXAMPLE)
    said = console.refused("import", SECOND)
    assert said == (
        f"this folder is of {SHAJING} 沙井乡, the database has {QINGHE} 青禾塬镇: add --new for another township"
        f" beside it, or --township {QINGHE} to give the one that is there this code and name"
    )


def test_the_only_township_may_get_another_code(console: Terminal, tmp_path: Path) -> None:
    console.done("import", EXAMPLE)
    folder = recoded(tmp_path / "again", QINGHE, "629999901", EXAMPLE)
    console.refused("import", folder)
    console.done("import", folder, "--township", QINGHE)
    assert [row[:3] for row in console.known()] == [(1, "629999901", "青禾塬镇")]


def test_among_several_no_code_is_changed(county: Terminal, tmp_path: Path) -> None:
    folder = recoded(tmp_path / "again", SHAJING, "629999902")
    for options in ((), ("--township", SHAJING), ("--township", QINGHE)):
        said = county.refused("import", folder, *options)
        assert said.startswith("this folder is of 629999902 沙井乡, the database has") and "--new" in said
    said = county.refused("import", SECOND, "--township", QINGHE)
    assert said == f"this folder is of {SHAJING} 沙井乡, not of {QINGHE} 青禾塬镇: leave --township out"


def test_new_means_new(county: Terminal, tmp_path: Path) -> None:
    said = county.refused("import", SECOND, "--new")
    assert said == f"{SHAJING} 沙井乡 is there already: import it without --new"
    assert "say one of them" in county.refused("import", SECOND, "--new", "--township", SHAJING)
    assert "areas.geojson" in county.refused("import", SECOND / "households.csv", "--new")
    said = county.refused("import", recoded(tmp_path / "odd", SHAJING, "沙井"), "--new")
    assert said.startswith("the code 沙井 can't stand in a link")
    county.done("import", recoded(tmp_path / "third", SHAJING, "shajing-3"), "--new")
    assert [row[0] for row in county.known()] == [1, 2, 3]


def test_an_only_township_with_an_odd_code_stays_alone(console: Terminal, tmp_path: Path) -> None:
    console.done("import", recoded(tmp_path / "odd", SHAJING, "沙井"))
    assert "the code 沙井 can't stand in a link" in console.refused("import", EXAMPLE, "--new")


def test_a_boundary_with_a_fault_makes_no_township(console: Terminal, tmp_path: Path) -> None:
    console.done("import", EXAMPLE)
    folder = tmp_path / "broken"
    shutil.copytree(SECOND, folder)
    (folder / "areas.geojson").write_text("{", "utf-8")
    result = console.says("import", folder, "--new")
    assert result.exit_code == 1 and "areas.geojson" in result.output and "nothing was imported" in result.output
    assert len(console.known()) == 1


# ── links ────────────────────────────────────────────────────────────────────


def test_an_invitation_leads_to_its_township(county: Terminal) -> None:
    said = county.refused("invite", "--role", "admin")
    assert said.startswith("say which township")
    printed = county.done("invite", "--role", "cleaner", "--area", "王家沟村", "--township", SHAJING)
    assert re.search(rf"https://chat\.example/\?join=[\w-]{{43}}&t={SHAJING}\n", printed)
    made = "SELECT role FROM invitations WHERE township_id = :t"
    assert (county.rows(made, 1), county.rows(made, 2)) == ([], [("cleaner",)])


def test_the_county_is_given_away_at_the_console_only_and_whole(county: Terminal) -> None:
    assert "t=629999101" in county.done("invite", "--role", "county_staff", "--township", QINGHE)
    said = county.refused("invite", "--role", "county_staff", "--area", "王家沟村", "--township", QINGHE)
    assert said == "county_staff is for the whole county: leave --area out"


def test_a_township_of_no_county_has_no_county_staff(console: Terminal, tmp_path: Path) -> None:
    folder = recoded(tmp_path / "alone", "朔禾县（虚构）", "")
    console.done("import", folder)
    assert "names no county" in console.refused("invite", "--role", "county_staff")
    console.done("invite", "--role", "admin")


def test_run_prints_the_link_of_each_township(county: Terminal) -> None:
    lines = asyncio.run(links(county.settings, first=False))
    assert [line.split() for line in lines] == [
        ["青禾塬镇", f"https://chat.example/?t={QINGHE}"],
        ["沙井乡", f"https://chat.example/?t={SHAJING}"],
    ]
    lines = asyncio.run(links(county.settings, first=True))
    for code in (QINGHE, SHAJING):
        roles = [line.split()[0] for line in lines if "join=" in line and line.endswith(f"&t={code}")]
        assert len(roles) == 7 and "admin" in roles and "county_staff" not in roles


def test_with_one_township_only_the_join_links_are_printed(console: Terminal) -> None:
    console.done("import", EXAMPLE)
    assert asyncio.run(links(console.settings, first=False)) == []
    lines = asyncio.run(links(console.settings, first=True))
    assert lines[0] == "One join link for each role (each works once, within 72 hours):" and len(lines) == 8


# ── bots ─────────────────────────────────────────────────────────────────────


def seen_of_bots(console: Terminal, **settings: Any) -> tuple[bool, str] | None:
    """What `doctor` says of whose bot is whose."""

    async def look() -> tuple[bool, str] | None:
        database = await open_database(console.settings.database)
        try:
            checks = await bots_check(console.settings.model_copy(update=settings), database)
        finally:
            await database.close()
        return (checks[0].ok, seen_of(checks[0])) if checks else None

    return asyncio.run(look())


def test_each_township_has_its_bot(county: Terminal) -> None:
    assert seen_of_bots(county) is None
    tokens = {QINGHE: "1:a", SHAJING: "2:b"}
    assert seen_of_bots(county, telegram_tokens=tokens) == (True, "2 of 2 townships have one")
    assert seen_of_bots(county, telegram_token="1:a", telegram_tokens={SHAJING: "2:b"}) == (
        True,
        "2 of 2 townships have one",
    )
    assert seen_of_bots(county, telegram_tokens={SHAJING: "2:b"}) == (True, "1 of 2 townships have one")


@pytest.mark.parametrize(
    ("token", "tokens", "said"),
    [
        ("", {QINGHE: "1:a", "620000000": "2:b"}, "no township has the code 620000000"),
        ("1:a", {QINGHE: "2:b"}, "name two bots"),
    ],
)
def test_bots_that_are_mixed_up(county: Terminal, token: str, tokens: dict[str, str], said: str) -> None:
    found = seen_of_bots(county, telegram_token=token, telegram_tokens=tokens)
    assert found is not None and not found[0] and said in found[1]


@pytest.mark.parametrize("value", ['{"629999101": "1:a"', "1:a", '["1:a"]', '{"629999101": 7}'])
def test_malformed_tokens_stop_the_start_with_one_clear_line(
    console: Terminal, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TELEGRAM_TOKENS", value)
    assert console.refused("migrate").startswith("TELEGRAM_TOKENS")


@pytest.mark.parametrize(
    ("token", "tokens"),
    [("", '{"1": "1:a", "2": "1:a"}'), ("1:a", '{"2": "1:a"}'), ("1:a", '{"1": "2:b", "2": "1:a"}')],
)
def test_two_townships_never_share_a_bot(
    console: Terminal, monkeypatch: pytest.MonkeyPatch, token: str, tokens: str
) -> None:
    """Whoever wrote to it would be met now here, now there."""
    monkeypatch.setenv("TELEGRAM_TOKEN", token)
    monkeypatch.setenv("TELEGRAM_TOKENS", tokens)
    assert "name one bot twice" in console.refused("migrate")


def test_tokens_from_the_file_of_settings(console: Terminal) -> None:
    Path(".env").write_text('TELEGRAM_TOKENS={"629999101": "1:a", "629999102": "2:b"}\n', "utf-8")
    assert Settings().telegram_tokens == {QINGHE: "1:a", SHAJING: "2:b"}


def test_doctor_names_each_bot(county: Terminal) -> None:
    async def look() -> dict[str, tuple[bool, str]]:
        async with FakeBotApi() as api:
            other = api.another(name="净乡", username="shajing_bot")
            settings = county.settings.model_copy(
                update={
                    "telegram_tokens": {QINGHE: api.token, SHAJING: other.token, "x": "3:" + "c" * 30},
                    "telegram_api_url": api.url,
                }
            )
            return {check.name: (check.ok, seen_of(check)) for check in await look_around(settings)}

    found = asyncio.run(look())
    assert found[f"telegram {QINGHE}"][0] and "@jingxiang_test_bot" in found[f"telegram {QINGHE}"][1]
    assert found[f"telegram {SHAJING}"][0] and "@shajing_bot" in found[f"telegram {SHAJING}"][1]
    assert not found["telegram x"][0]


def test_another_import_at_the_same_time_does_not_take_the_place(
    console: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.done("import", EXAMPLE)
    real, asked = townships.every_id, list[int]()

    async def late(tx: Tx) -> Any:
        """At first as it was before the other one had written."""
        asked.append(1)
        return [] if len(asked) <= 2 else await real(tx)  # the key is looked for first

    monkeypatch.setattr(townships, "every_id", late)
    assert "another import has just made a township" in console.refused("import", SECOND, "--new")


def test_doctor_asks_for_next_year_s_holidays_from_november_on() -> None:
    here = Calendar(years=frozenset({2088}))
    seen = {month: calendar_check(here, date(2088, month, 1)) for month in (10, 11, 12)}
    assert [(one.ok, one.warning) for one in seen.values()] == [(True, True), (False, True), (False, True)]
    assert "public holidays of 2089 are missing" in seen_of(seen[11])
    assert "of 2088 are missing" in seen_of(calendar_check(Calendar(), date(2088, 3, 1)))


def test_an_announcement_is_imported_at_the_console(console: Terminal, tmp_path: Path) -> None:
    console.done("import", EXAMPLE)
    file = tmp_path / "calendar-2040.toml"
    text = 'year = 2040\nbasis = "x"\n[[holidays]]\nname = "元旦"\nfirst = 2040-01-01\nlast = 2040-01-03\n'
    file.write_text(text, "utf-8")
    said = console.done("import", file)
    assert "calendar: 2040" in said and "2040-10-01" in said  # National Day was left out, and that is said
    assert "calendar: 2040" not in console.done("import", file)
    file.write_text(text.replace("2040-01-03", "2039-12-03"), "utf-8")
    assert "line 3" in console.says("import", file).output
    assert console.rows("SELECT year, version FROM calendars WHERE township_id = :t") == [(2040, 1)]
    assert "calendar:" in console.says("verify").output
