"""The web chat served for a test: real sockets, the real machine, and a product that repeats what it hears."""

from __future__ import annotations

import asyncio
import io
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from bot.app import hear_of_database
from bot.channels.base import Channels
from bot.channels.webchat import WebChat
from bot.channels.wechat.api import WeChatApi
from bot.channels.wechat.tokens import TokenTable
from bot.clock import Seams, SystemClock, SystemDice, TimeIds
from bot.incoming.intake import TOPIC as INBOX_TOPIC
from bot.incoming.intake import Intake
from bot.media.stores import MediaStores, open_shelf
from bot.outgoing.letters import Written
from bot.outgoing.outcomes import PAGE_TOPIC
from bot.outgoing.shares import TOPIC as OUTBOX_TOPIC
from bot.outgoing.shares import Outgoing
from bot.settings import Settings
from bot.talk.messages import Out, Say
from bot.troubles import Troubles
from bot.turn import Desk, Dispatch, Intent, Turn
from bot.vault import use_vault
from bot.web.app import Web, build_web
from bot.web.visitors.cookies import Cookie
from bot.web.visitors.work import is_found
from bot.web.wechat_page import WeChatPage
from storage.database import Database, Tx
from storage.engine.opening import bring_up_to_date, open_database
from storage.machine import media, webchat
from storage.people import people
from storage.product import areas
from tests.channels.webtexts import web_catalogues
from tests.fakes.wechat import FakeWeChat
from tests.ports import free_port
from tests.unsealed import open_all

HEADERS = {"X-Jingxiang": "1"}
PATIENCE_S = 10


class Echo:
    """Answers every message with its words, or with the photos it brought."""

    forms: Mapping[str, Any] = {}
    timers: Mapping[str, Any] = {}

    async def world(self, tx: Tx, now_ms: int) -> Any:
        return None

    def messages_per_minute(self, world: Any) -> int:
        return 10_000

    def facts(self, turn: Turn) -> Any:
        return None

    def before_gate(self, intent: Intent) -> bool:
        return False

    def gate(self, turn: Turn) -> str | None:
        return None

    async def interpret(self, turn: Turn) -> Intent | None:
        return None

    def addressed(self, turn: Turn) -> Intent | None:
        return Intent(command="echo")

    async def command(self, turn: Turn, intent: Intent) -> None:
        event = turn.event
        if event.media:
            items = [[item.kind, item.ref, item.size_bytes] for item in event.media]
            found = await turn.attach(turn.person.id, turn.person.channel, items)
            turn.reply(Say(f"{len(found)} photos", media=tuple(found)))
        else:
            turn.reply(f"{event.kind}:{event.text or event.data}:{event.lat},{event.lng}")

    async def left(self, turn: Turn) -> None:
        return None

    async def plan(self, desk: Desk) -> None:
        return None

    async def asks_first(self, turn: Turn, wanted: Any) -> None:
        """Nothing asks for anything."""

    async def may_open(self, turn: Turn, form: Any) -> None:
        return None


@dataclass
class Event:
    """One server-sent event."""

    name: str
    data: dict[str, Any]
    id: str


class EventReader:
    """The events of an open stream, in order."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.comments = 0

    async def next(self) -> Event:
        """The next event; fails after PATIENCE_S."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                fields: dict[str, str] = {}
                while line := (await self.response.content.readline()).decode().rstrip("\n"):
                    name, _, value = line.partition(": ")
                    if line.startswith(":"):
                        self.comments += 1
                    else:
                        fields[name] = value
                if not fields and self.response.content.at_eof():
                    raise EOFError("the stream ended")
                if "data" in fields:
                    return Event(fields.get("event", "message"), orjson.loads(fields["data"]), fields.get("id", ""))

    async def message(self) -> dict[str, Any]:
        """The next message, whatever else comes before it."""
        while (event := await self.next()).name != "message":
            pass
        assert event.id == event.data["id"]
        return event.data

    async def bot_says(self) -> str:
        """The next words of the bot."""
        while (message := await self.message())["from"] != "bot":
            pass
        return str(message["text"])


def done(challenge: str) -> str:
    """The work that the page does for a challenge."""
    _, bits, parts, _ = challenge.split(".")
    found = [next(at for at in count() if is_found(challenge, part, at, int(bits))) for part in range(int(parts))]
    return f"{challenge}~{'-'.join(map(str, found))}"


