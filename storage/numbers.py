"""Numbers of cases and tickets: one series for each kind and year, from 1, without gaps."""

from __future__ import annotations

from typing import Literal

from storage.database import Tx

Series = Literal["cases", "film"]
TABLES: dict[Series, str] = {"cases": "case_counters", "film": "film_numbers"}


async def next_number(tx: Tx, series: Series, year: int) -> int:
    """Take the next number of a series in a year; a refused transaction leaves no gap."""
    table = TABLES[series]
    row = await tx.one(
        f"INSERT INTO {table} (township_id, year, last) VALUES (:t, :year, 1)"
        f" ON CONFLICT (township_id, year) DO UPDATE SET last = {table}.last + 1 RETURNING last",
        {"year": year},
    )
    assert row is not None
    return int(row["last"])
