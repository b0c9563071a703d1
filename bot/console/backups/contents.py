"""What a backup holds and how it is read: once, from its first byte to the last, a piece at a time.

A tar file with the photos, the database and the checksum of each; encrypted by age, but for those of older versions.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bot.console.words import OperatorError, say
from bot.media.shelf import copies, key_of
from bot.settings import Settings
from storage.vault.age import DamagedFile, NotForTheseKeys, decrypting, is_encrypted

DATABASE = "jingxiang.db"
MANIFEST = "manifest.json"
FORMAT = 1  # of a backup; a higher number is a newer version's
MEDIA = "media"
UNREADABLE = (tarfile.TarError, EOFError, KeyError, ValueError, RecursionError)
CHUNK_BYTES = 1 << 20
NAMED_LARGEST = 10
Progress = Callable[[str, int, int], None]
NAMED = (
    "SELECT township_id, sha256, MIN(mime), {follows} FROM media WHERE sha256 IS NOT NULL AND state <> 'erased'"
    " GROUP BY township_id, sha256 ORDER BY township_id, sha256"
)
FOLLOWS = "MAX(original_of IS NOT NULL)"


class KeepingError(OperatorError):
    """A backup that can't be made or trusted; its text says what to do."""


def sqlite_file(settings: Settings) -> Path:
    """The database's file. Raises KeepingError where it is on a server."""
    if settings.database_path is None:
        raise KeepingError("backup_postgresql")
    return settings.database_path


def some(names: list[str]) -> str:
    """The first of many names, and how many more there are."""
    first, more = ", ".join(names[:NAMED_LARGEST]), len(names) - NAMED_LARGEST
    return say("names.more", names=first, count=more) if more > 0 else first


@dataclass(frozen=True, slots=True)
class Photo:
    """A file as it came: its key, the SHA-256 of its content, its MIME type; `full`: it has a copy in full size."""

    key: str
    sha256: str
    mime: str
    full: bool

    @property
    def files(self) -> tuple[str, ...]:
        """The keys of its copies, then its own."""
        view, thumb, full = copies(self.key)
        small = (thumb,) if self.mime.startswith("image/") else ()
        return (view, *small, *((full,) if self.full else ()), self.key)


def named(database: Path) -> list[Photo]:
    """Find every photo and video that a SQLite file needs; in one of an older version, none follows another."""
    with contextlib.closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        columns = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('media')")}
        rows = connection.execute(NAMED.format(follows=FOLLOWS if "original_of" in columns else "0"))
        return [Photo(key_of(sha256, township), sha256, mime, bool(full)) for township, sha256, mime, full in rows]


def locks_in(database: Path) -> set[str]:
    """Under which locks the data keys of a SQLite file lie; none in one of before there was a vault."""
    with contextlib.closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'vault_keys'").fetchone():
            return set()
        return {lock for (lock,) in connection.execute("SELECT DISTINCT lock FROM vault_keys")}


def check(
    path: Path, private: Sequence[X25519PrivateKey], progress: Progress, into: Path | None = None
) -> dict[str, str]:
    """Compare every file of a backup with its checksum; the checksums. The database is left `into` a file, if one is
    named. Raises KeepingError.
    """
    sums: dict[str, str] = {}
    manifest: object = None
    with opened(path, private, progress) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is None:
                raise KeepingError("backup_differs", path=path)
            if member.name == MANIFEST:
                manifest = json.load(file)
            else:
                sums[member.name] = copied(file, into if member.name == DATABASE else None)
        wanted = _sums_of(manifest, path)
    if set(sums) != set(wanted):
        raise KeepingError("backup_differs", path=path)
    for name, sha256 in sums.items():
        if sha256 != wanted[name]:
            raise KeepingError("backup_member_damaged", path=path, name=name)
    return sums


@contextlib.contextmanager
def opened(path: Path, private: Sequence[X25519PrivateKey], progress: Progress) -> Iterator[tarfile.TarFile]:
    """Read a backup's files in their order. What can't be read of it is a KeepingError."""
    size_bytes = path.stat().st_size
    try:
        with path.open("rb") as file, contextlib.ExitStack() as stack:
            told = _Told(file, size_bytes, progress)
            plain: Any = stack.enter_context(decrypting(told, private)) if is_encrypted(path) else told
            yield stack.enter_context(tarfile.open(fileobj=plain, mode="r|"))
    except NotForTheseKeys:
        raise KeepingError("backup_other_key", path=path) from None
    except (DamagedFile, *UNREADABLE) as error:
        raise KeepingError("backup_not_whole", path=path, said=" ".join(str(error).split())) from None


class _Told:
    """A file that tells how far it was read."""

    def __init__(self, file: IO[bytes], size_bytes: int, progress: Progress) -> None:
        self._file = file
        self._size_bytes = size_bytes
        self._progress = progress
        self._done_bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size)
        self._done_bytes = min(self._size_bytes, self._done_bytes + len(piece))
        self._progress("checking", self._done_bytes, self._size_bytes)
        return piece


def copied(source: IO[bytes], target: Path | None) -> str:
    """Read a file, into another if one is named; its SHA-256."""
    digest = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        copy = stack.enter_context(target.open("wb")) if target is not None else None
        while piece := source.read(CHUNK_BYTES):
            digest.update(piece)
            if copy is not None:
                copy.write(piece)
    return digest.hexdigest()


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


def pieces_of(path: Path) -> Iterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece


def digest_of(pieces: Iterable[bytes]) -> str:
    """The SHA-256 of bytes that come in pieces."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
