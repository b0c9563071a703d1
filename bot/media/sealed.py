"""Files of a township in the store, sealed under a data key a day; those of before are read as they are.

Without a vault they are stored as they are, too. A file is never under an older day's key than its rows are old, so
that a day's key can go when its rows have (`handlers/photos`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

from bot.media.shelf import Complete, Shelf
from storage.database import Database
from storage.vault.files import HEAD, SealedHead, SealedPart, head_of, plain_size, seal_file
from storage.vault.sealing import file_key, key_of_day

MIME = "application/octet-stream"


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

    async def seal(self, files: Sequence[Complete], at_ms: int) -> list[Complete]:
        """The same local files sealed under the key of that moment's day; the plain ones are removed."""
        if self._database.vault is None:
            return list(files)
        day, secret = await self._database.transaction(
            partial(file_key, at_ms=at_ms), township_id=self._township_id, exclusive=False
        )
        return await asyncio.to_thread(lambda: [_sealed(one, secret, day) for one in files])

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


def _sealed(file: Complete, secret: bytes, day: int) -> Complete:
    target = file.path.with_name(f"{file.path.name}.sealed")
    seal_file(file.path, target, secret, day, file.key)
    file.path.unlink()
    return Complete(file.key, target, MIME)
