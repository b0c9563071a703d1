"""People stored in bulk: a contact, a session, an old update and an old message each, on either engine."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

import asyncpg

from benchmarks.talkers import FIRST_ID, address_of
from storage.engine.opening import sqlite_path

SESSION = json.dumps({"rev": 9, "frames": []})
COLUMNS = {
    "people": ("township_id", "id", "name", "language", "consent_version", "created_ms"),
    "contacts": ("township_id", "channel", "address", "person_id", "created_ms", "last_in_ms"),
    "sessions": ("township_id", "person_id", "body", "updated_ms"),
    "inbox": ("township_id", "id", "channel", "update_key", "address", "body", "received_ms", "due_ms", "state"),
    "outbox": ("township_id", "id", "person_id", "channel", "address", "body", "created_ms", "due_ms", "state"),
}


def rows_of(table: str, people: int) -> Iterator[tuple[Any, ...]]:
    """The rows of a table for that many people of the first township."""
    for one in range(FIRST_ID, FIRST_ID + people):
        match table:
            case "people":
                yield 1, one, "某人", "zh_CN", 1, 1
            case "contacts":
                yield 1, "web", address_of(one), one, 1, 1
            case "sessions":
                yield 1, one, SESSION, 1
            case "inbox":
                yield 1, one, "web", f"k{one}", address_of(one), b"{}", 1, 1, "done"
            case "outbox":
                yield 1, one, one, "web", address_of(one), "{}", 1, 1, "sent"


async def fill(url: str, people: int) -> None:
    """Store them."""
    path = sqlite_path(url)
    if path is None:
        connection = await asyncpg.connect(url)
        for table, columns in COLUMNS.items():
            await connection.copy_records_to_table(table, records=rows_of(table, people), columns=columns)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        return
    with sqlite3.connect(path) as connection_:
        for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000"):
            connection_.execute(f"PRAGMA {pragma}")
        for table, columns in COLUMNS.items():
            _insert(connection_, table, columns, rows_of(table, people))
    connection_.close()


def _insert(connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Iterable[Any]) -> None:
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
