"""A database and a folder to import into it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from bot.i18n import Catalogues
from handlers.areas.actions import find_households, load_gazetteer
from handlers.areas.faults import text_of
from handlers.areas.importer import ImportRefused, ImportReport, import_folder
from storage.database import Database, Tx
from storage.people.households import HouseholdFound

T = TypeVar("T")
FILES = ("areas.geojson", "hamlets.csv", "landmarks.csv", "stations.csv", "households.csv", "policy.toml")


class Counter:
    """Ids 1, 2, 3, …"""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        self.last += 1
        return self.last


class Town:
    """A database and a copy of the example folder to change."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder, self.ids = database, folder, Counter()

    async def load(self, now_ms: int = 1_000, *, path: Path | None = None, skip_bad: bool = False) -> ImportReport:
        async def work(tx: Tx) -> ImportReport:
            return await import_folder(tx, path or self.folder, now_ms=now_ms, ids=self.ids, skip_bad=skip_bad)

        return await self.database.transaction(work)

    async def see(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        return await self.database.read(work)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    async def find(self, said: str, village: str | None = None) -> list[HouseholdFound]:
        places = await self.see(load_gazetteer)
        home = next((one.area_id for one in places.villages if one.name == village), None)
        return await self.see(lambda tx: find_households(tx, places, said, village_id=home))

    async def refusal(self) -> list[str]:
        """The faults of a refused import, in Chinese, as the operator reads them."""
        with pytest.raises(ImportRefused) as caught:
            await self.load()
        catalogue = Catalogues(ZoneInfo("Asia/Shanghai"))["zh_CN"]
        return [catalogue.render(text_of(fault)) for fault in caught.value.faults]
