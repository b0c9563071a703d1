"""The same report conversation by 100 people, fed to each bot in turn: who answers how fast, and at what cost.

    python -m benchmarks.chat [--bots bare-taps,ours] [--seconds 10] [--rounds 3] [--users 100]

Each bot runs in a process of its own, beside one process with the Bot API and the people. A machine is not equally
fast from minute to minute: the bots take turns for some rounds, each is compared with the others of the same round, and
the medians are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from benchmarks.processes import cpu_s, peak_rss_mib
from tests.stories.template import example_with

ROOT = Path(__file__).resolve().parent.parent
NO_FLOOD_LIMIT = 100_000
STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Contender:
    """One bot: how it is started and which table its people follow."""

    name: str
    command: tuple[str, ...]
    table: str = "report"
    warmup_s: float = 3.0
    env: dict[str, str] = field(default_factory=dict)


PYTHON = sys.executable
WARMUP_S = 8.0  # covers a hundred consents, a fresh database and the example township
UNLIMITED = {
    "TELEGRAM_RATE_PER_SECOND": "0"
}  # the limits are Telegram's: like the rivals, ours sends as fast as it can
BARE = (PYTHON, "-m", "benchmarks.rivals.bare")
CONTENDERS = (
    Contender("bare", BARE, "cycle"),
    Contender("conversationhandler", (PYTHON, "-m", "benchmarks.rivals.with_conversationhandler")),
    Contender("aiogram", (PYTHON, "-m", "benchmarks.rivals.with_aiogram")),
    # The limit: the bare loop with one more call for each tap, as any bot that stops the button's spinner makes.
    Contender("bare-taps", (*BARE, "--answer-taps"), "cycle"),
    Contender("bare-taps-ours", (*BARE, "--answer-taps", "--our-transport"), "cycle"),
    Contender("ours-unsealed", (PYTHON, "-m", "benchmarks.rivals.unsealed", "run"), "ours", WARMUP_S, UNLIMITED),
    Contender("ours", (PYTHON, "-m", "bot", "run"), "ours", WARMUP_S, UNLIMITED),
)


Results = dict[str, dict[str, Any]]  # what one round measured of each bot


@dataclass(frozen=True, slots=True)
class Target:
    """`ours.field / rival.field`, or ours alone, must be on the right side of `bound`."""

    field: str
    rival: str | None
    bound: float
    at_least: bool
    text: str

    def of_rounds(self, rounds: Sequence[Results]) -> float | None:
        """The median over the rounds, or None when no round has it."""
        values = [value for one in rounds if (value := self.value(one)) is not None]
        return median(values) if values else None

    def value(self, results: Results) -> float | None:
        """The figure of one round, or None when a run is missing."""
        ours = results.get("ours", {}).get(self.field)
        if self.rival is None or ours is None:
            return ours
        other = results.get(self.rival, {}).get(self.field)
        return ours / other if other else None

    def met(self, value: float) -> bool:
        """Whether the figure is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound


TARGETS = (
    Target("updates_per_s", "aiogram", 3.0, True, "updates/s against aiogram"),
    Target("updates_per_s", "conversationhandler", 4.0, True, "updates/s against ConversationHandler"),
    Target("updates_per_s", "bare-taps", 0.90, True, "updates/s against the bare loop with taps"),
    Target("cpu_ms", "bare-taps", 1.10, False, "CPU an update against it"),
    Target("updates_per_s", "ours-unsealed", 0.95, True, "updates/s against ours without sealing"),
    Target("cpu_ms", "ours-unsealed", 1.10, False, "CPU an update against it"),
    Target("p99_ms", None, 130.0, False, "p99, ms"),
    Target("rss_mib", None, 100.0, False, "peak memory, MiB"),
)


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a process group that we started: politely, then not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            return
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            continue


async def read_line(stream: asyncio.StreamReader, timeout_s: float) -> dict[str, Any]:
    """The next JSON line of the load."""
    line = await asyncio.wait_for(stream.readline(), timeout_s)
    if not line:
        raise RuntimeError("the load ended without a result")
    value: dict[str, Any] = orjson.loads(line)
    return value


def environment(address: dict[str, Any], data_dir: Path) -> dict[str, str]:
    """What every bot is given; a setting of the caller's own shell does not reach it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return kept | {
        "DATA_DIR": str(data_dir),
        "TELEGRAM_TOKEN": address["token"],
        "TELEGRAM_API_URL": address["url"],
        "TELEGRAM_MODE": "poll",
        "WEB_PORT": "0",
        "PYTHONPATH": str(ROOT),
    }


async def measure(contender: Contender, args: argparse.Namespace) -> dict[str, Any]:
    """One run of one bot: the load's figures with CPU and memory of the bot."""
    folder = Path(tempfile.mkdtemp(prefix=f"bench-{contender.name}-"))
    data_dir, output = folder / "data", folder / "output.log"
    data_dir.mkdir()
    load = await asyncio.create_subprocess_exec(
        *(PYTHON, "-m", "benchmarks.load", "--table", contender.table, "--users", str(args.users)),
        *("--seconds", str(args.seconds), "--warmup-s", str(contender.warmup_s), "--start-s", str(args.start_s)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
    )
    bot: asyncio.subprocess.Process | None = None
    try:
        assert load.stdout is not None
        address = await read_line(load.stdout, 20.0)
        command = contender.command
        if contender.table == "ours" and not args.ours:
            township = await asyncio.to_thread(example_with, folder / "township", NO_FLOOD_LIMIT)
            command = (*command, "--example", str(township))
        with output.open("wb") as log:
            bot = await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                start_new_session=True,
                stdout=log,
                stderr=log,
                env=environment(address, data_dir) | contender.env,
            )
        result = await watch(load.stdout, bot.pid, args.start_s + contender.warmup_s + 10, args.seconds + 20)
        if "error" in result:
            result["log"] = output.read_text(errors="replace")[-2000:]
        return result
    finally:
        for process in (bot, load):
            if process is not None:
                await stop(process)
        shutil.rmtree(folder, ignore_errors=True)


