"""The example township as a database, made once and copied for each story."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bot.clock import TimeIds
from handlers.areas.importer import import_folder
from storage.database import Tx
from storage.engine.opening import bring_up_to_date, open_database
from tests.example import EXAMPLE, example_with
from tests.stories.clock import StoryClock

MONTH_MS = 86_400_000 * 30


async def make_template(url: str, *, messages_per_minute: int | None = None, township_id: int = 1) -> None:
    """Migrate and import, with another flood limit if one is given."""
    clock = StoryClock()
    await bring_up_to_date(url, now_ms=clock.now_ms() - MONTH_MS)
    with tempfile.TemporaryDirectory() as scratch:
        folder = EXAMPLE
        if messages_per_minute is not None:
            folder = example_with(Path(scratch) / "township", messages_per_minute)
        await import_there(url, folder, township_id)


async def import_there(url: str, folder: Path, township_id: int) -> None:
    """Import a folder as a township, a month before the stories. Each one's ids begin with the same."""
    clock = StoryClock()
    clock.ms -= MONTH_MS
    ids = TimeIds(clock)
    database = await open_database(url)

    async def work(tx: Tx) -> object:
        return await import_folder(tx, folder, now_ms=clock.now_ms(), ids=ids)

    try:
        await database.transaction(work, township_id=township_id)
    finally:
        await database.close()
