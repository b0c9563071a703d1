"""A file on its way in, and the agreement by which storing and erasing never cross, in whatever processes they run.

An original gets its name after its copies, so that one that is there has its copies. The agreement is told in
docs/decisions/0008: who stores looks for erasers afterwards, who erases says so beforehand.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.errors import RetryLater
from bot.media.pictures import VIEW_MIME, FileFacts, prepare
from bot.media.sealed import Plain
from bot.media.shelf import READ_BYTES, Complete, Shelf, copies, key_of
from storage.vault.files import HEAD, SealedPart, Sealer, head_of

MIN_FREE_BYTES = 200 * 1024 * 1024
STALE_S = 86_400
BROKEN_S = 3_600  # no upload takes this long: a kill left its files, which nobody opens any more
KEY_BYTES = 32
FRESH_MS = 3_600_000  # a row is written long before this after its file
LEFT_MS = 3_600_000  # no eraser takes this long: a crash left its marker
AGAIN_MS = 1_000


class NoRoom(Exception):
    """The disk is nearly full: nothing more is stored, so that the database can still be written."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the store."""

    sha256: str
    size_bytes: int
    facts: FileFacts

    def to_json(self) -> dict[str, Any]:
        """What the row keeps (and an errand hands in)."""
        return {"sha256": self.sha256, "size_bytes": self.size_bytes, **self.facts.to_json()}


