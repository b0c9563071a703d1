"""What a serving process loads (decision 0013): nothing that only other deployments or commands need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BY_NEED = {
    "aiohttp": "WeChat, WeCom",
    "asyncpg": "PostgreSQL",
    "defusedxml": "WeChat",
    "holidays": "a year without published data",
    "http_ece": "pushes to browsers",
    "httpx": "python-telegram-bot",
    "obstore": "an S3 store",
    "pillow_heif": "a HEIC photo",
    "py_vapid": "pushes to browsers",
    "python_calamine": "a workbook to import",
    "telegram": "doctor",
}
SERVE = """
import asyncio, sys
import bot.__main__
from bot.app import build
from bot.console import townships
from bot.settings import Settings
from storage.engine.opening import bring_up_to_date

async def main(settings):
    await bring_up_to_date(settings.database, now_ms=0)
    app = await build(settings)
    await app.start()
    await app.stop()

asyncio.run(main(Settings(_env_file=None, web_port=0, log_level="ERROR")))
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_a_process_that_serves_loads_only_what_it_needs(tmp_path: Path) -> None:
    env = {"DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT), "PATH": ""}
    ran = subprocess.run(
        [sys.executable, "-c", SERVE], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.split())
    assert "starlette" in loaded and "bot" in loaded
    assert {name: BY_NEED[name] for name in sorted(BY_NEED.keys() & loaded)} == {}
