"""Who reported: what the database tells without its key, and what is left in it once somebody has erased themselves.

Rows are joined by whatever they share: ids of people, contacts, photos, households, in any column, also inside of
texts. Whoever is staff is left out, for their work leads to every case.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from PIL import Image

from bot.console.backups.making import make_backup
from bot.media.sealed import Plain, SealedFiles, _as_it_is, _written
from bot.media.shelf import Complete
from storage.database import Tx
from storage.vault.files import head_of
from tests.stories.doings import SENTENCE, belongs, household_id, time_to_take_back_is_over
from tests.stories.someone import Someone
from tests.stories.test_leaving import tables
from tests.stories.test_report import photo_taken_at
from tests.stories.town import Town

Row = Mapping[str, Any]
Rows = Sequence[tuple[str, Row]]
ID = re.compile(r"[0-9a-f]{16,}|[a-z]+:[A-Za-z0-9_-]{6,}|\d{12,}|\d{4}-\d{4}")
NAMES = {"王大娘"}
LEAST_ID = 10**12
NEAR_MS = 3_000


async def stored(town: Town) -> Rows:
    """Every row as it lies on the disk."""

    names = [row["name"] for row in await tables(town)]

    async def work(tx: Tx) -> list[tuple[str, Row]]:
        return [(name, dict(row)) for name in names for row in await tx.all(f"SELECT * FROM {name}")]

    return await town.app.database.read(work)


def ids_in(row: Row) -> set[str]:
    """What of a row may stand in another."""
    found: set[str] = set()
    for column, value in row.items():
        if column.endswith("_ms") or column == "township_id":
            continue
        if isinstance(value, int) and value >= LEAST_ID:
            found.add(str(value))
        elif isinstance(value, str):
            found |= set(ID.findall(value)) | ({value} & NAMES)
    return found


def leads(rows: Rows, start: Iterable[str], goal: set[str], barred: set[str]) -> list[str]:
    """How rows lead from some ids to others: the tables on the way; empty when they don't."""
    by_id: dict[str, list[tuple[str, set[str]]]] = defaultdict(list)
    for table, row in rows:
        ids = ids_in(row) - barred
        for one in ids:
            by_id[one].append((table, ids))
    ways: dict[str, list[str]] = {one: [] for one in start}
    todo = list(ways)
    while todo:
        here = todo.pop(0)
        if here in goal:
            return [*ways[here], here]
        for table, ids in by_id[here]:
            for one in ids - ways.keys():
                ways[one] = [*ways[here], f"{table} ({here} → {one})"]
                todo.append(one)
    return []


def meanwhile(rows: Rows, at_ms: int) -> set[str]:
    """The ids of rows in which something is told of that moment."""
    found: set[str] = set()
    for _, row in rows:
        times = [value for column, value in row.items() if column.endswith("_ms") and isinstance(value, int)]
        if any(abs(value - at_ms) <= NEAR_MS for value in times):
            found |= ids_in(row)
    return found


async def geography(town: Town) -> set[str]:
    """Where things are is no secret, and leads from every case to all households around."""
    columns = (("areas", "area_id"), ("landmarks", "landmark_id"), ("stations", "station_id"))
    return {str(row["id"]) for table, name in columns for row in await town.rows(f"SELECT {name} AS id FROM {table}")}