class Incoming:
    """A file on its way in, in the local folder `waiting`, sealed from its first byte under a key that is in memory
    alone: what a crash leaves of it nobody opens. Every method blocks: call them in a thread.
    """

    def __init__(self, waiting: Path) -> None:
        waiting.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(waiting).free < MIN_FREE_BYTES:
            raise NoRoom
        self._path = waiting / secrets.token_hex(16)
        self._file = self._path.open("xb")
        self._key = os.urandom(KEY_BYTES)
        self._sealer = Sealer(self._file, self._key, 0, self._path.name)
        self._hash = hashlib.sha256()
        self._size_bytes = 0

    def write(self, block: bytes) -> None:
        """Add bytes."""
        self._hash.update(block)
        self._size_bytes += len(block)
        self._sealer.write(block)

    def finish(
        self, township_id: int, zone: ZoneInfo, largest_px: int, *, full: bool = False
    ) -> tuple[Stored, list[Plain]]:
        """Check the whole and make its copies, one in `full` size if that is wanted; what is to be stored, the original
        last. It is all in memory now. Raises UnusableFile.
        """
        self._sealer.finish()
        self._file.close()
        content = self._opened()
        facts, made = prepare(content, zone, largest_px, full=full)
        stored = Stored(self._hash.hexdigest(), self._size_bytes, facts)
        key = key_of(stored.sha256, township_id)
        mime = VIEW_MIME if facts.kind == "image" else facts.mime
        every = zip(copies(key), (made.view, made.thumb, made.full), strict=True)
        found = [Plain(name, copy, mime) for name, copy in every if copy is not None]
        return stored, [*found, Plain(key, content, facts.mime)]

    def _opened(self) -> bytes:
        """What was written, read again."""
        whole = io.BytesIO()
        with self._path.open("rb") as file:
            head = head_of(file.read(HEAD.size))
            assert head is not None, "we have just written it"
            sealed_bytes = self._path.stat().st_size
            part = SealedPart(self._key, head, self._path.name, sealed_bytes, 0, self._size_bytes)
            file.seek(part.start)
            while piece := file.read(min(READ_BYTES, part.end - file.tell())):
                whole.write(part.add(piece))
        whole.write(part.finish())
        return whole.getvalue()

    def discard(self) -> None:
        """Remove what is left of it."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def copies_of(original: Path) -> tuple[Path, Path, Path]:
    """Where the copy for viewing, the small one and that in full size lie beside a local original."""
    view, thumb, full = (original.with_name(f"{original.name}.{end}") for end in ("view", "thumb", "full"))
    return view, thumb, full


def complete(path: Path, key: str, mime: str) -> list[Complete]:
    """A complete local original with the copies beside it, in the order in which they are stored."""
    (view, *others), (view_key, *other_keys) = copies_of(path), copies(key)
    found = [Complete(view_key, view, VIEW_MIME if mime.startswith("image/") else mime)]
    found += [Complete(one, at, VIEW_MIME) for one, at in zip(other_keys, others, strict=True) if at.exists()]
    return [*found, Complete(key, path, mime)]


async def keep(shelf: Shelf, files: Sequence[Complete]) -> None:
    """Store files, the original last, and make sure that no eraser took them. Raises RetryLater; see `erase`."""
    await shelf.put(files)
    home, name = _named(files[-1].key)
    async for marker, found in shelf.under(f"{home}erasing"):
        if marker.startswith(f"{home}erasing/{name}.") and not await _is_left(shelf, found.stored_ms, files[-1].key):
            raise RetryLater(AGAIN_MS, "the same photo is being erased")
    for file in files:
        if await shelf.find(file.key) is None:
            raise RetryLater(AGAIN_MS, "the same photo was being erased")


async def _is_left(shelf: Shelf, marked_ms: int, key: str) -> bool:
    """Whether a marker is old enough to be what a crash left of an eraser."""
    original = await shelf.find(key)
    return original is not None and original.stored_ms - marked_ms > LEFT_MS


async def erase(
    shelf: Shelf, keys: Sequence[str], needed: Callable[[], Awaitable[set[str]]]
) -> tuple[list[str], list[str]]:
    """Remove originals with their copies, but what `needed` names (asked after it was said which are looked at).

    Returns the keys that are gone now, and those that were stored so lately that their row may not be written yet.
    The original goes last, so that a crash leaves it to be found again. Raises RetryLater.
    """
    markers: dict[str, str] = {}
    try:
        fresh, since_ms = set(), 0
        for key in keys:
            home, name = _named(key)
            markers[key] = f"{home}erasing/{name}.{secrets.token_hex(8)}"
            marked_ms = await _mark(shelf, markers[key])
            since_ms = since_ms or marked_ms
            if await _is_fresh(shelf, key, marked_ms):
                fresh.add(key)
        kept = await needed()
        for marker in markers.values():
            if await _mark(shelf, marker) - since_ms > LEFT_MS // 2:
                raise RetryLater(AGAIN_MS, "others may think that this eraser is gone")
        gone = [key for key in keys if key not in kept and key not in fresh]
        for key in gone:
            await shelf.delete([*copies(key), key])
        return gone, [key for key in keys if key in fresh and key not in kept]
    finally:
        await _unmark(shelf, list(markers.values()))


async def _mark(shelf: Shelf, marker: str) -> int:
    """Say that one erases, or say it again; when that was, by the store's clock."""
    await shelf.mark(marker)
    marked = await shelf.find(marker)
    if marked is None:
        raise RetryLater(AGAIN_MS, "the marker is gone")
    return marked.stored_ms


async def _is_fresh(shelf: Shelf, key: str, marked_ms: int) -> bool:
    found = [one for name in (*copies(key), key) if (one := await shelf.find(name)) is not None]
    return any(marked_ms - one.stored_ms < FRESH_MS for one in found)


async def _unmark(shelf: Shelf, markers: Sequence[str]) -> None:
    """Remove our markers, and those that a crash left."""
    left: list[str] = []
    for home in {marker.partition("erasing/")[0] for marker in markers}:
        found = {name: one.stored_ms async for name, one in shelf.under(f"{home}erasing")}
        now_ms = max((found[one] for one in markers if one in found), default=0)
        left += [name for name, stored_ms in found.items() if now_ms - stored_ms > STALE_S * 1000]
    await shelf.delete([*markers, *left])


def _named(key: str) -> tuple[str, str]:
    """What the key of an original begins with, and its SHA-256."""
    home, first, rest = f"/{key}".rsplit("/", 2)
    return f"{home}/".removeprefix("/"), first + rest


def sweep(waiting: Path) -> None:
    """Remove what a crash left of uploads that never ended. Blocks."""
    with contextlib.suppress(FileNotFoundError):
        for path in waiting.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process sweeps, too
                if path.stat().st_mtime < time.time() - BROKEN_S:
                    path.unlink()
