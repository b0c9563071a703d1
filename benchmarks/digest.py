"""A day's digest in a township with a million cases and a million film tickets, their events and their transfers.

    python -m benchmarks.digest [--rows 1000000]

The rows lie over one year in a temporary file; measured is everything from the first query to the finished text,
for the newest day and for one a year ago, of the whole township and of one village.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import EPOCH_MS, SystemDice, TimeIds
from bot.i18n import Catalogues
from bot.turn import Desk
from handlers.areas.importer import import_folder
from handlers.digests import rules
from handlers.digests.figures import figures, period_of, read
from handlers.world_cache import Worlds
from storage.database import Tx
from storage.engine.migrate import migrate
from storage.engine.sqlite import SqliteDatabase

EXAMPLE = Path(__file__).parents[1] / "examples" / "township"
ZONE = ZoneInfo("Asia/Shanghai")
TARGET_S = 0.5
ROWS = 1_000_000
REPEATS = 7
DAY_MS = 86_400_000
LAST_DAY = date(2026, 12, 30)
END_MS = int(datetime(2026, 12, 30, 18, 0, 1, tzinfo=ZONE).timestamp() * 1000)
SPAN_MS = 363 * DAY_MS  # the example's policy holds from 2026-01-01
BEGIN_MS = END_MS - SPAN_MS

# `i` counts the rows; `ms` spreads them over the year; ids grow with the time, as the program's do.
ROWS_SQL = f"""
WITH RECURSIVE counted (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM counted WHERE i + 1 < :rows),
timed AS (SELECT i, {BEGIN_MS} + i * {SPAN_MS} / :rows AS ms FROM counted),
each_row AS (
    SELECT i, ms, ((ms - {EPOCH_MS}) << 12) + :slot AS id, p.village_id, p.area_id
    FROM timed JOIN temp.bench_places p ON p.place = i % (SELECT COUNT(*) FROM temp.bench_places)
)
"""
# Of a hundred cases 80 are true, 12 not, 7 repeated, and one is never decided; a decision takes 4 to 28 hours.
DECIDED = "ms + 14400000 + (i * 7919 % 24) * 3600000"
EVENT = "CASE WHEN i % 100 < 80 THEN 'verified' WHEN i % 100 < 92 THEN 'rejected' ELSE 'duplicate' END"
IS_DECIDED = f"i % 100 < 99 AND {DECIDED} < {END_MS}"
FILLS = (
    (
        "cases",
        1,
        f"""
INSERT INTO cases (township_id, id, number, kind, state, area_id, place, statement, urgent, received_ms,
    verify_due_ms, late_ms, decided_ms, points, policy_version, claim_salt, claim_hash)
SELECT 1, id, '2026-' || substr('000000' || i, -7), 'dumping',
    CASE WHEN {IS_DECIDED} THEN {EVENT} ELSE 'registered' END, area_id, '桥头', '桥头有人倒垃圾', 0, ms,
    ms + 86400000, ms + 86400000, CASE WHEN {IS_DECIDED} THEN {DECIDED} END, 5, 1, 'salt', 'hash' FROM each_row""",
    ),
    (
        "case events: registered",
        2,
        """
INSERT INTO case_events (township_id, id, case_id, event, area_id, points, reason, note, policy_version, at_ms)
SELECT 1, id, id - 1, 'registered', area_id, 5, '', '', 1, ms FROM each_row""",
    ),
    (
        "case events: decided",
        3,
        f"""
INSERT INTO case_events (township_id, id, case_id, event, area_id, points, person_id, reason, note, policy_version,
    at_ms)
SELECT 1, id, id - 2, {EVENT}, area_id, 5, 7, '', '', 1, {DECIDED} FROM each_row WHERE {IS_DECIDED}""",
    ),
    (
        "points promised",
        4,
        """
INSERT INTO transfers (township_id, id, source, destination, amount, unit, transfer_key, input_hash, reason, ref,
    policy_version, at_ms)
SELECT 1, id, 'programme:reports', 'hold:case:' || (id - 3), 5, 'points', 'case:' || (id - 3) || ':promise', '',
    'report_pending', 'case:' || (id - 3), 1, ms FROM each_row""",
    ),
    (
        "points settled",
        5,
        f"""
