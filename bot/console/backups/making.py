"""Backup of a SQLite deployment: one tar file with the photos, the database and their checksums, encrypted by age.

It is encrypted to the public half of the vault's key as it is written, so that making it needs no secret and nothing
of it lies on the backup's disk in the clear. The photos come from wherever they lie (a folder or an S3-compatible
store), one at a time and in pieces. A backup holds every photo that its copy of the database names.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from bot.clock import SystemClock
from bot.console.backups.contents import (
    DATABASE,
    FORMAT,
    MANIFEST,
    MEDIA,
    KeepingError,
    Photo,
    Progress,
    check,
    digest_of,
    locks_in,
    named,
    pieces_of,
    some,
    sqlite_file,
)
from bot.errors import RetryLater
from bot.media.shelf import Shelf
from bot.media.stores import open_shelf
from bot.settings import Settings
from bot.vault import every_key, public_for
from storage.database import Damaged
from storage.engine.sqlite import check_integrity, telling_damage
from storage.vault.age import encrypting
from storage.vault.files import Checksum

PLAIN, ENCRYPTED = ".tar", ".tar.age"
COPYING, LEFT_S = "copying-", 86_400  # where the copy of the database is made; what a kill left of one goes
REMEMBERED = "last-backup.json"
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup that was made: its file, and older ones in its folder that are not encrypted."""

    file: Path
    plain: list[Path]


def make_backup(settings: Settings, folder: Path, *, stamp: str, keep: int = 0, progress: Progress) -> MadeBackup:
    """Write `jingxiang-<stamp>.tar.age` into `folder` while the bot may be running, check it, and rotate.

    `keep` > 0 leaves that many of the newest backups there. Raises KeepingError when the copy is not sound, and
    KeyFileProblem when the public key is nowhere to be had.
    """
    database = sqlite_file(settings)
    if not database.exists():
        raise KeepingError("no_database", path=database)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"jingxiang-{stamp}{ENCRYPTED}"
    with telling_damage(database):
        known = locks_in(database)
    public = public_for(settings, known)
    part = folder / f".{target.name}.part"
    _sweep(settings.data_dir, folder)
    try:
        with tempfile.TemporaryDirectory(prefix=COPYING, dir=settings.data_dir) as scratch:
            sums = _write(part, public, database, Path(scratch) / DATABASE, open_shelf(settings), progress)
        _check(part, sums, settings, progress)
        part.replace(target)
    except RetryLater as error:
        raise KeepingError("later", said=error.reason) from None
    finally:
        part.unlink(missing_ok=True)
    _remember(settings, LastBackup(SystemClock().now_ms(), target.resolve()))
    if keep > 0:
        for old in made_in(folder)[:-keep]:
            old.unlink()
    return MadeBackup(target, [one for one in made_in(folder) if one.suffix == PLAIN])


def made_in(folder: Path) -> list[Path]:
    """The backups in a folder, the newest last."""
    return sorted(one for one in folder.glob("jingxiang-*") if one.name.endswith((PLAIN, ENCRYPTED)))


def _sweep(data_dir: Path, folder: Path) -> None:
    """Remove what a backup that was killed has left, a day later."""
    for left in (*data_dir.glob(f"{COPYING}*"), *folder.glob(".jingxiang-*.part")):
        with contextlib.suppress(FileNotFoundError):
            if left.stat().st_mtime < time.time() - LEFT_S:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _write(part: Path, public: X25519PublicKey, database: Path, copy: Path, shelf: Shelf, progress: Progress) -> str:
    """Fill an encrypted tar file, durably; the SHA-256 of what was written."""
    with part.open("xb") as file:
        written = _Written(file)
        with encrypting(written, public) as plain, tarfile.open(fileobj=plain, mode="w|") as tar:
            _fill(_Pack(tar), database, copy, shelf, progress)
        file.flush()
        os.fsync(file.fileno())
    return written.digest.hexdigest()


def _check(part: Path, sha256: str, settings: Settings, progress: Progress) -> None:
    """Read back what was written: opened where the key is at hand, else byte by byte."""
    if settings.vault_key.exists():
        check(part, every_key(settings), progress)
    elif digest_of(pieces_of(part)) != sha256:
        raise KeepingError("backup_not_whole", path=part, said=part.name)


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
            pack.add(DATABASE, copy.stat().st_size, pieces_of(copy))
            pack.close()
            return
    raise KeepingError("photos_not_in_store", store=shelf.name, names=some(lost))


def _add_photos(pack: _Pack, photos: list[Photo], shelf: Shelf, progress: Progress) -> list[str]:
    """Add what is not in the backup yet; what is not in the store, or not what it was."""
    lost = []
    for done, photo in enumerate(photos, 1):
        for name in photo.files:
            try:
                if f"{MEDIA}/{name}" not in pack.sums:
                    added = pack.add(f"{MEDIA}/{name}", *shelf.read_now(name))
                    if not added.is_of(photo.sha256 if name == photo.key else added.sha256):
                        raise KeepingError("photo_damaged", key=name, store=shelf.name)
            except FileNotFoundError:
                lost.append(name)
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

    def add(self, name: str, size_bytes: int, pieces: Iterator[bytes]) -> Checksum:
        reader = _Reader(pieces)
        info = tarfile.TarInfo(name)
        info.size = size_bytes
        self._tar.addfile(info, reader)
        self.sums[name] = reader.sum.sha256
        return reader.sum

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
        self.sum = Checksum()
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1, /) -> bytes:
        found = bytearray(self._left)
        while len(found) < size and (piece := next(self._pieces, b"")):
            found += piece
        self._left = bytes(found[size:])
        wanted = bytes(found[:size])
        self.sum.update(wanted)
        return wanted


class _Written:
    """A file, and the checksum of what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def write(self, data: bytes, /) -> int:
        self.digest.update(data)
        return self._file.write(data)
