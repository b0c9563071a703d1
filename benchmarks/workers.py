"""Durable updates a second on PostgreSQL with 1, 2 and 4 workers, what they cost, and what binds.

    python -m benchmarks.workers [--workers 1,2,4] [--townships 1,4] [--seconds 12]

Every update is one commit before it is acknowledged, is handled in its township's turn, and its answer is sent and
written down. Each worker's people belong to the townships that it delivers for; the server runs beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.server import ServerCpu
from storage.engine.opening import open_database
from storage.machine import townships as every_township
from tests.postgres import PostgresServer, name_of
from tests.stories.template import make_template

ROOT = Path(__file__).resolve().parent.parent
NO_FLOOD_LIMIT = 100_000
TALKERS = 120
ASKED_PER_S = 500
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Rate:
    """What all workers together did."""

    updates_per_s: float
    bot_ms: float
    server_ms: float
    p99_ms: float
    busy: float

    def __str__(self) -> str:
        return (
            f"{self.updates_per_s:6,.0f} updates/s, CPU an update: bot {self.bot_ms:.3f} ms, server"
            f" {self.server_ms:.3f} ms, p99 {self.p99_ms:.0f} ms, {self.busy:.0%} of {os.cpu_count()} cores"
        )


async def make_towns(server: PostgresServer, count: int) -> str:
    """A template database with that many townships; its name."""
    url = await server.fresh()
    for township_id in range(1, count + 1):
        await make_template(url, messages_per_minute=NO_FLOOD_LIMIT, township_id=township_id)
    database = await open_database(url)
    assert len(await database.read(every_township.every_id)) == count
    await database.close()
    return name_of(url)


async def measure(server: PostgresServer, template: str, workers: int, townships: int, seconds: float) -> Rate:
    """Let that many workers serve that many townships."""
    url = await server.fresh(template)
    folder = Path(tempfile.mkdtemp(prefix="bench-workers-"))
    try:
        share = townships // workers
        processes = [await _start(url, folder, share, TALKERS // workers, seconds) for _ in range(workers)]
        for process in processes:
            said = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
            assert said == b"ready\n", said
        cpu = ServerCpu(server)
        for process in processes:
            process.stdin.write(b"go\n")
            await process.stdin.drain()
        await asyncio.sleep(4)
        await ServerCpu.analyze(url)
        await asyncio.sleep(2)
        before = cpu.seconds()
        await asyncio.sleep(seconds)
        server_s = cpu.seconds() - before
        found = [json.loads(await asyncio.wait_for(one.stdout.readline(), PATIENCE_S)) for one in processes]
        for process in processes:
            await process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        await server.drop(url)
    updates = sum(one["updates"] for one in found)
    bot_s, wall_s = sum(one["cpu_s"] for one in found), max(one["wall_s"] for one in found)
    return Rate(
        updates / wall_s,
        bot_s / updates * 1000,
        server_s / updates * 1000,
        max(one["p99_ms"] for one in found),
        (bot_s + server_s) / wall_s / (os.cpu_count() or 1),
    )


async def _start(url: str, folder: Path, share: int, talkers: int, seconds: float) -> Any:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.worker", "--url", url, "--folder", str(folder),
        "--share", str(share), "--talkers", str(talkers), "--seconds", str(seconds),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def run_all(server: PostgresServer, counts: list[int], towns: list[int], seconds: float) -> dict[str, float]:
    """Measure each, and say whether one worker does what is asked. A township is one worker's at a time."""
    figures: dict[str, float] = {}
    for townships in towns:
        template = await make_towns(server, townships)
        for workers in [count for count in counts if count <= townships]:
            rate = await measure(server, template, workers, townships, seconds)
            print(
                f"{townships} township{'s' * (townships > 1)}, {workers} worker{'s' * (workers > 1)}: {rate}",
                flush=True,
            )
            figures[f"workers.{townships}_townships.{workers}_workers.updates_per_s"] = rate.updates_per_s
    alone = [rate_per_s for name, rate_per_s in figures.items() if ".1_workers." in name]
    verdict = "met" if alone and min(alone) >= ASKED_PER_S else "NOT met"
    print(f"durable updates/s with one worker, asked {ASKED_PER_S}: {verdict}")
    return figures


def run(counts: str = "1,2,4", towns: str = "1,4", seconds: float = 12.0) -> dict[str, float]:
    """Start a server, measure, stop it."""
    server = PostgresServer(durable=True)
    try:
        numbers, places = ([int(one) for one in said.split(",")] for said in (counts, towns))
        return asyncio.run(run_all(server, numbers, places, seconds))
    finally:
        server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--townships", default="1,4")
    parser.add_argument("--seconds", type=float, default=12.0)
    chosen = parser.parse_args()
    run(chosen.workers, chosen.townships, chosen.seconds)
