"""The example township as a database, made once and copied for each story."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from bot.clock import TimeIds
from handlers.areas.importer import import_folder
from storage.database import Tx
from storage.engine.opening import bring_up_to_date, open_database
from tests.stories.town import StoryClock

EXAMPLE = Path(__file__).parents[2] / "examples" / "township"


async def make_template(url: str, *, messages_per_minute: int | None = None, township_id: int = 1) -> None:
    """Migrate and import, with another flood limit if one is given."""
    clock = StoryClock()
    clock.ms -= 86_400_000 * 30
    await bring_up_to_date(url, now_ms=clock.now_ms())
    database = await open_database(url)
    ids = TimeIds(clock)

    with tempfile.TemporaryDirectory() as scratch:
        folder = EXAMPLE
        if messages_per_minute is not None:
            folder = example_with(Path(scratch) / "township", messages_per_minute)

        async def work(tx: Tx) -> object:
            return await import_folder(tx, folder, now_ms=clock.now_ms(), ids=ids)

        await database.transaction(work, township_id=township_id)
    await database.close()


def example_with(folder: Path, messages_per_minute: int) -> Path:
    """A copy of the example township with another flood limit."""
    shutil.copytree(EXAMPLE, folder)
    policy = folder / "policy.toml"
    changed, count = re.subn(
        r"(?m)^messages_per_minute\s*=.*$", f"messages_per_minute = {messages_per_minute}", policy.read_text("utf-8")
    )
    assert count == 1, "policy.toml has no messages_per_minute"
    policy.write_text(changed, "utf-8")
    return folder
