"""A Telegram Bot API on loopback, with people to talk to.

    async with FakeBotApi() as api:
        start_the_bot(api.url, api.token)
        wang = api.user("王大娘", language="zh-hans")
        await wang.says("/report")
        await wang.taps("倾倒", on=await wang.hears("什么"))

`python -m tests.fakes.botapi --port 0` serves it by itself; what is typed there is said to the bot.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

import orjson
from aiohttp import web

from tests.fakes.botapi_methods import METHODS
from tests.fakes.botapi_people import Group, User
from tests.fakes.botapi_updates import Updates
from tests.fakes.botapi_wire import BotApiError, Params, answer, read_params, refusal
from tests.fakes.botapi_world import BOT_ID, Chat, World

TOKEN = f"{BOT_ID}:AAfake-token-for-tests-only-000000000000"
CALLS_KEPT = 100_000
_PATH = re.compile(r"/(file/)?bot([^/]*)/(.+)")
_TOKEN_SHAPE = re.compile(r"\d+:[\w-]{20,}")


@dataclass(slots=True)
class Call:
    """One call of the bot: what it asked and how it was answered (`status` 0: the connection was dropped)."""

    method: str
    values: dict[str, Any]
    files: list[str]
    status: int = 200


@dataclass(slots=True)
class Trouble:
    """A fault waiting for its call. See `FakeBotApi.trouble`."""

    method: str
    times: int
    chat: int | None
    status: int
    description: str
    parameters: dict[str, int]
    drop: Literal["", "before", "after"]
    delay_s: float


class FakeBotApi:
    """The server. `url` is what goes into TELEGRAM_API_URL; `calls` is everything the bot asked."""

    def __init__(self, token: str = TOKEN, *, name: str = "净乡", username: str = "jingxiang_test_bot") -> None:
        self.token = token
        self.url = ""
        self.world = World(name, username)
        self.calls: deque[Call] = deque(maxlen=CALLS_KEPT)
        self.updates = Updates(self.world)
        self._troubles: list[Trouble] = []
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        self._next_id = 0
        self._others: dict[str, FakeBotApi] = {}

    def another(self, *, name: str, username: str) -> FakeBotApi:
        """A second bot behind the same address, with chats of its own. People's ids are counted alike."""
        token = f"{BOT_ID + len(self._others) + 1}:AAfake-token-for-tests-only-{len(self._others) + 1:012d}"
        other = self._others[token] = FakeBotApi(token, name=name, username=username)
        other.url = self.url
        return other

    async def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1; port 0 takes a free one."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, real_port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{real_port}"
        for other in self._others.values():
            other.url = self.url

    async def stop(self) -> None:
        """End every wait and close."""
        for one in (self, *self._others.values()):
            await one.updates.stop()
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # --- who is there -------------------------------------------------------------------------------------
    def user(self, name: str, *, language: str = "zh-hans", username: str = "") -> User:
        """A new person; the bot can't write to them before they wrote."""
        self._next_id += 1
        user_id = 900_000_000 + self._next_id
        names = {"first_name": name} | ({"username": username} if username else {})
        chat = self.world.chats[user_id] = Chat(user_id, "private", names)
        return User(self.world, chat, {"id": user_id, "is_bot": False, "language_code": language} | names)

    def group(self, title: str) -> Group:
        """A new group with the bot in it, which hears everything said there."""
        self._next_id += 1
        chat = Chat(-1_001_000_000_000 - self._next_id, "supergroup", {"title": title}, known=True)
        self.world.chats[chat.id] = chat
        return Group(self.world, chat)

    # --- what goes wrong ----------------------------------------------------------------------------------
    def trouble(
        self,
        method: str = "*",
        *,
        status: int = 0,
        description: str = "",
        retry_after_s: int = 0,
        drop: Literal["", "before", "after"] = "",
        delay_s: float = 0.0,
        times: int = 1,
        chat: int | None = None,
    ) -> None:
        """Let the next `times` calls of a method fail: an error status, 429 with `retry_after_s`, a connection
        dropped before or after the work is done, or a delay.
        """
        parameters = {"retry_after": retry_after_s} if retry_after_s else {}
        if retry_after_s:
            status, description = 429, description or f"Too Many Requests: retry after {retry_after_s}"
        description = description or ("Internal Server Error" if status >= 500 else f"Error {status}")
        self._troubles.append(Trouble(method.lower(), times, chat, status, description, parameters, drop, delay_s))

    def called(self, method: str) -> list[Call]:
        """The calls of one method, in order."""
        return [call for call in self.calls if call.method.lower() == method.lower()]

    async def all_read(self, timeout_s: float = 5.0) -> None:
        """Wait until the bot has acknowledged every update."""
        async with asyncio.timeout(timeout_s), self.world.changed:
            await self.world.changed.wait_for(lambda: not self.world.queue)

    # --- the wire -----------------------------------------------------------------------------------------
    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except BotApiError as error:
            return refusal(error)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        match = _PATH.fullmatch(request.rel_url.raw_path)
        if match is None or not _TOKEN_SHAPE.fullmatch(match[2]):
            raise BotApiError(404, "Not Found")
        if match[2] in self._others:
            return await self._others[match[2]]._answer(request)
        if match[2] != self.token:
            raise BotApiError(401, "Unauthorized")
        params = Params() if match[1] else await read_params(request)
        call = Call("file" if match[1] else match[3], params.values, sorted(params.files))
        self.calls.append(call)
        trouble = self._trouble_for(call)
        if trouble is not None and trouble.delay_s:
            await asyncio.sleep(trouble.delay_s)
        if trouble is not None and (trouble.status or trouble.drop == "before"):
            call.status = trouble.status
            if trouble.drop:
                return _drop(request)
            return refusal(BotApiError(trouble.status, trouble.description, **trouble.parameters))
        try:
            response = self._file(match[3]) if match[1] else answer(await self._call(call.method.lower(), params))
        except BotApiError as error:
            call.status = error.status
            raise
        if trouble is not None and trouble.drop == "after":
            call.status = 0
            return _drop(request)
        return response

    def _trouble_for(self, call: Call) -> Trouble | None:
        for trouble in self._troubles:
            here = trouble.chat is None or str(call.values.get("chat_id")) == str(trouble.chat)
            if here and trouble.method in {"*", call.method.lower()}:
                trouble.times -= 1
                if trouble.times <= 0:
                    self._troubles.remove(trouble)
                return trouble
        return None

    async def _call(self, method: str, params: Params) -> Any:
        own = getattr(self.updates, self.updates.METHODS.get(method, ""), None)
        if own is not None:
            return await own(params)
        if method not in METHODS:
            raise BotApiError(404, "Not Found: method not found")
        return await METHODS[method](self.world, params)

    def _file(self, path: str) -> web.Response:
        file = self.world.paths.get(path)
        if file is None:
            raise BotApiError(404, "Not Found")
        return web.Response(body=file.content, content_type="application/octet-stream")


def _drop(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def serve(port: int) -> None:
    """Serve until the input ends; each line is said by one person, `>label` taps, `@lat,lng` sends a place."""
    api = FakeBotApi()
    await api.start(port)
    user = api.user("王大娘")
    print(orjson.dumps({"url": api.url, "token": api.token}).decode(), flush=True)
    printer = asyncio.create_task(_print_all(user))
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            await _typed(user, line.rstrip("\n"))
    finally:
        printer.cancel()
        await api.stop()


async def _typed(user: User, line: str) -> None:
    try:
        if line.startswith(">"):
            await user.taps(line[1:].strip())
        elif line.startswith("@"):
            lat, lng = line[1:].split(",")
            await user.sends_location(float(lat), float(lng))
        elif line:
            await user.says(line)
    except (AssertionError, ValueError) as error:
        print(f"! {error}", flush=True)


async def _print_all(user: User) -> None:
    while True:
        heard = await user.hears(timeout_s=1e6)
        print(
            heard.text,
            *(f"  [{'] ['.join(b.label for b in row)}]" for row in heard.rows),
            sep="\n",
            flush=True,
        )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
