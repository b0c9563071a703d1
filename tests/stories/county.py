"""Several townships in one program: each is a `Town`, as its own stories know it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from bot.app import App, build
from bot.channels.base import Raw
from bot.settings import Settings
from storage.database import Database
from tests.example import SECOND
from tests.stories.drivers.web import WebDriver, bytes_of
from tests.stories.template import import_there, make_template
from tests.stories.town import Someone, StoryClock, StoryDice, Town, wechat_settings

QINGHE, SHAJING, YUANSHAN = 1, 2, 3  # ids; the last one lies in another county
CODES = {QINGHE: "629999101", SHAJING: "629999102", YUANSHAN: "629998101"}


class InTown:
    """The database as one township's."""

    def __init__(self, database: Database, township_id: int) -> None:
        self._database = database
        self._township_id = township_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read(self, work: Any) -> Any:
        return await self._database.read(work, township_id=self._township_id)

    async def transaction(self, work: Any) -> Any:
        return await self._database.transaction(work, township_id=self._township_id)


class WebDriverThere(WebDriver):
    """A web chat user of another township than the first."""

    def __init__(self, app: App, number: int, township_id: int) -> None:
        super().__init__(app, number)
        self._township_id = township_id

    async def _post(self, **body: Any) -> None:
        self._next += 1
        content = bytes_of({"id": str(self._next), **body})
        raw = Raw("web", f"{self.address}:{self._next}", self.address, content, self._township_id)
        await self._app.intake.accept([raw])

    async def sends_photos(self, photos: Sequence[bytes], album: bool, caption: str) -> None:
        store = self._app.media.of(self._township_id)
        for content in photos:
            await self._post(kind="media", media=[await store.save_bytes(self.address, content, "photo.jpg")])


class TownThere(Town):
    """Another township of the same program."""

    def __init__(self, app: App, clock: StoryClock, channel: str, bot_api: Any, township_id: int) -> None:
        database: Any = InTown(app.database, township_id)
        super().__init__(replace(app, database=database), clock, channel, bot_api)
        self.township_id = township_id

    async def person(
        self, name: str, *, role: str = "", area: str = "", consent: bool = True, channel: str = ""
    ) -> Someone:
        someone = await super().person(name, consent=False, channel=channel)
        if (channel or self.channel) == "web":
            someone.driver = WebDriverThere(self.app, len(self.people), self.township_id)
        if consent:
            await self.agrees(someone)
        if role:
            await self.grant(someone, role, area)
        someone.news.clear()
        return someone

    async def agrees(self, someone: Someone) -> None:
        """Come for the first time, agree, and have a name."""
        await someone.starts()
        await someone.taps("同意")
        await self._name(someone, someone.name)

    async def work(self) -> None:
        while await self.app.intake.step(self.township_id):
            pass
        await self.app.outgoing.settle()
        for someone in self.people:
            await self._read(someone)


@dataclass
class County:
    """Two townships of one county and one of another, with a bot each where the channel has bots."""

    qinghe: Town
    shajing: TownThere
    yuanshan: TownThere

    @classmethod
    async def open(cls, folder: Path, database_url: str, channel: str, bot_api: Any = None, wechat: Any = None) -> Self:
        """`database_url` holds what `make_county` has made.

        An Official Account is the first township's; the others have the web chat then.
        """
        folder.mkdir(parents=True, exist_ok=True)
        apis = {QINGHE: bot_api}
        for id_, username in ((SHAJING, "shajing_bot"), (YUANSHAN, "yuanshan_bot")):
            apis[id_] = bot_api.another(name="净乡", username=username) if bot_api else None
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            database_url=database_url,
            public_url="https://chat.example",
            telegram_tokens={CODES[id_]: api.token for id_, api in apis.items() if api},
            telegram_api_url=bot_api.url if bot_api else "https://api.telegram.org",
            telegram_rate_per_second=0,
            **(wechat_settings(wechat) if wechat else {}),
        )
        clock = StoryClock()
        app = await build(settings, clock=clock, dice=StoryDice(), parts=("intake", "delivery", "clock"), grace_s=0)
        await app.database.workers().start()
        await app.open_channels()
        await asyncio.gather(*(bot.identity.known() for bot in app.bots.values()))
        await app.receiving.look()
        await app.schedule.plan()
        other = "web" if wechat else channel
        there = [TownThere(app, clock, other, apis[id_], id_) for id_ in (SHAJING, YUANSHAN)]
        return cls(Town(app, clock, channel, bot_api, wechat), *there)

    async def close(self) -> None:
        """Stop the program."""
        await self.qinghe.close()

    async def tick(self, *moments: str) -> None:
        """Go from moment to moment in all of them."""
        for moment in moments:
            self.qinghe.clock.go_to(moment)
            self.shajing.begin()
            self.yuanshan.begin()
            await self.qinghe.tick()
            await self.shajing.work()
            await self.yuanshan.work()


async def make_county(url: str) -> None:
    """The three townships in a database."""
    await make_template(url)
    with tempfile.TemporaryDirectory() as scratch:
        await import_there(url, SECOND, SHAJING)
        await import_there(url, elsewhere(Path(scratch) / "yuanshan"), YUANSHAN)


def elsewhere(folder: Path) -> Path:
    """The second example as a township of another county."""
    shutil.copytree(SECOND, folder)
    areas = folder / "areas.geojson"
    text = areas.read_text("utf-8").replace("朔禾县", "远山县").replace("沙井乡", "远山镇")
    areas.write_text(text.replace(CODES[SHAJING], CODES[YUANSHAN]), "utf-8")
    return folder
