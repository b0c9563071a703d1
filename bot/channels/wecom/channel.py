"""WeCom's group robots: digests and lists for the cadres of a village or the office. They only speak.

A robot is the address `wecom:<area's code>`; its key is a secret and stands in no log and no error. One message goes
out in 3 s for each robot (20 a minute is the limit), and the first 3 s after the start, for nobody knows what was sent
before it; the outbox keeps what waits.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from bot.channels.base import Accept, Arrival, Letter, Pictures, Raw, Together
from bot.channels.pacing import Pace, RateLimits
from bot.channels.tencent_errors import WECOM, ErrorCode, failure_of
from bot.channels.tencent_http import Http, Upload
from bot.channels.wecom.words import messages_of
from bot.clock import Clock
from bot.errors import GiveUp, RetryLater

BASE_URL = "https://qyapi.weixin.qq.com"
INTERVAL_MS = 3_000
IMAGE_MAX_BYTES = 2_000_000
FILE_MAX_BYTES = 20_000_000
MOST_UNFINISHED = 1_000
log = structlog.get_logger()


class WeCom:
    """All robots of a deployment. `robots` maps an area's code → key; `pictures` are those of a township."""

    name = "wecom"
    buttons = False
    reply_ms = 0
    native_menu = False
    forgets_media = False

    def __init__(
        self,
        robots: Mapping[str, str],
        clock: Clock,
        pictures: Callable[[int], Pictures],
        *,
        base_url: str = BASE_URL,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._robots = dict(robots)
        self._clock = clock
        self._pictures = pictures
        self._base = f"{base_url.rstrip('/')}/cgi-bin/webhook"
        self._pause = pause
        self._http = Http()
        self._pace = Pace(RateLimits(private_interval_ms=INTERVAL_MS))
        self._numbers = {key: number for number, key in enumerate(sorted(set(self._robots.values())), start=1)}
        self._unfinished: dict[int, int] = {}  # letter → how many of its messages have arrived

    async def start(self, accept: Accept) -> None:
        """Open the connections. What another process may have sent a moment ago counts for the pace."""
        for number in self._numbers.values():
            self._pace.hold(number, self._clock.now_ms() + INTERVAL_MS)
        await self._http.start()

    async def fetch_updates(self) -> None:
        """Nobody can write to a robot."""

    async def stop(self) -> None:
        """Close the connections."""
        await self._http.stop()

    def decode(self, raw: Raw) -> Arrival:
        """Nobody can write to a robot: ValueError."""
        raise ValueError("a robot hears nothing")

    def masked(self, raw: Raw) -> bytes:
        """Nobody can write to a robot: ValueError."""
        raise ValueError("a robot hears nothing")

    def pick(self, said: str, shown: Sequence[Together]) -> str | None:
        """Nobody can write to a robot."""
        return None

    def handled(self, raw: Raw) -> None:
        """Nothing to do."""

    def busy(self, address: str) -> None:
        """Nobody waits in a group."""

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        """Whoever reads it reads it in WeCom."""
        return ""

    def ref_of(self, message_id: int) -> str | None:
        """What was sent stays as it is."""
        return None

    def admit_ms(self, address: str, now_ms: int) -> int:
        """The robot's pace: now and counted, or when to ask again."""
        number = self._numbers.get(self._robots.get(address.partition(":")[2], ""))
        if number is None:
            return now_ms
        due_ms = self._pace.due_ms(number, now_ms)
        if due_ms <= now_ms:
            self._pace.sent(number, now_ms)
        return due_ms

    async def send(self, letter: Letter) -> bool:
        """Send a letter: its pictures first, then its words. What has arrived of it is not sent again."""
        area = letter.address.partition(":")[2]
        key = self._robots.get(area)
        if key is None:
            raise GiveUp("no_such_robot", unreachable=True)
        words = messages_of(letter.out)
        arrived = self._unfinished.pop(letter.id, 0)
        steps: Sequence[str | Mapping[str, Any]] = [*letter.out.media, *words]
        counted = True  # the first message was, by `admit_ms`
        for number, step in enumerate(steps[arrived:], start=arrived):
            try:
                message = step if isinstance(step, Mapping) else await self._picture(letter.township_id, key, step)
                if message is None:
                    continue
                if not counted:
                    await self._wait(key)
                counted = False
                await self._call("send", key, {}, message)
            except RetryLater:
                self._remember(letter.id, number)
                raise
        return True

    def _remember(self, letter_id: int, arrived: int) -> None:
        self._unfinished[letter_id] = arrived
        if len(self._unfinished) > MOST_UNFINISHED:
            del self._unfinished[next(iter(self._unfinished))]

    async def _wait(self, key: str) -> None:
        number = self._numbers[key]
        while (due_ms := self._pace.due_ms(number, now_ms := self._clock.now_ms())) > now_ms:
            await self._pause((due_ms - now_ms) / 1000)
        self._pace.sent(number, now_ms)

    async def _picture(self, township_id: int, key: str, media_id: str) -> Mapping[str, Any] | None:
        """The message for a stored picture: a small one inline, else as a file; None when it can't be sent."""
        found = await self._pictures(township_id).viewing_copy(media_id)
        if found is None:
            return None
        content, kind = found
        whole = content if isinstance(content, bytes) else await _gathered(content)
        if kind == "image" and len(whole) <= IMAGE_MAX_BYTES:
            digest = hashlib.md5(whole, usedforsecurity=False).hexdigest()
            return {"msgtype": "image", "image": {"base64": base64.b64encode(whole).decode(), "md5": digest}}
        if len(whole) > FILE_MAX_BYTES:
            log.warning("wecom.file_too_large", media=media_id)
            return None
        name, mime = ("photo.jpg", "image/jpeg") if kind == "image" else ("video.mp4", "video/mp4")
        return await self.file(key, name, mime, whole)

    async def file(self, key: str, name: str, mime: str, content: bytes) -> Mapping[str, Any]:
        """Upload a file of up to 20 MB for that robot; the message that shows it (it holds for three days)."""
        found = await self._call("upload_media", key, {"type": "file"}, upload=Upload(name, mime, content))
        return {"msgtype": "file", "file": {"media_id": str(found.get("media_id", ""))}}

    async def _call(
        self,
        what: str,
        key: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        upload: Upload | None = None,
    ) -> dict[str, Any]:
        try:
            return await self._http.call(f"{self._base}/{what}", {"key": key, **query}, body, upload)
        except ErrorCode as refusal:
            failure = failure_of(ErrorCode(refusal.code, refusal.reason.replace(key, "***")), WECOM)
            if isinstance(failure, RetryLater):
                self._pace.hold(self._numbers[key], self._clock.now_ms() + failure.after_ms)
            raise failure from None


async def _gathered(pieces: AsyncIterator[bytes]) -> bytes:
    """A file in memory; one that is too large is read no further than shows that."""
    whole = bytearray()
    async for piece in pieces:
        whole += piece
        if len(whole) > FILE_MAX_BYTES:
            break
    return bytes(whole)
