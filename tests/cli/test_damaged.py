"""A damaged database is one line, whichever page was hit: never a traceback, never «all is well»."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from tests.cli.console import Console
from tests.example import EXAMPLE

PAGE_BYTES = 4_096


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    """An imported township."""
    monkeypatch.chdir(tmp_path)
    made = Console(tmp_path / "data")
    assert made.says("import", EXAMPLE).exit_code == 0
    return made


def overwrite(path: Path, page: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(content)


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("command", ["verify", "doctor"])
def test_a_damaged_index_is_said(console: Console, command: str, at: int) -> None:
    path = console.folder / "jingxiang.db"
    connection = sqlite3.connect(path)
    roots = [row[0] for row in connection.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index' ORDER BY 1")]
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    overwrite(path, roots[at * len(roots) // 6], os.urandom(PAGE_BYTES))
    assert "the database is damaged" in console.refused(command)


@pytest.mark.parametrize("command", [("verify",), ("doctor",), ("backup", "kept.zip"), ("run",)])
@pytest.mark.parametrize("how", ["first page", "half", "text"])
def test_a_file_that_is_no_database_any_more_is_one_line(console: Console, how: str, command: tuple[str, ...]) -> None:
    path = console.folder / "jingxiang.db"
    if how == "first page":
        overwrite(path, 1, bytes(PAGE_BYTES))
    elif how == "half":
        os.truncate(path, path.stat().st_size // 2)
    else:
        path.write_text("hello")
    assert "the database is damaged" in console.refused(*command)
