"""A township whose office and one village have a robot in their WeCom groups, on a server of WeCom's on loopback."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pytest

from bot.channels.wecom.channel import WeCom
from bot.outgoing import delivery
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_wecom import Robot
from tests.stories.town import START, TOWN, ZONE, StoryClock, Town

WANGJIAGOU = "629999101205"
LONG_S = 0.5


class Waiting:
    """`asyncio` for a module whose waits let the story's time pass, not the test's."""

    def __init__(self) -> None:
        self.clock: StoryClock | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        if self.clock is not None and seconds >= LONG_S:
            self.clock.advance(seconds=seconds)
            seconds = 0
        await asyncio.sleep(seconds)


@dataclass
class Groups:
    """The program, and what stands in the groups."""

    town: Town
    wecom: FakeWeChat
    office: Robot
    village: Robot
    waiting: Waiting
    folder: Path
    database_url: str

    @classmethod
    async def open(cls, folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Self:
        """Robots for the township by its name and for 王家沟村 by its code."""
        waiting = Waiting()
        monkeypatch.setattr(delivery, "asyncio", waiting)
        wecom = FakeWeChat()
        await wecom.start()
        office, village = wecom.robot(), wecom.robot()
        town = await serve(folder, database_url, wecom, {"青禾塬镇": office.key, WANGJIAGOU: village.key}, waiting)
        return cls(town, wecom, office, village, waiting, folder, database_url)

    async def restart(self) -> None:
        """Stop the program and start it again on the same database, at the same moment."""
        robots = {"青禾塬镇": self.office.key, WANGJIAGOU: self.village.key}
        now = datetime.fromtimestamp(self.town.clock.ms / 1000, ZONE)
        await self.town.close()
        self.town = await serve(self.folder, self.database_url, self.wecom, robots, self.waiting, now)

    async def close(self) -> None:
        """Stop everything; WeCom must have had nothing to resent."""
        await self.town.close()
        await self.wecom.stop()
        assert self.wecom.violations == []

    async def goes_to(self, *moments: str) -> None:
        """Go from moment to moment."""
        for moment in moments:
            self.town.clock.go_to(moment)
            await self.town.tick()


async def serve(
    folder: Path,
    database_url: str,
    wecom: FakeWeChat,
    robots: dict[str, str],
    waiting: Waiting,
    start: datetime = START,
) -> Town:
    """The program with these robots."""
    town = await Town.open(folder, database_url, "web", start=start, wecom_robots=robots, wecom_api_url=wecom.url)
    waiting.clock = town.clock
    wecom.world.now_ms = town.clock.now_ms
    channel = town.app.channels.of(TOWN)["wecom"]
    assert isinstance(channel, WeCom)
    channel._pause = waiting.sleep
    return town
