"""Backup and restore of a SQLite deployment: one tar file with the database, the photos and their checksums.

The photos come from wherever they lie (a folder or an S3-compatible store) and go back there, one at a time and in
pieces. A backup holds every photo that its copy of the database names.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import lzma
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.clock import SystemClock
from bot.console.words import OperatorError, say
from bot.errors import RetryLater
from bot.media.files import complete
from bot.media.shelf import Shelf, copies, key_of
from bot.media.stores import open_shelf
from bot.settings import Settings
from storage.database import Damaged
from storage.engine.sqlite import check_integrity, telling_damage

DATABASE = "jingxiang.db"
MANIFEST = "manifest.json"
FORMAT = 1  # of a backup; a higher number is a newer version's
MEDIA = "media"
UNREADABLE = (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, KeyError, ValueError, RecursionError)
REMEMBERED = "last-backup.json"
CHUNK_BYTES = 1 << 20
ROUNDS = 3
NAMED_LARGEST = 10
Progress = Callable[[str, int, int], None]
NAMED = (
    "SELECT township_id, sha256, MIN(mime) AS mime FROM media WHERE sha256 IS NOT NULL AND state <> 'erased'"
    " GROUP BY township_id, sha256 ORDER BY township_id, sha256"
)


class KeepingError(OperatorError):
    """A backup that can't be made or trusted; its text says what to do."""


def backup(settings: Settings, folder: Path, *, stamp: str, keep: int = 0, progress: Progress) -> Path:
    """Write `jingxiang-<stamp>.tar` into `folder` while the bot may be running, check it, and rotate.

    `keep` > 0 leaves that many of the newest backups there. Raises KeepingError when the copy is not sound.
    """
    database = _sqlite_file(settings)
    if not database.exists():
        raise KeepingError("no_database", path=database)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"jingxiang-{stamp}.tar"
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            part = Path(scratch) / "backup.tar"
            with tarfile.open(part, "w") as tar:
                _fill(_Pack(tar), database, Path(scratch) / DATABASE, open_shelf(settings), progress)
            check(part, progress)
            part.replace(target)
    except RetryLater as error:
        raise KeepingError("later", said=error.reason) from None
    _remember(settings, LastBackup(SystemClock().now_ms(), target.resolve()))
    if keep > 0:
        for old in sorted(folder.glob("jingxiang-*.tar"))[:-keep]:
            old.unlink()
    return target


@dataclass(frozen=True, slots=True)
class LastBackup:
    """When the last backup was made, and where it was put."""

    at_ms: int
    file: Path


