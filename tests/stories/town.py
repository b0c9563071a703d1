"""A whole township in a test: the real program with its own clock, and people who chat with it on any channel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.app import App, build
from bot.settings import Settings
from storage.database import Tx
from storage.people import people
from tests.stories.clock import START, ZONE, StoryClock, StoryDice
from tests.stories.drivers import TOWN
from tests.stories.drivers.telegram import TelegramDriver
from tests.stories.drivers.web import WebDriver
from tests.stories.drivers.wechat import WeChatDriver, connect
from tests.stories.someone import Heard, Someone
from tests.unsealed import open_all

__all__ = ("START", "TOWN", "ZONE", "Heard", "Someone", "StoryClock", "StoryDice", "Town")  # what a story needs


def wechat_settings(wechat: Any) -> dict[str, Any]:
    """The settings of a program whose account is the fake's."""
    world = wechat.world
    world.templates["T1"] = ("thing1", "time2")
    return {
        "wechat_notice": {"kind": "template", "id": "T1", "values": {"thing1": "{words}", "time2": "{time}"}},
        "wechat_app_id": world.app_id,
        "wechat_app_secret": world.secret,
        "wechat_token": world.token,
        "wechat_aes_key": world.aes_key,
        "wechat_mode": world.mode,
        "wechat_api_url": wechat.url,
    }


class Town:
    """The program under test. Timers run when the story says `tick`."""

    township_id = TOWN

    def __init__(self, app: App, clock: StoryClock, channel: str, bot_api: Any = None, wechat: Any = None) -> None:
        self.app = app
        self.clock = clock
        self.channel = channel
        self.people: list[Someone] = []
        self.bot_api = bot_api
        self._wechat = wechat
        if wechat is not None:
            wechat.world.now_ms = clock.now_ms
            connect(app, wechat)
        self._seen: dict[int, int] = {}

    @classmethod
    async def open(
        cls,
        folder: Path,
        database_url: str,
        channel: str,
        bot_api: Any = None,
        wechat: Any = None,
        *,
        start: datetime = START,
        **others: Any,
    ) -> Town:
        """A fresh township in a database of its own, with the platforms that are given; `others` are settings."""
        folder.mkdir(parents=True, exist_ok=True)
        clock = StoryClock(start)
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            database_url=database_url,
            public_url="https://chat.example",
            telegram_token=bot_api.token if bot_api else "",
            telegram_api_url=bot_api.url if bot_api else "https://api.telegram.org",
            telegram_rate_per_second=0,
            **{**(wechat_settings(wechat) if wechat else {}), **others},
        )
        app = await build(settings, clock=clock, dice=StoryDice(), parts=("intake", "delivery", "clock"), grace_s=0)
        town = cls(app, clock, channel, bot_api, wechat)
        await app.database.workers().start()
        await app.open_channels()
        await asyncio.gather(*(bot.identity.known() for bot in app.bots.values()))
        await app.receiving.look()
        await app.schedule.plan()
        return town

    @property
    def has_albums(self) -> bool:
        """Whether photos can be sent together; in WeChat each comes by itself, and each must be answered."""
        return self.channel != "wechat"

    async def close(self) -> None:
        """Stop the program."""
        await self.app.receiving.end()
        for channel in self.app.channels.every():
            await channel.stop()
        await self.app.schedule.errands_done()
        await self.app.database.close()

    async def person(
        self, name: str, *, role: str = "", area: str = "", consent: bool = True, channel: str = ""
    ) -> Someone:
        """Someone new; with a role for an area if asked, consenting first unless told not to."""
        number = len(self.people) + 1
        if (channel or self.channel) == "telegram":
            driver: Any = TelegramDriver(self.app, self.bot_api, name, self.township_id)
        elif (channel or self.channel) == "wechat":
            driver = WeChatDriver(self.app, self._wechat, self.clock, name)
        else:
            driver = WebDriver(self.app, number)
        someone = Someone(self, name, driver)
        self.people.append(someone)
        if consent:
            await someone.starts()
            await someone.taps("同意")
            if name:
                await self.run(self._name(someone, name))
        if role:
            await self.grant(someone, role, area)
        someone.news.clear()
        return someone

    async def _name(self, someone: Someone, name: str) -> None:
        person_id = await someone.person_id()
        await self.app.database.transaction(lambda tx: people.set_person(tx, person_id, name=name))

    @staticmethod
    async def run(work: Any) -> Any:
        """Await something (reads better in a story)."""
        return await work

    async def area_id(self, name: str) -> int:
        """An area by its name; the town itself for ""."""
        rows = await self.rows(
            "SELECT area_id, level FROM areas WHERE township_id = :t AND until_ms IS NULL"
            " AND (name = :name OR name = :village OR (level = 'town' AND :name = ''))",
            name=name,
            village=f"{name}村",
        )
        assert rows, f"no area {name!r}"
        return int(rows[0]["area_id"])

    async def grant(self, someone: Someone, role: str, area: str = "") -> None:
        """Give a role without the invitation's ceremony."""
        person_id, area_id = await someone.person_id(), await self.area_id(area)
        ids, now_ms = self.app.ids, self.clock.now_ms()
        await self.app.database.transaction(
            lambda tx: people.grant(
                tx, role_id=ids.next(), person_id=person_id, role=role, area_id=area_id, granted_by=None, now_ms=now_ms
            )
        )

    async def rows(self, sql: str, **params: Any) -> Sequence[Any]:
        """Look into the database."""

        async def work(tx: Tx) -> Any:
            return await open_all(tx, await tx.all(sql, params))

        return await self.app.database.read(work)

    async def write(self, sql: str, **params: Any) -> None:
        """Change the database behind the program's back."""

        async def work(tx: Tx) -> None:
            await tx.run(sql, params)

        await self.app.database.transaction(work)

    def begin(self) -> None:
        """Forget what is no longer news."""
        for someone in self.people:
            someone.news.clear()

    async def work(self) -> None:
        """Handle everything that came in, send everything that is due, and let everybody read it."""
        looking = True
        while looking:
            while await self.app.intake.step(TOWN):
                pass
            for someone in self.people:
                await someone.driver.answered()
            await self.app.outgoing.settle()
            looking = any([await someone.driver.looks() for someone in self.people])
        for someone in self.people:
            await self._read(someone)

    async def _read(self, someone: Someone) -> None:
        heard, self._seen[id(someone)] = await someone.driver.hears(self._seen.get(id(someone), 0))
        someone.hears(heard)

    async def tick(self) -> None:
        """Plan periods, run the timers that are due (and what they lead to), and deliver."""
        self.begin()
        await self.app.schedule.plan()
        while await self.app.schedule.run_due():
            await self.app.schedule.errands_done()
        await self.app.schedule.release()
        await self.work()

    async def settle(self, seconds: float = 0.05) -> None:
        """Give background work a moment."""
        await asyncio.sleep(seconds)
        await self.work()
