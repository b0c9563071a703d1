"""A whole township in a test: the real program with its own clock, and people who chat with it on any channel."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from bot.app import App, build
from bot.channels.base import Raw
from bot.settings import Settings
from bot.turn import load_out
from storage.database import Tx
from storage.people import people
from tests.fakes.pictures import photo

TOWN = 1  # its id
ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 18, 10, 0, tzinfo=ZONE)  # a Wednesday


class StoryClock:
    """A clock that moves when the story says so."""

    def __init__(self, start: datetime = START) -> None:
        self.ms = int(start.timestamp() * 1000)

    def now_ms(self) -> int:
        return self.ms

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass."""
        self.ms += int((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)

    def go_to(self, text: str) -> None:
        """Go forward to a township time such as `2026-11-19 19:00`."""
        wanted = int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)
        assert wanted >= self.ms, f"{text} is in the story's past"
        self.ms = wanted


class StoryDice:
    """Repeatable secrets."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def token(self) -> str:
        return "".join(self._random.choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", k=43))

    def digits(self, count: int) -> str:
        return f"{self._random.randrange(10**count):0{count}d}"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as a person sees it."""

    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    media: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    ask: str = ""

    @property
    def labels(self) -> list[str]:
        """What the buttons say, in reading order."""
        return [label for label, _ in self.buttons]


class Driver(Protocol):
    """How one person reaches the program on one channel."""

    address: str

    async def says(self, words: str) -> None: ...
    async def taps(self, heard: Heard, label: str, data: str) -> None: ...
    async def sends_photos(self, photos: Sequence[bytes], album: bool, caption: str) -> None: ...
    async def sends_place(self, lat: float, lng: float) -> None: ...
    async def starts(self, token: str) -> None: ...
    async def answered(self) -> None: ...
    async def looks(self) -> bool: ...


@dataclass
class Someone:
    """A person in the story."""

    town: Town
    name: str
    driver: Any
    heard: list[Heard] = field(default_factory=list)
    news: list[Heard] = field(default_factory=list)
    photos_sent: int = 0

    async def _act(self, sending: Any) -> None:
        self.town.begin()
        await sending
        await self.town.work()

    async def says(self, words: str) -> None:
        """Type words."""
        await self._act(self.driver.says(words))

    async def taps(self, label: str, on: Heard | None = None) -> None:
        """Press the newest button whose label contains `label` (on that message, if given)."""
        for heard in [on] if on else reversed(self.heard):
            for shown, data in heard.buttons:
                if label in shown:
                    await self._act(self.driver.taps(heard, shown, data))
                    return
        raise AssertionError(f"{self.name} sees no button {label!r}; last: {self.heard[-1:]}")

    async def taps_twice(self, label: str) -> None:
        """Press a button twice before the answer comes."""
        heard = next(h for h in reversed(self.heard) if any(label in shown for shown in h.labels))
        shown, data = next(pair for pair in heard.buttons if label in pair[0])
        self.town.begin()
        await self.driver.taps(heard, shown, data)
        await self.driver.taps(heard, shown, data)
        await self.town.work()

    async def sends_photo(self, n: int = 1, *, album: bool = False, caption: str = "", content: bytes = b"") -> None:
        """Send `n` photos, one by one or as an album."""
        first = self.photos_sent
        self.photos_sent += n
        photos = [content or photo(first + at) for at in range(n)]
        await self._act(self.driver.sends_photos(photos, album, caption))

    async def sends_place(self, lat: float, lng: float) -> None:
        """Share a position (WGS-84)."""
        await self._act(self.driver.sends_place(lat, lng))

    async def starts(self, token: str = "") -> None:
        """Open a join link, or press START."""
        await self._act(self.driver.starts(token))

    def sees(self, *parts: str) -> Heard:
        """A message since the last action that contains every part."""
        for heard in reversed(self.news):
            if all(part in heard.text or any(part in label for label in heard.labels) for part in parts):
                return heard
        raise AssertionError(f"{self.name} does not see {parts}; sees: {[h.text for h in self.news]}")

    def sees_not(self, part: str) -> None:
        """No message since the last action contains the part."""
        seen = [heard.text for heard in self.news if part in heard.text]
        assert not seen, f"{self.name} sees {seen}"

    @property
    def last(self) -> Heard:
        """The newest message."""
        return self.heard[-1]

    async def person_id(self) -> int:
        """Their id in the database."""

        async def work(tx: Tx) -> int:
            row = await people.contact(tx, self.driver.address)
            assert row is not None, f"{self.name} has not written yet"
            return int(row["person_id"])

        return await self.town.app.database.read(work)


