"""How many bytes a person, an update and a report take on each engine, and how much PostgreSQL writes ahead.

    python -m benchmarks.sizes

The figures of `docs/scale.md`.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from benchmarks.crowding import fill
from benchmarks.scale import NO_FLOOD_LIMIT, ROUNDS, TALKERS, WARM_UP, converse
from bot.app import build
from bot.settings import Settings
from storage.engine.opening import sqlite_path
from tests.postgres import PostgresServer
from tests.stories.template import make_template

PEOPLE = 50_000
TABLES = (
    "SELECT relname AS name, pg_total_relation_size(c.oid) AS bytes FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'"
)


async def tables_of(url: str) -> dict[str, int]:
    """Bytes of each table with its indexes; of a file, the whole."""
    path = sqlite_path(url)
    if path is not None:
        return {"file": path.stat().st_size + Path(f"{path}-wal").stat().st_size}
    connection = await asyncpg.connect(url)
    await connection.execute("CHECKPOINT")
    found = {row["name"]: int(row["bytes"]) for row in await connection.fetch(TABLES)}
    found["wal"] = int(await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
    await connection.close()
    return found


def growth(after: Mapping[str, int], before: Mapping[str, int], *, but: str = "wal") -> int:
    """Bytes more, without what is not kept."""
    return sum(size - before.get(name, 0) for name, size in after.items() if name != but)


async def measure(url: str, folder: Path) -> None:
    """Fill, converse, and print what grew."""
    await make_template(url, messages_per_minute=NO_FLOOD_LIMIT)
    settings = Settings(_env_file=None, data_dir=folder, database_url=url)
    app = await build(settings, parts=("intake", "delivery"))
    empty = await tables_of(url)
    await fill(url, PEOPLE)
    filled = await tables_of(url)
    print(f"  a person (contact, session, one update, one message): {growth(filled, empty) / PEOPLE:,.0f} bytes")
    await converse(app, PEOPLE, None)
    talked = await tables_of(url)
    updates = TALKERS * (ROUNDS + WARM_UP)
    print(f"  an update of the report conversation, all tables: {growth(talked, filled) / updates:,.0f} bytes")
    if "wal" in talked:
        print(f"  written ahead for it: {(talked['wal'] - filled['wal']) / updates:,.0f} bytes")
        parts = {name: (size - filled.get(name, 0)) / updates for name, size in talked.items() if name != "wal"}
        largest = sorted(parts.items(), key=lambda pair: -pair[1])[:8]
        print("  of which " + ", ".join(f"{name} {size:,.0f}" for name, size in largest))
    await app.database.close()


def run() -> None:
    """Both engines."""
    folder = Path(tempfile.mkdtemp(prefix="bench-sizes-"))
    server = PostgresServer(durable=True)
    try:
        for name, url in (("sqlite", f"sqlite:///{folder / 'town.db'}"), ("postgres", asyncio.run(server.fresh()))):
            print(f"{name}:")
            asyncio.run(measure(url, folder))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run()
