"""Importing a township: all or nothing, twice the same as once, history kept, households found."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.areas.actions import load_gazetteer
from handlers.areas.bundle import read_folder
from handlers.policy.actions import load_policies
from storage.database import Tx
from storage.people.households import HouseholdFound, by_card, link_person, links_of_household, unlink_person
from storage.product.areas import township
from storage.product.versions import history
from tests.storage.importing import FILES, Town


async def test_the_example_township_is_imported_whole(town: Town) -> None:
    report = await town.load()
    added = {table: count.added for table, count in report.counts.items()}
    assert added["households"] == 600
    assert (added["areas"] > 24 + 1 + 24 * 3, added["stations"]) == (True, 6)
    assert report.policy_versions == [1] and report.faults == ()
    row = await town.see(township)
    assert row is not None and row["name"] == "青禾塬镇"
    places = await town.see(load_gazetteer)
    assert len(places.villages) == 24
    match = places.find_place("王家沟桥头有人倒垃圾")
    assert match is not None and match.point is not None
    here = places.locate(match.point)
    assert here is not None and here.name == "王家沟村"


async def test_importing_twice_changes_nothing(town: Town) -> None:
    await town.load(1_000)
    ids_used = town.ids.last
    report = await town.load(2_000)
    assert not report.changed
    assert sum(count.same for count in report.counts.values()) > 800
    assert town.ids.last == ids_used
    found = await town.see(lambda tx: by_card(tx, "N0123"))
    assert found is not None
    versions = await town.see(lambda tx: history(tx, "households", found.household_id))
    assert [(row["version"], row["from_ms"], row["until_ms"]) for row in versions] == [(1, 1_000, None)]


async def test_a_changed_row_is_a_new_version_and_the_old_one_stays(town: Town) -> None:
    await town.load(1_000)
    town.change("households.csv", "N0123,张三,王家沟村,张家社", "N0123,张三宝,王家沟村,沟口社")
    report = await town.load(2_000)
    assert (report.counts["households"].changed, report.counts["households"].same) == (1, 599)
    found = await town.see(lambda tx: by_card(tx, "N0123"))
    assert found is not None and (found.householder, found.hamlet) == ("张三宝", "沟口社")
    versions = await town.see(lambda tx: history(tx, "households", found.household_id))
    assert [(row["householder"], row["from_ms"], row["until_ms"]) for row in versions] == [
        ("张三", 1_000, 2_000),
        ("张三宝", 2_000, None),
    ]
    assert [one.householder for one in await town.find("张三宝")] == ["张三宝"]


async def test_a_row_that_left_the_file_stays_and_a_closed_household_is_not_found(town: Town) -> None:
    await town.load()
    text = (town.folder / "households.csv").read_text("utf-8")
    (town.folder / "households.csv").write_text(
        "\n".join(line for line in text.splitlines() if "赵七斤" not in line), "utf-8"
    )
    await town.load(2_000)
    assert [one.householder for one in await town.find("赵七斤")] == ["赵七斤"]
    (town.folder / "households.csv").write_text("卡号,户主,村,状态\nN0155,赵七斤,赵家山,注销\n", "utf-8")
    await town.load(3_000)
    assert await town.find("赵七斤") == []
    assert await town.see(lambda tx: by_card(tx, "N0155")) is None


async def test_one_file_alone_is_checked_against_what_is_stored(town: Town) -> None:
    await town.load()
    one = town.folder / "households.csv"
    one.write_text("卡号,户主,村,社\nN9001,新来户,王家沟,张家社\n", "utf-8")
    report = await town.load(2_000, path=one)
    assert report.counts["households"].added == 1
    assert [found.hamlet for found in await town.find("新来户")] == ["张家社"]


async def test_a_new_policy_is_a_new_version_and_the_stamp_moves(town: Town) -> None:
    await town.load()
    before = await town.see(load_policies)
    places = await town.see(load_gazetteer)
    assert await town.see(lambda tx: load_policies(tx, before)) is before
    assert await town.see(lambda tx: load_gazetteer(tx, places)) is places
    text = (town.folder / "policy.toml").read_text("utf-8")
    text = text.replace("effective_from = 2026-01-01", "effective_from = 2026-07-01")
    text = text.replace("mulch = 50,", "mulch = 80,")
    (town.folder / "policy-2026-07.toml").write_text(text, "utf-8")
    assert (await town.load(2_000)).policy_versions == [2]
    assert (await town.load(3_000)).policy_versions == []
    after = await town.see(lambda tx: load_policies(tx, before))
    june, july = 1_782_835_199_999, 1_782_835_200_000
    rates = [after.at(when).policy.film.township.fen_per_kg["mulch"] for when in (june, july)]
    assert rates == [50, 80]
    assert [after.at(when).version for when in (june, july)] == [1, 2]
    assert await town.see(lambda tx: load_gazetteer(tx, places)) is not places


async def test_the_first_text_again_holds_again(town: Town) -> None:
    await town.load()
    town.change("policy.toml", "objection_days = 7", "objection_days = 10")
    await town.load(2_000)
    town.change("policy.toml", "objection_days = 10", "objection_days = 7")
    assert (await town.load(3_000)).policy_versions == [3]
    policies = await town.see(load_policies)
    assert policies.at(1_790_000_000_000).policy.film.objection_days == 7


async def test_a_bad_folder_changes_nothing_and_says_where_and_what_to_do(town: Town) -> None:
    town.change("households.csv", "N0002,", "N0001,")
    town.change("households.csv", "N0004,", "坏卡,")
    town.change("households.csv", ",10000000005,", ",12345,")
    town.change("landmarks.csv", "王家沟村,桥头", "没有村,桥头")
    town.change("policy.toml", "objection_days = 7", "objection_days = -7")
    told = await town.refusal()
    assert any("households.csv 第 3 行第 1 列：卡号「N0001」和第 2 行重复" in line for line in told)
    assert any("households.csv 第 5 行第 1 列：卡号「坏卡」不对" in line and "例如 N0123" in line for line in told)
    assert any("households.csv 第 6 行第 5 列：电话「12345」不对" in line for line in told)
    assert any("landmarks.csv" in line and "没有「没有村」这个村" in line for line in told)
    assert any("policy.toml 第" in line and "film.objection_days 不能是「-7」。应为：≥ 0" in line for line in told)
    assert await town.see(township) is None


async def test_bad_rows_can_be_skipped(town: Town) -> None:
    town.change("households.csv", "N0002,", "N0001,")
    town.change("households.csv", "N0004,", "坏卡,")
    report = await town.load(skip_bad=True)
    assert report.counts["households"].added == 598
    assert [fault.code for fault in report.faults] == ["repeated_card", "bad_card"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
async def test_tables_from_any_office_program_are_read(town: Town, encoding: str, delimiter: str) -> None:
    first = '"张  三",ｎ９００１,王家沟,1组,"甲、乙"'
    rows = ["户主姓名,卡号,行政村,组,备注", first, ",,,,", "李秀英,N9002,王家沟村,,"]
    table = "\r\n".join(row.replace(",", delimiter) for row in rows)
    (town.folder / "households.csv").write_bytes(table.encode(encoding))
    report = await town.load()
    assert report.counts["households"].added == 2
    assert [fault.code for fault in report.faults] == ["unknown_column"]
    (found,) = await town.find("N9001")
    assert (found.householder, found.village, found.hamlet) == ("张三", "王家沟村", "王家社")
    assert (await town.find("李秀英", "王家沟村"))[0].card_no == "N9002"


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"\xff\xfe\x00\x01\xff", "encoding", 1),
        ("卡号,户主\nN1,张三\n".encode(), "missing_column", 1),
        ("卡号,户主,村\nN1,,王家沟\n".encode(), "empty_cell", 2),
        ("卡号,户主,村\n\nN1,张三,王家沟,多余\n".encode(), "too_many_cells", 3),
        ('卡号,户主,村\nN1,"张三,王家沟\n'.encode(), "csv_syntax", 2),
        ("卡号,户主,村,社\nN1,张三,王家沟,天上社\n".encode(), "unknown_hamlet", 2),
        ("卡号,户主,村,状态\nN1,张三,王家沟,火星\n".encode(), "bad_status", 2),
        ("卡号,户主,村\nN1,12345,王家沟\n".encode(), "bad_card", 2),
        (b"", "missing_column", 1),
    ],
)
def test_a_broken_table_is_told_with_its_line(folder: Path, content: bytes, code: str, line: int) -> None:
    (folder / "households.csv").write_bytes(content)
    found = [(fault.code, fault.line) for fault in read_folder(folder).errors]
    assert (code, line) in found or (code == "bad_card" and ("bad_name", 2) in found)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("王家沟村,新桥,bridge,,104.73,35.65,", "bad_position"),
        ("王家沟村,新桥,bridge,,0,0,", "bad_position"),
        ("王家沟村,新桥,bridge,,北纬35,104.73,", "bad_position"),
        ("王家沟村,新桥,bridge,,35.65,104.73,火星", "bad_datum"),
        ("王家沟村,桥头,bridge,,35.65,104.73,", None),
        ("王家沟村,远桥,bridge,,36.65,104.73,", "outside_village"),
    ],
)
def test_positions_are_checked(folder: Path, row: str, code: str | None) -> None:
    (folder / "landmarks.csv").write_text(f"村,地标,类别,别名,纬度,经度,坐标系\n{row}\n", "utf-8")
    assert [fault.code for fault in read_folder(folder).faults] == ([code] if code else [])


def test_a_folder_without_anything_to_import_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    assert [fault.code for fault in read_folder(tmp_path).faults] == ["unknown_file", "nothing_to_import"]
    assert [fault.code for fault in read_folder(tmp_path / "missing").faults] == ["no_folder"]


def test_progress_is_told_file_by_file(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    read_folder(folder, progress=lambda step, done, total: told.append((step, done, total)))
    assert [name for name, _, _ in told] == [*FILES, ""]
    assert [done for _, done, _ in told] == list(range(7))
    assert {total for _, _, total in told} == {6}


async def test_households_are_found_by_card_and_name_the_village_first(town: Town) -> None:
    await town.load()
    assert [one.card_no for one in await town.find("n0123")] == ["N0123"]
    assert [(one.village, one.hamlet) for one in await town.find("张三", "王家沟村")] == [("王家沟村", "张家社")]
    assert [one.householder for one in await town.find("张三家", "王家沟村")] == ["张三"]
    same_name = await town.find("王建国", "王家沟村")
    assert {(one.village, one.hamlet) for one in same_name} == {("王家沟村", "王家社"), ("王家沟村", "沟口社")}
    assert len(await town.find("王建国")) == 3
    assert [one.hamlet for one in await town.find("王家沟沟口社 王建国")] == ["沟口社"]
    assert [one.hamlet for one in await town.find("沟口社 王建国", "王家沟村")] == ["沟口社"]
    assert [one.village for one in await town.find("李家湾 王建国", "王家沟村")] == ["李家湾村"]
    assert all(one.village == "王家沟村" for one in (await town.find("王", "王家沟村"))[:5])
    assert await town.find("没有这个人", "王家沟村") == []
    assert await town.find("") == []


async def test_a_member_finds_the_household(town: Town) -> None:
    await town.load()
    (own,) = await town.find("N0123")
    wife = own.members.split(";")[1]
    found = await town.find(wife, "王家沟村")
    assert own.household_id in {one.household_id for one in found}
    assert {one.matched for one in found} == {wife}


async def test_a_person_belongs_to_one_household_and_history_stays(town: Town) -> None:
    await town.load()
    (one,) = await town.find("N0123")
    (other,) = await town.find("N0107")

    async def join(tx: Tx, household: HouseholdFound, link_id: int, now_ms: int) -> None:
        await link_person(
            tx,
            link_id=link_id,
            household_id=household.household_id,
            person_id=7,
            relation="member",
            linked_by=None,
            now_ms=now_ms,
        )

    await town.database.transaction(lambda tx: join(tx, one, 1, 10))
    await town.database.transaction(lambda tx: join(tx, other, 2, 20))
    assert await town.see(lambda tx: links_of_household(tx, one.household_id)) == []
    (link,) = await town.see(lambda tx: links_of_household(tx, other.household_id))
    assert (link["person_id"], link["from_ms"]) == (7, 20)
    assert await town.database.transaction(lambda tx: unlink_person(tx, 7, now_ms=30)) == 1


async def test_another_township_of_the_same_database_sees_nothing(town: Town) -> None:
    await town.load()
    assert await town.database.read(township, township_id=2) is None
    assert await town.database.read(lambda tx: by_card(tx, "N0123"), township_id=2) is None
