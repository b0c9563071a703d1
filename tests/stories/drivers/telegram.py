"""A Telegram user of the Bot API server on loopback, as a story's person."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from bot.app import App
from bot.channels.telegram.channel import Telegram
from tests.fakes.botapi import FakeBotApi
from tests.stories.drivers import TOWN
from tests.stories.someone import Heard

ARRIVES_S = 5.0


class TelegramDriver:
    """What they do becomes an update; they hear what the bot sends."""

    def __init__(self, app: App, api: FakeBotApi, name: str, township_id: int = TOWN) -> None:
        self._app = app
        self._township_id = township_id
        self.user = api.user(name, language="zh-hans")
        self.called = str(self.user.id)
        self._originals: dict[int, Any] = {}

    @property
    def address(self) -> str:
        """What the house calls them."""
        channel = self._app.channels.of(self._township_id)["telegram"]
        assert isinstance(channel, Telegram)
        return channel.pseudonyms.of(f"telegram:{self.called}")

    async def _arrives(self, sending: Any, updates: int = 1) -> None:
        """Wait until the program has stored what was sent."""
        wanted = self._app.intake.accepted_total + updates
        await sending
        async with asyncio.timeout(ARRIVES_S):
            while self._app.intake.accepted_total < wanted:
                await asyncio.sleep(0.001)

    async def says(self, words: str) -> None:
        await self._arrives(self.user.says(words))

    async def taps(self, heard: Heard, label: str, data: str) -> None:
        await self._arrives(self.user.taps(label, on=self._originals[id(heard)]))

    async def sends_photos(self, photos: Sequence[bytes], album: bool, caption: str) -> None:
        if album:
            await self._arrives(self.user.sends_album(photos, caption), len(photos))
            return
        for at, content in enumerate(photos):
            await self._arrives(self.user.sends_photo(content, caption if at == 0 else ""))

    async def sends_place(self, lat: float, lng: float, accuracy_m: int = 20) -> None:
        await self._arrives(self.user.sends_location(lat, lng, accuracy_m))

    async def starts(self, token: str) -> None:
        await self._arrives(self.user.says(f"/start {token}".strip()))

    async def answered(self) -> None:
        """Answers come as messages of their own."""

    async def looks(self) -> bool:
        """Everything arrives by itself."""
        return False

    async def hears(self, after: int) -> tuple[list[Heard], int]:
        """What arrived since the last look."""
        heard = []
        while not self.user.chat.sounds.empty():
            original = await self.user.hears()
            buttons = tuple((button.label, button.data) for button in original.buttons if not button.url)
            links = tuple((button.label, button.url) for button in original.buttons if button.url)
            files = tuple(str(file) for file in original.files)
            place, changed = str(original.message_id), original.edited
            mine = Heard(original.text, buttons, files, links, place=place, changed=changed)
            self._originals[id(mine)] = original
            heard.append(mine)
        return heard, after
