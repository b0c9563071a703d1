"""Telegram: our own polling loop or a webhook, both into the inbox, and what is sent.

An update is stored before the next `getUpdates` confirms it. Updates and answers are read as the JSON they are:
decision 0012 says where python-telegram-bot comes in.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channels.base import Accept, Arrival, Letter, Pictures, Raw, Together
from bot.channels.pacing import Pace, telegram_limits
from bot.channels.telegram.api import (
    BAD_REQUEST,
    FORBIDDEN,
    BotApi,
    BotApiError,
    fault_of,
    later_of,
    read_json,
)
from bot.channels.telegram.identity import Identity
from bot.channels.telegram.sending import deliver
from bot.channels.telegram.wire import (
    arrival_of,
    commands_of,
    masked_update,
    name_of,
    needed,
    query_of,
    sender_of,
    update_id_of,
)
from bot.clock import Clock
from bot.errors import GiveUp
from bot.settings import Settings
from bot.talk.menu import NativeMenu
from bot.troubles import Troubles
from storage.database import Unavailable
from storage.vault.pseudonyms import PLAIN, Pseudonyms

UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
POLL_S = 25
BATCH_UPDATES = 100
MAX_BODY_BYTES = 1 << 20
FIRST_PAUSE_S, LAST_PAUSE_S = 1.0, 30.0
PATIENCE_MS = 10_000  # a moment without an answer is no trouble yet
RECEIVING = "telegram_receiving"
log = structlog.get_logger()


class Telegram:
    """One bot account, which belongs to one township; `path` is its webhook's."""

    name = "telegram"
    buttons = True
    reply_ms = 0
    native_menu = True
    forgets_media = False

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        pictures: Pictures,
        *,
        token: str,
        township_id: int,
        path: str = "/telegram",
        menus: Sequence[NativeMenu] = (),
        troubles: Troubles | None = None,
        pseudonyms: Pseudonyms = PLAIN,
    ) -> None:
        self._settings = settings
        self.pseudonyms = pseudonyms
        self._township_id = township_id
        self._path = path
        self._clock = clock
        self._pictures = pictures
        self._menus = menus
        self._troubles = troubles or Troubles(clock)
        self._api = BotApi(settings.telegram_api_url, token)
        self._pace = Pace(telegram_limits(settings.telegram_rate_per_second))
        self.identity = Identity(self._api, self._troubles, township_id)
        self._accept: Accept | None = None
        self._answers: set[asyncio.Task[None]] = set()

    # -- receiving

    async def start(self, accept: Accept) -> None:
        """Be ready to send, and begin to ask who we are; Telegram may be away."""
        self._accept = accept
        self._api.start()
        self.identity.start()

    async def fetch_updates(self) -> None:
        """Once signed in, register the webhook or poll until cancelled; only one may poll a bot. Raises BotApiError."""
        await self.identity.known()
        for menu in self._menus:
            await self._api.call("setMyCommands", commands_of(menu))
        if self._settings.telegram_mode == "webhook":
            webhook = {
                "url": f"{self._settings.public_url}{self._path}",
                "allowed_updates": UPDATES,
                "secret_token": self._settings.telegram_webhook_secret,
                "max_connections": 20,
            }
            await self._api.call("setWebhook", webhook)
            await asyncio.Event().wait()  # the webhook is this worker's until it is cancelled
        else:
            await self._api.call("deleteWebhook", {})
            await self._poll()

    async def stop(self) -> None:
        """Close the connections."""
        await self.identity.stop()
        for task in tuple(self._answers):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._api.stop()

    async def _poll(self) -> None:
        offset, pause_s = 0, FIRST_PAUSE_S
        while True:
            try:
                updates = await self._get_updates(offset)
                if updates:
                    await self._store(updates)
                    offset = max(map(update_id_of, updates)) + 1
                pause_s = FIRST_PAUSE_S
                self._troubles.works(RECEIVING, self._township_id)
            except Unavailable:  # of our database, which says so itself
                await asyncio.sleep(pause_s)
                pause_s = min(LAST_PAUSE_S, pause_s * 2)
            except Exception as error:
                self._poll_failed(error)
                await asyncio.sleep(pause_s)
                pause_s = min(LAST_PAUSE_S, pause_s * 2)

    def _poll_failed(self, error: Exception) -> None:
        """Say why nothing comes in, once that has lasted."""
        if not isinstance(error, (BotApiError, ValueError)):
            log.exception("telegram.poll_defect")
        self._troubles.failed(
            RECEIVING,
            fault_of(error),
            township_id=self._township_id,
            said=str(error) if isinstance(error, BotApiError) else type(error).__name__,
            patience_ms=PATIENCE_MS,
        )

    async def _get_updates(self, offset: int) -> list[dict[str, Any]]:
        """What is new: nothing that could not be confirmed, for it would come again for ever."""
        asked = {"offset": offset, "timeout": POLL_S, "limit": BATCH_UPDATES, "allowed_updates": UPDATES}
        found = await self._api.call("getUpdates", asked, read_s=POLL_S + 10)
        updates = [update for update in found if update_id_of(update)] if isinstance(found, list) else []
        if found and not updates:
            raise BotApiError(0, "no updates that can be confirmed")
        return updates

    async def _store(self, updates: Sequence[dict[str, Any]]) -> None:
        assert self._accept is not None
        raws = [raw for update in updates if (raw := self._raw_of(update)) is not None]
        if raws:
            await self._accept(raws)

    def _raw_of(self, update: dict[str, Any]) -> Raw | None:
        """An update as it is stored; None for one of nobody, or one that can't be written down: it is passed over."""
        sender = sender_of(update)
        if not sender:
            return None
        try:
            body = orjson.dumps(needed(update))
        except orjson.JSONEncodeError as error:
            log.warning("telegram.passed_over", update_id=update_id_of(update), error=str(error))
            return None
        address = self.pseudonyms.of(f"{self.name}:{sender}")
        return Raw(self.name, str(update_id_of(update)), address, body, self._township_id)

    def routes(self) -> Sequence[Route]:
        """The webhook, when that mode is set."""
        if self._settings.telegram_mode != "webhook":
            return ()
        return (Route(self._path, self._webhook, methods=["POST"]),)

    async def _webhook(self, request: Request) -> Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(secret.encode(), self._settings.telegram_webhook_secret.encode()):
            return PlainTextResponse("wrong secret", 403)
        if not self.identity.is_known:  # what is said to us in a group is known by our name
            return PlainTextResponse("not signed in", 503, {"Retry-After": "5"})
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return PlainTextResponse("too large", 413)
        try:
            update = read_json(body)
            if not update_id_of(update):
                raise ValueError("no update")
        except ValueError:
            return PlainTextResponse("not an update", 400)
        try:
            await self._store([update])
        except Unavailable:
            return PlainTextResponse("busy", 503, {"Retry-After": "2"})
        return PlainTextResponse("")

    def decode(self, raw: Raw) -> Arrival:
        """Read a stored update."""
        arrival = arrival_of(orjson.loads(raw.body), self.identity.username)
        return replace(arrival, reply_to=self.pseudonyms.of(arrival.reply_to)) if arrival.reply_to else arrival

    def masked(self, raw: Raw) -> bytes:
        """An update without the words of its message."""
        return orjson.dumps(masked_update(orjson.loads(raw.body)))

    def handled(self, raw: Raw) -> None:
        """Stop the spinner of a pressed button; best effort, in the background."""
        if b'"callback_query"' in raw.body and (query_id := query_of(orjson.loads(raw.body))):
            self._aside("answerCallbackQuery", {"callback_query_id": query_id})

    def _aside(self, method: str, values: dict[str, Any]) -> None:
        task = asyncio.ensure_future(self._try(method, values))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _try(self, method: str, values: dict[str, Any]) -> None:
        try:
            await self._api.call(method, values)
        except BotApiError as error:  # too old, or the network: the answer itself comes as a message
            log.debug("telegram.aside", method=method, error=str(error))

    def pick(self, said: str, shown: Sequence[Together]) -> str | None:
        """Buttons are pressed."""
        return None

    async def fetch(self, ref: str) -> AsyncIterator[bytes]:
        """A photo's or video's bytes by its file id, in pieces."""
        try:
            found = await self._api.call("getFile", {"file_id": ref})
            path = found.get("file_path") if isinstance(found, dict) else None
            if not isinstance(path, str):
                raise GiveUp("file: Telegram does not say where it is")
            async for piece in self._api.download(path):
                yield piece
        except BotApiError as error:
            if error.code == BAD_REQUEST:
                raise GiveUp(f"file: {error.description}") from None
            raise later_of(error) from None

    # -- sending

    def ref_of(self, message_id: int) -> str | None:
        """Telegram names a message when it is sent."""
        return None

    def admit_ms(self, address: str, now_ms: int) -> int:
        """Telegram's limits: now and counted, or when to ask again."""
        chat_id = self._chat_at(address)
        due_ms = self._pace.due_ms(chat_id, now_ms)
        if due_ms <= now_ms:
            self._pace.sent(chat_id, now_ms)
        return due_ms

    def busy(self, address: str) -> None:
        """Show «typing…»; best effort, in the background."""
        self._aside("sendChatAction", {"chat_id": self._chat_at(address), "action": "typing"})

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        """Whoever reads it reads it at Telegram."""
        return ""

    def _chat_at(self, address: str) -> int:
        """The chat's id at Telegram; 0, which is no chat's, for an address that can't be read."""
        try:
            return int(self.pseudonyms.behind(address))
        except ValueError:
            return 0

    async def send(self, letter: Letter) -> bool | str:
        """Send a letter: its pictures first, then its words with the buttons; or change the message it `changes`."""
        chat_id = self._chat_at(letter.address)
        try:
            sent = await deliver(self._api, self._pictures, chat_id, letter)
        except BotApiError as error:
            if error.retry_after_s:
                self._pace.hold(chat_id, self._clock.now_ms() + int(error.retry_after_s * 1000))
            elif error.code in (FORBIDDEN, BAD_REQUEST):
                gone = error.code == FORBIDDEN or "chat not found" in error.description.lower()
                raise GiveUp(error.description, unreachable=gone) from None
            raise later_of(error) from None
        return (letter.out.card and name_of(sent)) or True
