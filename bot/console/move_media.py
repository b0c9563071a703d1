"""Photos and videos from where they lie into an S3-compatible store, for `python -m bot move --media-to`.

Each file is read back and compared before it counts, so what is there already may stay, and a move that broke off is
simply run again.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from bot.console.backups.contents import Photo, some
from bot.console.failures import setting_line
from bot.console.words import OperatorError, say
from bot.errors import RetryLater
from bot.media.pictures import VIEW_MIME
from bot.media.shelf import Complete, Shelf, key_of
from bot.media.stores import open_shelf
from bot.settings import Settings, faults
from storage.database import Database, Row
from storage.machine import townships
from storage.photos.originals import originals
from storage.vault.files import Checksum

SHARES = 256  # of all files, by the first byte of their hashes
AT_ONCE = 4
Progress = Callable[[str, int, int], None]


class MoveError(OperatorError):
    """A move that can't be made or trusted; its text says what to do."""


def store_of(settings: Settings, media_to: str) -> Shelf:
    """The store that `--media-to` names, with the MEDIA_S3_… of the settings. Raises MoveError."""
    try:
        shelf = open_shelf(Settings.model_validate({**settings.model_dump(), "media_url": media_to}))
    except ValidationError as error:
        lines = [
            setting_line(replace(one, name="--media-to") if one.name == "MEDIA_URL" else one) for one in faults(error)
        ]
        raise MoveError("lines", lines="\n".join(lines)) from None
    if shelf.name == open_shelf(settings).name:
        raise MoveError("photos_there_already", store=shelf.name)
    return shelf


async def move_media(database: Database, old: Shelf, new: Shelf, progress: Progress) -> int:
    """Copy everything that the database names; how many photos and videos are in `new` now. Raises MoveError."""
    photos = await _named(database)
    new.waiting.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=new.waiting) as scratch:
        copying = _Copying(old, new, Path(scratch))
        try:
            await copying.all_of(photos, progress)
        except ExceptionGroup as failed:
            error = failed.exceptions[0]
            if isinstance(error, RetryLater | OSError):
                said = error.reason if isinstance(error, RetryLater) else error
                raise MoveError("move_again", said=said) from None
            raise error from None
    left = [*(say("names.damaged", name=name) for name in copying.damaged), *copying.lost]
    if left:
        raise MoveError("move_left_photos", old=old.name, new=new.name, names=some(sorted(left)))
    return len(photos)


async def _named(database: Database) -> list[Photo]:
    found: list[Photo] = []
    for town in await database.read(townships.every_name):
        township_id = town["township_id"]
        for share in range(SHARES):
            rows = await database.read(partial(originals, first=f"{share:02x}"), township_id=township_id)
            found += [_photo(row, township_id) for row in rows]
    return found


def _photo(row: Row, township_id: int) -> Photo:
    return Photo(key_of(row["sha256"], township_id), row["sha256"], row["mime"], bool(row["follows"]))


@dataclass(slots=True)
class _Copying:
    """Files on their way from one store to the other, a few at a time."""

    old: Shelf
    new: Shelf
    scratch: Path
    lost: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def all_of(self, photos: list[Photo], progress: Progress) -> None:
        left = iter(photos)
        done = itertools.count(1)

        async def some_of_them() -> None:
            for photo in left:
                await self._photo(photo)
                progress("photos", next(done), len(photos))

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(some_of_them())

    async def _photo(self, photo: Photo) -> None:
        """The copies for viewing, then the original: one that is there has its copies."""
        is_image = photo.mime.startswith("image/")
        for name in photo.files:
            mime = VIEW_MIME if is_image and name != photo.key else photo.mime
            try:
                await self._file(name, mime, photo.sha256 if name == photo.key else None)
            except FileNotFoundError:
                self.lost.append(name)

    async def _file(self, name: str, mime: str, sha256: str | None) -> None:
        """Copy a file, but one that is there already. Raises FileNotFoundError."""
        mine, theirs = await self.old.find(name), await self.new.find(name)
        if mine is None:
            raise FileNotFoundError(name)
        path = self.scratch / str(next(self._numbers))
        there = theirs is not None and theirs.size_bytes == mine.size_bytes
        wanted = await _read(self.old, name, None if there else path)
        if not wanted.is_of(sha256 or wanted.sha256):
            self.damaged.append(name)
            return
        if there and (await _read(self.new, name)).sha256 == wanted.sha256:
            return
        if there:
            await _read(self.old, name, path)
        await self.new.put([Complete(name, path, mime)])
        path.unlink(missing_ok=True)
        if (await _read(self.new, name)).sha256 != wanted.sha256:
            raise MoveError("store_gives_other", store=self.new.name, name=name)


async def _read(shelf: Shelf, name: str, into: Path | None = None) -> Checksum:
    """Read a file, into a local one if asked; its checksum."""
    digest = Checksum()
    file = into.open("wb") if into else None
    try:
        async for piece in shelf.read(name):
            digest.update(piece)
            if file is not None:
                file.write(piece)
    finally:
        if file is not None:
            file.close()
    return digest
