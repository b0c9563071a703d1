"""Who a bot is: asked in the background until Telegram answers, however long that takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.channels.telegram.api import BotApi, BotApiError, later_of
from bot.errors import RetryLater
from bot.troubles import Troubles

FIRST_PAUSE_S, LAST_PAUSE_S = 1.0, 30.0
REFUSED_PAUSE_S = 60.0  # a token is mended by a restart; but Telegram itself was known to refuse good ones
PART = "telegram"
log = structlog.get_logger()


class Identity:
    """One bot's name. A Telegram that is away, and a token that is refused, are troubles, each said as what it is."""

    def __init__(self, api: BotApi, troubles: Troubles, township_id: int) -> None:
        self._api = api
        self._troubles = troubles
        self._township_id = township_id
        self._known = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.username = ""
        self.on_known: Callable[[str], None] | None = None

    @property
    def is_known(self) -> bool:
        """Whether Telegram has said who we are."""
        return bool(self.username)

    def start(self) -> None:
        """Begin to ask, unless it is known."""
        if not self.is_known and self._task is None:
            self._task = asyncio.create_task(self._ask_until_known())

    async def stop(self) -> None:
        """Ask no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def known(self) -> None:
        """Wait until it is known."""
        if not self.is_known:
            await self._known.wait()

    def learn(self, username: str) -> None:
        """This is the name."""
        self.username = username
        self._known.set()
        if self.on_known is not None:
            self.on_known(username)

    async def _ask_until_known(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                self.learn(await self._ask())
            except RetryLater as error:
                fault, said = error.fault or "no_answer", error.reason
                self._troubles.failed(PART, fault, township_id=self._township_id, said=said)
                await asyncio.sleep(REFUSED_PAUSE_S if fault == "bot_token_refused" else pause_s)
                pause_s = min(LAST_PAUSE_S, pause_s * 2)
            else:
                self._troubles.works(PART, self._township_id)
                log.info("telegram.signed_in", username=self.username)
                return

    async def _ask(self) -> str:
        """The bot's name. Raises RetryLater."""
        try:
            me = await self._api.call("getMe", {})
        except BotApiError as error:
            raise later_of(error) from None
        name = me.get("username") if isinstance(me, dict) else None
        if not isinstance(name, str) or not name:
            raise later_of(BotApiError(0, "the Bot API does not say who we are"))
        return name
