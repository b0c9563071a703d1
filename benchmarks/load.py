"""The load: a Bot API on loopback with simulated people who wait for each answer before they go on.

    python -m benchmarks.load --table report --users 100 --warmup-s 3 --seconds 15

Prints `{"url": …}` at once, `{"window": "open"}` after the warm-up, and the result as one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvloop
from aiohttp import web
from PIL import Image

from benchmarks.phone import User, write
from benchmarks.script import START, TABLES, Action, Rule, decide
from tests.fakes.botapi_wire import BotApiError, Params, answer, read_params, refusal


def _jpeg() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "#7a6").save(picture, "JPEG")
    return picture.getvalue()


TOKEN = "123456789:AAbenchmark-only-not-a-secret-0000000"
BOT_USER = {"id": 123456789, "is_bot": True, "first_name": "净乡", "username": "jingxiang_bench_bot"}
BOT_INFO = BOT_USER | {
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
}
STALL_S = 5.0
POLL_MAX_S = 20
TINY_JPEG = _jpeg()


@dataclass(slots=True)
class Window:
    """What is measured between the end of the warm-up and the end of the run."""

    open: bool = False
    latencies_s: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    batches: list[int] = field(default_factory=list)
    reports_before: int = 0


class Load:
    """The Bot API and the people behind it; one polling client at a time."""

    def __init__(self, table: tuple[Rule, ...], users: int) -> None:
        self.table = table
        self.users = {900_000_000 + n: User(900_000_000 + n) for n in range(users)}
        self.window = Window()
        self.answered = 0
        self.unmatched: Counter[str] = Counter()
        self.first_poll = asyncio.Event()
        self._queue: deque[tuple[int, bytes]] = deque()
        self._update_id = 1_000_000
        self._message_id = 0
        self._wake: asyncio.Future[None] | None = None

    # --- the people -------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Everyone sends their first message."""
        for user in self.users.values():
            self._act(user, START)

    def _act(self, user: User, action: Action) -> None:
        self._message_id += 2
        update = write(user, action, self._message_id)
        self._update_id += 1
        self._queue.append((self._update_id, orjson.dumps({"update_id": self._update_id} | update)))
        user.sent_at = time.perf_counter()
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _next_message_id(self) -> int:
        self._message_id += 1
        return self._message_id

    def _hears(self, user: User, message: dict[str, Any]) -> None:
        markup = message.get("reply_markup") or {}
        rows = markup.get("inline_keyboard") or markup.get("keyboard") or []
        buttons = [b if isinstance(b, dict) else {"text": b} for row in rows for b in row]
        if user.sent_at is None:
            return
        previous = user.buttons, user.shown
        user.buttons, user.shown = buttons, message
        text = message.get("text") or message.get("caption") or ""
        action = decide(self.table, user.person, text, [b["text"] for b in buttons])
        if action is None:
            user.buttons, user.shown = previous
            user.last_seen = f"{text!r} {[b['text'] for b in buttons]}"
            self.unmatched[user.last_seen] += 1
            return
        self.answered += 1
        if self.window.open:
            self.window.latencies_s.append(time.perf_counter() - user.sent_at)
        self._act(user, action)

    # --- the Bot API ------------------------------------------------------------------------------------
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any call; the token is not checked beyond its presence in the path."""
        path = request.rel_url.raw_path
        if path.startswith("/file/"):
            return web.Response(body=TINY_JPEG, content_type="image/jpeg")
        method = path.rpartition("/")[2]
        try:
            params = await read_params(request)
            if self.window.open:
                self.window.calls[method] += 1
            if method.lower() == "getupdates":
                return await self._updates(params)
            return answer(self._call(method, params))
        except BotApiError as error:
            return refusal(error)

    def _call(self, method: str, params: Params) -> Any:
        if method in {"sendMessage", "sendPhoto", "editMessageText", "sendLocation"}:
            user = self.users.get(params.integer("chat_id"))
            if user is None:
                raise BotApiError(400, "Bad Request: chat not found")
            message: dict[str, Any] = {
                "message_id": params.integer("message_id") or self._next_message_id(),
                "from": BOT_USER,
                "chat": user.chat,
                "date": int(time.time()),
                "text": params.text("text") or params.text("caption") or " ",
            }
            markup = params.json("reply_markup")
            if markup:
                message["reply_markup"] = markup
            self._hears(user, message)
            if "inline_keyboard" not in (markup or {}):
                message.pop("reply_markup", None)  # the real one echoes inline keyboards only
            return message
        if method == "getMe":
            return BOT_INFO
        if method == "getFile":
            file_id = params.text("file_id")
            return {
                "file_id": file_id,
                "file_unique_id": file_id[-16:],
                "file_size": len(TINY_JPEG),
                "file_path": "photos/1.jpg",
            }
        if method == "getWebhookInfo":
            return {"url": "", "has_custom_certificate": False, "pending_update_count": len(self._queue)}
        return True

    async def _updates(self, params: Params) -> web.Response:
        offset, limit = params.integer("offset"), params.integer("limit", 100)
        while self._queue and self._queue[0][0] < offset:
            self._queue.popleft()
        self.first_poll.set()
        if not self._queue:
            self._wake = asyncio.get_running_loop().create_future()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake, min(params.integer("timeout"), POLL_MAX_S))
        batch = [raw for _, raw in list(self._queue)[:limit]]
        if self.window.open:
            self.window.batches.append(len(batch))
        return web.Response(body=b'{"ok":true,"result":[' + b",".join(batch) + b"]}", content_type="application/json")


async def run(args: argparse.Namespace) -> dict[str, Any]:
    """Serve, warm up, measure; the figures of the window."""
    load = Load(TABLES[args.table], args.users)
    runner = web.ServerRunner(web.Server(load.handle, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", args.port)
    await site.start()
    host, port = runner.addresses[0][:2]
    _say({"url": f"http://{host}:{port}", "token": TOKEN})
    try:
        await asyncio.wait_for(load.first_poll.wait(), args.start_s)
        load.begin()
        await asyncio.sleep(args.warmup_s)
        return await _measure(load, args.seconds)
    except TimeoutError:
        return {"error": f"the bot asked for no updates within {args.start_s} s"}
    finally:
        await runner.cleanup()


async def _measure(load: Load, seconds: float) -> dict[str, Any]:
    if load.answered == 0:
        return {"error": "no update was answered in the warm-up", "unmatched": load.unmatched.most_common(5)}
    load.window.reports_before = sum(user.person.reports for user in load.users.values())
    _say({"window": "open"})
    load.window.open, wall, cpu = True, time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    load.window.open, wall, cpu = False, time.perf_counter() - wall, time.process_time() - cpu
    now = time.perf_counter()
    stuck = [u.last_seen for u in load.users.values() if u.sent_at is not None and now - u.sent_at > STALL_S]
    latencies = sorted(load.window.latencies_s)
    if not latencies:
        return {"error": "no update was answered in the window", "unmatched": load.unmatched.most_common(5)}
    count = len(latencies)
    return {
        "updates": count,
        "updates_per_s": count / wall,
        "wall_s": wall,
        "p50_ms": latencies[count // 2] * 1000,
        "p99_ms": latencies[min(count - 1, count * 99 // 100)] * 1000,
        "reports": sum(u.person.reports for u in load.users.values()) - load.window.reports_before,
        "load_cpu": cpu / wall,
        "calls": dict(load.window.calls),
        "stuck": len(stuck),
        "stuck_on": stuck[:3],
        "mean_batch": sum(load.window.batches) / max(1, len(load.window.batches)),
    }


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(orjson.dumps(line).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", choices=sorted(TABLES), default="report")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--warmup-s", type=float, default=3.0)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--start-s", type=float, default=20.0, help="how long the bot may take to its first poll")
    parser.add_argument("--port", type=int, default=0)
    _say(uvloop.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