def _bytes(posted: Any) -> bytes:
    return json.dumps(posted, ensure_ascii=False).encode()


class WebDriver:
    """A web chat user; what they send is what the page posts."""

    def __init__(self, app: App, number: int) -> None:
        self._app = app
        self._next = 0
        self.address = f"web:{number:064x}"

    async def _post(self, **body: Any) -> None:
        self._next += 1
        key = f"{self.address}:{self._next}"
        raw = Raw("web", key, self.address, _bytes({"id": str(self._next), **body}), TOWN)
        await self._app.intake.accept([raw])

    async def says(self, words: str) -> None:
        await self._post(kind="text", text=words)

    async def taps(self, heard: Heard, label: str, data: str) -> None:
        await self._post(kind="tap", text=label, data=data)

    async def sends_photos(self, photos: Sequence[bytes], album: bool, caption: str) -> None:
        ids = [await self._app.media.of(TOWN).save_bytes(self.address, content, "photo.jpg") for content in photos]
        batches = [ids] if album else [[one] for one in ids]
        for at, batch in enumerate(batches):
            await self._post(kind="media", media=batch, text=caption if at == 0 else "")

    async def sends_place(self, lat: float, lng: float) -> None:
        await self._post(kind="place", lat=lat, lng=lng, accuracy_m=20)

    async def starts(self, token: str) -> None:
        await self._post(kind="start", payload=token)

    async def answered(self) -> None:
        """Answers are read out of the database."""

    async def looks(self) -> bool:
        """An open page shows everything by itself."""
        return False

    async def hears(self, after_id: int) -> tuple[list[Heard], int]:
        """Everything written for this address since `after_id`."""

        async def work(tx: Tx) -> Any:
            return await tx.all(
                "SELECT id, body FROM outbox WHERE township_id = :t AND address = :address AND id > :after_id"
                " AND due_ms <= :now_ms AND state <> 'expired' ORDER BY id",
                {"address": self.address, "after_id": after_id, "now_ms": self._app.clock.now_ms()},
            )

        rows = await self._app.database.read(work)
        heard = []
        for row in rows:
            out = load_out(row["body"])
            buttons = tuple((label, data) for line in out.rows for label, data, _ in line)
            heard.append(Heard(out.text, buttons, tuple(out.media), tuple(out.links), out.ask))
        return heard, rows[-1]["id"] if rows else after_id


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

    def __init__(self, app: App, clock: StoryClock, channel: str, bot_api: Any = None, wechat: Any = None) -> None:
        self.app = app
        self.clock = clock
        self.channel = channel
        self.people: list[Someone] = []
        self._bot_api = bot_api
        self._wechat = wechat
        if wechat is not None:
            from tests.stories.wechat_driver import connect

            wechat.world.now_ms = clock.now_ms
            connect(app, wechat)
        self._seen: dict[str, int] = {}

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
        await app.sign_in()
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
            from tests.stories.telegram_driver import TelegramDriver

            driver: Any = TelegramDriver(self.app, self._bot_api, name)
        elif (channel or self.channel) == "wechat":
            from tests.stories.wechat_driver import WeChatDriver

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
            return await tx.all(sql, params)

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
        heard, self._seen[someone.driver.address] = await someone.driver.hears(
            self._seen.get(someone.driver.address, 0)
        )
        someone.heard += heard
        someone.news += heard

    async def tick(self) -> None:
        """Plan periods, run the timers that are due (and what they lead to), and deliver."""
        self.begin()
        await self.app.schedule.plan()
        while await self.app.schedule.run_due():
            await self.app.schedule.errands_done()
        await self.work()

    async def settle(self, seconds: float = 0.05) -> None:
        """Give background work a moment."""
        await asyncio.sleep(seconds)
        await self.work()
