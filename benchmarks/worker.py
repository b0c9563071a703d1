"""One worker of `benchmarks.workers`: the real program without a network, and people who talk to it.

Says «ready», reads one line to begin; prints JSON: updates, cpu_s, wall_s, p50_ms, p99_ms.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.talkers import FIRST_ID, Talker
from bot import logs
from bot.app import App, build
from bot.channels.base import Letter
from bot.settings import Settings
from bot.talk.messages import Out

WARM_UP_S = 6.0


class Line:
    """The web channel without pages: an answer goes straight to the person who waits for it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._waiting: dict[tuple[int, str], asyncio.Future[Out]] = {}
        app.channels.of(0)["web"].send = self._send  # type: ignore[method-assign]

    async def _send(self, letter: Letter) -> bool:
        waiting = self._waiting.pop((letter.township_id, letter.address), None)
        if waiting is not None and not waiting.done():
            waiting.set_result(letter.out)
        return True

    async def talk(self, talker: Talker, until_s: float, times_ms: list[float]) -> None:
        """Send, wait for the answer, send what it leads to."""
        update = talker.post(kind="text", text="/report")
        while time.perf_counter() < until_s:
            answer = self._waiting[talker.township_id, talker.address] = asyncio.get_running_loop().create_future()
            began = time.perf_counter()
            await self._app.intake.accept([update])
            out = await answer
            times_ms.append((time.perf_counter() - began) * 1000)
            update = talker.next(out)


async def work(url: str, folder: Path, share: int, talkers: int, seconds: float) -> dict[str, Any]:
    """Run the worker for its share of the townships; what it did in `seconds` after the warm-up."""
    settings = Settings(_env_file=None, data_dir=folder, database_url=url)
    app = await build(settings, parts=("intake", "delivery"), grace_s=0)
    await app.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    line, times_ms = Line(app), []
    while len(app.outgoing.mine) != share:
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    until_s = time.perf_counter() + WARM_UP_S + seconds
    people = [
        asyncio.create_task(line.talk(Talker(FIRST_ID + at, township_id), until_s, times_ms))
        for township_id in app.outgoing.mine
        for at in range(talkers // share)
    ]
    await asyncio.sleep(WARM_UP_S)
    times_ms.clear()
    cpu_s, wall_s, handled = time.process_time(), time.perf_counter(), app.intake.handled_total
    await asyncio.sleep(seconds)
    found = {
        "updates": app.intake.handled_total - handled,
        "cpu_s": time.process_time() - cpu_s,
        "wall_s": time.perf_counter() - wall_s,
        "p50_ms": statistics.median(times_ms),
        "p99_ms": statistics.quantiles(times_ms, n=100)[98],
    }
    for person in people:
        person.cancel()
    await asyncio.gather(*people, return_exceptions=True)
    await app.stop()
    return found


def main() -> None:
    """Run one worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--share", type=int, required=True)
    parser.add_argument("--talkers", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    said = parser.parse_args()
    logs.configure("ERROR")
    found = uvloop.run(work(said.url, said.folder, said.share, said.talkers, said.seconds))
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