def last_made(settings: Settings) -> LastBackup | None:
    """The last backup that was made of this DATA_DIR; None when it is not known."""
    try:
        found = json.loads((settings.data_dir / REMEMBERED).read_text("utf-8"))
        return LastBackup(int(found["at_ms"]), Path(found["file"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _remember(settings: Settings, made: LastBackup) -> None:
    # the backup is whole, also where DATA_DIR can't be written
    with contextlib.suppress(OSError):
        said = json.dumps({"at_ms": made.at_ms, "file": str(made.file)})
        (settings.data_dir / REMEMBERED).write_text(said, "utf-8")


def _sqlite_file(settings: Settings) -> Path:
    if settings.database_path is None:
        raise KeepingError("backup_postgresql")
    return settings.database_path


def _fill(pack: _Pack, database: Path, copy: Path, shelf: Shelf, progress: Progress) -> None:
    """Photos first, then the copy of the database that names no others.

    One that is gone may have been erased since the copy was made: then a newer copy doesn't name it.
    """
    lost: list[str] = []
    for _ in range(ROUNDS):
        copy.unlink(missing_ok=True)
        _copy_database(database, copy, progress)
        lost = _add_photos(pack, named(copy), shelf, progress)
        if not lost:
            pack.add(DATABASE, copy.stat().st_size, _pieces(copy))
            pack.close()
            return
    raise KeepingError("photos_not_in_store", store=shelf.name, names=some(lost))


def some(names: list[str]) -> str:
    """The first of many names, and how many more there are."""
    first, more = ", ".join(names[:NAMED_LARGEST]), len(names) - NAMED_LARGEST
    return say("names.more", names=first, count=more) if more > 0 else first


def named(database: Path) -> list[tuple[str, str, str]]:
    """(key, SHA-256, MIME type) of every original that a SQLite file needs."""
    connection = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return [(key_of(sha256, township), sha256, mime) for township, sha256, mime in connection.execute(NAMED)]
    finally:
        connection.close()


def files_of(key: str, mime: str) -> tuple[str, ...]:
    """The copies of an original, then itself."""
    view, thumb = copies(key)
    return (view, thumb, key) if mime.startswith("image/") else (view, key)


def _add_photos(pack: _Pack, photos: list[tuple[str, str, str]], shelf: Shelf, progress: Progress) -> list[str]:
    """Add what is not in the backup yet; what is not in the store, or not what it was."""
    lost = []
    for done, (key, sha256, mime) in enumerate(photos, 1):
        for name in files_of(key, mime):
            try:
                if f"{MEDIA}/{name}" not in pack.sums:
                    pack.add(f"{MEDIA}/{name}", *shelf.read_now(name))
            except FileNotFoundError:
                lost.append(name)
        if pack.sums.get(f"{MEDIA}/{key}", sha256) != sha256:
            raise KeepingError("photo_damaged", key=key, store=shelf.name)
        progress("files", done, len(photos))
    return lost


def _copy_database(source: Path, copy: Path, progress: Progress) -> None:
    """SQLite's own online backup: one consistent moment, whatever is written meanwhile. Raises Damaged."""
    address = f"{source.resolve().as_uri()}?mode=ro"
    with (
        telling_damage(source),
        contextlib.closing(sqlite3.connect(address, uri=True)) as old,
        contextlib.closing(sqlite3.connect(copy)) as new,
    ):
        old.backup(new, pages=2_000, progress=lambda _, left, total: progress("database", total - left, max(total, 1)))
        new.execute("PRAGMA journal_mode=DELETE")
    try:
        check_integrity(copy)
    except Damaged as error:  # the copy's pages are those of the source
        error.where = str(source)
        raise


class _Pack:
    """A tar file that is being filled, and the checksum of each file in it."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.sums: dict[str, str] = {}
        self._tar = tar

    def add(self, name: str, size_bytes: int, pieces: Iterator[bytes]) -> None:
        reader = _Reader(pieces)
        info = tarfile.TarInfo(name)
        info.size = size_bytes
        self._tar.addfile(info, reader)
        self.sums[name] = reader.digest.hexdigest()

    def close(self) -> None:
        """Add the list of checksums."""
        manifest = json.dumps({"format": FORMAT, "sha256": self.sums}, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(manifest)
        self._tar.addfile(info, io.BytesIO(manifest))


class _Reader(io.RawIOBase):
    """Pieces as a file that `tarfile` reads from; it is given as many bytes as it asks for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1, /) -> bytes:
        found = bytearray(self._left)
        while len(found) < size and (piece := next(self._pieces, b"")):
            found += piece
        self._left = bytes(found[size:])
        wanted = bytes(found[:size])
        self.digest.update(wanted)
        return wanted


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


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
            sums = _sums_of(json.load(stored) if stored else None, path)
            names = [name for name in tar.getnames() if name != MANIFEST]
            if set(names) != set(sums):
                raise KeepingError("backup_differs", path=path)
            for done, name in enumerate(names, 1):
                file = tar.extractfile(name)
                if file is None or _sha256(file) != sums[name]:
                    raise KeepingError("backup_member_damaged", path=path, name=name)
                progress("checking", done, len(names))
    except UNREADABLE as error:
        raise KeepingError("backup_not_whole", path=path, said=" ".join(str(error).split())) from None
    return sums


def _sums_of(manifest: object, path: Path) -> dict[str, str]:
    """The checksums that a manifest of a format known here holds. Raises KeepingError and ValueError."""
    made = manifest.get("format") if isinstance(manifest, dict) else None
    if not isinstance(manifest, dict) or type(made) is not int or made < 1:
        raise ValueError(f"{MANIFEST} has no format")
    if made > FORMAT:
        raise KeepingError("backup_newer", path=path, format=made, known=FORMAT)
    sums = manifest.get("sha256")
    if not isinstance(sums, dict) or not all(isinstance(one, str) for one in sums.values()) or DATABASE not in sums:
        raise ValueError(f"{MANIFEST} names no {DATABASE}")
    return sums


def restore(path: Path, settings: Settings, *, progress: Progress) -> None:
    """Unpack a backup into an empty DATA_DIR, the photos into the store that the settings name.

    The database comes last. Raises KeepingError when DATA_DIR isn't empty or the backup isn't whole.
    """
    data_dir, database = settings.data_dir, _sqlite_file(settings)
    if database.exists() or (data_dir.exists() and any(data_dir.iterdir())):
        raise KeepingError("data_dir_not_empty", path=data_dir)
    sums = check(path, progress)
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=data_dir) as scratch, tarfile.open(path) as tar:
            tar.extract(DATABASE, scratch, filter="data")
            copy = Path(scratch) / DATABASE
            copy.chmod(0o600)  # whatever it was where the backup was made
            photos = _photos_of(copy, path)
            lost = [name for key, _, mime in photos for name in files_of(key, mime) if f"{MEDIA}/{name}" not in sums]
            if lost:
                raise KeepingError("backup_lacks_photos", path=path, names=some(lost))
            _put_back(tar, photos, open_shelf(settings), Path(scratch), progress)
            database.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(str(copy), database)
    except BaseException as error:
        shutil.rmtree(data_dir / MEDIA, ignore_errors=True)  # ours, as it was empty: so it may be tried again
        if isinstance(error, RetryLater):
            raise KeepingError("later", said=error.reason) from None
        raise


def _photos_of(copy: Path, path: Path) -> list[tuple[str, str, str]]:
    """What `named` finds in the database of the backup at `path`. Raises KeepingError when it is not sound, or none."""
    try:
        check_integrity(copy)
        return named(copy)
    except (Damaged, sqlite3.DatabaseError):
        raise KeepingError("backup_member_damaged", path=path, name=DATABASE) from None


def _put_back(
    tar: tarfile.TarFile, photos: list[tuple[str, str, str]], shelf: Shelf, scratch: Path, progress: Progress
) -> None:
    """Store each photo with its copies, but what is there already: its name is its content."""
    for done, (key, _, mime) in enumerate(photos, 1):
        names = files_of(key, mime)
        members = {name: tar.getmember(f"{MEDIA}/{name}") for name in names}
        there = {name: shelf.find_now(name) for name in names}
        if any(found is None or found.size_bytes != members[name].size for name, found in there.items()):
            for name in names:
                target = scratch / f"photo{name.removeprefix(key)}"
                target.unlink(missing_ok=True)
                with target.open("xb") as file, tar.extractfile(members[name]) as stored:  # type: ignore[union-attr]
                    shutil.copyfileobj(stored, file, CHUNK_BYTES)
            shelf.put_now(complete(scratch / "photo", key, mime))
            (scratch / "photo.thumb").unlink(missing_ok=True)  # a video that follows has none
        progress("files", done, len(photos))