async def watch(load: asyncio.StreamReader, pid: int, warm_s: float, run_s: float) -> dict[str, Any]:
    """The load's result, with what the bot used between the window's opening and its end."""
    line = await read_line(load, warm_s)
    if "window" not in line:
        return line
    before_s = cpu_s(pid)
    line = await read_line(load, run_s)
    used_s = cpu_s(pid) - before_s
    if "updates" in line:
        line |= {"cpu_ms": used_s * 1000 / line["updates"], "cpu_share": used_s / line["wall_s"]}
        line["rss_mib"] = peak_rss_mib(pid)
    return line


def medians(rounds: Sequence[Results]) -> Results:
    """Each bot's figures over the rounds: the median of a number; of all else, what the last round says."""
    found: Results = {}
    for name, last in rounds[-1].items():
        whole = [one[name] for one in rounds if "updates" in one[name]]
        found[name] = (
            last
            if len(whole) < len(rounds)
            else last
            | {
                key: median([one[key] for one in whole])
                for key, value in last.items()
                if isinstance(value, int | float) and key not in ("updates", "stuck")
            }
        )
    return found


def show(rounds: Sequence[Results]) -> bool:
    """Print the table and the targets; whether every target that could be computed is met."""
    results = medians(rounds)
    head = f"{'bot':<20}{'updates/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms/up':>11}{'peak MiB':>10}"
    print(head + f"{'batch':>7}{'calls/up':>10}{'bot CPU':>9}{'load CPU':>10}{'stuck':>7}")
    for name, one in results.items():
        if "updates" not in one:
            print(f"{name:<20}{one.get('skipped') or one.get('error')}")
            for key in ("unmatched", "log"):
                if one.get(key):
                    print(f"    {key}: {one[key]}")
            continue
        sends = sum(count for method, count in one["calls"].items() if method != "getUpdates") / one["updates"]
        print(
            f"{name:<20}{one['updates_per_s']:>10.0f}{one['p50_ms']:>9.1f}{one['p99_ms']:>9.1f}{one['cpu_ms']:>11.3f}"
            f"{one['rss_mib']:>10.1f}{one['mean_batch']:>7.1f}{sends:>10.2f}{one['cpu_share']:>9.0%}"
            f"{one['load_cpu']:>10.0%}{one['stuck']:>7}"
        )
        if one["stuck"]:
            print(f"    stuck on: {one['stuck_on']}")
    good = True
    print()
    for target in TARGETS:
        value = target.of_rounds(rounds)
        sign = "≥" if target.at_least else "≤"
        verdict = "not measured" if value is None else "met" if target.met(value) else "NOT MET"
        good = good and verdict != "NOT MET"
        shown = "–" if value is None else f"{value:.2f}"
        print(f"{target.text:<42}{shown:>8}   {sign} {target.bound:g}   {verdict}")
    return good


async def run(args: argparse.Namespace) -> bool:
    """All the runs asked for, one after the other; stopped half-way, it stops what it started."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    wanted = args.bots.split(",")
    unknown = set(wanted) - {one.name for one in CONTENDERS}
    if unknown:
        raise SystemExit(f"unknown bots: {', '.join(sorted(unknown))}")
    rounds = [await play_round(args, wanted) for _ in range(args.rounds)]
    if args.json:
        Path(args.json).write_bytes(orjson.dumps(medians(rounds), option=orjson.OPT_INDENT_2))
    return show(rounds)


async def play_round(args: argparse.Namespace, wanted: Sequence[str]) -> Results:
    """Each bot that is asked for, once."""
    results: Results = {}
    extra = dict(pair.split("=", 1) for pair in args.ours_env)
    for contender in CONTENDERS:
        if contender.name not in wanted:
            continue
        if contender.name == "ours":
            command = tuple(shlex.split(args.ours)) if args.ours else contender.command
            contender = replace(contender, command=command, env=contender.env | extra)
        print(f"running {contender.name} …", file=sys.stderr, flush=True)
        results[contender.name] = await measure(contender, args)
    return results


def main() -> None:
    """Command line; exit 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bots", default=",".join(one.name for one in CONTENDERS if one.name != "bare"))
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--start-s", type=float, default=60.0, help="how long a bot may take to its first poll")
    parser.add_argument("--ours", default="", help="another command for ours")
    parser.add_argument("--ours-env", action="append", default=[], metavar="NAME=VALUE", help="a setting for ours")
    parser.add_argument("--json", default="", help="also write the figures to this file")
    sys.exit(0 if asyncio.run(run(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