INSERT INTO transfers (township_id, id, source, destination, amount, unit, transfer_key, input_hash, reason, ref,
    policy_version, at_ms)
SELECT 1, id, 'hold:case:' || (id - 4),
    CASE WHEN i % 100 < 80 THEN 'person:' || (i % 5000) ELSE 'programme:reports' END,
    5, 'points', 'case:' || (id - 4) || ':settle', '', 'report_' || {EVENT}, 'case:' || (id - 4), 1, {DECIDED}
FROM each_row WHERE {IS_DECIDED}""",
    ),
    (
        "tickets",
        6,
        """
INSERT INTO film_tickets (township_id, id, number, household_id, village_id, area_id, operator_id, kind, gross_g,
    tare_g, net_g, impurity_bp, accepted_g, policy_version, county_rate_e4, township_rate_e4, points_rate_e4,
    points_left, county_fen, township_fen, points, weighed_ms, created_ms)
SELECT 1, id, '2026-' || i, 1000 + i % 5000, village_id, area_id, 9, 'mulch', 15600, 0, 15600, 0, 15600, 1, 1000000,
    500000, 10000, 500, 1560, 780, 15, ms, ms FROM each_row""",
    ),
    (
        "ticket events",
        7,
        """
INSERT INTO film_ticket_events (township_id, id, ticket_id, kind, by_person, village_id, accepted_g, county_fen,
    township_fen, points, at_ms)
SELECT 1, id, id - 1, CASE WHEN i % 50 = 0 THEN 'held' ELSE 'counted' END, 9, village_id,
    CASE WHEN i % 50 = 0 THEN 0 ELSE 15600 END, CASE WHEN i % 50 = 0 THEN 0 ELSE 1560 END,
    CASE WHEN i % 50 = 0 THEN 0 ELSE 780 END, CASE WHEN i % 50 = 0 THEN 0 ELSE 15 END, ms FROM each_row""",
    ),
    (
        "held tickets approved",
        8,
        f"""
INSERT INTO film_ticket_events (township_id, id, ticket_id, kind, by_person, village_id, accepted_g, county_fen,
    township_fen, points, at_ms)
SELECT 1, id, id - 2, 'approved', 7, village_id, 15600, 1560, 780, 15, {DECIDED} FROM each_row
WHERE i % 50 = 0 AND i % 1000 <> 0 AND {DECIDED} < {END_MS}""",
    ),
    *(
        (
            f"paid: {part}",
            slot,
            f"""
INSERT INTO transfers (township_id, id, source, destination, amount, unit, transfer_key, input_hash, reason, ref,
    policy_version, at_ms)
SELECT 1, id, '{source}', 'household:' || (1000 + i % 5000), {amount}, '{unit}',
    'ticket:' || (id - {slot - 6}) || ':{part}', '', 'film_{part}', 'ticket:' || (id - {slot - 6}), 1, ms
FROM each_row WHERE i % 50 > 0""",
        )
        for part, slot, source, amount, unit in (
            ("county", 9, "fund:county", 1560, "fen"),
            ("township", 10, "fund:township", 780, "fen"),
            ("points", 11, "programme:film", 15, "points"),
        )
    ),
)


class FixedClock:
    """Just after the last day's hour."""

    def now_ms(self) -> int:
        return END_MS


async def make(path: Path) -> None:
    """The example township, imported before the year began."""
    migrate(path, now_ms=BEGIN_MS)
    database = await SqliteDatabase.open(path)
    ids = TimeIds(FixedClock(), after=1 << 20)

    async def work(tx: Tx) -> object:
        return await import_folder(tx, EXAMPLE, now_ms=BEGIN_MS - DAY_MS, ids=ids)

    await database.transaction(work)
    await database.close()


