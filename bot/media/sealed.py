"""Files of a township in the store, sealed under a data key a day; those of before are read as they are.

Without a vault they are stored as they are, too. A file is never under an older day's key than its rows are old, so
that a day's key can go when its rows have (`handlers/photos`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from bot.media.shelf import Complete, Shelf
from storage.database import Database
from storage.vault.files import HEAD, SealedHead, SealedPart, Sealer, head_of, plain_size
from storage.vault.sealing import file_key, key_of_day

MIME = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Plain:
    """A file in memory that is to be stored as `key`."""

    key: str
    content: bytes
    mime: str


class OpenedFile:
    """A file that may be read: its size in bytes as it was before it was sealed."""

    def __init__(self, shelf: Shelf, key: str, stored_bytes: int, head: SealedHead | None, secret: bytes) -> None:
        self.size_bytes = stored_bytes if head is None else plain_size(stored_bytes)
        self._shelf, self._key, self._stored_bytes, self._head, self._secret = shelf, key, stored_bytes, head, secret

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, in pieces. Raises FileNotFoundError, also for what was changed since:
        such a photo is as good as lost.
        """
        if self._head is None:
            async for piece in self._shelf.read(self._key, start, end):
                yield piece
            return
        part = SealedPart(self._secret, self._head, self._key, self._stored_bytes, start, end)
        try:
            async for piece in self._shelf.read(self._key, part.start, part.end):
                if found := part.add(piece):
                    yield found
            if found := part.finish():
                yield found
        except ValueError as error:
            raise FileNotFoundError(f"{self._key}: {error}") from None


class SealedFiles:
    """Seals files on their way into the store, and opens them."""

    def __init__(self, shelf: Shelf, database: Database, township_id: int) -> None:
        self._shelf = shelf
        self._database = database
        self._township_id = township_id

    async def seal(self, files: Sequence[Plain], at_ms: int) -> list[Complete]:
        """Write files into the folder for what is not complete, sealed under the key of that moment's day."""
        if self._database.vault is None:
            return await asyncio.to_thread(_written, self._shelf.waiting, files, _as_it_is)
        day, secret = await self._database.transaction(
            partial(file_key, at_ms=at_ms), township_id=self._township_id, exclusive=False
        )
        return await asyncio.to_thread(_written, self._shelf.waiting, files, partial(_sealed, secret=secret, day=day))

    async def open(self, key: str) -> OpenedFile | None:
        """A file of the store; None when it isn't there, or its key was erased."""
        found = await self._shelf.find(key)
        if found is None:
            return None
        try:
            beginning = b"".join([piece async for piece in self._shelf.read(key, 0, min(HEAD.size, found.size_bytes))])
        except FileNotFoundError:
            return None
        head = head_of(beginning)
        secret = b"" if head is None else await self._secret(head.day)
        return None if secret is None else OpenedFile(self._shelf, key, found.size_bytes, head, secret)

    async def is_sealed(self, key: str, size_bytes: int) -> bool:
        """Whether a file of the store is sealed. Raises FileNotFoundError."""
        beginning = b"".join([piece async for piece in self._shelf.read(key, 0, min(HEAD.size, size_bytes))])
        return head_of(beginning) is not None

    async def _secret(self, day: int) -> bytes | None:
        return await self._database.read(partial(key_of_day, day=day), township_id=self._township_id)


def _written(folder: Path, files: Sequence[Plain], write: Callable[[BinaryIO, Plain], str]) -> list[Complete]:
    """Write files into a folder; none of them is left there when one can't be written."""
    done: list[Complete] = []
    try:
        for plain in files:
            path = folder / secrets.token_hex(16)
            with path.open("xb") as file:
                done.append(Complete(plain.key, path, ""))
                done[-1] = Complete(plain.key, path, write(file, plain))
    except OSError:
        discard(done)
        raise
    return done


def _sealed(file: BinaryIO, plain: Plain, secret: bytes, day: int) -> str:
    sealer = Sealer(file, secret, day, plain.key)
    sealer.write(plain.content)
    sealer.finish()
    return MIME


def _as_it_is(file: BinaryIO, plain: Plain) -> str:
    file.write(plain.content)
    return plain.mime


def discard(files: Sequence[Complete]) -> None:
    """Remove what was not stored of them. Blocks."""
    for file in files:
        file.path.unlink(missing_ok=True)