async def a_report(town: Town) -> tuple[Someone, Row, set[str], set[str]]:
    """A named report with a photo, verified and paid; the reporter, the case, what names them, and what is barred."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await belongs(town, aunt)
    town.clock.advance(hours=1)
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345), caption=SENTENCE)
    await aunt.taps("提交")
    await town.tick()
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    await town.tick()
    case = (await town.rows("SELECT * FROM cases WHERE township_id = :t"))[0]
    household = (await town.rows("SELECT household_id FROM household_members WHERE township_id = :t"))[0]
    names = {str(await aunt.person_id()), aunt.driver.address, *NAMES, f"household:{household['household_id']}"}
    barred = {str(await keeper.person_id()), keeper.driver.address, "赵网格", *await geography(town)}
    return aunt, dict(case), names, barred


def of_case(case: Row) -> set[str]:
    return {str(case["id"]), f"case:{case['id']}", f"held:{case['id']}", case["number"]}


@pytest.mark.parametrize("town", ["web", "telegram", "wechat"], indirect=True)
async def test_the_file_without_its_key_does_not_tell_who_reported(town: Town) -> None:
    _, case, names, barred = await a_report(town)
    rows = await stored(town)
    assert leads(rows, of_case(case), names, barred) == []
    assert {table for table, row in rows if SENTENCE in repr(row)} == {"cases"}
    assert not [row for table, row in rows if table in ("inbox", "outbox", "sessions") and case["number"] in repr(row)]


@pytest.mark.parametrize("town", ["web", "telegram", "wechat"], indirect=True)
async def test_whoever_wrote_at_the_minute_of_a_case_is_nobody_that_can_be_found(town: Town) -> None:
    """Times order a case with a conversation; whose that is, is read out of no row."""
    aunt, case, _, barred = await a_report(town)
    rows = await stored(town)
    home = str(await household_id(town))
    real = f"{town.channel}:{aunt.driver.called}"
    then = meanwhile(rows, case["received_ms"]) - barred
    assert aunt.driver.address in then, "somebody wrote at that minute"
    assert leads(rows, of_case(case) | then, {*NAMES, home, f"household:{home}", real}, barred) == []
    assert not aunt.driver.called or real not in repr(rows)


@pytest.mark.parametrize("town", ["web", "telegram", "wechat"], indirect=True)
async def test_the_search_finds_what_it_is_for(town: Town) -> None:
    aunt, case, names, barred = await a_report(town)
    for way in (
        ("case_reporters", {"case_id": case["id"], "person_id": await aunt.person_id()}),
        ("outbox", {"message_key": f"case:{case['id']}:result", "address": aunt.driver.address}),
    ):
        rows = [*await stored(town), way]
        assert leads(rows, of_case(case), names, barred)


@pytest.mark.parametrize("town", ["web", "telegram", "wechat"], indirect=True)
async def test_nothing_leads_to_who_has_erased_themselves_not_even_the_hour(town: Town) -> None:
    aunt, case, names, barred = await a_report(town)
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    town.clock.advance(hours=2)
    await town.tick()
    rows = await stored(town)
    assert leads(rows, of_case(case) | meanwhile(rows, case["received_ms"]) - barred, names, barred) == []


# -- files

MARKER = b"taken by Wang at the bridge"


def marked_photo() -> bytes:
    """A photo that tells its place, and in its EXIF who took it."""
    with Image.open(io.BytesIO(photo_taken_at(35.6515, 104.7345))) as picture:
        exif = picture.getexif()
        exif[0x010E] = MARKER.decode()
        written = io.BytesIO()
        picture.save(written, "JPEG", exif=exif, quality=95)
    return written.getvalue()


def traces_of(content: bytes) -> list[bytes]:
    """Whatever tells a photo: its marks, and its bytes from a few places."""
    return [
        MARKER,
        b"JFIF",
        b"Exif\0",
        *(content[at : at + 24] for at in range(0, len(content) - 24, len(content) // 9)),
    ]


@pytest.mark.parametrize("town", ["web", "telegram", "wechat"], indirect=True)
async def test_no_file_and_no_backup_tells_anything_of_a_photo(town: Town) -> None:
    aunt = await town.person("王大娘")
    content = marked_photo()
    assert all(one in content for one in traces_of(content)[:1])
    await aunt.sends_photo(content=content, caption=SENTENCE)
    await aunt.taps("提交")
    await town.tick()
    assert await town.rows("SELECT * FROM case_media WHERE township_id = :t")
    settings = town.app.settings
    files = [path for path in (settings.data_dir / "media").rglob("*") if path.is_file()]
    assert len(files) == 3 and all(head_of(path.read_bytes()) for path in files)
    searched = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    if settings.database_path is not None:
        folder = settings.data_dir.parent / "kept"
        made = await asyncio.to_thread(make_backup, settings, folder, stamp="1", progress=lambda *_: None)
        assert all(name.encode() not in made.file.read_bytes() for name in (*NAMES, SENTENCE, "jingxiang.db"))
        searched.append(made.file)
    for path in searched:
        stored = path.read_bytes()
        assert not [one for one in traces_of(content) if one in stored], path
    told = {str(await aunt.person_id()), aunt.driver.address, aunt.driver.address.partition(":")[2], *NAMES}
    assert not [path for path in files for one in told if one in str(path) or one.encode() in path.read_bytes()]


async def test_that_search_finds_a_photo_that_is_not_sealed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def as_they_are(self: SealedFiles, files: list[Plain], at_ms: int) -> list[Complete]:
        return _written(self._shelf.waiting, files, _as_it_is)

    monkeypatch.setattr(SealedFiles, "seal", as_they_are)
    aunt = await town.person("王大娘")
    content = marked_photo()
    await aunt.sends_photo(content=content, caption=SENTENCE)
    await aunt.taps("提交")
    await town.tick()
    files = [path.read_bytes() for path in (town.app.settings.data_dir / "media").rglob("*") if path.is_file()]
    assert [one for one in files if MARKER in one] and all(b"JFIF" in one for one in files)
