"""A worker's side of WeChat, in one life: the program's own channel, without the gate and the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from bot.channels.base import Accept, Arrival, Letter, Raw, Together, Unclear
from bot.channels.wechat.channel import WeChat
from bot.channels.wechat.notices import notice_data
from bot.channels.wechat.pieces import Piece
from bot.channels.wechat.wire import update_of
from bot.errors import GiveUp, RetryLater
from bot.incoming.batch import ANSWERED_TOPIC
from bot.outgoing.delivery import MAX_AGE_MS
from storage.database import Unavailable, Workers
from tests.sim.chat.channel import Made, Worker
from tests.sim.chat.texts import ZONE
from tests.sim.wechat.platform import WeChatPlatform

LETTER: ContextVar[Letter] = ContextVar("LETTER")
BEGUN_S: ContextVar[float] = ContextVar("BEGUN_S")  # when the program began with the letter
IS_NEW = "SELECT state = 'new' AS is_new FROM inbox WHERE township_id = :t AND update_key = :key"
STOP_S = 3  # bot/web/server.py: how long a worker that stops lets requests finish


class Album:
    """Where the copies for viewing are: each picture is its own name."""

    async def viewing_copy(self, media_id: str) -> tuple[bytes | AsyncIterator[bytes], str] | None:
        return media_id.encode(), "video" if media_id.startswith("v") else "image"


class SimApi:
    """WeChat's API as this worker reaches it."""

    def __init__(self, platform: WeChatPlatform, life: Worker, door: WeChatDoor) -> None:
        self._platform = platform
        self._chaos = platform.chaos
        self._life = life
        self._door = door
        self.fault = ""

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def check(self) -> None:
        """Get a token."""
        await self._on_the_way()

    async def send_text(self, openid: str, words: str) -> None:
        await self._send(openid, Piece(words))

    async def send_image(self, openid: str, media_id: str) -> None:
        await self._send(openid, Piece(media_id=media_id))

    async def send_video(self, openid: str, media_id: str) -> None:
        await self._send(openid, Piece(media_id=media_id))

    async def upload(self, content: bytes, mime: str, kind: str = "image") -> str:
        await self._on_the_way()
        return content.decode()

    async def send_template(self, openid: str, template_id: str, values: Mapping[str, str], *, once: str = "") -> str:
        await self._notice(values)
        return once

    async def send_notice(self, openid: str, template_id: str, values: Mapping[str, str]) -> None:
        await self._notice(values)

    async def _notice(self, values: Mapping[str, str]) -> None:
        notice_data(values)
        await self._on_the_way()
        if self._chaos.chance(self._chaos.weather.send_refused):
            raise GiveUp("notice_refused")
        self._life.point("sent")
        if self._chaos.chance(self._chaos.weather.send_timeout):
            raise RetryLater(1_000, "timed out")

    async def _on_the_way(self) -> None:
        """There, unless it takes long, or the account has to wait."""
        chaos, weather = self._chaos, self._chaos.weather
        self._life.point("send")
        if chaos.chance(weather.send_slow):
            await asyncio.sleep(chaos.dice.choice((0.005, 0.05, 0.5, 5)))
            self._life.point("send")
        self.fault = ""
        if chaos.chance(weather.send_retry):
            everyone = chaos.dice.random() < 0.3
            self.fault = "token_refused" if everyone else ""
            raise RetryLater(chaos.dice.choice((0, 500, 3_000)), "busy", everyone=everyone)

    async def _send(self, openid: str, piece: Piece) -> None:
        """One customer message, of the letter in hand."""
        chaos, platform, letter = self._chaos, self._platform, LETTER.get()
        await self._on_the_way()
        address = f"{platform.name}:{openid}"
        if address != letter.address:
            platform.blame(f"message {letter.id} to {letter.address} was sent to {address}")
        if chaos.chance(chaos.weather.send_refused):
            self._refuse(letter, piece)
        platform.charge(address, BEGUN_S.get(), self._door)
        denied = chaos.chance(chaos.weather.send_timeout)
        old = self._life.now_ms() - letter.created_ms > MAX_AGE_MS
        at = platform.place_of(letter, piece)
        platform.shows(letter, at, piece.words, self._door, denied=denied, old=old)
        self._life.point("sent")
        if denied:
            raise RetryLater(1_000, "timed out")

    def _refuse(self, letter: Letter, piece: Piece) -> None:
        """Somebody is gone, or a picture is not taken: then the words go on."""
        gone = self._chaos.dice.random() < 0.5
        self._platform.note("refuses", letter=letter.id, piece=piece, gone=gone)
        if piece.words or gone:
            self._platform.refused.add(letter.id)
        else:
            self._platform.pieces_refused.add((letter.id, self._platform.place_of(letter, piece)))
        raise GiveUp("refused", unreachable=gone)


