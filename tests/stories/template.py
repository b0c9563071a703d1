"""The example township as a database file, made once and copied for each story."""

from __future__ import annotations

from pathlib import Path

from bot.clock import TimeIds
from handlers.areas.importer import import_folder
from storage.database import Tx
from storage.migrate import migrate
from storage.sqlite import SqliteDatabase
from tests.stories.town import StoryClock

EXAMPLE = Path(__file__).parents[2] / "examples" / "township"


async def make_template(path: Path) -> None:
    """Migrate and import."""
    clock = StoryClock()
    clock.ms -= 86_400_000 * 30
    migrate(path, now_ms=clock.now_ms())
    database = await SqliteDatabase.open(path)
    ids = TimeIds(clock)

    async def work(tx: Tx) -> object:
        return await import_folder(tx, EXAMPLE, now_ms=clock.now_ms(), ids=ids)

    await database.transaction(work)
    await database.close()
