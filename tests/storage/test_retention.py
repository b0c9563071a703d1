"""Photos that were kept long enough: their rows are marked, their files go once nothing needs them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import RetryLater
from bot.media.pictures import UnusableFile
from bot.media.shelf import FolderShelf
from bot.media.store import MediaStore
from storage.database import Database
from storage.machine import media
from storage.people import retention
from tests.fakes.pictures import photo
from tests.stories.town import StoryClock

DAY = 86_400_000


class World:
    """A store, its database and its clock."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database
        self.clock = StoryClock()
        self.store = MediaStore(FolderShelf(folder, self.clock), database, clock=self.clock)

    async def erase(self, days: int) -> list[str]:
        before_ms = self.clock.now_ms() - days * DAY
        _, sha256s = await self.database.transaction(
            lambda tx: retention.erase_media(tx, before_ms=before_ms, limit=50)
        )
        return sha256s

    def files(self) -> int:
        return sum(path.is_file() for path in self.folder.rglob("*"))


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path / "media", database)


async def test_a_file_goes_when_no_photo_needs_it_any_more(world: World) -> None:
    old = await world.store.save_bytes("web:a", photo(1))
    world.clock.advance(days=10)
    new = await world.store.save_bytes("web:b", photo(1))
    world.clock.advance(days=1)
    [sha256] = await world.erase(5)
    assert await world.store.erase_errand({"sha256s": [sha256]}) == {"removed": 0}
    assert world.files() == 3
    assert await world.store.shown(old) is None
    assert await world.store.shown(new) is not None
    world.clock.advance(days=10)
    assert await world.erase(5) == [sha256]
    for _ in range(2):  # an errand may run twice
        assert await world.store.erase_errand({"sha256s": [sha256]}) == {"removed": 1}
    assert world.files() == 0
    assert await world.store.shown(new) is None


async def test_the_same_photo_sent_again_is_not_lost(world: World) -> None:
    """Its row may not be written yet when the errand looks: it tries again later."""
    await world.store.save_bytes("web:a", photo(1))
    world.clock.advance(days=10)
    sha256s = await world.erase(5)

    async def parts() -> AsyncIterator[bytes]:
        yield photo(1)

    await world.store.reception.receive(parts(), 0, "web:a", known=True)
    with pytest.raises(RetryLater):
        await world.store.erase_errand({"sha256s": sha256s})
    assert world.files() == 3
    world.clock.advance(hours=2)
    assert await world.store.erase_errand({"sha256s": sha256s}) == {"removed": 1}
    assert world.files() == 0


async def test_policy_may_want_smaller_photos_and_videos(world: World) -> None:
    world.store.limits = lambda: media.MediaLimits(photo_bytes=100, video_bytes=200_000)
    with pytest.raises(UnusableFile, match="too_large"):
        await world.store.save_bytes("web:a", photo(1))
    world.store.limits = lambda: media.MediaLimits(photo_px=10)
    with pytest.raises(UnusableFile, match="picture_too_big"):
        await world.store.save_bytes("web:a", photo(1))
    assert world.files() == 0
