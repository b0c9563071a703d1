"""What SQLite's planner is told of the tables: that a township is not selective, and what is.

Every key begins with `township_id`, which has one value in a town. Without statistics SQLite takes the first column of
a key for selective and reads a whole table where an index would find one row; `ANALYZE` on a new database learns
nothing. So the statistics of a grown town are written by rule, at every migration (docs/decisions/0006).
"""

from __future__ import annotations

import sqlite3

ROWS = 1_000_000
PARTIAL_ROWS = 1_000
REFERENCE_ROWS = {
    "townships": 1, "policies": 10, "stations": 50, "areas": 200, "landmarks": 200, "roles": 500,
    "households": 20_000, "household_members": 20_000, "household_names": 60_000,
}  # fmt: skip
FEW = 10
SHARED_BY_MANY = 20
COARSE = {
    "state", "kind", "unit", "area_id", "village_id", "channel", "role", "level", "event", "reason", "relation",
    "metric", "source_kind", "year",
}  # fmt: skip


def write_statistics(connection: sqlite3.Connection) -> None:
    """Replace the planner's statistics for every index of the database."""
    connection.execute("ANALYZE sqlite_schema")
    connection.execute("CREATE TABLE IF NOT EXISTS statistics_seed (x INTEGER)")
    connection.execute("INSERT INTO statistics_seed VALUES (1)")
    connection.execute("ANALYZE statistics_seed")  # makes sqlite_stat1, if it isn't there yet
    connection.execute("DROP TABLE statistics_seed")
    connection.execute("DELETE FROM sqlite_stat1")
    for table in _tables(connection):
        rows = [
            (table, table if origin == "pk" else name, _estimate(connection, table, name, bool(unique), bool(partial)))
            for _, name, unique, origin, partial in connection.execute(f"PRAGMA index_list({table})").fetchall()
        ]
        connection.executemany("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", rows)
    connection.execute("ANALYZE sqlite_schema")


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [row[0] for row in found.fetchall()]


def _estimate(connection: sqlite3.Connection, table: str, index: str, unique: bool, partial: bool) -> str:
    """`rows, then how many rows share the first column, the first two, …`."""
    names = [row[2] for row in connection.execute(f"PRAGMA index_info({index})").fetchall()]
    total = REFERENCE_ROWS.get(table, PARTIAL_ROWS if partial else ROWS)
    shares, left = [], total
    for at, name in enumerate(names):
        if name != "township_id":
            left = max(1, left // SHARED_BY_MANY) if name in COARSE else max(1, min(FEW, left // FEW))
        if unique and at == len(names) - 1:
            left = 1
        shares.append(left)
    return " ".join(str(one) for one in (total, *shares))
