"""What one update costs with a thousand people stored, and with a million, on each engine.

    python -m benchmarks.scale [--people 1000,1000000] [--engines sqlite,postgres]

The report conversation goes through inbox, intake and outbox of the real program; only the network is left out.
Each size is measured twice, in turn, and the better one counts.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.crowding import fill
from benchmarks.server import ServerCpu
from benchmarks.talkers import FIRST_ID, Talker
from bot.app import App, build
from bot.settings import Settings
from bot.stored import load_out
from storage.database import Tx
from storage.machine import outbox
from tests.postgres import PostgresServer
from tests.stories.template import make_template

TALKERS = 200
ROUNDS, WARM_UP = 18, 4
FLAT = 0.20
TIMES = 2  # the sizes in turn, the better of each: a machine's own ups and downs are as large as what is measured
NO_FLOOD_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds an update: this process's CPU, the server's, and on the clock."""

    bot_ms: float
    server_ms: float
    wall_ms: float

    @property
    def cpu_ms(self) -> float:
        """All CPU."""
        return self.bot_ms + self.server_ms


async def answers(app: App, talkers: list[Talker]) -> dict[str, Any]:
    """The newest message for each."""

    async def work(tx: Tx) -> dict[str, Any]:
        found = {}
        for talker in talkers:
            newest = await outbox.of_address(
                tx, talker.address, now_ms=app.clock.now_ms(), after_id=talker.seen, limit=1, newest=True
            )
            for row in newest:
                talker.seen = row["id"]
                found[talker.address] = load_out(row["body"])
        return found

    return await app.database.read(work)


async def converse(app: App, people: int, server: ServerCpu | None) -> Cost:
    """Let two hundred of them talk."""
    talkers = [Talker(FIRST_ID + at * (people // TALKERS)) for at in range(TALKERS)]
    batch = [talker.post(kind="text", text="/report") for talker in talkers]
    updates, bot_s, server_s, wall_s = 0, 0.0, 0.0, 0.0
    for number in range(ROUNDS + WARM_UP):
        if number == WARM_UP and server:
            await server.analyze(app.settings.database)
        bot, wall, other = time.process_time(), time.perf_counter(), server.seconds() if server else 0.0
        await app.intake.accept(batch)
        while await app.intake.step(1):
            pass
        await app.outgoing.settle()
        if number >= WARM_UP:
            updates += len(batch)
            bot_s += time.process_time() - bot
            wall_s += time.perf_counter() - wall
            server_s += (server.seconds() if server else 0.0) - other
        found = await answers(app, talkers)
        batch = [talker.next(found[talker.address]) for talker in talkers if talker.address in found]
    return Cost(bot_s / updates * 1000, server_s / updates * 1000, wall_s / updates * 1000)


async def measure(people: int, url: str, folder: Path, server: ServerCpu | None) -> Cost:
    """The cost of an update with that many people stored."""
    await make_template(url, messages_per_minute=NO_FLOOD_LIMIT)
    await fill(url, people)
    settings = Settings(_env_file=None, data_dir=folder, database_url=url)
    app = await build(settings, parts=("intake", "delivery"))
    try:
        return await converse(app, people, server)
    finally:
        await app.database.close()


def measure_on(engine: str, people: int) -> Cost:
    """With a database of its own."""
    folder = Path(tempfile.mkdtemp(prefix="bench-scale-"))
    server = PostgresServer(durable=True) if engine == "postgres" else None
    try:
        if server is None:
            return asyncio.run(measure(people, f"sqlite:///{folder / 'town.db'}", folder, None))
        url = asyncio.run(server.fresh())
        return asyncio.run(measure(people, url, folder, ServerCpu(server)))
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(
    counts: tuple[int, ...] = (1_000, 1_000_000), engines: tuple[str, ...] = ("sqlite", "postgres")
) -> dict[str, float]:
    """Measure each size on each engine, and say whether the cost is flat; the figures."""
    figures: dict[str, float] = {}
    for engine in engines:
        measured = [(people, measure_on(engine, people)) for _ in range(TIMES) for people in counts]
        found = {
            people: min((cost for size, cost in measured if size == people), key=lambda cost: cost.cpu_ms)
            for people in counts
        }
        for people, cost in found.items():
            split = f" (bot {cost.bot_ms:.3f}, server {cost.server_ms:.3f})" if cost.server_ms else ""
            print(f"{engine}, {people:>9,} people: {cost.cpu_ms:.3f} ms CPU{split}, {cost.wall_ms:.3f} ms an update")
        ratio = found[counts[-1]].cpu_ms / found[counts[0]].cpu_ms
        figures |= {f"scale.{engine}.{people}.cpu_ms": cost.cpu_ms for people, cost in found.items()}
        figures[f"scale.{engine}.ratio"] = ratio
        verdict = "met" if abs(ratio - 1) <= FLAT else "NOT met"
        print(f"{engine}, cost from {counts[0]:,} to {counts[-1]:,} people: ×{ratio:.2f} (flat ±20 %: {verdict})")
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", default="1000,1000000")
    parser.add_argument("--engines", default="sqlite,postgres")
    chosen = parser.parse_args()
    run(tuple(int(one) for one in chosen.people.split(",")), tuple(chosen.engines.split(",")))
