"""Files named by their SHA-256: written under another name, checked, synced, then renamed. Everything here blocks.

`ab/cdef…` is an original, `….view` and `….thumb` are its copies; they get their names before it does, so that an
original that is there has its copies.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.pictures import Facts, copies_of, prepare

MIN_FREE_BYTES = 200 * 1024 * 1024
STALE_S = 86_400


class NoRoom(Exception):
    """The disk is nearly full: nothing more is stored, so that the database can still be written."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store."""

    sha256: str
    size_bytes: int
    facts: Facts

    def to_json(self) -> dict[str, Any]:
        """What the row keeps (and an errand hands in)."""
        return {"sha256": self.sha256, "size_bytes": self.size_bytes, **self.facts.to_json()}


class Incoming:
    """A file on its way in. Every method blocks: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        waiting = folder / "incoming"
        waiting.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(waiting).free < MIN_FREE_BYTES:
            raise NoRoom
        self._path = waiting / secrets.token_hex(16)
        self._view, self._thumb = copies_of(self._path)
        self._file = self._path.open("xb")
        self._hash = hashlib.sha256()
        self._size_bytes = 0

    def write(self, block: bytes) -> None:
        """Add bytes."""
        self._hash.update(block)
        self._size_bytes += len(block)
        self._file.write(block)

    def finish(self, zone: ZoneInfo, largest_px: int) -> Stored:
        """Check the whole, write the copies and give all their names. Raises Refused."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        facts = prepare(self._path, self._view, self._thumb, zone, largest_px)
        sha256 = self._hash.hexdigest()
        original = path_of(self._folder, sha256)
        original.parent.mkdir(exist_ok=True)
        view, thumb = copies_of(original)
        for temporary, final in ((self._view, view), (self._thumb, thumb), (self._path, original)):
            if temporary.exists():
                _sync(temporary)
                temporary.replace(final)
        _sync(original.parent)
        _sync(self._folder)
        return Stored(sha256, self._size_bytes, facts)

    def discard(self) -> None:
        """Remove what is left of it."""
        self._file.close()
        for path in (self._path, self._view, self._thumb):
            path.unlink(missing_ok=True)


def path_of(folder: Path, sha256: str) -> Path:
    """Where the original with that hash lies."""
    return folder / sha256[:2] / sha256[2:]


def remove(folder: Path, sha256s: Iterable[str]) -> None:
    """Remove originals with their copies; the original goes last, so that a crash leaves it to be found again."""
    for sha256 in sha256s:
        original = path_of(folder, sha256)
        for path in (*copies_of(original), original):
            path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what a crash left of uploads that never ended."""
    with contextlib.suppress(FileNotFoundError):
        for path in (folder / "incoming").iterdir():
            if path.stat().st_mtime < time.time() - STALE_S:
                path.unlink(missing_ok=True)
