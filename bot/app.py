"""The composition root: the only place that knows concrete classes, and the order of start and stop.

Start: duties, delivery, intake, receiving, clock, web. Stop: the other way round, so that nothing new comes in while
what came in is finished. A worker may have some of the parts only (`--only`); the others run in other processes.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import structlog
from starlette.routing import Route

from bot.channels.base import Channel, Channels
from bot.channels.telegram.channel import Telegram
from bot.channels.webchat import WebChat
from bot.channels.wecom.robots import find_robots
from bot.clock import Clock, Dice, Ids, SystemClock, SystemDice, TimeIds
from bot.i18n import Catalogues
from bot.incoming.batch import ANSWERED_TOPIC
from bot.incoming.intake import TOPIC as INBOX_TOPIC
from bot.incoming.intake import Intake
from bot.incoming.polling import Receiving
from bot.media.shelf import open_shelf
from bot.media.stores import MediaStores
from bot.outgoing.outcomes import PAGE_TOPIC
from bot.outgoing.shares import GRACE_S, Outgoing
from bot.outgoing.shares import TOPIC as OUTBOX_TOPIC
from bot.schedule import Schedule
from bot.settings import Settings
from bot.web.app import Web, build_web
from handlers.product import Township
from storage.database import Database
from storage.engine.opening import open_database
from storage.machine import inbox, townships

if TYPE_CHECKING:
    from bot.channels.wechat.channel import WeChat

Part = Literal["web", "intake", "delivery", "clock"]
PARTS: tuple[Part, ...] = ("web", "intake", "delivery", "clock")
STOP_S = 15
log = structlog.get_logger()


class AlreadyRunning(RuntimeError):
    """Another process serves this DATA_DIR."""


@dataclass(slots=True)
class App:
    """Everything that runs, ready to be started."""

    settings: Settings
    database: Database
    product: Township
    catalogues: Catalogues
    channels: Channels
    intake: Intake
    outgoing: Outgoing
    schedule: Schedule
    receiving: Receiving
    media: MediaStores
    clock: Clock
    ids: Ids
    bots: dict[int, Telegram]
    parts: Collection[Part] = PARTS
    web: Web | None = None
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _lock: IO[str] | None = None

    def totals(self) -> dict[str, int]:
        """What `/metrics` counts since the start."""
        return {
            "updates_accepted_total": self.intake.accepted_total,
            "updates_handled_total": self.intake.handled_total,
            "messages_sent_total": self.outgoing.sent_total,
        }

    async def sign_in(self) -> None:
        """Make the channels ready to send, and let the product know under which names its bots are found."""
        for channel in self.channels.every():
            await channel.start(self.intake.accept)
        for township_id, bot in self.bots.items():
            self.product.name_telegram_bot(township_id, bot.username)

    async def start(self) -> None:
        """Serve: every part of this worker runs when this returns. Raises Unavailable, AlreadyRunning, OSError."""
        if self.settings.database_path is not None:
            self._lock = lock(self.settings.data_dir)
        await self.database.workers().start()
        await self.sign_in()
        if "delivery" in self.parts:
            await self.outgoing.begin()
            self._tasks.append(asyncio.create_task(self.outgoing.run()))
        if "clock" in self.parts:
            await self.schedule.tick()
            self.schedule.start()
        if "intake" in self.parts:
            self._tasks.append(asyncio.create_task(self.intake.run()))
            await self.receiving.look()
            self._tasks.append(asyncio.create_task(self.receiving.run()))
        if self.web is not None:
            await self.web.start()
        log.info("app.started", address=self.settings.address, parts=sorted(self.parts))

    async def stop(self) -> None:
        """Take nothing new, finish what is in hand, close. What is not sent yet stays due."""
        if self.web is not None:
            await self.web.stop()
        self.receiving.stop()
        self.schedule.stop()
        self.intake.stop()
        self.outgoing.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
        for channel in self.channels.every():
            await channel.stop()
        await self.database.close()
        if self._lock is not None:
            self._lock.close()
        log.info("app.stopped")


def lock(folder: Path) -> IO[str]:
    """Hold DATA_DIR for this process; raises AlreadyRunning when another has it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "jingxiang.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        other = file.read().strip() or "?"
        file.close()
        raise AlreadyRunning(f"process {other} already serves {folder}") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    dice: Dice | None = None,
    database: Database | None = None,
    parts: Collection[Part] = PARTS,
    grace_s: float = GRACE_S,
) -> App:
    """Put a worker with these parts together; the schema must be up to date (`migrate`). Starts nothing."""
    clock = clock or SystemClock()
    dice = dice or SystemDice()
    if database is None:
        database = await open_database(settings.database)
    one_process = settings.database_path is not None
    workers = database.workers()
    ids = TimeIds(clock, after=await database.read(inbox.last_id), worker=workers)
    catalogues = Catalogues(settings.zone, settings.language)
    robots = await find_robots(settings.wecom_robots, database)
    for fault in robots.faults:
        log.warning("wecom.robot_left_out", fault=fault)
    product = Township(settings.zone, settings.address, robots.codes())
    shelf = open_shelf(settings, clock)
    media = MediaStores(shelf, database, clock=clock, dice=dice, zone=settings.zone, limits=product.media_limits)
    webchat = WebChat(None if one_process else lambda: workers.number)
    bots = await make_bots(settings, database, clock, media)
    shared: list[Channel] = [webchat, *make_wecom(settings, robots.keys, clock, media)]
    channels = Channels(shared, {township_id: [bot] for township_id, bot in bots.items()})
    outgoing = Outgoing(database, channels, clock=clock, grace_s=0 if one_process else grace_s)
    made: dict[str, Any] = {"clock": clock, "ids": ids, "dice": dice, "outgoing": outgoing}
    intake = Intake(database, product, channels, catalogues, alone=one_process, **made)
    errands = {"media.fetch": media.fetch_errand, "media.erase": media.erase_errand}
    schedule = Schedule(database, product, catalogues, errands=errands, calm=intake.calm, **made)
    fetching: list[tuple[str, Channel]] = [(f"telegram {township_id}", bot) for township_id, bot in bots.items()]
    wechat = await make_wechat(settings, database, media, channels, catalogues, clock=clock, ids=ids, outgoing=outgoing)
    if wechat is not None:
        fetching.append((wechat.name, wechat))
        workers.listen(ANSWERED_TOPIC, wechat.hear)
    receiving = Receiving(workers, fetching)
    workers.listen(INBOX_TOPIC, intake.hear)
    workers.listen(OUTBOX_TOPIC, outgoing.hear)
    workers.listen(PAGE_TOPIC, webchat.hear)
    app = App(
        settings,
        database,
        product,
        catalogues,
        channels,
        intake,
        outgoing,
        schedule,
        receiving,
        media,
        clock,
        ids,
        bots,
        parts,
    )
    if "web" in parts:
        routes = [route for bot in bots.values() for route in bot.routes()]
        if wechat is not None:
            routes += wechat_routes(settings, database, catalogues, clock, wechat)
        app.web = build_web(
            settings, database, intake.accept, webchat, media, catalogues, clock, routes, counters=app.totals
        )
    return app


