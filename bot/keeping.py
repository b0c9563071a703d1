"""Backup and restore of a SQLite town: one tar file with the database, the photos and their checksums."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

DATABASE = "jingxiang.db"
MANIFEST = "manifest.json"
MEDIA = "media"
CHUNK_BYTES = 1 << 20
Progress = Callable[[str, int, int], None]


class KeepingError(RuntimeError):
    """A backup that can't be made or trusted; the message says what to do."""


def backup(database: Path, media: Path, folder: Path, *, stamp: str, keep: int = 0, progress: Progress) -> Path:
    """Write `jingxiang-<stamp>.tar` into `folder` while the bot may be running, check it, and rotate.

    `keep` > 0 leaves that many of the newest backups there. Raises KeepingError when the copy is not sound.
    """
    if not database.exists():
        raise KeepingError(f"there is no database at {database}")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"jingxiang-{stamp}.tar"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        copy = Path(scratch) / DATABASE
        _copy_database(database, copy, progress)
        files = {DATABASE: copy}
        files |= {f"{MEDIA}/{path.relative_to(media)}": path for path in sorted(media.rglob("*")) if _is_kept(path)}
        part = Path(scratch) / "backup.tar"
        _pack(part, files, progress)
        check(part, progress)
        part.replace(target)
    if keep > 0:
        for old in sorted(folder.glob("jingxiang-*.tar"))[:-keep]:
            old.unlink()
    return target


def _is_kept(path: Path) -> bool:
    return path.is_file() and not path.name.endswith(".part")


def _copy_database(source: Path, copy: Path, progress: Progress) -> None:
    """SQLite's own online backup: one consistent moment, whatever is written meanwhile."""
    with sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True) as reading, sqlite3.connect(copy) as writing:
        reading.backup(
            writing, pages=2_000, progress=lambda _, left, total: progress("database", total - left, max(total, 1))
        )
        writing.execute("PRAGMA journal_mode=DELETE")
        _check_database(writing)
    reading.close()
    writing.close()


def _check_database(connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise KeepingError(f"the database is damaged: {found}")


def _pack(part: Path, files: dict[str, Path], progress: Progress) -> None:
    sums: dict[str, str] = {}
    with tarfile.open(part, "w") as tar:
        for done, (name, path) in enumerate(files.items(), 1):
            try:
                sums[name] = _sha256(path.open("rb"))
                tar.add(path, name, recursive=False)
            except FileNotFoundError:
                sums.pop(name, None)  # a temporary copy that went away meanwhile
            progress("files", done, len(files))
        manifest = json.dumps({"format": 1, "sha256": sums}, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(manifest)
        tar.addfile(info, io.BytesIO(manifest))


def _sha256(file: Any) -> str:
    with file:
        digest = hashlib.sha256()
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
        return digest.hexdigest()


def check(path: Path, progress: Progress) -> dict[str, str]:
    """Compare every file of a backup with its checksum; the checksums. Raises KeepingError."""
    try:
        with tarfile.open(path) as tar:
            stored = tar.extractfile(MANIFEST)
            manifest = json.load(stored) if stored else {}
            sums: dict[str, str] = manifest["sha256"]
            names = [name for name in tar.getnames() if name != MANIFEST]
            if set(names) != set(sums):
                raise KeepingError(f"{path}: files and manifest differ")
            for done, name in enumerate(names, 1):
                file = tar.extractfile(name)
                if file is None or _sha256(file) != sums[name]:
                    raise KeepingError(f"{path}: {name} is damaged")
                progress("checking", done, len(names))
    except (tarfile.TarError, KeyError, ValueError, OSError) as error:
        raise KeepingError(f"{path} is not a whole backup: {error}") from None
    return sums


def restore(path: Path, data_dir: Path, database: Path, *, progress: Progress) -> None:
    """Unpack a backup into an empty DATA_DIR. Raises KeepingError when it isn't empty or the backup isn't whole."""
    if database.exists() or (data_dir.exists() and any(data_dir.iterdir())):
        raise KeepingError(f"{data_dir} is not empty: restore only into an empty DATA_DIR")
    sums = check(path, progress)
    data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data_dir) as scratch:
        with tarfile.open(path) as tar:
            tar.extractall(scratch, members=[tar.getmember(name) for name in sums], filter="data")
        with sqlite3.connect(Path(scratch) / DATABASE) as connection:
            _check_database(connection)
        connection.close()
        if (Path(scratch) / MEDIA).exists():
            shutil.move(str(Path(scratch) / MEDIA), data_dir / MEDIA)
        database.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(Path(scratch) / DATABASE), database)
