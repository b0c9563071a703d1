"""Tables whose rows have versions: the current one has no `until_ms`; the earlier ones stay for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from storage.database import Row, Tx

VersionedTable = Literal["areas", "landmarks", "stations", "households"]
KEYS: dict[VersionedTable, str] = {
    "areas": "area_id",
    "landmarks": "landmark_id",
    "stations": "station_id",
    "households": "household_id",
}
COLUMNS: dict[VersionedTable, tuple[str, ...]] = {
    "areas": ("parent_id", "level", "code", "name", "aliases", "boundary", "lat", "lng", "datum"),
    "landmarks": ("village_id", "name", "kind", "aliases", "lat", "lng", "datum"),
    "stations": ("village_id", "code", "name", "aliases", "phone", "hours", "lat", "lng", "datum"),
    "households": ("card_no", "householder", "village_id", "area_id", "phone", "members", "status"),
}


def columns_of(table: VersionedTable) -> str:
    """The id, the version and the columns, for a SELECT."""
    return ", ".join((KEYS[table], "version", *COLUMNS[table], "from_ms"))


async def current(tx: Tx, table: VersionedTable) -> Sequence[Row]:
    """Every current row, by id."""
    return await tx.all(
        f"SELECT {columns_of(table)} FROM {table} WHERE township_id = :t AND until_ms IS NULL ORDER BY {KEYS[table]}"
    )


async def history(tx: Tx, table: VersionedTable, row_id: int) -> Sequence[Row]:
    """Every version of one row, the first one first; `until_ms` is None on the current one."""
    return await tx.all(
        f"SELECT {columns_of(table)}, until_ms FROM {table}"
        f" WHERE township_id = :t AND {KEYS[table]} = :id ORDER BY version",
        {"id": row_id},
    )


async def add_versions(tx: Tx, table: VersionedTable, rows: Sequence[Mapping[str, Any]], *, now_ms: int) -> None:
    """Write new versions. Each row has the id, its version (1 for a new id) and every column of the table.

    The version before it ends at `now_ms`, where the new one begins.
    """
    key, columns = KEYS[table], COLUMNS[table]
    stamped = [{**row, "t": tx.township_id, "now_ms": now_ms} for row in rows]
    await tx.many(
        f"UPDATE {table} SET until_ms = :now_ms"
        f" WHERE township_id = :t AND {key} = :{key} AND version = :version - 1 AND until_ms IS NULL",
        [row for row in stamped if row["version"] > 1],
    )
    values = ", ".join(f":{name}" for name in columns)
    await tx.many(
        f"INSERT INTO {table} (township_id, {key}, version, {', '.join(columns)}, from_ms)"
        f" VALUES (:t, :{key}, :version, {values}, :now_ms)",
        stamped,
    )
