"""Somebody reads the disk while photos come in: at no moment does anything of one lie there unsealed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.media import files
from bot.media.shelf import FolderShelf
from tests.fakes.pictures import photo
from tests.security.desk import Desk, desk
from tests.talk.test_pictures import HERE, SHANGHAI, box, exif, movie

MARKER = b"Wang Wu, where he stood when he saw it: " + os.urandom(16)
PHOTO = photo(3, (900, 700), comment=MARKER, exif=exif(gps=HERE)) + MARKER
VIDEO = movie(tail=box(b"free", MARKER))
PIECE = 1_000


class Reader:
    """Reads every file below a folder, again and again, and remembers what it should not have seen."""

    def __init__(self, folder: Path, *traces: bytes) -> None:
        self._folder = folder
        self._traces = traces
        self.looks = 0
        self.found: set[str] = set()

    def look(self) -> None:
        self.looks += 1
        for path in self._folder.rglob("*"):
            try:
                content = path.read_bytes() if path.is_file() else b""
            except FileNotFoundError:  # gone since it was listed
                continue
            if any(trace in content for trace in self._traces):
                self.found.add(str(path.relative_to(self._folder)))

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, after a look."""

        def looked(*arguments: Any, **named: Any) -> Any:
            self.look()
            answer = function(*arguments, **named)
            self.look()
            return answer

        return looked


async def drips(content: bytes, reader: Reader) -> AsyncIterator[bytes]:
    for at in range(0, len(content), PIECE):
        yield content[at : at + PIECE]
        if at // PIECE % 10 == 0:
            await asyncio.sleep(0.01)
            reader.look()


@pytest.fixture
async def office(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, sqlite_template) as opened:
        yield opened


def watched(office: Desk, monkeypatch: pytest.MonkeyPatch, *traces: bytes) -> Reader:
    """A reader that looks also while a picture is worked on and while its files get their names."""
    reader = Reader(office.app.settings.data_dir, *traces)
    monkeypatch.setattr(files, "prepare", reader.before(files.prepare))
    monkeypatch.setattr(FolderShelf, "put_now", reader.before(FolderShelf.put_now))
    return reader


@pytest.mark.parametrize("content", [PHOTO, VIDEO, PHOTO + bytes(700_000) + MARKER], ids=["photo", "video", "long"])
async def test_nothing_of_an_upload_is_ever_readable(
    office: Desk, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    aunt = await office.villager()
    frames = content[:40], content[-40:], MARKER
    reader = watched(office, monkeypatch, *frames, b"JFIF", b"frames")
    status, answer = await aunt.uploads(drips(content, reader))
    assert status == 201, answer
    reader.look()
    assert reader.looks > 5 and reader.found == set()
    shown, body, _ = await aunt.get(f"/media/{answer['id']}")
    assert shown == 200 and (body.startswith(b"\xff\xd8") or b"frames" in body)
    assert not list((office.app.settings.data_dir / "media" / "incoming").iterdir())


async def test_what_breaks_off_and_what_is_refused_leave_nothing_readable(
    office: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    aunt = await office.villager()
    reader = watched(office, monkeypatch, MARKER)

    async def breaks_off() -> AsyncIterator[bytes]:
        yield PHOTO
        yield PHOTO
        await asyncio.sleep(0.1)
        reader.look()
        raise OSError("the phone is out of reach")

    with pytest.raises(Exception):  # noqa: B017  # whatever the client makes of its own fault
        await aunt.uploads(breaks_off())
    status, answer = await aunt.uploads(drips(b"no picture " + MARKER, reader))
    assert (status, answer["error"]) == (415, "not_a_picture")
    reader.look()
    assert reader.found == set()


async def test_that_reader_finds_a_photo_that_lies_there(office: Desk) -> None:
    reader = Reader(office.app.settings.data_dir, MARKER)
    (office.app.settings.data_dir / "media").mkdir(exist_ok=True)
    (office.app.settings.data_dir / "media" / "left").write_bytes(PHOTO)
    reader.look()
    assert reader.found == {"media/left"}


async def test_copies_are_as_they_were(tmp_path: Path) -> None:
    """What is kept of a file that was sealed while it came is the file."""
    incoming = files.Incoming(tmp_path / "incoming")
    for at in range(0, len(PHOTO), 777):
        incoming.write(PHOTO[at : at + 777])
    stored, plain = incoming.finish(1, SHANGHAI, 10**8)
    assert plain[-1].content == PHOTO and stored.size_bytes == len(PHOTO)
    assert all(MARKER not in one.content for one in plain[:-1])
    assert MARKER not in next((tmp_path / "incoming").iterdir()).read_bytes()
    incoming.discard()
    assert not list((tmp_path / "incoming").iterdir())
