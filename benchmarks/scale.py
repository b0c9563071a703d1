"""What one update costs with a thousand people stored, and with a million.

    python -m benchmarks.scale [--people 1000,1000000]

The report conversation goes through inbox, intake and outbox of the real program; only the network is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.app import App, build
from bot.channels.base import Raw
from bot.settings import Settings
from bot.turn import load_out
from storage.database import Tx
from tests.stories.template import make_template

TALKERS = 200
ROUNDS = 3
FLAT = 0.20
LEADS_ON = ("同意", "提交", "倾倒", "乱倒", "跳过", "实名")


def address_of(number: int) -> str:
    """A web address as real ones are: a SHA-256 in hexadecimal."""
    return f"web:{hashlib.sha256(str(number).encode()).hexdigest()}"


def fill(path: Path, people: int) -> None:
    """Store `people` people with a contact, a session, an old update and an old message each."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA cache_size=-400000")
        start = 1 << 40

        def ids() -> Iterator[int]:
            return iter(range(start, start + people))

        session = json.dumps({"rev": 9, "frames": []})
        connection.executemany(
            "INSERT INTO people (township_id, id, name, language, consent_version, created_ms)"
            " VALUES (1, ?, '某人', 'zh_CN', 1, 1)",
            ((one,) for one in ids()),
        )
        connection.executemany(
            "INSERT INTO contacts (township_id, channel, address, person_id, created_ms, last_in_ms)"
            " VALUES (1, 'web', ?, ?, 1, 1)",
            ((address_of(one), one) for one in ids()),
        )
        connection.executemany("INSERT INTO sessions VALUES (1, ?, ?, 1)", ((one, session) for one in ids()))
        connection.executemany(
            "INSERT INTO inbox (township_id, id, channel, update_key, address, body, received_ms, due_ms, state)"
            " VALUES (1, ?, 'web', ?, ?, ?, 1, 1, 'done')",
            ((one, f"k{one}", address_of(one), b"{}") for one in ids()),
        )
        connection.executemany(
            "INSERT INTO outbox (township_id, id, person_id, channel, address, body, created_ms, due_ms, state)"
            " VALUES (1, ?, ?, 'web', ?, '{}', 1, 1, 'sent')",
            ((one, one, address_of(one)) for one in ids()),
        )
    connection.close()


class Talker:
    """One of the people stored, who reports a dump again and again."""

    def __init__(self, number: int) -> None:
        self.address = address_of(number)
        self.seen = 0
        self.sent = 0

    def post(self, **body: Any) -> Raw:
        self.sent += 1
        content = json.dumps({"id": f"m{self.sent}-{self.address[-16:]}", **body}, ensure_ascii=False).encode()
        return Raw("web", f"{self.address}:{self.sent}", self.address, content)

    def next(self, out: Any) -> Raw:
        """Press what leads on; begin again when nothing does."""
        for row in out.rows:
            for label, data, _ in row:
                if (
                    any(word in label for word in ("同意", "提交", "倾倒", "乱倒", "跳过", "实名"))
                    and "不同意" not in label
                ):
                    return self.post(kind="tap", text=label, data=data)
        if out.ask == "place":
            return self.post(kind="text", text="王家沟桥头")
        return self.post(kind="text", text="/report")


async def answers(app: App, talkers: list[Talker]) -> dict[str, Any]:
    """The newest message for each."""

    async def work(tx: Tx) -> dict[str, Any]:
        found = {}
        for talker in talkers:
            row = await tx.one(
                "SELECT id, body FROM outbox WHERE township_id = :t AND address = :address AND id > :seen"
                " ORDER BY id DESC LIMIT 1",
                {"address": talker.address, "seen": talker.seen},
            )
            if row is not None:
                talker.seen = row["id"]
                found[talker.address] = load_out(row["body"])
        return found

    return await app.database.read(work)


async def measure(people: int) -> dict[str, float]:
    """CPU milliseconds and wall milliseconds an update."""
    folder = Path(tempfile.mkdtemp(prefix="bench-scale-"))
    try:
        await make_template_async(folder / "jingxiang.db")
        await asyncio.to_thread(fill, folder / "jingxiang.db", people)
        app = await build(Settings(_env_file=None, data_dir=folder), serve_web=False)
        talkers = [Talker((1 << 40) + at * (people // TALKERS)) for at in range(TALKERS)]
        batch = [talker.post(kind="text", text="/report") for talker in talkers]
        updates, cpu_s, wall_s = 0, 0.0, 0.0
        for round_ in range(ROUNDS * 6 + 4):
            cpu, wall = time.process_time(), time.perf_counter()
            await app.intake.accept(batch)
            while await app.intake.step():
                pass
            await app.delivery.settle()
            if round_ >= 4:
                updates += len(batch)
                cpu_s += time.process_time() - cpu
                wall_s += time.perf_counter() - wall
            found = await answers(app, talkers)
            batch = [talker.next(found[talker.address]) for talker in talkers if talker.address in found]
        await app.database.close()
        return {"cpu_ms": cpu_s / updates * 1000, "wall_ms": wall_s / updates * 1000, "updates": updates}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def make_template_async(path: Path) -> None:
    """The example township, without a flood limit that a benchmark would hit."""
    await make_template(path, messages_per_minute=100_000)


async def run(counts: tuple[int, ...] = (1_000, 1_000_000)) -> bool:
    """Measure each size; whether the cost is flat."""
    found = {}
    for people in counts:
        found[people] = await measure(people)
        print(f"{people:>9,} people: {found[people]['cpu_ms']:.3f} ms CPU, {found[people]['wall_ms']:.3f} ms an update")
    ratio = found[counts[-1]]["cpu_ms"] / found[counts[0]]["cpu_ms"]
    met = abs(ratio - 1) <= FLAT
    verdict = "met" if met else "NOT met"
    print(f"cost an update from {counts[0]:,} to {counts[-1]:,} people: ×{ratio:.2f} (flat ±20 %: {verdict})")
    return met


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", default="1000,1000000")
    asyncio.run(run(tuple(int(one) for one in parser.parse_args().people.split(","))))
