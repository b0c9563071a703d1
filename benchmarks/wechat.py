"""People in WeChat who report at once through `/wechat` in safe mode: how soon the passive reply is there.

    python -m benchmarks.wechat [--users 200] [--seconds 20] [--pause-s 1]

The program runs in a process of its own; the phones, with WeChat's side of the encryption, and the API are here.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psutil
import uvloop

from benchmarks.script import Action, Person, Rule, decide
from benchmarks.start import free_port
from tests.fakes.pictures import photo
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_people import User
from tests.fakes.wechat_world import Heard
from tests.stories.template import make_template
from tests.stories.town import wechat_settings

ROOT = Path(__file__).resolve().parent.parent
NO_FLOOD_LIMIT = 100_000
P99_TARGET_MS, LONGEST_TARGET_MS = 300, 4_000
START = Action("text", "我要举报")
REPORT = (
    Rule(START, text="编号"),
    Rule(START, label="我要举报"),
    Rule(Action("tap", "同意"), label="^同意$"),
    Rule(Action("tap", "提交举报"), label="提交举报"),
    Rule(Action("tap", "发完了"), label="发完了"),
    Rule(Action("tap", "乱倒"), label="乱倒"),
    Rule(Action("location"), text="在哪里"),
    Rule(Action("photo"), label="跳过"),
)
PLACE = (35.6505, 104.7372)  # in the example township, as Tencent's map has it


@dataclass(slots=True)
class Window:
    """What is measured after the warm-up."""

    open: bool = False
    replies_s: list[float] = field(default_factory=list)
    without: int = 0
    unmatched: Counter[str] = field(default_factory=Counter)


async def act(user: User, action: Action, picture: bytes) -> Heard | None:
    """What a person does, and the reply."""
    match action.kind:
        case "photo":
            return await user.sends_photo(picture)
        case "location":
            return await user.sends_location(*PLACE)
        case "tap":
            return await user.picks(action.text)
    return await user.says(action.text)


async def live(user: User, window: Window, pause_s: float, picture: bytes) -> None:
    """One person, until cancelled: reads the reply, thinks, answers."""
    await asyncio.sleep(random.random() * max(pause_s, 0.2))
    person, action = Person(), START
    while True:
        began = time.perf_counter()
        heard = await act(user, action, picture)
        took_s = time.perf_counter() - began
        if window.open:
            if heard is None:
                window.without += 1
            else:
                window.replies_s.append(took_s)
        user.contact.seen[:-3] = []
        user.hears_now()
        found = decide(REPORT, person, heard.text, heard.labels) if heard is not None else None
        if heard is not None and found is None:
            window.unmatched[heard.text[:60]] += 1
        action = found or START
        await asyncio.sleep(pause_s * (0.5 + random.random()))


async def measure(users: int, seconds: float, pause_s: float) -> tuple[Window, float, float]:
    """The window, messages a second and CPU ms a message of the program."""
    with tempfile.TemporaryDirectory(prefix="bench-wechat-") as scratch:
        folder = Path(scratch)
        await make_template(f"sqlite:///{folder / 'jingxiang.db'}", messages_per_minute=NO_FLOOD_LIMIT)
        async with FakeWeChat() as wechat, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            port = free_port()
            wechat.world.webhook_url = f"http://127.0.0.1:{port}/wechat"

            async def deliver(query: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
                async with session.post(wechat.world.webhook_url, params=query, data=body) as answer:
                    return answer.status, await answer.read()

            wechat.world.deliver = deliver
            own = {
                name.upper(): str(value) for name, value in wechat_settings(wechat).items() if isinstance(value, str)
            }
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot", "run"),
                cwd=ROOT,
                env={**os.environ, **own, "DATA_DIR": scratch, "WEB_PORT": str(port), "LOG_LEVEL": "ERROR"},
                stdout=asyncio.subprocess.DEVNULL,
            )
            try:
                return await _run(wechat, psutil.Process(process.pid), users, seconds, pause_s)
            finally:
                process.send_signal(signal.SIGTERM)
                await process.wait()


async def _run(
    wechat: FakeWeChat, program: psutil.Process, users: int, seconds: float, pause_s: float
) -> tuple[Window, float, float]:
    async with asyncio.timeout(30):
        while not await _verified(wechat):
            await asyncio.sleep(0.1)
    window, picture = Window(), photo(1)
    people = [wechat.user(f"村民{n}") for n in range(users)]
    tasks = [asyncio.create_task(live(user, window, pause_s, picture)) for user in people]
    await asyncio.sleep(6 + 3 * pause_s)
    window.open = True
    cpu_s, began = sum(program.cpu_times()[:2]), time.perf_counter()
    await asyncio.sleep(seconds)
    window.open = False
    lasted_s = time.perf_counter() - began
    cpu_s = sum(program.cpu_times()[:2]) - cpu_s
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended
    count = len(window.replies_s)
    broken = sum(user.broken for user in people)
    if wechat.violations or broken:
        print(f"  WeChat resented: {wechat.violations[:3]}, {broken} pushes without service")
    return window, count / lasted_s, cpu_s / max(1, count) * 1000


async def _verified(wechat: FakeWeChat) -> bool:
    try:
        return await wechat.verifies()
    except aiohttp.ClientError:
        return False


def show(name: str, window: Window, rate: float, cpu_ms: float) -> float:
    """Print a line with the verdict; the 99th percentile in ms."""
    replies = sorted(window.replies_s)
    if not replies:
        print(f"{name}: no replies; {window.unmatched.most_common(3)}")
        return float("inf")
    p50, p99, longest = (1000 * replies[int(part * (len(replies) - 1))] for part in (0.5, 0.99, 1.0))
    met = p99 <= P99_TARGET_MS and longest <= LONGEST_TARGET_MS and not window.without
    print(
        f"{name}: {len(replies)} replies, {rate:.0f}/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms (wanted {P99_TARGET_MS}),"
        f" longest {longest:.0f} ms (wanted {LONGEST_TARGET_MS}), {window.without} pushes without a reply,"
        f" {cpu_ms:.2f} ms CPU each: {'met' if met else 'NOT met'}"
    )
    if window.unmatched:
        print(f"  not understood by the people: {window.unmatched.most_common(3)}")
    return p99


def run(users: int = 200, seconds: float = 20.0, pauses_s: tuple[float, ...] = (1.0, 0.0)) -> dict[str, float]:
    """Measure people who think for a moment, and people who never pause; the figures."""
    figures = {}
    for pause_s in pauses_s:
        name = f"{users} people in WeChat, safe mode, {f'{pause_s:g} s to think' if pause_s else 'no pause'}"
        window, rate, cpu_ms = uvloop.run(measure(users, seconds, pause_s))
        which = f"wechat.pause_{pause_s:g}_s"
        figures[f"{which}.p99_ms"] = show(name, window, rate, cpu_ms)
        figures |= {f"{which}.replies_per_s": rate, f"{which}.cpu_ms": cpu_ms}
    return figures


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--pause-s", type=float, nargs="*", default=[1.0, 0.0])
    args = parser.parse_args()
    run(args.users, args.seconds, tuple(args.pause_s))


if __name__ == "__main__":
    main()
