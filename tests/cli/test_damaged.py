"""A damaged database is one line, whichever page was hit: never a traceback, never «all is well»."""

from __future__ import annotations

import hashlib
import json
import os
import random
import sqlite3
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.checks import Check
from bot.console.backups.contents import KeepingError, check
from bot.console.doctor import check_line, pages_check
from bot.settings import Settings
from tests.cli.console import Console
from tests.cli.moving import quiet
from tests.example import EXAMPLE

PAGE_BYTES = 4_096
EXAMPLES = 12


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    """An imported township."""
    monkeypatch.chdir(tmp_path)
    made = Console(tmp_path / "data")
    assert made.says("import", EXAMPLE).exit_code == 0
    return made


def roots(path: Path, kind: str) -> list[int]:
    """The first page of each table or index, when all is in the file itself."""
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute("SELECT rootpage FROM sqlite_master WHERE type = ?", (kind,))]
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return sorted(filter(None, found))


def root_of(path: Path, table: str) -> int:
    connection = sqlite3.connect(path)
    [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return int(page)


def overwrite(path: Path, page: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(content)


def noise(seed: int) -> bytes:
    """A page of chance whose first byte is no page type."""
    return b"\xff" + random.Random(seed).randbytes(PAGE_BYTES - 1)


@pytest.mark.parametrize("kind", ["index", "table"])
def test_whichever_page_is_hit_verify_says_it(console: Console, kind: str) -> None:
    path = console.folder / "jingxiang.db"
    pages, whole = roots(path, kind), path.read_bytes()

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.sampled_from(pages), st.just(bytes(PAGE_BYTES)) | st.integers(0, 99).map(noise))
    def play(page: int, content: bytes) -> None:
        path.write_bytes(whole)
        overwrite(path, page, content)
        said = console.refused("verify")
        assert "the database is damaged" in said and str(path) in said

    play()


@pytest.mark.parametrize(
    "command", [("verify",), ("doctor",), ("backup", "kept"), ("run",), ("invite", "--role", "staff")]
)
@pytest.mark.parametrize("how", ["first page", "half", "text", "a page in the middle"])
def test_a_damaged_file_is_one_line_and_stays_as_it_is(console: Console, how: str, command: tuple[str, ...]) -> None:
    path = console.folder / "jingxiang.db"
    if how == "first page":
        overwrite(path, 1, bytes(PAGE_BYTES))
    elif how == "half":
        os.truncate(path, path.stat().st_size // 2)
    elif how == "text":
        path.write_text("hello")
    else:
        overwrite(path, root_of(path, "households"), noise(1))
    before = path.read_bytes()
    said = console.refused(*command)
    assert "the database is damaged" in said and str(path) in said and "restore" in said
    assert path.read_bytes() == before
    assert not list(Path("kept").glob("*"))


def test_an_index_that_lost_its_entries_is_seen_by_verify(console: Console) -> None:
    """Every page is well-formed: only a comparison with the table tells."""
    path = console.folder / "jingxiang.db"
    page = root_of(path, "areas_code")
    overwrite(path, page, b"\x0a" + bytes(4) + PAGE_BYTES.to_bytes(2, "big") + bytes(PAGE_BYTES - 7))  # an empty leaf
    assert "missing from index areas_code" in console.refused("verify")


def test_verify_says_what_it_reads(console: Console) -> None:
    assert "read whole: no damage" in console.done("verify")
    chinese = Console(console.folder, LANGUAGE="zh_CN")
    assert "整个读过一遍，没有坏" in chinese.done("verify")


def test_verify_says_that_a_servers_pages_are_not_read(tmp_path: Path) -> None:
    made = Settings(_env_file=None, data_dir=tmp_path, database_url="postgresql://127.0.0.1/town")
    found: Check = pages_check(made)
    assert found.ok and "does not read them on PostgreSQL" in check_line(found)


# -- backups


def packed(path: Path, manifest: bytes, files: dict[str, bytes]) -> Path:
    """A tar file with those files, and that list of them."""
    with tarfile.open(path, "w") as tar:
        for name, content in {**files, "manifest.json": manifest}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, BytesIO(content))
    return path


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
manifests = (
    st.binary(max_size=30)
    | anything.map(lambda one: json.dumps(one).encode())
    | st.fixed_dictionaries({"format": anything, "sha256": anything}).map(lambda one: json.dumps(one).encode())
    | st.fixed_dictionaries({"format": st.just(1), "sha256": st.dictionaries(st.just("jingxiang.db"), anything)}).map(
        lambda one: json.dumps(one).encode()
    )
    | st.just(b"[" * 100_000)
)


@given(manifests)
@settings(deadline=None)
def test_whatever_the_manifest_holds_is_said_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, manifest: bytes
) -> None:
    file = packed(tmp_path_factory.getbasetemp() / "any.tar", manifest, {"jingxiang.db": b"hello"})
    with pytest.raises(KeepingError) as refused:
        check(file, [], quiet)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "manifest, said",
    [
        ([], "not a whole backup"),
        ("hello", "not a whole backup"),
        ({}, "not a whole backup"),
        ({"format": 1}, "not a whole backup"),
        ({"format": True, "sha256": {}}, "not a whole backup"),
        ({"format": 1, "sha256": {}}, "not a whole backup"),
        ({"format": 1, "sha256": ["jingxiang.db"]}, "not a whole backup"),
        ({"format": 1, "sha256": {"jingxiang.db": 7}}, "not a whole backup"),
        ({"format": 2, "sha256": {}}, "newer version"),
        ({"format": 9, "files": []}, "newer version"),
    ],
)
def test_a_manifest_that_is_none_is_no_backup(tmp_path: Path, manifest: Any, said: str) -> None:
    file = packed(tmp_path / "one.tar", json.dumps(manifest).encode(), {"jingxiang.db": b"hello"})
    assert said in Console(tmp_path / "new").refused("restore", file)
    assert not list((tmp_path / "new").glob("*"))


def test_a_backup_cut_short_or_packed_again_is_no_traceback(console: Console) -> None:
    console.done("backup", "kept")
    [file] = Path("kept").iterdir()
    whole, new = file.read_bytes(), Console(Path("new").resolve())
    for left in (0, 1, 511, 5_000, len(whole) // 2):
        file.write_bytes(whole[:left])
        assert "backup" in new.refused("restore", file)
    with tarfile.open("other.tar.xz", "w:xz") as tar:
        tar.add(EXAMPLE, "example")
    squeezed = Path("other.tar.xz").read_bytes()
    Path("other.tar.xz").write_bytes(squeezed[: len(squeezed) // 2])
    assert "not a whole backup" in new.refused("restore", "other.tar.xz")


def test_a_backup_of_a_damaged_database_is_not_restored(console: Console) -> None:
    path = console.folder / "jingxiang.db"
    overwrite(path, root_of(path, "households"), noise(1))
    content = path.read_bytes()
    manifest = {"format": 1, "sha256": {"jingxiang.db": hashlib.sha256(content).hexdigest()}}
    file = packed(Path("one.tar"), json.dumps(manifest).encode(), {"jingxiang.db": content})
    assert "jingxiang.db" in (said := Console(Path("new").resolve()).refused("restore", file)) and "damaged" in said
