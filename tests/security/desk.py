"""The whole program in this process, on loopback, and what made-up browsers do to it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.app import App, build
from bot.settings import Settings
from storage.database import Tx
from storage.people import people
from tests.channels.website import Page
from tests.unsealed import open_all

PATIENCE_S = 15


class Desk:
    """The running program; `pages` are its visitors' browsers."""

    def __init__(self, app: App) -> None:
        assert app.web is not None
        self.app = app
        self.url = f"http://127.0.0.1:{app.web.port}"
        self.pages: list[Page] = []

    async def page(self, source: str = "") -> Page:
        """A browser that nobody has seen before; `source` is where a proxy says that it comes from."""
        page = Page(self.url, source)
        self.pages.append(page)
        await page.open()
        return page

    async def villager(self) -> Page:
        """Somebody who has agreed to what is kept."""
        page = await self.page()
        await self.agrees(page)
        return page

    async def agrees(self, page: Page) -> None:
        """Press «开始» and «同意»."""
        await page.post(kind="start")
        await self.handled()
        await self.presses(page, "同意")
        await self.until(lambda: self.says(page, "记下了"))

    async def presses(self, page: Page, label: str) -> None:
        """Press the newest button of that label, once it is there."""
        found: dict[str, Any] = {}

        async def shown() -> bool:
            for message in reversed((await page.history())["messages"]):
                for row in message["choices"]:
                    for one in row:
                        if label in one["label"]:
                            found.update(one)
                            return True
            return False

        await self.until(shown)
        status, answer = await page.post(kind="tap", data=found["data"], text=found["label"])
        assert status == 202, answer

    async def says(self, page: Page, words: str) -> bool:
        """Whether the bot has said something to a page."""
        return any(words in one["text"] for one in (await page.history())["messages"] if one["from"] == "bot")

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not await holds():
                await asyncio.sleep(0.1)

    async def handled(self) -> None:
        """Wait until everything that came in is handled."""

        async def none_new() -> bool:
            return not await self.rows("SELECT id FROM inbox WHERE township_id = :t AND state = 'new'")

        await self.until(none_new)

    async def grants(self, page: Page, role: str) -> int:
        """Give somebody a role for the whole township; who they are."""
        app = self.app

        async def work(tx: Tx) -> int:
            contact = await people.contact(tx, page.address)
            assert contact is not None
            town = await tx.one("SELECT area_id FROM areas WHERE township_id = :t AND level = 'town'")
            assert town is not None
            await people.grant(
                tx,
                role_id=app.ids.next(),
                person_id=contact["person_id"],
                role=role,
                area_id=town["area_id"],
                granted_by=None,
                now_ms=app.clock.now_ms(),
            )
            return int(contact["person_id"])

        return await app.database.transaction(work, township_id=1)

    async def rows(self, sql: str, **params: Any) -> Any:
        """Look into the database."""

        async def work(tx: Tx) -> Any:
            return await open_all(tx, await tx.all(sql, params))

        return await self.app.database.read(work, township_id=1)

    def files(self) -> list[Path]:
        """The files of photos."""
        return [path for path in (self.app.settings.data_dir / "media").rglob("*") if path.is_file()]


@asynccontextmanager
async def desk(folder: Path, template: Path, **settings: Any) -> AsyncIterator[Desk]:
    """Serve the example township out of a folder."""
    (folder / "data").mkdir(exist_ok=True)
    shutil.copy(template, folder / "data" / "jingxiang.db")
    chosen = Settings(_env_file=None, **{"data_dir": folder / "data", "web_port": 0, **settings})
    app = await build(chosen)
    await app.start()
    opened = Desk(app)
    try:
        yield opened
    finally:
        for page in opened.pages:
            await page.http.close()
        await app.stop()