class WeChatDoor:
    """Takes pushes in, and sends."""

    name = WeChatPlatform.name
    buttons = False
    native_menu = WeChat.native_menu
    forgets_media = WeChat.forgets_media

    def __init__(self, platform: WeChatPlatform, life: Worker, made: Made) -> None:
        self._platform = platform
        self._life = life
        self._open: set[asyncio.Task[str | None]] = set()
        self._reading = ""
        self._read: dict[str, str | None] = {}
        self.number = life.number
        at, db, catalogues = platform.township_id, made.database, made.catalogues
        platform.catalogues = catalogues
        api: Any = SimApi(platform, life, self)
        named: Any = {"township_id": at, "ids": made.ids}
        replies = made.parts.replies(db, catalogues, made.outgoing, channel=self.name, clock=life, **named)
        sending = made.parts.customer(api, db, Album(), catalogues, life, zone=ZONE, notice=platform.notice, **named)
        gate: Any = None
        self.real = made.parts.wechat(gate, api, replies, sending, life, township_id=at)
        self.reply_ms: int = self.real.reply_ms

    @property
    def excused(self) -> bool:
        """Whether the server took this worker for dead: then another may have its duties, and it may not know."""
        return self._life.cut or self._life.dead

    @property
    def holds(self) -> bool:
        """Whether it holds the township's delivery now."""
        return self._life.holds(self._platform.township_id)

    @property
    def gone(self) -> bool:
        """Whether it runs no more."""
        return self._life.dead

    @property
    def upset_s(self) -> float:
        """When something befell this worker last."""
        return self._life.upset_s

    @property
    def fetches(self) -> bool:
        """Whether this worker may keep the account's token fresh."""
        return "intake" in self._life.parts

    def listen(self, workers: Workers) -> None:
        """Hear of updates that other workers have handled."""
        workers.listen(ANSWERED_TOPIC, self.real.hear)

    # -- receiving

    async def start(self, accept: Accept) -> None:
        async def noted(raws: Sequence[Raw]) -> None:
            await accept(raws)
            for raw in raws:
                self._platform.was_stored(raw.key)

        await self.real.start(noted)
        if "receive" in self._life.parts:
            self._platform.doors.append(self)  # type: ignore[arg-type]

    async def close(self) -> None:
        """As the web server does it: no new requests, and a while for those that are open."""
        self._platform.leaves(self)
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=STOP_S)
            for task in late:
                task.cancel()

    async def stop(self) -> None:
        await self.real.stop()

    async def fetch_updates(self) -> None:
        await self.real.fetch_updates()

    def begin(self, body: bytes, hung_up: asyncio.Event) -> asyncio.Task[str | None]:
        """A push has come: its answer, "" for none to show, None when it could not be stored."""

        async def is_gone() -> bool:
            return hung_up.is_set()

        task = asyncio.get_running_loop().create_task(self._answer(body, is_gone), context=self._life.context)
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return task

    async def _answer(self, body: bytes, is_gone: Callable[[], Awaitable[bool]]) -> str | None:
        self._life.point("fetched")
        try:
            words = await self.real.answer(update_of(body), body, is_gone)
        except Unavailable:
            return None
        except Exception as error:
            self._platform.blame(f"a push has failed: {error!r}")
            raise
        self._life.point("ack")
        return words

    def decode(self, raw: Raw) -> Arrival:
        self._belongs(raw.township_id)
        if self._platform.ask(IS_NEW, key=raw.key)[0]["is_new"]:  # else it is only looked up
            self._reading = raw.key
            self._read.pop(raw.key, None)
        return self.real.decode(raw)

    def masked(self, raw: Raw) -> bytes:
        return self.real.masked(raw)

    def pick(self, said: str, shown: Sequence[Together]) -> str | Unclear | None:
        picked = self.real.pick(said, shown)
        self._read[self._reading] = picked if isinstance(picked, str) else None
        return picked

    def handled(self, raw: Raw) -> None:
        platform = self._platform
        platform.note("handled", life=self.number, address=raw.address, key=raw.key)
        platform.was_handled(raw.address, raw.key, platform.pushes[raw.key].number)
        if raw.key in self._read:
            platform.was_read(raw.key, self._read.pop(raw.key))
        self.real.handled(raw)

    def _belongs(self, township_id: int) -> None:
        if township_id != self._platform.township_id:
            self._platform.blame(f"something of township {township_id} is in {self._platform.township_id}")

    # -- sending

    def ref_of(self, message_id: int) -> str | None:
        """Nothing changes in place here."""
        return None

    def admit_ms(self, address: str, now_ms: int) -> int:
        return self.real.admit_ms(address, now_ms)

    async def send(self, letter: Letter) -> bool:
        self._belongs(letter.township_id)
        LETTER.set(letter)
        BEGUN_S.set(asyncio.get_running_loop().time())
        return await self.real.send(letter)

    def busy(self, address: str) -> None:
        """Nobody looks."""

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        return self.real.elsewhere(township_id, address, message_id)
