"""How updates reach the bot: one long poll at a time, or pushes to a webhook."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

import aiohttp
import orjson

from tests.fakes.botapi_checks import bad
from tests.fakes.botapi_methods import METHODS
from tests.fakes.botapi_wire import BotApiError, Params
from tests.fakes.botapi_world import World

POLL_MAX_S = 50
WEBHOOK_RETRY_S = 0.05
HOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
OTHER_POLL = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(slots=True)
class Webhook:
    """Where updates are pushed, and how that went."""

    url: str
    secret: str
    task: asyncio.Task[None]
    last_error: str = ""


@dataclass(slots=True)
class _Poll:
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Updates:
    """The queue's two ways out."""

    METHODS: ClassVar[dict[str, str]] = {
        "getupdates": "poll",
        "setwebhook": "set_webhook",
        "deletewebhook": "delete_webhook",
        "getwebhookinfo": "webhook_info",
    }

    def __init__(self, world: World) -> None:
        self.world = world
        self.webhook: Webhook | None = None
        self._poll: _Poll | None = None

    async def stop(self) -> None:
        """End the webhook and a waiting poll."""
        await self._end_webhook()
        if self._poll is not None:
            self._poll.ended.set()

    async def poll(self, params: Params) -> list[dict[str, Any]]:
        """`getUpdates`."""
        if self.webhook is not None:
            raise BotApiError(409, HOOK_ACTIVE)
        if self._poll is not None:
            self._poll.ended.set()
        poll = self._poll = _Poll()
        self._allow(params)
        await self.world.confirm(params.integer("offset"))
        wait_s = min(max(params.integer("timeout"), 0), POLL_MAX_S)
        try:
            if not self.world.queue and wait_s:
                await self._wait_for_update(poll, wait_s)
        finally:
            if self._poll is poll:
                self._poll = None
        if poll.ended.is_set():
            raise BotApiError(409, OTHER_POLL)
        limit = min(max(params.integer("limit", 100), 1), 100)
        return [update for update, _ in zip(self.world.queue, range(limit), strict=False)]

    async def _wait_for_update(self, poll: _Poll, wait_s: float) -> None:
        async def queued() -> None:
            async with self.world.changed:
                await self.world.changed.wait_for(lambda: bool(self.world.queue))

        waits = [asyncio.create_task(queued()), asyncio.create_task(poll.ended.wait())]
        try:
            await asyncio.wait(waits, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _allow(self, params: Params) -> None:
        kinds = params.json("allowed_updates")
        if kinds is not None:
            self.world.allowed = set(kinds) or None

    def _maybe_forget(self, params: Params) -> None:
        if params.flag("drop_pending_updates"):
            self.world.queue.clear()

    async def delete_webhook(self, params: Params) -> bool:
        """`deleteWebhook`."""
        await self._end_webhook()
        self._maybe_forget(params)
        return True

    async def webhook_info(self, params: Params) -> dict[str, Any]:
        """`getWebhookInfo`."""
        hook, waiting = self.webhook, len(self.world.queue)
        facts = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": waiting,
        }
        if hook and hook.last_error:
            facts |= {"last_error_date": 1, "last_error_message": hook.last_error}
        return facts

    async def set_webhook(self, params: Params) -> bool:
        """`setWebhook`; http is taken on loopback only."""
        await self._end_webhook()
        url, secret = params.text("url"), params.text("secret_token")
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
            raise bad("secret token contains unallowed characters")
        self._allow(params)
        self._maybe_forget(params)
        if url:
            if not url.startswith(("https://", "http://127.0.0.1")):
                raise bad("bad webhook: An HTTPS URL must be provided for webhook")
            if self._poll is not None:
                self._poll.ended.set()
            self.webhook = Webhook(url, secret, asyncio.create_task(self._push()))
        return True

    async def _end_webhook(self) -> None:
        hook, self.webhook = self.webhook, None
        if hook is not None:
            hook.task.cancel()
            await asyncio.gather(hook.task, return_exceptions=True)

    async def _push(self) -> None:
        """Deliver the oldest update until it is taken, then the next."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while True:
                async with self.world.changed:
                    await self.world.changed.wait_for(lambda: bool(self.world.queue))
                update = self.world.queue[0]
                if await self.push_once(session, update):
                    await self.world.confirm(update["update_id"] + 1)
                else:
                    await asyncio.sleep(WEBHOOK_RETRY_S)

    async def push_once(self, session: aiohttp.ClientSession, update: dict[str, Any]) -> bool:
        """Post one update to the webhook (tests may push one twice); whether the bot took it."""
        hook = self.webhook
        assert hook is not None
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret
        try:
            async with session.post(hook.url, data=orjson.dumps(update), headers=headers) as response:
                body = await response.read()
                if response.status >= 300:
                    hook.last_error = f"Wrong response from the webhook: {response.status} {response.reason}"
                    return False
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            hook.last_error = type(error).__name__
            return False
        await self._reply_in_webhook(body)
        return True

    async def _reply_in_webhook(self, body: bytes) -> None:
        try:
            value = orjson.loads(body)
            method = str(value.pop("method")).lower() if isinstance(value, dict) and "method" in value else ""
            if method:
                await METHODS[method](self.world, Params(value))
        except (ValueError, KeyError, BotApiError):
            return  # Telegram does not report the result of such a call
