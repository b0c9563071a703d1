"""Restore of a backup, and its check: in one pass each, a piece at a time, nothing of it on the disk but what stays.

What is encrypted needs the key file that it was encrypted to; a backup of an older version is a plain tar file.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tarfile
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bot.console.backups.contents import (
    DATABASE,
    MEDIA,
    KeepingError,
    Photo,
    Progress,
    check,
    copied,
    locks_in,
    named,
    opened,
    some,
    sqlite_file,
)
from bot.errors import RetryLater
from bot.media.files import complete
from bot.media.shelf import Shelf
from bot.media.stores import open_shelf
from bot.settings import Settings
from bot.vault import every_key
from storage.database import Damaged
from storage.engine.sqlite import SqliteTx, check_integrity, drive
from storage.machine import townships
from storage.vault import keys
from storage.vault.age import is_encrypted
from storage.vault.keyfile import PUBLIC
from storage.vault.vault import Vault


def check_backup(path: Path, settings: Settings, progress: Progress) -> dict[str, str]:
    """Compare every file of a backup with its checksum; the checksums. Raises KeepingError and KeyFileProblem."""
    return check(path, keys_for(path, settings), progress)


def keys_for(path: Path, settings: Settings) -> list[X25519PrivateKey]:
    """The keys that may open a backup. Raises KeepingError when it needs one and there is none, KeyFileProblem."""
    if not is_encrypted(path):
        return []
    if not settings.vault_key.exists():
        raise KeepingError("backup_needs_key", path=path, key=settings.vault_key)
    return every_key(settings)


def restore(path: Path, settings: Settings, *, progress: Progress) -> None:
    """Unpack a backup into an empty DATA_DIR, the photos into the store that the settings name.

    The database comes last, its data keys under today's key. Raises KeepingError when DATA_DIR isn't empty or the
    backup isn't whole, KeyFileProblem when it can't be opened.
    """
    data_dir, database = settings.data_dir, sqlite_file(settings)
    if database.exists() or _holds_more_than_keys(settings):
        raise KeepingError("data_dir_not_empty", path=data_dir)
    private = keys_for(path, settings)
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=data_dir) as scratch:
            copy = Path(scratch) / DATABASE
            sums = check(path, private, progress, into=copy)
            photos = _photos_of(copy, path)
            lost = [name for photo in photos for name in photo.files if f"{MEDIA}/{name}" not in sums]
            if lost:
                raise KeepingError("backup_lacks_photos", path=path, names=some(lost))
            with opened(path, private, lambda *_: None) as tar:
                _put_back(tar, photos, open_shelf(settings), Path(scratch), progress)
            _change_locks(copy, settings)
            database.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(str(copy), database)
    except BaseException as error:
        shutil.rmtree(data_dir / MEDIA, ignore_errors=True)  # ours, as it was empty: so it may be tried again
        if isinstance(error, RetryLater):
            raise KeepingError("later", said=error.reason) from None
        raise


def _holds_more_than_keys(settings: Settings) -> bool:
    """Whether DATA_DIR has anything but the key that a restore needs."""
    mine = settings.vault_key
    found = settings.data_dir.iterdir() if settings.data_dir.exists() else ()
    return any(
        one.name != PUBLIC and not (one.name.startswith(mine.name) and one.parent == mine.parent) for one in found
    )


def _change_locks(copy: Path, settings: Settings) -> None:
    """Put data keys that lie under a key of before under today's, the first; where there is no key yet, they stay."""
    if not locks_in(copy) or not settings.vault_key.exists():
        return
    today, *before = map(Vault, every_key(settings))
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        connection.row_factory = sqlite3.Row
        for township_id in drive(townships.every_id(SqliteTx(connection, 0))):
            for old in before:
                drive(keys.change_lock(SqliteTx(connection, township_id), old, today))
        connection.commit()


def _photos_of(copy: Path, path: Path) -> list[Photo]:
    """What `named` finds in the database of the backup at `path`. Raises KeepingError when it is not sound, or none."""
    try:
        check_integrity(copy)
        return named(copy)
    except (Damaged, sqlite3.DatabaseError):
        raise KeepingError("backup_member_damaged", path=path, name=DATABASE) from None


def _put_back(tar: tarfile.TarFile, photos: list[Photo], shelf: Shelf, scratch: Path, progress: Progress) -> None:
    """Store each photo with its copies as they come, but what is there already: its name is its content."""
    of_files = {name: photo for photo in photos for name in photo.files}
    sizes: dict[str, int] = {}
    done = 0
    for member in tar:
        name = member.name.removeprefix(f"{MEDIA}/")
        photo = of_files.get(name)
        if photo is None:
            continue
        sizes[name] = member.size
        file = tar.extractfile(member)
        assert file is not None  # it was checked
        copied(file, scratch / f"photo{name.removeprefix(photo.key)}")
        if name != photo.key:  # the original comes after its copies
            continue
        there = [shelf.find_now(one) for one in photo.files]
        if any(found is None or found.size_bytes != sizes[one] for one, found in zip(photo.files, there, strict=True)):
            shelf.put_now(complete(scratch / "photo", photo.key, photo.mime))
        for left in scratch.glob("photo*"):
            left.unlink()
        done += 1
        progress("files", done, len(photos))
