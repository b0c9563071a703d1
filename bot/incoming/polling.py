"""Fetching from platforms that want that (Telegram's polling): by one worker at a time, another takes over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from bot.channels.base import Channel
from storage.database import Workers

LOOK_S = 2.0
log = structlog.get_logger()


class Receiving:
    """This worker's share of it. `channels` have a name each, unique in the deployment."""

    def __init__(self, workers: Workers, channels: Sequence[tuple[str, Channel]]) -> None:
        self._workers = workers
        self._channels = channels
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Keep looking until `stop`."""
        while not self._stopping.is_set():
            try:
                await self.look()
            except Exception as error:
                log.warning("receiving.look_failed", error=f"{type(error).__name__}: {error}")
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK_S)
            except TimeoutError:
                continue
        await self.end()

    async def end(self) -> None:
        """End what is under way."""
        for name in tuple(self._tasks):
            await self._end(name)

    def stop(self) -> None:
        """Fetch nothing more."""
        self._stopping.set()

    async def look(self) -> None:
        """End what is no longer this worker's or has failed, begin what is free."""
        for name, channel in self._channels:
            lease = f"receive {name}"
            task = self._tasks.get(name)
            if task is not None and (task.done() or not self._workers.has(lease)):
                if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                    log.warning("receiving.failed", channel=name, error=f"{type(error).__name__}: {error}")
                await self._end(name)
                task = None
            if task is None and await self._workers.take(lease):
                log.info("receiving.begun", channel=name)
                self._tasks[name] = asyncio.create_task(channel.fetch_updates())

    async def _end(self, name: str) -> None:
        task = self._tasks.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._workers.leave(f"receive {name}")
