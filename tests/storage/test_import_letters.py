"""What offices write: names of every letter, workbooks, odd first lines; nothing is lost in silence."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.areas.bundle import read_folder
from handlers.areas.faults import Faults
from handlers.areas.polygons import TEXTS, read_areas
from handlers.policy.loader import PolicyInvalid, load
from storage.engine.migrate import Migration, load_migrations, migrate
from storage.engine.migrate_postgres import migrate_postgres
from storage.engine.opening import SQLITE, open_database
from storage.people.households import search
from tests.example import EXAMPLE
from tests.postgres import PostgresServer
from tests.storage.importing import Town

HEADS = "卡号,户主,村,社,电话,家庭成员"
AYGUL = "买买提·吐尔逊江"


def workbook(*rows: list[Any]) -> bytes:
    """The smallest .xlsx that holds these rows."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = [
            f"<c><v>{cell}</v></c>"
            if isinstance(cell, (int, float))
            else f'<c t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
            for cell in row
        ]
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{packages}/content-types"><Default Extension="xml"'
        ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1"'
        f' Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="农户" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r1"'
        f' Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return made.getvalue()


def households(folder: Path, *rows: str, encoding: str = "utf-8", before: str = "") -> None:
    (folder / "households.csv").write_bytes((before + "\n".join((HEADS, *rows)) + "\n").encode(encoding))


@pytest.mark.parametrize("typed", [AYGUL, "买买提吐尔逊江", "买买提•吐尔逊江", "买买提 . 吐尔逊江", "买买提 吐尔逊江"])
async def test_a_name_is_kept_as_written_and_found_as_typed(town: Town, typed: str) -> None:
    households(town.folder, f"N9001,{AYGUL},王家沟,,,𠮷田・一郎；刘\ue863", "N9002,\u3000张\u3000凤\u3000,王家沟,,,")
    await town.load()
    (found,) = await town.find(typed)
    assert (found.householder, found.members) == (AYGUL, "𠮷田・一郎;刘䶮")
    assert [one.card_no for one in await town.find("𠮷田一郎家")] == ["N9001"]
    assert [one.card_no for one in await town.find("刘䶮")] == ["N9001"]
    assert [one.householder for one in await town.find("张 凤")] == ["张凤"]


@pytest.mark.parametrize("letter", ["\U0002b740", "\U000313a0", "\U00032000", "〇", "㐂", "\ufa11"])
async def test_every_han_letter_of_a_gb18030_table_is_kept(town: Town, letter: str) -> None:
    households(town.folder, f"N9001,张{letter},王家沟,,,李{letter}花", encoding="gb18030")
    await town.load()
    (found,) = await town.find(f"张{letter}")
    assert (found.householder, found.members) == (f"张{letter}", f"李{letter}花")


def test_what_can_not_be_kept_is_told_with_line_and_column(folder: Path) -> None:
    households(
        folder,
        "N9001,张\ue000三,王家沟,,,",
        "N9002,张四,王家沟,,,李花；王?红",
        "N9003,张\ufffd,王家沟,,,",
        "N9004,张五,王家沟,,,4",
        "N9005,张六,王家沟,,,-",
    )
    found = read_folder(folder)
    told = [(one.line, one.column, one.code, one.fields.get("letter"), one.warning) for one in found.faults]
    assert told == [
        (2, 2, "letter_lost", "U+E000", False),
        (3, 6, "letter_lost", "U+003F", False),
        (4, 2, "letter_lost", "U+FFFD", False),
        (5, 6, "no_member", None, True),
    ]
    assert [one.card_no for one in found.households] == ["N9004", "N9005"]


def test_padded_members_are_not_cut_in_two(folder: Path) -> None:
    households(folder, "N9001,张三,王家沟,,,张\u3000四 李\u3000花 王小明", "N9002,张五,王家沟,,,买买提 吐尔逊、张 六")
    members = [one.members for one in read_folder(folder).households]
    assert members == [("张四", "李花", "王小明"), ("买买提 吐尔逊", "张六")]


@pytest.mark.parametrize("before", ["sep=,\n", "SEP=;\r\n", '"sep=\t"\r\n', "\ufeffsep=,\n"])
def test_a_first_line_that_names_the_separator_is_skipped(folder: Path, before: str) -> None:
    rows = (HEADS, "N9001,张三,王家沟,,,", "N9002,张四,火星,,,")
    separator = before.strip('\ufeff"\r\n')[4:] or "\t"
    (folder / "households.csv").write_bytes((before + "\n".join(rows).replace(",", separator)).encode())
    found = read_folder(folder)
    assert [one.card_no for one in found.households] == ["N9001"]
    assert [(one.line, one.code) for one in found.faults] == [(4, "unknown_village")]


async def test_a_workbook_is_read_like_a_table(town: Town) -> None:
    (town.folder / "households.csv").unlink()
    (town.folder / "households.xlsx").write_bytes(
        workbook(
            ["青禾塬镇农户花名册"],
            [],
            ["卡号", "户主", "村", "社", "电话", "家庭成员"],
            ["N9001", f"  {AYGUL}", "王家沟", "", 10000000123, "阿依古丽、𠮷田"],
            [9002, "张四", "王家沟", "", 10000000124.0, ""],
        )
    )
    report = await town.load()
    assert (report.counts["households"].added, report.faults) == (2, ())
    (found,) = await town.find("买买提吐尔逊江")
    assert (found.card_no, found.phone, found.members) == ("N9001", "10000000123", "阿依古丽;𠮷田")
    assert [one.householder for one in await town.find("9002")] == ["张四"]