class Page:
    """One browser with its cookie; `source` is where a proxy says that it comes from."""

    def __init__(self, url: str, source: str = "") -> None:
        self.url = url
        passed_on = {"X-Forwarded-For": source} if source else {}
        self.before_stream: Callable[[], Awaitable[None]] | None = None
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers=passed_on)

    async def open(self, **headers: str) -> dict[str, Any]:
        async with self.http.post(f"{self.url}/api/session", json={}, headers={**HEADERS, **headers}) as response:
            assert response.status == 200, await response.text()
            return dict(await response.json())

    @property
    def token(self) -> str:
        return next(cookie.value for cookie in self.http.cookie_jar if cookie.key in ("jingxiang", "__Host-jingxiang"))

    @property
    def address(self) -> str:
        return Cookie(self.token.split(".")[0], 1).address

    async def post(self, path: str = "/api/messages", *, headers: Any = None, **body: Any) -> tuple[int, Any]:
        """Status and answer of a posted message (of the given fields)."""
        body.setdefault("id", str(uuid.uuid4()))
        headers = HEADERS if headers is None else headers
        async with self.http.post(f"{self.url}{path}", json=body, headers=headers) as response:
            return response.status, await response.json()

    async def works_and_posts(self, **body: Any) -> tuple[int, Any]:
        """The same, from a page that does the work it is asked for."""
        status, answer = await self.post(**body)
        if status != 429 or "work" not in answer:
            return status, answer
        return await self.post(**body, headers={**HEADERS, "X-Jingxiang-Work": done(answer["work"])})

    async def raw(self, content: bytes, **headers: str) -> tuple[int, Any]:
        """Status and answer of a body that need not be JSON."""
        sent = {"Content-Type": "application/json", **HEADERS, **headers}
        async with self.http.post(f"{self.url}/api/messages", data=io.BytesIO(content), headers=sent) as response:
            return response.status, await response.json()

    async def says(self, words: str, **more: Any) -> Any:
        status, answer = await self.works_and_posts(kind="text", text=words, **more)
        assert status == 202, answer
        return answer

    async def uploads(self, content: Any, name: str = "photo.jpg") -> tuple[int, Any]:
        url = f"{self.url}/api/media"
        content = io.BytesIO(content) if isinstance(content, bytes) else content
        async with self.http.post(url, params={"name": name}, data=content, headers=HEADERS) as response:
            return response.status, await response.json()

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        async with self.http.get(f"{self.url}{path}", headers=headers) as response:
            return response.status, await response.read(), response.headers

    async def history(self, **query: Any) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/api/history", params=query) as response:
            assert response.status == 200
            return dict(await response.json())

    @asynccontextmanager
    async def events(self, after: str = "", **query: str) -> AsyncIterator[EventReader]:
        if self.before_stream is not None:
            await self.before_stream()
        headers = {"Last-Event-ID": after} if after else {}
        async with self.http.get(f"{self.url}/api/events", headers=headers, params=query, timeout=None) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            reader = EventReader(response)
            assert (await response.content.readline()).startswith(b":")
            assert await response.content.readline() == b"\n"
            yield reader


def account_of(wechat: FakeWeChat) -> dict[str, Any]:
    """The settings of a program with that account, on a port that WeChat can be told of beforehand."""
    port, world = free_port(), wechat.world
    return {
        "web_port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "wechat_app_id": world.app_id,
        "wechat_app_secret": world.secret,
        "wechat_token": world.token,
        "wechat_aes_key": world.aes_key,
        "wechat_api_url": wechat.url,
    }


