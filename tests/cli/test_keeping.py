"""Backup and restore, end to end, also while somebody writes."""

from __future__ import annotations

import sqlite3
import tarfile
import threading
from pathlib import Path

import pytest

from bot import keeping
from storage.migrate import migrate


def quiet(stage: str, done: int, total: int) -> None:
    assert 0 <= done <= total, stage


def town(folder: Path) -> Path:
    database = folder / "jingxiang.db"
    migrate(database, now_ms=1)
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO timers VALUES (1, 1, 'k', 'key', 5, '{}', 'due', 0, NULL, NULL)")
    (folder / "media" / "ab").mkdir(parents=True)
    (folder / "media" / "ab" / "cd").write_bytes(b"photo" * 1000)
    (folder / "media" / "ab" / "half.part").write_bytes(b"half")
    return database


def test_a_backup_comes_back_whole(tmp_path: Path) -> None:
    database = town(tmp_path / "old")
    file = keeping.backup(database, tmp_path / "old" / "media", tmp_path / "kept", stamp="1", progress=quiet)
    new = tmp_path / "new"
    keeping.restore(file, new, new / "jingxiang.db", progress=quiet)
    with sqlite3.connect(new / "jingxiang.db") as connection:
        assert connection.execute("SELECT timer_key FROM timers").fetchall() == [("key",)]
    assert (new / "media" / "ab" / "cd").read_bytes() == b"photo" * 1000
    assert not (new / "media" / "ab" / "half.part").exists()


def test_a_backup_while_somebody_writes_is_one_moment(tmp_path: Path) -> None:
    database = town(tmp_path / "old")
    stop = threading.Event()

    def write() -> None:
        with sqlite3.connect(database, timeout=10) as connection:
            at = 10
            while not stop.is_set():
                for row in (at, at + 1):
                    connection.execute(
                        "INSERT INTO timers VALUES (1, ?, 'k', ?, 5, '{}', 'due', 0, NULL, NULL)", (row, f"k{row}")
                    )
                connection.commit()
                at += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        file = keeping.backup(database, tmp_path / "old" / "media", tmp_path / "kept", stamp="1", progress=quiet)
    finally:
        stop.set()
        writer.join()
    keeping.restore(file, tmp_path / "new", tmp_path / "new" / "jingxiang.db", progress=quiet)
    with sqlite3.connect(tmp_path / "new" / "jingxiang.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM timers WHERE id >= 10").fetchone()[0] % 2 == 0


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    database = town(tmp_path / "old")
    for stamp in ("1", "2", "3"):
        keeping.backup(database, tmp_path / "old" / "media", tmp_path / "kept", stamp=stamp, keep=2, progress=quiet)
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["jingxiang-2.tar", "jingxiang-3.tar"]


def test_a_full_folder_and_a_damaged_backup_are_refused(tmp_path: Path) -> None:
    database = town(tmp_path / "old")
    file = keeping.backup(database, tmp_path / "old" / "media", tmp_path / "kept", stamp="1", progress=quiet)
    with pytest.raises(keeping.KeepingError, match="not empty"):
        keeping.restore(file, tmp_path / "old", database, progress=quiet)
    content = bytearray(file.read_bytes())
    with tarfile.open(file) as tar:
        at = tar.getmember("media/ab/cd").offset_data
    content[at] ^= 1
    file.write_bytes(content)
    with pytest.raises(keeping.KeepingError, match="damaged"):
        keeping.restore(file, tmp_path / "new", tmp_path / "new" / "jingxiang.db", progress=quiet)
    file.write_bytes(b"no tar at all")
    with pytest.raises(keeping.KeepingError, match="not a whole backup"):
        keeping.restore(file, tmp_path / "new", tmp_path / "new" / "jingxiang.db", progress=quiet)
    assert not (tmp_path / "new" / "jingxiang.db").exists()
