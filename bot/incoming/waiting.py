"""Who waits for an answer longer than a moment: their chat shows «typing…» meanwhile, where a platform can."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.channels.base import Channels, Raw

LOOK_S = 1.0
FIRST_S, AGAIN_S = 1.0, 4.0  # Telegram shows it for five seconds
LONGEST_S = 60.0
Chat = tuple[int, str, str]  # township, channel, address


class Waiting:
    """The chats whose updates are stored and not handled yet."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._since: dict[Chat, float] = {}
        self._told: dict[Chat, float] = {}
        self._anybody = asyncio.Event()

    def begin(self, raws: Sequence[Raw]) -> None:
        """Updates were stored."""
        now_s = asyncio.get_running_loop().time()
        for raw in raws:
            self._since.setdefault((raw.township_id, raw.channel, raw.address), now_s)
        self._anybody.set()

    def end(self, raws: Sequence[Raw]) -> None:
        """They were handled: the answer is on its way."""
        for raw in raws:
            chat = raw.township_id, raw.channel, raw.address
            self._since.pop(chat, None)
            self._told.pop(chat, None)

    async def keep_telling(self) -> None:
        """Show it in every chat that waits, until cancelled."""
        while True:
            if not self._since:
                self._anybody.clear()
                await self._anybody.wait()
            await asyncio.sleep(LOOK_S)
            self.tell(asyncio.get_running_loop().time())

    def tell(self, now_s: float) -> None:
        """Show it where it is time to; who waits for very long is left in peace."""
        for chat, since_s in list(self._since.items()):
            if now_s - since_s > LONGEST_S:
                del self._since[chat]
                self._told.pop(chat, None)
            elif now_s - since_s >= FIRST_S and now_s - self._told.get(chat, -AGAIN_S) >= AGAIN_S:
                township_id, channel, address = chat
                self._told[chat] = now_s
                self._channels.of(township_id)[channel].busy(address)
