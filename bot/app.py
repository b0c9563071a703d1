"""The composition root: the only place that knows concrete classes, and the order of start and stop.

Start: database, product, delivery, intake, schedule, channels, web. Stop: the other way round, so that nothing
new comes in while what came in is finished.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import structlog
from starlette.routing import Route

from bot.channels.base import Channel, Letter
from bot.channels.telegram import Telegram
from bot.channels.webchat import WebChat
from bot.clock import Clock, Dice, Ids, SystemClock, SystemDice, TimeIds
from bot.delivery import Delivery
from bot.flood import FloodGate
from bot.i18n import Catalogues
from bot.intake import Intake
from bot.media import MediaStore
from bot.schedule import Schedule
from bot.settings import Settings
from bot.web.app import Web, build_web
from handlers.product import Township
from storage import inbox
from storage.database import Database
from storage.migrate import migrate
from storage.sqlite import SqliteDatabase

STOP_S = 10
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
    channels: dict[str, Channel]
    intake: Intake
    delivery: Delivery
    schedule: Schedule
    media: MediaStore
    clock: Clock
    ids: Ids
    telegram: Telegram | None = None
    web: Web | None = None
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _lock: IO[str] | None = None

    def totals(self) -> dict[str, int]:
        """What `/metrics` counts since the start."""
        return {
            "updates_accepted_total": self.intake.accepted_total,
            "updates_handled_total": self.intake.handled_total,
            "messages_sent_total": self.delivery.sent_total,
        }

    async def start(self) -> None:
        """Serve: every part runs when this returns."""
        self._lock = lock(self.settings.data_dir)
        await self.schedule.plan()
        self._tasks = [asyncio.create_task(self.delivery.run()), asyncio.create_task(self.intake.run())]
        self.schedule.start()
        for channel in self.channels.values():
            await channel.start(self.intake.accept)
        if self.telegram is not None:
            self.product.name_telegram_bot(self.telegram.username)
        if self.web is not None:
            await self.web.start()
        log.info("app.started", address=self.settings.address, channels=sorted(self.channels))

    async def stop(self) -> None:
        """Take nothing new, finish what is in hand, close. What is not sent yet stays due."""
        if self.web is not None:
            await self.web.stop()
        for channel in self.channels.values():
            await channel.stop()
        self.schedule.stop()
        self.intake.stop()
        self.delivery.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
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
        raise AlreadyRunning(f"process {file.read().strip() or '?'} already serves {folder}") from None
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
    serve_web: bool = True,
) -> App:
    """Put the program together; the schema must be up to date (`migrate`). Starts nothing."""
    clock = clock or SystemClock()
    dice = dice or SystemDice()
    if database is None:
        database = await SqliteDatabase.open(settings.database_path)
    ids = TimeIds(clock, after=await database.read(inbox.last_id))
    catalogues = Catalogues(settings.zone, settings.language)
    product = Township(settings.zone, settings.address)
    media = MediaStore(
        settings.data_dir / "media",
        database,
        clock=clock,
        dice=dice,
        zone=settings.zone,
        limits=product.media_limits,
    )
    webchat = WebChat()
    channels: dict[str, Channel] = {webchat.name: webchat}
    routes: Sequence[Route] = ()
    telegram = None
    if settings.telegram_token:
        telegram = Telegram(settings, clock, media)
        channels[telegram.name] = telegram
        media.fetchers[telegram.name] = telegram.fetch
        routes = telegram.routes()
    flood = FloodGate(0)
    for row in await database.read(inbox.deferred):
        flood.resume(row["address"], row["due_ms"])
    delivery = Delivery(database, channels, clock=clock)
    deliver: Callable[[Sequence[Letter]], None] = delivery.offer
    parts: dict[str, Any] = {"clock": clock, "ids": ids, "dice": dice, "deliver": deliver}
    intake = Intake(database, product, channels, catalogues, flood=flood, **parts)
    errands = {"media.fetch": media.fetch_errand, "media.erase": media.erase_errand}
    schedule = Schedule(database, product, catalogues, errands=errands, calm=intake.calm, **parts)
    app = App(
        settings, database, product, catalogues, channels, intake, delivery, schedule, media, clock, ids, telegram
    )
    if serve_web:
        app.web = build_web(
            settings, database, intake.accept, webchat, media, catalogues, clock, routes, counters=app.totals
        )
    return app


def bring_up_to_date(settings: Settings, clock: Clock | None = None) -> int:
    """Apply the migrations that are missing; how many there were."""
    return len(migrate(settings.database_path, now_ms=(clock or SystemClock()).now_ms()))
