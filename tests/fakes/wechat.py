"""WeChat on loopback: the API an Official Account calls, WeCom's robots, and phones that push to the program.

    async with FakeWeChat() as wechat:
        wechat.world.webhook_url = "http://127.0.0.1:8080/wechat"
        wang = wechat.user("王大娘")
        reply = await wang.says("倒垃圾")          # the passive reply, None for «success»
        await wang.picks("焚烧")                   # answers with its number
        late = await wang.hears("核实")            # customer and template messages come here, too
        assert wechat.violations == []

Time is the world's (`now_ms`); a push is cut after `world.cut_s` and tried three times in all.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp
import orjson
from aiohttp import BodyPartReader, web

from tests.fakes.wechat_methods import FOR_ALL, METHODS, OPEN, Asked
from tests.fakes.wechat_pages import AUTHORIZE, authorize
from tests.fakes.wechat_people import User
from tests.fakes.wechat_seal import sign
from tests.fakes.wechat_wecom import Robot
from tests.fakes.wechat_world import Contact, WeChatError, World

MOST_BYTES = 32 << 20


@dataclass(slots=True)
class Call:
    """A call of the program: `code` is the errcode it was answered with (-2: nothing was)."""

    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    code: int = 0


@dataclass(slots=True)
class Trouble:
    """A fault waiting for its call. See `FakeWeChat.trouble`."""

    path: str
    times: int
    openid: str
    errcode: int
    status: int
    body: bytes | None
    drop: Literal["", "before", "after"]
    delay_s: float


class FakeWeChat:
    """The server; `url` is what goes into WECHAT_API_URL (and is WeCom's base, too)."""

    def __init__(self, now_ms: Callable[[], int] | None = None) -> None:
        self.world = World(now_ms)
        self.url = ""
        self.calls: list[Call] = []
        self.robots: dict[str, Robot] = {}
        self._troubles: list[Trouble] = []
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)

    async def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1; port 0 takes a free one."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, real_port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{real_port}"

    async def stop(self) -> None:
        """Close."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # -- who is there

    def user(self, name: str, *, following: bool = True) -> User:
        """A new person."""
        openid = f"o{secrets.token_hex(13)}"
        contact = self.world.contacts[openid] = Contact(openid, name, following)
        return User(self.world, contact, self.url)

    def robot(self) -> Robot:
        """A new robot of a WeCom group."""
        key = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(6)}"
        robot = self.robots[key] = Robot(key)
        return robot

    @property
    def violations(self) -> list[str]:
        """What WeChat or WeCom would have resented."""
        return [*self.world.violations, *(one for robot in self.robots.values() for one in robot.violations)]

    async def verifies(self) -> bool:
        """WeChat checks the program's address: whether it answered with the echo."""
        timestamp, nonce, echo = str(self.world.now_ms() // 1000), str(secrets.randbelow(10**9)), secrets.token_hex(8)
        signed = sign(self.world.token, timestamp, nonce)
        query = {"signature": signed, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.world.webhook_url, params=query) as response,
        ):
            return response.status == 200 and await response.text() == echo

    # -- what goes wrong

    def trouble(
        self,
        path: str = "",
        *,
        errcode: int = 0,
        status: int = 0,
        body: bytes | None = None,
        drop: Literal["", "before", "after"] = "",
        delay_s: float = 0.0,
        times: int = 1,
        openid: str = "",
    ) -> None:
        """Let the next `times` calls whose path contains `path` fail: an errcode in a 200, an HTTP status, a body that
        is no JSON, a connection dropped before or after the work is done, or a delay.
        """
        self._troubles.append(Trouble(path, times, openid, errcode, status, body, drop, delay_s))

    def called(self, path: str) -> list[Call]:
        """The calls whose path contains that, in order."""
        return [call for call in self.calls if path in call.path]

    # -- the wire

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = Call(request.path, dict(request.query), {})
        try:
            asked = await _read(request.clone(client_max_size=MOST_BYTES))
            call.body = asked.body
            self.calls.append(call)
            trouble = self._trouble_for(call)
            if trouble is not None:
                if trouble.delay_s:
                    await asyncio.sleep(trouble.delay_s)
                if trouble.errcode:
                    raise WeChatError(trouble.errcode, "as the test wants it")
                if trouble.status or trouble.body is not None:
                    return web.Response(status=trouble.status or 200, body=trouble.body or b"<html>")
                if trouble.drop == "before":
                    return _drop(request, call)
            answer = self._answer(call.path, asked)
            return _drop(request, call) if trouble is not None and trouble.drop == "after" else answer
        except WeChatError as error:
            call.code = error.code
            return _json({"errcode": error.code, "errmsg": f"{error.message} rid: 65a0-1b2c"})

    def _answer(self, path: str, asked: Asked) -> web.StreamResponse:
        if path == AUTHORIZE:
            return authorize(self.world, asked.query)
        if path.startswith("/cgi-bin/webhook/"):
            return _json({"errcode": 0, "errmsg": "ok", **self._robot(path, asked)})
        if path.startswith(("/pic/", "/video/")):
            return web.Response(
                body=self.world.file(path.split("/")[2]).content, content_type="application/octet-stream"
            )
        if path not in FOR_ALL and not self.world.verified:
            raise WeChatError(48001, "api unauthorized")
        if path not in OPEN:
            self.world.check_token(asked.query.get("access_token", ""))
        if path == "/cgi-bin/media/get":
            return self._media(asked.query.get("media_id", ""))
        if path not in METHODS:
            return web.Response(status=404)
        return _json({"errcode": 0, "errmsg": "ok", **METHODS[path](self.world, asked)}, plain="token" in path)

    def _media(self, media_id: str) -> web.StreamResponse:
        file = self.world.file(media_id)
        if file.kind == "video":
            return _json({"video_url": f"{self.url}/video/{media_id}"})
        kind = {"image": "image/jpeg", "voice": "audio/amr"}.get(file.kind, "application/octet-stream")
        return web.Response(body=file.content, content_type=kind)

    def _robot(self, path: str, asked: Asked) -> dict[str, Any]:
        robot = self.robots.get(asked.query.get("key", ""))
        if robot is None or robot.gone:
            raise WeChatError(93000, "invalid webhook url")
        if path.endswith("upload_media"):
            if asked.file is None or asked.query.get("type") != "file":
                raise robot.refuse(41005, "media data missing")
            return {"type": "file", "media_id": robot.upload(*asked.file), "created_at": "1"}
        robot.send(dict(asked.body), self.world.now_ms())
        return {}

    def _trouble_for(self, call: Call) -> Trouble | None:
        for trouble in self._troubles:
            here = not trouble.openid or call.body.get("touser") == trouble.openid
            if here and trouble.path in call.path:
                trouble.times -= 1
                if trouble.times <= 0:
                    self._troubles.remove(trouble)
                return trouble
        return None


async def _read(request: web.BaseRequest) -> Asked:
    query = dict(request.query)
    if request.content_type.startswith("multipart/"):
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "media":
                return Asked(query, {}, (part.filename or "", bytes(await part.read())))
        return Asked(query, {})
    body = await request.read()
    try:
        found = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise WeChatError(47001, "data format error") from None
    return Asked(query, found if isinstance(found, dict) else {})


def _json(found: dict[str, Any], *, plain: bool = False) -> web.Response:
    """WeChat names some of its JSON text/plain."""
    return web.Response(body=orjson.dumps(found), content_type="text/plain" if plain else "application/json")


def _drop(request: web.BaseRequest, call: Call) -> web.Response:
    call.code = -2
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
