"""A WeChat Official Account as a channel: the webhook, the reply to each push, and messages of our own.

A push is stored before it is acknowledged. Its answer goes out as the reply to the push when it is there within
`ANSWER_S`; WeChat repeats a push that was not answered in 5 s, and is told the same again (`wechat_replies`). What is
late or unasked goes as a customer message while WeChat lets us (`wechat_outgoing`), else it waits for the person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.channels.base import Accept, Arrival, Letter, Raw, Together, Unclear
from bot.channels.wechat.api import WeChatApi
from bot.channels.wechat.crypto import Forged
from bot.channels.wechat.customer import CustomerMessages
from bot.channels.wechat.fields import MAX_BODY_BYTES
from bot.channels.wechat.gate import Gate
from bot.channels.wechat.replies import Replies
from bot.channels.wechat.wire import NEWS, SUCCESS, Update, arrival_of, masked_push, notice_of, text_reply, update_of
from bot.channels.wechat.words import choice_of
from bot.clock import Clock
from bot.errors import GiveUp, RetryLater
from bot.talk.messages import In
from storage.database import Unavailable
from storage.vault.pseudonyms import PLAIN, Pseudonyms

PATH = "/wechat"
KEY_FAULTS = {"ciphertext": "aes_key", "recipient": "wrong_app_id"}
ANSWER_S = 4.0
KEPT_MS = 4_500  # for the reply; a little longer than the request is held, so that the two do not meet
LOOK_S = 0.25
CHECK_S, AGAIN_S = 60.0, 5.0
PATIENCE_MS = 10_000  # a moment without an answer is no trouble yet
log = structlog.get_logger()


class WeChat:
    """One account, which belongs to one township."""

    name = "wechat"
    buttons = False
    reply_ms = KEPT_MS
    native_menu = False
    forgets_media = True

    def __init__(
        self,
        gate: Gate,
        api: WeChatApi,
        replies: Replies,
        outgoing: CustomerMessages,
        clock: Clock,
        *,
        township_id: int,
        pseudonyms: Pseudonyms = PLAIN,
    ) -> None:
        self.api = api
        self.pseudonyms = pseudonyms
        self._gate = gate
        self._replies = replies
        self._outgoing = outgoing
        self._clock = clock
        self.township_id = township_id
        self._accept: Accept | None = None
        self._open: dict[str, list[asyncio.Event]] = {}  # update key → the requests that wait for its answer

    # -- receiving

    async def start(self, accept: Accept) -> None:
        """Be ready to send and to take pushes; WeChat is not asked anything yet."""
        self._accept = accept
        await self.api.start()

    async def fetch_updates(self) -> None:
        """WeChat pushes; the one worker with this lease keeps the token fresh, and notes when WeChat refuses us."""
        while True:
            fault = ""
            try:
                await self.api.check()
            except (GiveUp, RetryLater) as error:
                log.debug("wechat.check_failed", error=str(error))
                fault = error.fault if isinstance(error, RetryLater) else ""
            self._outgoing.note(self.name, self.api.fault or fault, patience_ms=0 if self.api.fault else PATIENCE_MS)
            await asyncio.sleep(AGAIN_S if fault else CHECK_S)

    async def stop(self) -> None:
        """Close the connections."""
        await self.api.stop()

    def routes(self) -> Sequence[Route]:
        """The address for the account's server settings."""
        return (Route(PATH, self._hello, methods=["GET"]), Route(PATH, self._webhook, methods=["POST"]))

    async def _hello(self, request: Request) -> Response:
        try:
            return PlainTextResponse(self._gate.hello(request.query_params, self._clock.now_ms()))
        except Forged as refused:
            return _refuse(str(refused))

    async def _webhook(self, request: Request) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    return _refuse("too large")
            post = self._gate.open(request.query_params, bytes(body), self._clock.now_ms())
        except (Forged, ValueError) as refused:
            if str(refused) in KEY_FAULTS:
                self._outgoing.note(f"{self.name}_webhook", KEY_FAULTS[str(refused)])
            return _refuse(str(refused))
        except ClientDisconnect:
            return Response(status_code=400)
        self._outgoing.note(f"{self.name}_webhook", "")
        try:
            update = update_of(post.body)
        except ValueError as error:
            log.info("wechat.not_understood", error=str(error))
            return Response(SUCCESS)
        try:
            words = await self.answer(update, post.body, request.is_disconnected)
        except Unavailable:
            return PlainTextResponse("busy", 503)
        if not words:
            return Response(SUCCESS)
        now_ms = self._clock.now_ms()
        reply = self._gate.close(post, text_reply(update, words, now_ms, json=post.json), now_ms)
        return Response(reply, media_type="application/json" if post.json else "text/xml")

    async def answer(self, update: Update, body: bytes, is_gone: Callable[[], Awaitable[bool]]) -> str:
        """Store a push, and wait a while for its answer: the reply's words, "" when there is none (yet).

        is_gone: whether WeChat has hung up, so that what is taken for the reply would never be shown
        Raises Unavailable when it could not be stored.
        """
        assert self._accept is not None
        event = _event_of(update)
        wants_news = event.data == NEWS
        if event.kind == "nothing" and not wants_news:
            if (notice := notice_of(update)) is not None and notice[1] != "success":
                log.warning("wechat.notice_not_delivered", status=notice[1])
            return ""
        # a push without a number is known by who sent it when: that is nobody's to read
        key = update.key if update.key.isdigit() else self.pseudonyms.of_words(update.key)
        address = self.pseudonyms.of(update.address)
        woken, loop = asyncio.Event(), asyncio.get_running_loop()
        until_s = loop.time() + ANSWER_S
        self._open.setdefault(key, []).append(woken)
        try:
            await self._accept([Raw(self.name, key, address, body, self.township_id)])
            in_time = False
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until_s):
                    await self._handled(key, woken)
                    in_time = loop.time() < until_s
            if await is_gone():
                return ""
            if not in_time:  # what an earlier try has taken, and nobody has seen, is still to be shown
                return await self._replies.told(key)
            # never cut off: what it commits counts as sent
            return await self._replies.take(key, otherwise="wechat.no_news" if wants_news else "")
        finally:
            waiting = self._open[key]
            waiting.remove(woken)
            if not waiting:
                del self._open[key]

    async def _handled(self, key: str, woken: asyncio.Event) -> None:
        """Wait until an update is handled; who handles it tells, and one that comes again was handled before."""
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await woken.wait()
                    return
            except TimeoutError:
                if await self._replies.is_handled(key):
                    return

    def decode(self, raw: Raw) -> Arrival:
        """Read a stored push."""
        update = update_of(raw.body)
        return Arrival(_event_of(update), made_ms=update.created_ms)

    def masked(self, raw: Raw) -> bytes:
        """A push without its words."""
        return masked_push(raw.body)

    def pick(self, said: str, shown: Sequence[Together]) -> str | Unclear | None:
        """The button that a number, a letter or a label stands for."""
        return choice_of(said, shown)

    def handled(self, raw: Raw) -> None:
        """The answer is written: whoever waits for it goes on."""
        for woken in self._open.get(raw.key, ()):
            woken.set()

    def hear(self, hint: str) -> None:
        """Another worker has handled an update (`<channel> <township> <key>`); "": any of them."""
        channel, _, rest = hint.partition(" ")
        township, _, key = rest.partition(" ")
        mine = channel == self.name and township == str(self.township_id)
        for woken in self._open.get(key, ()) if mine else ():
            woken.set()

    # -- sending

    def ref_of(self, message_id: int) -> str | None:
        """What was sent stays as it is."""
        return None

    def admit_ms(self, address: str, now_ms: int) -> int:
        """Now, unless WeChat has told everybody to wait."""
        return self._outgoing.admit_ms(now_ms)

    async def send(self, letter: Letter) -> bool:
        """Send a message by ourselves; False when WeChat does not let us until the person writes."""
        return await self._outgoing.send(letter)

    def busy(self, address: str) -> None:
        """The request itself is held open."""

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        """Whoever reads it reads it in WeChat."""
        return ""


def _event_of(update: Update) -> In:
    """What a push means; what is malformed is answered like something unknown."""
    try:
        return arrival_of(update).event
    except ValueError:
        return In("other")


def _refuse(reason: str) -> Response:
    log.warning("wechat.refused", reason=reason)
    return PlainTextResponse("refused", 403)
