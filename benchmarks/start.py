"""From starting the process to the first answer in the web chat.

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
HEADERS = {"X-Jingxiang": "1"}


def free_port() -> int:
    """A port nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def once(folder: Path) -> float:
    """Seconds from exec to the first message of the bot."""
    port = free_port()
    environment = {**os.environ, "DATA_DIR": str(folder), "WEB_PORT": str(port), "LOG_LEVEL": "ERROR"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=5) as client:
            while time.perf_counter() - began < 30:
                try:
                    client.post("/api/session")
                    break
                except httpx.TransportError:
                    time.sleep(0.01)
            client.post("/api/messages", json={"id": str(uuid.uuid4()), "kind": "start"}).raise_for_status()
            while time.perf_counter() - began < 30:
                if any(one["from"] == "bot" for one in client.get("/api/history").json()["messages"]):
                    return time.perf_counter() - began
                time.sleep(0.005)
        raise RuntimeError("no answer in 30 s")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def run() -> dict[str, float]:
    """The median of a few starts."""
    folder = Path(tempfile.mkdtemp(prefix="bench-start-"))
    try:
        asyncio.run(make_template(f"sqlite:///{folder / 'jingxiang.db'}"))
        seconds = sorted(once(folder) for _ in range(RUNS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    median = seconds[len(seconds) // 2]
    verdict = "met" if median <= TARGET_S else "NOT met"
    print(f"start to first answer: {median:.2f} s (≤ {TARGET_S:g} s: {verdict}; {seconds})")
    return {"start.median_s": median}


if __name__ == "__main__":
    run()
