"""Where the files of photos and videos lie: a folder, or an S3-compatible store. Everything goes through obstore.

A key is the file's SHA-256, `ab/cdef…`; its copies for viewing are `….view` and `….thumb`. The first township's
lie at the top, another's under `t<township>/`, so that nothing one township erases is another's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obstore
import structlog
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore

from bot.clock import Clock, SystemClock
from bot.errors import RetryLater
from bot.settings import Settings

READ_BYTES = 256 * 1024
AWAY_MS = 5_000
log = structlog.get_logger()


class Away(RetryLater):
    """The store can't be reached, or refuses; `reason` says why and holds no secret."""


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


def copies(key: str) -> tuple[str, str]:
    """The keys of the copy for viewing and of the small one (a video has none)."""
    return f"{key}.view", f"{key}.thumb"


class Shelf:
    """A store of files by key. Every method raises Away when the store is.

    `waiting` is a local folder for files that are not complete; `name` tells the operator which store it is;
    `origin` is where links lead, "" when there are none.
    """

    def __init__(self, store: ObjectStore, waiting: Path, name: str) -> None:
        self.waiting = waiting
        self.name = name
        self.origin = ""
        self.link_s = 0
        self._store = store

    async def put(self, files: Sequence[Complete]) -> None:
        """Give files their names in this order; all of them are durable when this returns. They may be moved."""
        await asyncio.to_thread(self.put_now, files)

    def put_now(self, files: Sequence[Complete]) -> None:
        """`put`, blocking."""
        raise NotImplementedError

    async def mark(self, key: str) -> None:
        """Store a file with nothing in it."""
        with reaching():
            await obstore.put_async(self._store, key, b"\n", use_multipart=False)

    async def find(self, key: str) -> StoredFile | None:
        """Size and time of a file, None when it isn't there."""
        try:
            with reaching():
                return _found(await obstore.head_async(self._store, key))
        except FileNotFoundError:
            return None

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, in pieces. Raises FileNotFoundError."""
        with reaching():
            stream = (await obstore.get_async(self._store, key, options=_range(start, end))).stream(READ_BYTES)
        while True:
            with reaching():
                piece = await anext(stream, b"")
            if not piece:
                return
            yield bytes(piece)

    def read_now(self, key: str) -> tuple[int, Iterator[bytes]]:
        """Size and bytes of a whole file, blocking. Raises FileNotFoundError."""
        with reaching():
            result = obstore.get(self._store, key)
        return result.meta["size"], self._pieces(result)

    @staticmethod
    def _pieces(result: obstore.GetResult) -> Iterator[bytes]:
        stream = result.stream(READ_BYTES)
        while True:
            with reaching():
                piece = next(stream, b"")
            if not piece:
                return
            yield bytes(piece)

    def find_now(self, key: str) -> StoredFile | None:
        """`find`, blocking."""
        try:
            with reaching():
                return _found(obstore.head(self._store, key))
        except FileNotFoundError:
            return None

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove files in this order; one that is gone already is no error."""
        for key in keys:
            with contextlib.suppress(FileNotFoundError), reaching():
                await obstore.delete_async(self._store, key)

    async def under(self, prefix: str) -> AsyncIterator[tuple[str, StoredFile]]:
        """Every file under a folder of the store, in no order."""
        stream = obstore.list(self._store, prefix)
        while True:
            with reaching():
                some = await anext(stream, None)
            if some is None:
                return
            for meta in some:
                yield meta["path"], _found(meta)

    async def link(self, key: str) -> str:
        """An address at which anybody may read the file for `link_s` seconds; "" when this store gives none."""
        return ""


class FolderShelf(Shelf):
    """A folder of this machine. A power cut takes nothing that `put` has returned for.

    The time of a file is our clock's, as an S3 store's is the store's.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        super().__init__(LocalStore(folder, mkdir=True), folder / "incoming", str(folder))
        self._folder = folder
        self._clock = clock or SystemClock()

    def put_now(self, files: Sequence[Complete]) -> None:
        """Sync, rename, sync the folders: obstore's own `put` here copies, and syncs nothing."""
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
        await super().mark(key)
        await asyncio.to_thread(self._stamp, self._folder / key)

    def _stamp(self, path: Path) -> None:
        now_ns = self._clock.now_ms() * 1_000_000
        os.utime(path, ns=(now_ns, now_ns))


def open_shelf(settings: Settings, clock: Clock | None = None) -> Shelf:
    """The store that the settings name; nothing is asked of it yet."""
    if not settings.media_url:
        return FolderShelf(settings.data_dir / "media", clock)
    from bot.media.shelf_s3 import S3Shelf

    return S3Shelf(settings)


@contextlib.contextmanager
def reaching(*, missing_is_away: bool = False) -> Iterator[None]:
    """Turn what obstore raises into Away. FileNotFoundError stays, unless it can only mean that the bucket is gone."""
    try:
        yield
    except FileNotFoundError as error:
        if not missing_is_away:
            raise
        raise _away(error) from None
    except BaseError as error:
        raise _away(error) from None


def _away(error: Exception) -> Away:
    reason = reason_of(error)
    log.warning("media.away", error=type(error).__name__, reason=reason)
    return Away(AWAY_MS, f"media store: {reason}")


def reason_of(error: Exception) -> str:
    """What a store's error says, in short: its texts may quote the request with the key that signed it."""
    said = str(error)
    code = re.search(r"<Code>(\w+)</Code>", said)
    status = re.search(r"status code: (\d{3})", said)
    if code or status:
        return " ".join(found.group(1) for found in (status, code) if found)
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return "the credentials are refused"
    return "no connection" if "error sending request" in said else type(error).__name__


def _range(start: int, end: int | None) -> Any:
    if end is None:
        return {"range": {"offset": start}} if start else None
    return {"range": (start, end)}


def _found(meta: obstore.ObjectMeta) -> StoredFile:
    return StoredFile(meta["size"], int(meta["last_modified"].timestamp() * 1000))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