def make_wecom(settings: Settings, keys: Mapping[str, str], clock: Clock, media: MediaStores) -> list[Channel]:
    """The channel of WeCom's robots, when there are any."""
    if not keys:
        return []
    from bot.channels.wecom.channel import WeCom

    return [WeCom(keys, clock, media.of, base_url=settings.wecom_api_url)]


def wechat_routes(
    settings: Settings, database: Database, catalogues: Catalogues, clock: Clock, wechat: WeChat
) -> list[Route]:
    """The account's webhook, and the page that its menu opens."""
    from bot.web.wechat_page import WeChatPage

    page = WeChatPage(settings, database, catalogues, clock, wechat.api, township_id=wechat.township_id)
    return [*wechat.routes(), *page.routes()]


async def make_wechat(
    settings: Settings,
    database: Database,
    media: MediaStores,
    channels: Channels,
    catalogues: Catalogues,
    *,
    clock: Clock,
    ids: Ids,
    outgoing: Outgoing,
) -> WeChat | None:
    """The Official Account, a channel of its township; None when none is set. Raises LookupError for a wrong code.

    Its modules are loaded only then: without WeChat and WeCom nobody needs aiohttp and cryptography (12 MiB).
    """
    known = await database.read(townships.every_name)
    if not (settings.wechat_app_id and known):
        return None
    from bot.channels.wechat.account import town_of
    from bot.channels.wechat.api import WeChatApi
    from bot.channels.wechat.channel import WeChat
    from bot.channels.wechat.customer import Notice
    from bot.channels.wechat.customer import Outgoing as WeChatOutgoing
    from bot.channels.wechat.gate import Gate
    from bot.channels.wechat.replies import Replies
    from bot.channels.wechat.tokens import TokenTable

    town = town_of(settings, known)
    tokens = TokenTable(database, town)
    api = WeChatApi(settings.wechat_app_id, settings.wechat_app_secret, tokens, clock, settings.wechat_api_url)
    keys = settings.wechat_aes_key, settings.wechat_aes_key_previous
    gate = Gate(settings.wechat_token, settings.wechat_app_id, settings.wechat_mode, keys)
    replies = Replies(database, catalogues, outgoing, channel=WeChat.name, township_id=town, clock=clock, ids=ids)
    notice = Notice(**settings.wechat_notice) if settings.wechat_notice else None
    sending = WeChatOutgoing(
        api, database, media.of(town), catalogues, clock, ids=ids, township_id=town, zone=settings.zone, notice=notice
    )
    wechat = WeChat(gate, api, replies, sending, clock, township_id=town)
    media.of(town).fetchers[wechat.name] = api.fetch
    channels.add(town, wechat)
    return wechat


async def make_bots(settings: Settings, database: Database, clock: Clock, media: MediaStores) -> dict[int, Telegram]:
    """A Telegram bot for each township that has a token: TELEGRAM_TOKEN is the first one's."""
    bots: dict[int, Telegram] = {}
    known = await database.read(townships.every_name)
    tokens = {row["township_id"]: settings.telegram_tokens.get(row["code"], "") for row in known}
    if settings.telegram_token and known:
        tokens[known[0]["township_id"]] = settings.telegram_token
    for row in known:
        township_id, token = row["township_id"], tokens[row["township_id"]]
        if token:
            path = "/telegram" if token == settings.telegram_token else f"/telegram/{row['code']}"
            bot = Telegram(settings, clock, media.of(township_id), token=token, township_id=township_id, path=path)
            media.of(township_id).fetchers[bot.name] = bot.fetch
            bots[township_id] = bot
    return bots
