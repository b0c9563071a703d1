"""Telegram through python-telegram-bot as a Bot API client: our own polling loop or a webhook, both into the inbox.

An update is stored before the next `getUpdates` confirms it. Sending goes straight through the transport
(`AiohttpRequest.call`): same errors as `Bot.send_message`, without building objects for the answer.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from telegram import Bot, InputFile, Update
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from bot.channels.base import Accept, Arrival, Letter, Pictures, Raw, Together
from bot.channels.pacing import Pace, telegram_limits
from bot.channels.telegram.transport import AiohttpRequest
from bot.channels.telegram.wire import arrival_of, lightened, messages_of, sender_of
from bot.clock import Clock
from bot.errors import GiveUp, RetryLater
from bot.settings import Settings
from storage.database import Unavailable

UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
POLL_S = 25
BATCH_UPDATES = 100
MAX_BODY_BYTES = 1 << 20
FIRST_PAUSE_S, LAST_PAUSE_S = 1.0, 30.0
log = structlog.get_logger()


class Telegram:
    """One bot account, which belongs to one township; `path` is its webhook's."""

    name = "telegram"
    buttons = True
    reply_ms = 0
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
        commands: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    ) -> None:
        self._settings = settings
        self._township_id = township_id
        self._path = path
        self._clock = clock
        self._pictures = pictures
        self._commands = commands or {}
        self._request = AiohttpRequest()
        base = settings.telegram_api_url
        self._bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=self._request,
            get_updates_request=self._request,
        )
        self._pace = Pace(telegram_limits(settings.telegram_rate_per_second))
        self.username = ""  # known once started
        self._accept: Accept | None = None
        self._answers: set[asyncio.Task[None]] = set()

    # -- receiving

    async def start(self, accept: Accept) -> None:
        """Sign in. Raises TelegramError when the token is refused."""
        self._accept = accept
        await self._bot.initialize()
        self.username = self._bot.username

    async def fetch_updates(self) -> None:
        """Register the webhook, or poll until cancelled; only one may poll a bot. Raises TelegramError."""
        for language, commands in self._commands.items():
            await self._bot.set_my_commands(commands, language_code=language)
        if self._settings.telegram_mode == "webhook":
            await self._bot.set_webhook(
                f"{self._settings.public_url}{self._path}",
                allowed_updates=UPDATES,
                secret_token=self._settings.telegram_webhook_secret,
                max_connections=20,
            )
            await asyncio.Event().wait()  # the webhook is this worker's until it is cancelled
        else:
            await self._bot.delete_webhook()
            await self._poll()

    async def stop(self) -> None:
        """Close the connections."""
        for task in tuple(self._answers):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._bot.shutdown()

    async def _poll(self) -> None:
        offset, pause_s = 0, FIRST_PAUSE_S
        while True:
            try:
                updates = await self._get_updates(offset)
                if updates:
                    await self._store(updates)
                    offset = updates[-1]["update_id"] + 1
                pause_s = FIRST_PAUSE_S
            except Conflict:
                log.error("telegram.another_poller", action="stop the other program that uses this token")
                await asyncio.sleep(LAST_PAUSE_S)
            except Exception as error:
                log.warning("telegram.poll_failed", error=type(error).__name__, pause_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(LAST_PAUSE_S, pause_s * 2)

    async def _get_updates(self, offset: int) -> list[dict[str, Any]]:
        parameters = {"offset": offset, "timeout": POLL_S, "limit": BATCH_UPDATES, "allowed_updates": UPDATES}
        data = RequestData([RequestParameter(name, value, None) for name, value in parameters.items()])
        found: Any = await self._request.post(f"{self._bot.base_url}/getUpdates", data, read_timeout=POLL_S + 10)
        return list(found)

    async def _store(self, updates: Sequence[dict[str, Any]]) -> None:
        assert self._accept is not None
        raws = [
            Raw(self.name, str(update["update_id"]), f"telegram:{sender}", orjson.dumps(update), self._township_id)
            for update in updates
            if (sender := sender_of(update))
        ]
        if raws:
            await self._accept(raws)

    def routes(self) -> Sequence[Route]:
        """The webhook, when that mode is set."""
        if self._settings.telegram_mode != "webhook":
            return ()
        return (Route(self._path, self._webhook, methods=["POST"]),)

    async def _webhook(self, request: Request) -> Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(secret.encode(), self._settings.telegram_webhook_secret.encode()):
            return PlainTextResponse("wrong secret", 403)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return PlainTextResponse("too large", 413)
        try:
            update = orjson.loads(body)
            if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
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
        update, group = lightened(orjson.loads(raw.body))
        return arrival_of(Update.de_json(update, None), self.username, group)

    def handled(self, raw: Raw) -> None:
        """Stop the spinner of a pressed button; best effort, in the background."""
        if b'"callback_query"' not in raw.body:
            return
        query_id = orjson.loads(raw.body)["callback_query"]["id"]
        task = asyncio.ensure_future(self._answer(query_id))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, query_id: str) -> None:
        try:
            await self._request.call(f"{self._bot.base_url}/answerCallbackQuery", {"callback_query_id": query_id})
        except TelegramError as error:  # too old, or the network: the answer itself comes as a message
            log.debug("telegram.spinner", error=str(error))

    def pick(self, said: str, shown: Sequence[Together]) -> str | None:
        """Buttons are pressed."""
        return None

    async def fetch(self, ref: str) -> AsyncIterator[bytes]:
        """A photo's or video's bytes by its file id, in pieces."""
        try:
            found = await self._request.call(f"{self._bot.base_url}/getFile", {"file_id": ref})
            async for piece in self._request.download(f"{self._bot.base_file_url}/{found['file_path']}"):
                yield piece
        except BadRequest as error:
            raise GiveUp(f"file: {error.message}") from None
        except TelegramError as error:
            raise RetryLater(1_000, type(error).__name__) from None

    # -- sending

    def admit_ms(self, address: str, now_ms: int) -> int:
        """Telegram's limits: now and counted, or when to ask again."""
        chat_id = int(address.partition(":")[2])
        due_ms = self._pace.due_ms(chat_id, now_ms)
        if due_ms <= now_ms:
            self._pace.sent(chat_id, now_ms)
        return due_ms

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        """Whoever reads it reads it at Telegram."""
        return ""

    async def send(self, letter: Letter) -> bool:
        """Send a letter: its pictures first, then its words with the buttons."""
        chat_id = int(letter.address.partition(":")[2])
        try:
            if letter.out.media:
                await self._send_pictures(chat_id, letter.out.media)
            for message in messages_of(chat_id, letter.out):
                await self._request.call(f"{self._bot.base_url}/sendMessage", message)
        except RetryAfter as error:
            after_ms = int(error.retry_after / timedelta(milliseconds=1))  # type: ignore[operator]
            self._pace.hold(chat_id, self._clock.now_ms() + after_ms)
            raise RetryLater(after_ms, "retry_after") from None
        except Forbidden as error:
            raise GiveUp(error.message, unreachable=True) from None
        except (BadRequest, ChatMigrated) as error:
            raise GiveUp(error.message, unreachable="chat not found" in error.message.lower()) from None
        except InvalidToken:
            raise RetryLater(60_000, "the token was refused") from None
        except TelegramError as error:
            raise RetryLater(1_000, type(error).__name__) from None
        return True

    async def _send_pictures(self, chat_id: int, media_ids: Sequence[str]) -> None:
        found = [copy for media_id in media_ids if (copy := await self._pictures.viewing_copy(media_id)) is not None]
        for content, kind in found:
            file: Any = InputFile(content, read_file_handle=False)  # type: ignore[arg-type]  # the transport reads it
            if kind == "video":
                await self._bot.send_video(chat_id, file)
            else:
                await self._bot.send_photo(chat_id, file)