def fill(path: Path, rows: int) -> int:
    """Write the year; how many rows. The indexes are dropped meanwhile and built at the end, which is faster."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    tables = "('cases', 'case_events', 'transfers', 'film_tickets', 'film_ticket_events')"
    indexes = connection.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN {tables}"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    connection.execute(
        "CREATE TEMP TABLE bench_places AS SELECT ROW_NUMBER() OVER (ORDER BY area_id) - 1 AS place, area_id,"
        " CASE level WHEN 'village' THEN area_id ELSE parent_id END AS village_id FROM areas"
        " WHERE until_ms IS NULL AND level <> 'town'"
    )
    connection.execute("CREATE UNIQUE INDEX temp.bench_place ON bench_places (place, area_id, village_id)")
    before = connection.total_changes
    connection.execute("BEGIN")
    for name, slot, statement in FILLS:
        connection.execute(ROWS_SQL.strip() + statement, {"rows": rows, "slot": slot})
        _progress(name)
    connection.execute("COMMIT")
    written = connection.total_changes - before
    for name, sql in indexes:
        connection.execute(sql)
        _progress(f"index {name}")
    connection.close()
    _progress("")
    return written


def _progress(doing: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{doing}")
        sys.stderr.flush()


async def measure(path: Path, day: date, *, village: bool) -> tuple[float, float, str]:
    """The median and the slowest of some runs in seconds, and the text."""
    database = await SqliteDatabase.open(path)
    catalogue = Catalogues(ZONE)
    worlds = Worlds(ZONE, "")
    clock = FixedClock()
    taken: list[float] = []
    words = ""

    async def work(tx: Tx) -> str:
        world = await worlds.load(tx, END_MS)
        desk = Desk(tx=tx, now_ms=END_MS, ids=TimeIds(clock), dice=SystemDice(), catalogues=catalogue, world=world)
        period = await period_of(desk, day)
        assert period is not None and world.places.town is not None
        roots = {world.places.villages[0].area_id if village else world.places.town.area_id}
        found = await figures(desk, await read(desk, period), roots)
        return catalogue["zh_CN"].out(rules.compose(found, with_buttons=True)).text

    await database.read(lambda tx: worlds.load(tx, END_MS))
    for _ in range(REPEATS):
        began = time.perf_counter()
        words = await database.read(work)
        taken.append(time.perf_counter() - began)
    await database.close()
    return statistics.median(taken), max(taken), words


def run(rows: int = ROWS) -> dict[str, Any]:
    """Fill, measure, throw away. `seconds` is the slowest median; `met` whether every run kept within the target."""
    days = {"newest day": LAST_DAY, "a year ago": LAST_DAY - timedelta(days=360)}
    with tempfile.TemporaryDirectory(prefix="bench-digest-") as folder:
        path = Path(folder) / "jingxiang.db"
        began = time.perf_counter()
        asyncio.run(make(path))
        written = fill(path, rows)
        filled_s = time.perf_counter() - began
        found = {
            f"{name}, {'a village' if village else 'whole township'}": asyncio.run(measure(path, day, village=village))
            for name, day in days.items()
            for village in (False, True)
        }
        size_mib = path.stat().st_size / 2**20
    return {
        "cases": rows,
        "tickets": rows,
        "rows": written,
        "filled_s": filled_s,
        "size_mib": size_mib,
        "each": {name: {"median_s": median, "slowest_s": slowest} for name, (median, slowest, _) in found.items()},
        "seconds": max(median for median, _, _ in found.values()),
        "slowest_s": max(slowest for _, slowest, _ in found.values()),
        "target_s": TARGET_S,
        "met": max(slowest for _, slowest, _ in found.values()) <= TARGET_S,
        "text": found["newest day, whole township"][2],
    }


def main() -> dict[str, float]:
    """Print the figures and whether the target was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--text", action="store_true", help="print the digest too")
    args, _ = parser.parse_known_args()
    found = run(args.rows)
    print(
        f"{found['cases']:,} cases, {found['tickets']:,} tickets: {found['rows']:,} rows"
        f" ({found['size_mib']:.0f} MiB) written in {found['filled_s']:.0f} s"
    )
    for name, each in found["each"].items():
        print(f"  {name:<28} {each['median_s']:.3f} s (slowest of {REPEATS}: {each['slowest_s']:.3f} s)")
    print(f"digest ≤ {found['target_s']} s: {'met' if found['met'] else 'NOT met'} ({found['slowest_s']:.3f} s)")
    if args.text:
        print(found["text"])
    return {"digest.slowest_s": found["slowest_s"]}


if __name__ == "__main__":
    main()
