"""From starting the process to the first answer in the web chat: as usual, and with every service away.

python -m benchmarks.start
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import httpx

from tests.stories.template import make_template

ROOT = Path(__file__).resolve().parent.parent
TARGET_S = 2.0
RUNS = 5
LATEST_S = 30.0
AWAY = "http://127.0.0.1:9"  # nobody listens there: refused at once
HEADERS = {"X-Jingxiang": "1"}


def free_port() -> int:
    """A port nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def away_environment(there: str = AWAY) -> dict[str, str]:
    """Settings that name every platform and an S3 store, all of them at an address where nobody is."""
    return {
        "TELEGRAM_TOKEN": "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ-abcdefgh",
        "TELEGRAM_API_URL": there,
        "WECHAT_APP_ID": "wx0000000000000000",
        "WECHAT_APP_SECRET": "0" * 32,
        "WECHAT_TOKEN": "token",
        "WECHAT_AES_KEY": "A" * 43,
        "WECHAT_API_URL": there,
        "WECOM_ROBOTS": '{"629999101": "KEY"}',
        "WECOM_API_URL": there,
        "MEDIA_URL": "s3://bucket",
        "MEDIA_S3_ENDPOINT": there,
        "MEDIA_S3_ACCESS_KEY": "key",
        "MEDIA_S3_SECRET_KEY": "secret",
    }


async def first_answer(client: httpx.AsyncClient) -> None:
    """A newcomer opens the page, says hello, and reads the bot's first message."""
    while True:
        try:
            await client.post("/api/session")
            break
        except httpx.TransportError:
            await asyncio.sleep(0.01)
    (await client.post("/api/messages", json={"id": str(uuid.uuid4()), "kind": "start"})).raise_for_status()
    while not any(one["from"] == "bot" for one in (await client.get("/api/history")).json()["messages"]):
        await asyncio.sleep(0.005)


async def _answered(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=5) as client:
        await asyncio.wait_for(first_answer(client), LATEST_S)


def once(folder: Path, **other: str) -> float:
    """Seconds from exec to the first message of the bot; `other` settings."""
    port = free_port()
    environment = {**os.environ, "DATA_DIR": str(folder), "WEB_PORT": str(port), "LOG_LEVEL": "ERROR", **other}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        asyncio.run(_answered(port))
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def run() -> dict[str, float]:
    """The median of a few starts, each way."""
    figures = {}
    for name, said, other in (
        ("start.median_s", "start to first answer", {}),
        ("start.away_s", "start with every service away → first answer on the web chat", away_environment()),
    ):
        folder = Path(tempfile.mkdtemp(prefix="bench-start-"))
        try:
            asyncio.run(make_template(f"sqlite:///{folder / 'jingxiang.db'}"))
            seconds = sorted(once(folder, **other) for _ in range(RUNS))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        median = figures[name] = seconds[len(seconds) // 2]
        verdict = "met" if median <= TARGET_S else "NOT met"
        print(f"{said}: {median:.2f} s (≤ {TARGET_S:g} s: {verdict}; {seconds})")
    return figures


if __name__ == "__main__":
    run()
