"""No other user of the computer reads anything that the program has written."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.start import first_answer
from tests.cli.console import Console
from tests.example import EXAMPLE
from tests.fakes.pictures import photo
from tests.process.program import Program, look_into

HEADERS = {"X-Jingxiang": "1"}


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """What a computer has, whatever a command of this process sets."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_files(*folders: Path) -> list[str]:
    """What group or others may touch, of all that lies there and the folders themselves."""
    found = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return [f"{path} {stat.filemode(path.lstat().st_mode)}" for path in found if path.lstat().st_mode & 0o077]


def test_what_import_backup_and_restore_write(tmp_path: Path) -> None:
    data, kept, again = (tmp_path / name for name in ("data", "backups", "again"))
    console = Console(data)
    console.done("import", EXAMPLE)
    os.umask(0o022)
    made = Path(console.done("backup", kept).splitlines()[0])
    os.umask(0o022)
    Console(again, VAULT_KEY_FILE=str(data / "vault.key")).done("restore", made)
    assert open_files(data, kept, again) == []


def test_a_backup_of_an_older_version_is_put_back_closed(tmp_path: Path) -> None:
    data, kept, again = (tmp_path / name for name in ("data", "backups", "again"))
    Console(data).done("import", EXAMPLE)
    (data / "jingxiang.db").chmod(0o644)
    made = Path(Console(data).done("backup", kept).splitlines()[0])
    Console(again, VAULT_KEY_FILE=str(data / "vault.key")).done("restore", made)
    assert open_files(again) == []


async def test_what_serving_writes_and_what_an_older_version_left(tmp_path: Path, sqlite_template: Path) -> None:
    data = tmp_path / "data"
    (data / "media" / "ab").mkdir(parents=True)
    (data / "media" / "ab" / "old").write_bytes(b"x")
    shutil.copy(sqlite_template, data / "jingxiang.db")
    (data / "jingxiang.db").chmod(0o644)
    assert open_files(data)
    program = Program(tmp_path, None, look_into(data / "jingxiang.db"))
    await program.start()
    try:
        port = await program.serves_at()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=HEADERS) as client:
            await asyncio.wait_for(first_answer(client), 30)
            await client.post("/api/media", content=photo())
        assert open_files(data) == []
    finally:
        await program.end()


def test_doctor_names_what_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    console = Console(tmp_path / "data")
    console.done("import", EXAMPLE)
    assert "only the program's own user" in console.says("doctor").output
    (tmp_path / "data").chmod(0o750)
    (tmp_path / ".env").write_text("# keys\n")
    (tmp_path / ".env").chmod(0o644)
    said = console.says("doctor").output
    [line] = [line for line in said.splitlines() if "chmod go-rwx" in line]
    assert str(tmp_path / "data") in line and ".env" in line
