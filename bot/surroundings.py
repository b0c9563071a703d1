"""What `doctor` looks at outside the data: the disk, the database file, Telegram."""

from __future__ import annotations

import shutil
import sqlite3

from telegram import Bot
from telegram.error import TelegramError

from bot.channels.telegram_request import AiohttpRequest
from bot.checks import Check
from bot.settings import Settings

LEAST_FREE_BYTES = 1 << 30


async def look_around(settings: Settings) -> list[Check]:
    """Disk space, the database's own integrity check, and whether Telegram knows the token."""
    free = shutil.disk_usage(settings.data_dir).free
    with sqlite3.connect(f"{settings.database_path.resolve().as_uri()}?mode=ro", uri=True) as connection:
        integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    size = settings.database_path.stat().st_size
    checks = [
        Check("disk", free > LEAST_FREE_BYTES, f"{free >> 20} MiB free in {settings.data_dir}"),
        Check("database", integrity == "ok", f"{settings.database_path}, {size >> 20} MiB, integrity {integrity}"),
        Check("address", True, settings.address),
    ]
    if settings.telegram_token:
        checks.append(await _telegram(settings))
    return checks


async def _telegram(settings: Settings) -> Check:
    base = settings.telegram_api_url
    request = AiohttpRequest()
    bot = Bot(settings.telegram_token, base_url=f"{base}/bot", request=request, get_updates_request=request)
    try:
        async with bot:
            return Check("telegram", True, f"@{bot.username} at {base}")
    except TelegramError as error:
        return Check("telegram", False, f"{base}: {error.message}")
