"""A WeChat user of the server on loopback, as a story's person: answers by number, one photo a message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import httpx
from starlette.applications import Starlette

from bot.app import App
from bot.channels.wechat.channel import PATH, WeChat
from bot.channels.wechat.wire import NEWS
from bot.channels.wechat.words import BETWEEN
from bot.i18n import Catalogues
from bot.talk.geo import make_point
from bot.talk.messages import text
from tests.datums import from_wgs84
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_people import User
from tests.fakes.wechat_world import Heard as Shown
from tests.stories.clock import ZONE, StoryClock
from tests.stories.drivers import TOWN
from tests.stories.someone import Heard

ARRIVES_S = 5.0
BOTH = Catalogues(ZONE, "zh_CN")
CATALOGUES = (BOTH["zh_CN"], BOTH["en"])
HOW = ("wechat.answer_number", "wechat.answer_letter")


def connect(app: App, wechat: FakeWeChat) -> None:
    """Let the phones' pushes reach the program's webhook, without a port."""
    channel = app.channels.of(TOWN)["wechat"]
    assert isinstance(channel, WeChat)
    transport = httpx.ASGITransport(Starlette(routes=list(channel.routes())))

    async def deliver(query: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        async with httpx.AsyncClient(transport=transport, base_url="http://town") as client:
            answer = await client.post(PATH, params=dict(query), content=body)
            return answer.status_code, answer.content

    wechat.world.deliver = deliver


class WeChatDriver:
    """What they do becomes a push; they hear its reply, and what the account sends by itself."""

    def __init__(self, app: App, wechat: FakeWeChat, clock: StoryClock, name: str) -> None:
        self._app = app
        self._clock = clock
        self.user: User = wechat.user(name, following=False)
        self.called = self.user.openid
        self._pushes: list[asyncio.Task[Any]] = []
        self._shown: list[Shown] = []

    @property
    def address(self) -> str:
        """What the house calls them."""
        channel = self._app.channels.of(TOWN)["wechat"]
        assert isinstance(channel, WeChat)
        return channel.pseudonyms.of(f"wechat:{self.called}")

    async def _arrives(self, sending: Awaitable[Any]) -> None:
        """Wait until the program has stored what was sent; its answer comes when the story works on."""
        wanted = self._app.intake.accepted_total + 1
        push = asyncio.ensure_future(sending)
        self._pushes.append(push)
        async with asyncio.timeout(ARRIVES_S):
            while self._app.intake.accepted_total < wanted and not push.done():
                await asyncio.sleep(0.001)

    async def answered(self) -> None:
        """Wait for the replies to everything that was sent."""
        pushes, self._pushes = self._pushes, []
        await asyncio.gather(*pushes)

    async def _follows(self) -> None:
        if not self.user.contact.following:
            self.user.contact.following = True  # somebody who writes has followed long ago

    async def says(self, words: str) -> None:
        await self._follows()
        await self._arrives(self.user.says(words))

    async def taps(self, heard: Heard, label: str, data: str) -> None:
        """Answer with the number; further up, where that number has come again since, with the words beside it."""
        newest = next((one for one in reversed(self.user.contact.seen) if one.choices), None)
        again = newest is not None and not data.startswith("0") and newest.choices.get(label) != data
        await self._arrives(self.user.says(label if again else data))

    async def sends_photos(self, photos: Sequence[bytes], album: bool, caption: str) -> None:
        await self._follows()
        for content in photos:
            await self._arrives(self.user.sends_photo(content))
        if caption:
            await self._arrives(self.user.says(caption))

    async def sends_place(self, lat: float, lng: float, accuracy_m: int = 20) -> None:
        if (lat, lng) != (0, 0):
            there = from_wgs84(make_point(lat, lng), "GCJ-02")
            lat, lng = there.lat, there.lng
        await self._arrives(self.user.sends_location(lat, lng, precision_m=accuracy_m))

    async def starts(self, token: str) -> None:
        if token:
            self._clock.advance(seconds=1)  # nobody scans twice within a second
            await self._arrives(self.user.scans(token))
        elif self.user.contact.following:
            await self._arrives(self.user.clicks("/start"))
        else:
            await self._arrives(self.user.follows())

    async def looks(self) -> bool:
        """Press «看消息» in the menu when a notice says that there is something."""
        shown = self.user.hears_now()
        self._shown += [one for one in shown if one.kind != "template"]
        noticed = any(one.kind == "template" for one in shown)
        if noticed:
            await self._arrives(self.user.clicks(NEWS))
        return noticed

    async def hears(self, after: int) -> tuple[list[Heard], int]:
        """What arrived since the last look."""
        shown, self._shown = self._shown, []
        return [part for one in shown for part in _heard(one)], after


def _heard(shown: Shown) -> list[Heard]:
    """Each of the messages that were shown together, without the lines that are its choices and links."""
    if shown.picture is not None:
        return [Heard("", media=("picture",))]
    return [_part(Shown(shown.kind, part)) for part in shown.text.split(BETWEEN)]


def _part(shown: Shown) -> Heard:
    apart = {f"【{mark}】{label}" for label, mark in shown.choices.items()}
    apart |= {f"{label}：{url}" for label, url in shown.links if label}
    apart |= {catalogue.render(text(key)) for catalogue in CATALOGUES for key in HOW}
    words = "\n".join(line for line in shown.text.splitlines() if line not in apart).strip("\n")
    return Heard(words, tuple(shown.choices.items()), (), shown.links)
