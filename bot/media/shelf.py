"""Where the files of photos and videos lie: a folder, here, or an S3-compatible store (`shelf_s3.py`).

A key is the file's SHA-256, `ab/cdef…`; its copies for viewing are `….view`, `….thumb` and, of an original that
followed a smaller photo, `….full`. The first township's
lie at the top, another's under `t<township>/`, so that nothing one township erases is another's.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.clock import Clock, SystemClock
from bot.errors import RetryLater

READ_BYTES = 256 * 1024
AWAY_MS = 5_000
PROBE = "probe"
OF_SYSTEM = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
    errno.EPERM: "read_only",
}
log = structlog.get_logger()


class Away(RetryLater):
    """The store can't be reached, or refuses; `reason` says why and holds no secret, `trouble` is its code."""

    def __init__(self, after_ms: int, reason: str, trouble: str = "no_answer") -> None:
        super().__init__(after_ms, reason)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the store: its size, and when it was stored by the store's own clock."""

    size_bytes: int
    stored_ms: int


@dataclass(frozen=True, slots=True)
class Complete:
    """A complete local file that is to get the name `key`."""

    key: str
    path: Path
    mime: str


def key_of(sha256: str, township_id: int = 1) -> str:
    """The key of an original."""
    return f"{home_of(township_id)}{sha256[:2]}/{sha256[2:]}"


def home_of(township_id: int) -> str:
    """What the keys of a township begin with."""
    return "" if township_id == 1 else f"t{township_id}/"


def copies(key: str) -> tuple[str, str, str]:
    """The keys of the copy for viewing, of the small one (a video has none), and of that in full size (few have)."""
    return f"{key}.view", f"{key}.thumb", f"{key}.full"


class Shelf:
    """A store of files by key. Every method raises Away when the store is.

    `waiting` is a local folder for files that are not complete; `name` tells the operator which store it is.
    """

    def __init__(self, waiting: Path, name: str) -> None:
        self.waiting = waiting
        self.name = name
        self.tell: Callable[[Away | None], None] = lambda _: None  # how it went, in the loop's own thread

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Tell how reaching the store goes; a file that isn't there says nothing of the store."""
        try:
            yield
        except Away as error:
            self.tell(error)
            raise
        self.tell(None)

    async def probe(self) -> None:
        """Write a file with nothing in it and delete it, to know whether that is possible. Raises Away."""
        with self.watched():
            await self.mark(PROBE)
            await self.delete([PROBE])

    async def put(self, files: Sequence[Complete]) -> None:
        """Give files their names in this order; all of them are durable when this returns. They may be moved."""
        with self.watched():
            await asyncio.to_thread(self.put_now, files)

    def put_now(self, files: Sequence[Complete]) -> None:
        """`put`, blocking."""
        raise NotImplementedError

    async def mark(self, key: str) -> None:
        """Store a file with nothing in it."""
        raise NotImplementedError

    async def find(self, key: str) -> StoredFile | None:
        """Size and time of a file, None when it isn't there."""
        return await asyncio.to_thread(self.find_now, key)

    def find_now(self, key: str) -> StoredFile | None:
        """`find`, blocking."""
        raise NotImplementedError

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, in pieces. Raises FileNotFoundError."""
        raise NotImplementedError

    def read_now(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Size and bytes of a whole file, blocking. Raises FileNotFoundError."""
        raise NotImplementedError

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove files in this order; one that is gone already is no error."""
        raise NotImplementedError

    def under(self, prefix: str) -> AsyncIterator[tuple[str, StoredFile]]:
        """Every file under a folder of the store, in no order."""
        raise NotImplementedError


class FolderShelf(Shelf):
    """A folder of this machine. A power cut takes nothing that `put` has returned for.

    The time of a file is our clock's, as an S3 store's is the store's.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        super().__init__(folder / "incoming", str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock or SystemClock()

    def put_now(self, files: Sequence[Complete]) -> None:
        """Sync, rename, sync the folders."""
        folders: set[Path] = set()
        for file in files:
            target = self._folder / file.key
            target.parent.mkdir(parents=True, exist_ok=True)
            self._stamp(file.path)
            _sync(file.path)
            file.path.replace(target)
            above = target.relative_to(self._folder).parents
            folders |= {self._folder / one for one in above}
        for folder in sorted(folders, reverse=True):
            _sync(folder)

    async def mark(self, key: str) -> None:
        """Store a file with nothing in it."""
        await asyncio.to_thread(self._mark, self._folder / key)

    def find_now(self, key: str) -> StoredFile | None:
        """Size and time of a file, None when it isn't there."""
        with reaching(), contextlib.suppress(FileNotFoundError):
            return _found(self._folder / key)
        return None

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, in pieces. Raises FileNotFoundError."""
        pieces = self._pieces(key, start, end)
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece

    def read_now(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Size and bytes of a whole file, blocking. Raises FileNotFoundError."""
        with reaching():
            size_bytes = _found(self._folder / key).size_bytes
        return size_bytes, self._pieces(key, 0, size_bytes)

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove files in this order; one that is gone already is no error."""
        await asyncio.to_thread(self._delete, keys)

    async def under(self, prefix: str) -> AsyncIterator[tuple[str, StoredFile]]:
        """Every file under a folder of the store, in no order."""
        for found in await asyncio.to_thread(self._under, self._folder / prefix):
            yield found

    def _stamp(self, path: Path) -> None:
        now_ns = self._clock.now_ms() * 1_000_000
        os.utime(path, ns=(now_ns, now_ns))

    def _mark(self, path: Path) -> None:
        with reaching():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"\n")
            self._stamp(path)

    def _pieces(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        with reaching(), (self._folder / key).open("rb") as file:
            file.seek(start)
            left = READ_BYTES if end is None else end - start
            while piece := file.read(min(READ_BYTES, left)):
                left -= len(piece) if end is not None else 0
                yield piece

    def _delete(self, keys: Sequence[str]) -> None:
        with reaching():
            for key in keys:
                (self._folder / key).unlink(missing_ok=True)

    def _under(self, folder: Path) -> list[tuple[str, StoredFile]]:
        found = []
        with reaching():
            for path in folder.rglob("*"):
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    if path.is_file():
                        found.append((path.relative_to(self._folder).as_posix(), _found(path)))
        return found


@contextlib.contextmanager
def reaching() -> Iterator[None]:
    """Turn what the folder's file system refuses into Away. FileNotFoundError stays."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise away(error, reason, OF_SYSTEM.get(error.errno or 0, "disk_fails")) from None


def away(error: Exception, reason: str, trouble: str = "no_answer") -> Away:
    """The store can't be reached, or refuses."""
    log.debug("media.away", error=type(error).__name__, reason=reason)
    return Away(AWAY_MS, f"media store: {reason}", trouble)


def _found(path: Path) -> StoredFile:
    facts = path.stat()
    return StoredFile(facts.st_size, facts.st_mtime_ns // 1_000_000)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
