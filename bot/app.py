"""The composition root: the only place that knows concrete classes, and the order of start and stop.

Start: leases, delivery, intake, receiving, clock, web. Stop: the other way round, so that nothing new comes in while
what came in is finished. A worker may have some of the parts only (`--only`); the others run in other processes.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Collection, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import structlog

from bot.channels.base import Channels
from bot.channels.telegram.channel import Telegram
from bot.channels.webchat import WebChat
from bot.channels.wecom.robots import find_robots
from bot.clock import Clock, Dice, Ids, Seams, SystemClock, SystemDice, TimeIds
from bot.i18n import Catalogues
from bot.incoming.batch import ANSWERED_TOPIC
from bot.incoming.intake import TOPIC as INBOX_TOPIC
from bot.incoming.intake import Intake
from bot.incoming.polling import Receiving
from bot.media.stores import MediaStores, open_shelf
from bot.outgoing.outcomes import PAGE_TOPIC
from bot.outgoing.shares import GRACE_S, Outgoing
from bot.outgoing.shares import TOPIC as OUTBOX_TOPIC
from bot.outgoing.trouble_book import TroubleBook
from bot.platforms import Platforms, add_wechat, make_platforms, native_menus, open_push
from bot.schedule import Errand, Schedule
from bot.settings import Settings
from bot.troubles import Troubles
from bot.vault import open_with_vault, seal_earlier, use_vault
from bot.web.app import Web, build_web
from handlers.product import Township
from storage.database import Database, Unavailable
from storage.machine import inbox

if TYPE_CHECKING:  # loaded only where there are pushes
    from bot.push.telling import Telling

Part = Literal["web", "intake", "delivery", "clock"]
PARTS: tuple[Part, ...] = ("web", "intake", "delivery", "clock")
STOP_S = 15
log = structlog.get_logger()


class AlreadyRunning(RuntimeError):
    """Another process serves this DATA_DIR: its id, "?" when the file does not tell."""

    def __init__(self, pid: str, folder: Path) -> None:
        super().__init__(f"process {pid} already serves {folder}")
        self.pid = pid
        self.folder = folder


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
    troubles: Troubles
    book: TroubleBook
    parts: Collection[Part] = PARTS
    web: Web | None = None
    telling: Telling | None = None
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _watching: list[asyncio.Task[Any]] = field(default_factory=list)
    _lock: IO[str] | None = None

    def totals(self) -> dict[str, int]:
        """What `/metrics` counts since the start."""
        return {
            "updates_accepted_total": self.intake.accepted_total,
            "updates_handled_total": self.intake.handled_total,
            "messages_sent_total": self.outgoing.sent_total,
        }

    async def open_channels(self) -> None:
        """Make the channels ready to send and to be heard; none of them has to be reachable for that."""
        for channel in self.channels.every():
            await channel.start(self.intake.accept)

    async def start(self) -> None:
        """Serve: every part of this worker runs when this returns, whatever of the world is away.

        Raises Unavailable when the database is, AlreadyRunning, OSError.
        """
        if self.settings.database_path is not None:
            self._lock = lock(self.settings.data_dir)
        await self.database.workers().start()
        await seal_earlier(self.database, self.product.catch_up)
        await self.open_channels()
        if "delivery" in self.parts:
            with suppress(Unavailable):  # it looks again by itself
                await self.outgoing.begin()
            self._run(self.outgoing.run())
        if "clock" in self.parts:
            await self.schedule.try_tick()
            self.schedule.start()
        if "intake" in self.parts:
            self._run(self.intake.run())
            await self.receiving.look()
            self._run(self.receiving.run())
        watching = (self.book.run(), self.media.keep_probing(), self.media.seal_earlier())
        self._watching = [asyncio.create_task(one) for one in watching]
        if self.web is not None:
            await self.web.start()
        log.info("app.started", address=self.settings.address, parts=sorted(self.parts))

    def _run(self, part: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(part))

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
        for watching in self._watching:
            watching.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for channel in self.channels.every():
            await channel.stop()
        if self.telling is not None:
            await self.telling.stop()
        await self.database.close()
        if self._lock is not None:
            self._lock.close()
        log.info("app.stopped")


def hear_of_database(troubles: Troubles, error: Unavailable | None) -> None:
    """How the database is now."""
    if error is None:
        troubles.works("database")
    else:
        troubles.failed("database", error.reason, said=str(error))


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
        raise AlreadyRunning(other, folder) from None
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
    if database is None:
        database = await open_with_vault(settings)
    else:
        await use_vault(settings, database)
    troubles = Troubles(clock)
    database.watch(partial(hear_of_database, troubles))
    one_process = settings.database_path is not None
    workers = database.workers()
    ids = TimeIds(clock, after=await database.read(inbox.last_id), worker=workers)
    seams = Seams(clock, ids, dice or SystemDice())
    catalogues = Catalogues(settings.zone, settings.language)
    robots = await find_robots(settings.wecom_robots, database)
    for fault in robots.faults:
        log.warning("wecom.robot_left_out", fault=fault.key, **fault.fields)
    product = Township(settings.zone, settings.address, robots.codes())
    shelf = open_shelf(settings, clock)
    shared: dict[str, Any] = {"clock": clock, "troubles": troubles}
    media = MediaStores(shelf, database, dice=seams.dice, zone=settings.zone, limits=product.media_limits, **shared)
    webchat = WebChat(None if one_process else lambda: workers.number)
    platforms = await make_platforms(
        settings, database, media, seams, webchat, robots, native_menus(product.native_commands(), catalogues), troubles
    )
    for township_id, bot in platforms.bots.items():
        bot.identity.on_known = partial(product.name_telegram_bot, township_id)
    outgoing = Outgoing(database, channels := platforms.channels, grace_s=0 if one_process else grace_s, **shared)
    named: dict[str, Any] = {"troubles": troubles}
    intake = Intake(database, product, channels, catalogues, seams, outgoing, only_worker=one_process, **named)
    telling = open_push(settings, database, catalogues, clock)
    named |= {"errands": _errands(media, telling), "calm": intake.calm}
    schedule = Schedule(database, product, catalogues, seams, outgoing, **named)
    wechat = await add_wechat(platforms, settings, database, media, catalogues, seams, outgoing, troubles)
    if wechat is not None:
        workers.listen(ANSWERED_TOPIC, wechat.hear)
    receiving = Receiving(workers, platforms.fetching)
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
        platforms.bots,
        troubles,
        TroubleBook(database, troubles),
        parts,
        telling=telling,
    )
    if "web" in parts:
        app.web = _web(app, platforms, webchat)
    return app


def _errands(media: MediaStores, telling: Telling | None) -> dict[str, Errand]:
    """What timers need from outside, by their kind."""
    found: dict[str, Errand] = {"media.fetch": media.fetch_errand, "media.erase": media.erase_errand}
    return found if telling is None else {**found, "push.send": telling.send}


def _web(app: App, platforms: Platforms, webchat: WebChat) -> Web:
    """The page's server, with the webhooks of the platforms."""
    settings, database, catalogues, clock = app.settings, app.database, app.catalogues, app.clock
    routes = platforms.routes()
    if platforms.wechat is not None:
        from bot.web.wechat_page import WeChatPage

        wechat = platforms.wechat
        page = WeChatPage(
            settings,
            database,
            catalogues,
            clock,
            wechat.api,
            township_id=wechat.township_id,
            close=webchat.close,
            pseudonyms=wechat.pseudonyms,
        )
        routes = [*routes, *page.routes()]
    return build_web(
        settings,
        database,
        app.intake.accept,
        webchat,
        app.media,
        catalogues,
        clock,
        routes,
        for_pages=app.product.for_pages,
        may_upload=app.product.takes_photos,
        originals_since=app.product.originals_since,
        counters=app.totals,
        troubles=app.troubles,
        push_key=app.telling.public_key if app.telling is not None else "",
    )
