"""The limit: python-telegram-bot's codec, a fast transport, one durable commit a batch, one message an update.

    python -m benchmarks.rivals.bare [--answer-taps] [--our-transport]

No product: no state, no rules, nobody is known. What it costs is what any bot on this machine must pay. The transport
is aiohttp, as it was before we wrote one, so that the figures of all versions compare; or ours.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiosqlite
import orjson
import uvloop
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.request import BaseRequest

from benchmarks.rivals.aiohttp_transport import AiohttpRequest
from bot.channels.telegram.http import HttpPool
from bot.channels.telegram.library import PoolRequest


def _keys(*labels: str) -> InlineKeyboardMarkup:
    keys = [InlineKeyboardButton(label, callback_data=f"k:{n}") for n, label in enumerate(labels)]
    return InlineKeyboardMarkup([keys[i : i + 2] for i in range(0, len(keys), 2)])


KINDS = _keys("🗑 倾倒垃圾", "🔥 焚烧", "🌊 河道垃圾", "📦 露天堆放", "🧻 废旧地膜", "🚚 正在倾倒的车")
DONE = _keys("✅ 完成")
NAMED = _keys("实名", "匿名")


class BareLoop:
    """Ask for updates, commit them, ask for more while the answers go out."""

    def __init__(self, bot: Bot, request: BaseRequest, db: aiosqlite.Connection, answer_taps: bool) -> None:
        self._bot = bot
        self._request = request
        self._db = db
        self._answer_taps = answer_taps
        self._sends: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        offset = 0
        url = f"{self._bot.base_url}/getUpdates"
        while True:
            full_url = f"{url}?offset={offset}&limit=100&timeout=20"
            _, payload = await self._request.do_request(full_url, "POST", read_timeout=30.0)
            raw_updates = orjson.loads(payload)["result"]
            if not raw_updates:
                continue
            await self._store(raw_updates)
            offset = raw_updates[-1]["update_id"] + 1
            for raw in raw_updates:
                task = asyncio.create_task(self._answer(Update.de_json(raw, self._bot)))
                self._sends.add(task)
                task.add_done_callback(self._sends.discard)

    async def _store(self, raw_updates: list[dict[str, Any]]) -> None:
        rows = [(raw["update_id"], orjson.dumps(raw)) for raw in raw_updates]
        await self._db.execute("BEGIN IMMEDIATE")
        await self._db.executemany("INSERT OR IGNORE INTO updates (id, body) VALUES (?, ?)", rows)
        await self._db.execute("COMMIT")

    async def _answer(self, update: Update) -> None:
        chat, message = update.effective_chat, update.message
        if chat is None:
            return
        if message is None:
            if self._answer_taps and update.callback_query is not None:
                await update.callback_query.answer()
            await self._bot.send_message(chat.id, "请拍照或发送照片,最多 9 张。", reply_markup=DONE)
        elif message.photo:
            await self._bot.send_message(chat.id, "收到 1 张,还可以再发,或点“完成”。", reply_markup=DONE)
        elif message.location:
            await self._bot.send_message(chat.id, "要留下姓名吗?匿名也会办理。", reply_markup=NAMED)
        else:
            await self._bot.send_message(chat.id, "您看到了什么?", reply_markup=KINDS)


async def main() -> None:
    """Run until SIGTERM."""
    url = os.environ["TELEGRAM_API_URL"]
    ours = "--our-transport" in sys.argv
    request: BaseRequest = (
        PoolRequest(url, HttpPool(url, connections=128)) if ours else AiohttpRequest(connection_pool_size=128)
    )
    bot = Bot(os.environ["TELEGRAM_TOKEN"], base_url=f"{url}/bot", request=request, get_updates_request=request)
    async with bot, aiosqlite.connect(Path(os.environ["DATA_DIR"]) / "bare.db", isolation_level=None) as db:
        await db.execute("PRAGMA journal_mode=WAL")
        await db.execute("PRAGMA synchronous=FULL")
        await db.execute("CREATE TABLE updates (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
        loop = asyncio.create_task(BareLoop(bot, request, db, "--answer-taps" in sys.argv).run())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, loop.cancel)
        await asyncio.gather(loop, return_exceptions=True)


if __name__ == "__main__":
    uvloop.run(main())