def test_a_workbook_s_faults_have_the_sheet_s_own_lines(folder: Path) -> None:
    (folder / "households.csv").unlink()
    (folder / "households.xlsx").write_bytes(
        workbook(["", "卡号", "户主", "村"], [], ["", "N9001", "", "王家沟"], ["", "N9002", "张四", "火星"])
    )
    assert [(one.line, one.column, one.code) for one in read_folder(folder).faults] == [
        (3, 3, "empty_cell"),
        (4, 4, "unknown_village"),
    ]


def test_what_is_no_workbook_and_two_tables_of_one_kind_are_told(folder: Path) -> None:
    (folder / "households.xlsx").write_bytes(b"PK\x03\x04 and nothing more")
    (folder / "~$households.xlsx").write_bytes(b"WPS has it open")
    assert [(one.file, one.code) for one in read_folder(folder).faults] == [("households.xlsx", "several_files")]
    (folder / "households.csv").unlink()
    assert [(one.file, one.code) for one in read_folder(folder).faults] == [("households.xlsx", "workbook")]


async def test_faults_come_in_the_order_of_the_lines_and_what_was_skipped_is_counted(town: Town) -> None:
    town.change("households.csv", "N0002,", "N0001,")
    town.change("households.csv", "N0004,", "坏卡,")
    town.change("households.csv", "N0009,", "坏卡,")
    town.change("households.csv", "N0011,", "N0010,")
    report = await town.load(skip_bad=True)
    assert [one.line for one in report.faults] == [3, 5, 10, 12]
    assert (report.skipped, report.counts["households"].added) == (4, 596)


NO_TEXT = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.lists(st.none(), min_size=1),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip


@given(st.sampled_from(TEXTS), NO_TEXT)
def test_a_boundary_with_something_else_than_text_is_a_fault_with_its_key(key: str, odd: Any) -> None:
    whole = json.loads((EXAMPLE / "areas.geojson").read_text("utf-8"))
    feature = whole["features"][1]
    feature["properties"] = {**feature["properties"], key: odd}
    faults = Faults()
    read_areas("areas.geojson", json.dumps(whole, ensure_ascii=False), faults)
    told = [one for one in faults.found if one.code == "not_text"]
    assert [(one.fields["key"], one.line > 0, one.column > 0) for one in told] == [(key, True, True)]


@pytest.mark.parametrize("datum", [None, ["WGS-84"], 84.0])
def test_a_datum_that_is_no_text_is_told(datum: Any) -> None:
    whole = {**json.loads((EXAMPLE / "areas.geojson").read_text("utf-8")), "datum": datum}
    faults = Faults()
    assert read_areas("areas.geojson", json.dumps(whole), faults) == []
    assert [one.code for one in faults.found] == ["bad_datum"]


def test_a_boundary_s_name_with_half_a_letter_is_told() -> None:
    text = (EXAMPLE / "areas.geojson").read_text("utf-8").replace("王家沟村", "王家\\ud840沟村", 1)
    faults = Faults()
    read_areas("areas.geojson", text, faults)
    assert [one.code for one in faults.found if not one.warning] == ["letter_lost"]


POLICY = (EXAMPLE / "policy.toml").read_text("utf-8").splitlines()
TEXT_LINES = [at for at, line in enumerate(POLICY) if re.match(r'[a-z_]+ = "[^"]', line)]


@given(
    st.sampled_from(TEXT_LINES),
    st.sampled_from(["0.5", "[]", '["a"]', "true", "{ a = 1 }", "2026-01-01", "nan", "1"]),
)
def test_a_policy_with_something_else_than_text_is_a_fault_with_its_key(at: int, odd: str) -> None:
    key = POLICY[at].split(" ")[0]
    with pytest.raises(PolicyInvalid) as caught:
        load("\n".join([*POLICY[:at], f"{key} = {odd}", *POLICY[at + 1 :]]))
    assert any(one.line == at + 1 and one.fields["key"].endswith(key) for one in caught.value.faults)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_old_rows_get_their_keys_when_the_schema_grows(
    engine: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    """A database of the version before, with a name that nobody could type."""
    wanted = load_migrations()
    at = next(number for number, one in enumerate(wanted) if one.name == "name_keys")
    row = f"INSERT INTO household_names VALUES (1, 7, 1, '{AYGUL}', '{AYGUL.encode().hex()}', 2, 2, 1)"
    house = (
        f"INSERT INTO households VALUES (1, 7, 1, 'N1', '{AYGUL}', 2, 2, '', '', 'active', 0, NULL)",
        "INSERT INTO areas VALUES (1, 2, 1, NULL, 'village', 'v', '王家沟村', '', NULL, NULL, NULL, NULL, 0, NULL)",
    )
    if engine == "sqlite":
        url = f"{SQLITE}{tmp_path / 'old.db'}"
        migrate(tmp_path / "old.db", now_ms=1, migrations=wanted[:at])
        with sqlite3.connect(tmp_path / "old.db") as connection:
            for sql in (row, *house):
                connection.execute(sql)
        connection.close()
        migrate(tmp_path / "old.db", now_ms=2, migrations=wanted)
    else:
        url = await postgres.fresh()
        await migrate_postgres(url, now_ms=1, migrations=wanted[:at])
        server = await asyncpg.connect(url)
        for sql in (row, *house):
            await server.execute(sql)
        await server.close()
        await grow(url, wanted)
    database = await open_database(url)
    try:
        (found,) = await database.read(lambda tx: search(tx, "", "买买提吐尔逊江"))
        assert found.householder == AYGUL
    finally:
        await database.close()


async def grow(url: str, wanted: list[Migration]) -> None:
    await migrate_postgres(url, now_ms=2, after=True, migrations=wanted)