class Site:
    """The program: web chat, intake, delivery; with an Official Account the page that its menu opens."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        shared: bool = False,
        wechat: FakeWeChat | None = None,
        push_key: str = "",
        **settings: Any,
    ) -> None:
        workers = database.workers()
        clock, ids, dice = SystemClock(), TimeIds(SystemClock(), worker=workers), SystemDice()
        self.ids, self.clock = ids, clock
        self.folder, self.database = folder, database
        self.webchat = WebChat((lambda: workers.number) if shared else None)
        self.channels = Channels([self.webchat])
        self.troubles = Troubles(clock)
        database.watch(partial(hear_of_database, self.troubles))
        self.outgoing = Outgoing(database, self.channels, clock=clock, grace_s=0, troubles=self.troubles)
        catalogues = web_catalogues(folder / "texts")
        seams = Seams(clock, ids, dice)
        self.intake = Intake(database, Echo(), self.channels, catalogues, seams, self.outgoing, only_worker=not shared)
        workers.listen(INBOX_TOPIC, self.intake.hear)
        workers.listen(OUTBOX_TOPIC, self.outgoing.hear)
        workers.listen(PAGE_TOPIC, self.webchat.hear)
        account = account_of(wechat) if wechat is not None else {}
        self.settings = chosen = Settings(_env_file=None, **{"data_dir": folder, "web_port": 0, **account, **settings})
        self.media = MediaStores(
            open_shelf(chosen), database, clock=clock, dice=dice, zone=chosen.zone, limits=lambda _: media.MediaLimits()
        )
        self.wechat_api = WeChatApi(
            chosen.wechat_app_id, chosen.wechat_app_secret, TokenTable(database, 1), clock, chosen.wechat_api_url
        )
        page = WeChatPage(chosen, database, catalogues, clock, self.wechat_api, township_id=1, close=self.webchat.close)
        self._has_wechat = wechat is not None
        routes = page.routes() if self._has_wechat else ()
        self.web: Web = build_web(
            chosen,
            database,
            self.intake.accept,
            self.webchat,
            self.media,
            catalogues,
            clock,
            routes,
            keepalive_s=0.3,
            troubles=self.troubles,
            push_key=push_key,
        )
        self.pages: list[Page] = []
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}"

    async def start(self) -> None:
        await self.database.workers().start()
        if self._has_wechat:
            await self.wechat_api.start()
        await self.outgoing.begin()
        self._tasks = [asyncio.create_task(self.outgoing.run()), asyncio.create_task(self.intake.run())]
        await self.web.start()

    async def stop(self) -> None:
        for page in self.pages:
            await page.http.close()
        await self.web.stop()
        self.intake.stop()
        self.outgoing.stop()
        await asyncio.wait(self._tasks, timeout=PATIENCE_S)
        await self.wechat_api.stop()
        await self.database.close()

    async def page(self, *, session: bool = True, **headers: str) -> Page:
        """A new browser; whoever opens a stream there has written long ago (it was blanked since)."""
        page = Page(self.url)
        page.before_stream = lambda: self.database.transaction(lambda tx: self._wrote_once(tx, page.address))
        self.pages.append(page)
        if session:
            await page.open(**headers)
        return page

    @staticmethod
    async def _wrote_once(tx: Tx, address: str) -> None:
        row = await tx.one("SELECT COUNT(*) AS n FROM inbox WHERE township_id = :t AND id < 1000")
        if row is None or await webchat.has_written(tx, address):
            return
        await tx.run(
            "INSERT INTO inbox (township_id, id, channel, update_key, address, body, state, received_ms, due_ms)"
            " VALUES (:t, :id, 'web', :key, :address, :body, 'done', 1, 1)",
            {"id": row["n"] + 1, "key": f"past:{address}", "address": address, "body": b""},
        )

    async def tell(self, page: Page, words: str, *, due_in_ms: int = 0, media_ids: tuple[str, ...] = ()) -> int:
        """Write a message to somebody, as an action would; its id."""

        async def work(tx: Tx) -> tuple[int, Written]:
            contact = await people.contact(tx, page.address)
            desk = Desk(
                tx=tx,
                now_ms=self.clock.now_ms(),
                ids=self.ids,
                dice=SystemDice(),
                catalogues=None,  # type: ignore[arg-type]
                world=None,
            )
            person_id = contact["person_id"] if contact else 7
            desk.post(
                person_id, "web", page.address, Out(words, media=media_ids), Dispatch(due_ms=desk.now_ms + due_in_ms)
            )
            return desk.outbox[0]["id"], await self.outgoing.write(tx, desk.outbox, desk.now_ms)

        message_id, written = await self.database.transaction(work)
        self.outgoing.offer(written)
        return message_id

    async def rows(self, sql: str, **params: Any) -> Any:
        async def work(tx: Tx) -> Any:
            return await open_all(tx, await tx.all(sql, params))

        return await self.database.read(work)

    async def state_of(self, message_id: int, wanted: str) -> None:
        """Wait until an outbox row is in that state."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                [row] = await self.rows("SELECT state FROM outbox WHERE township_id = :t AND id = :id", id=message_id)
                if row["state"] == wanted:
                    return
                await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(folder: Path, *, url: str = "", **settings: Any) -> AsyncIterator[Site]:
    """A started site in that folder; what an earlier one left there is still there. `url`: of a shared database."""
    url = url or f"sqlite:///{folder / 'jingxiang.db'}"
    now_ms = SystemClock().now_ms()
    await bring_up_to_date(url, now_ms=now_ms)
    shutil.rmtree(folder / "texts", ignore_errors=True)
    database = await open_database(url)
    key_file = (folder.parent if url.startswith("postgres") else folder) / "vault.key"  # one for all workers
    key_file = settings.setdefault("vault_key_file", key_file)
    await use_vault(Settings(_env_file=None, data_dir=folder, vault_key_file=key_file), database)
    await database.transaction(
        lambda tx: areas.set_township(tx, code="1", name="试验乡", county="", province="", now_ms=now_ms)
    )
    site = Site(folder, database, shared=url.startswith("postgres"), **settings)
    await site.start()
    try:
        yield site
    finally:
        await site.stop()
