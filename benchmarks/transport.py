"""What one `sendMessage` costs over each transport, on loopback: messages a second and CPU of the caller.

python -m benchmarks.transport [--messages 3000]
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import uvloop
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.request import BaseRequest, HTTPXRequest

from benchmarks.rivals.aiohttp_transport import AiohttpRequest
from bot.channels.telegram.api import BotApi
from bot.channels.telegram.library import PoolRequest

ROOT = Path(__file__).resolve().parent.parent
CHAT = 900_000_000
TEXT = "请拍照或发送照片,最多 9 张。"
KEYS = InlineKeyboardMarkup([[InlineKeyboardButton("✅ 完成", callback_data="photos:done")]])
KEYS_JSON = KEYS.to_dict()
AT_ONCE = 50


async def _race(name: str, send: Callable[[], Awaitable[object]], messages: int) -> None:
    async def one(count: int) -> None:
        for _ in range(count):
            await send()

    await one(20)
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(messages // AT_ONCE) for _ in range(AT_ONCE)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<44}{messages / wall:>8.0f} messages/s{cpu / messages * 1000:>9.3f} ms CPU each")


async def run(address: dict[str, str], messages: int) -> None:
    """The four ways, one after the other."""
    requests: dict[str, BaseRequest] = {
        "Bot.send_message, HTTPXRequest (default)": HTTPXRequest(connection_pool_size=256),
        "Bot.send_message, AiohttpRequest": AiohttpRequest(),
        "Bot.send_message, PoolRequest": PoolRequest(address["url"]),
    }
    for name, request in requests.items():
        bot = Bot(address["token"], f"{address['url']}/bot", request=request, get_updates_request=request)
        async with bot:
            await _race(name, lambda bot=bot: bot.send_message(CHAT, TEXT, reply_markup=KEYS), messages)  # type: ignore[misc]
    parameters = {"chat_id": CHAT, "text": TEXT, "reply_markup": KEYS_JSON}
    api = BotApi(address["url"], address["token"])
    api.start()
    await _race("BotApi.call", lambda: api.call("sendMessage", parameters), messages)
    await api.stop()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=3000)
    args = parser.parse_args()
    command = [sys.executable, "-m", "benchmarks.load", "--start-s", "120"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            uvloop.run(run(orjson.loads(server.stdout.readline()), args.messages))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
