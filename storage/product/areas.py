"""The township, its areas (town, village, hamlet), landmarks and recycling stations."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.machine.townships import add_turn
from storage.product.versions import current


async def township(tx: Tx) -> Row | None:
    """The township's row: code, name, county, province, changed_ms; None before the first import."""
    return await tx.one(
        "SELECT code, name, county, province, created_ms, changed_ms FROM townships WHERE township_id = :t"
    )


async def set_township(tx: Tx, *, code: str, name: str, county: str, province: str, now_ms: int) -> bool:
    """Write the township's names; True if that changed something."""
    await add_turn(tx)
    values = {"code": code, "name": name, "county": county, "province": province, "now_ms": now_ms}
    changed = await tx.run(
        "INSERT INTO townships (township_id, code, name, county, province, created_ms, changed_ms)"
        " VALUES (:t, :code, :name, :county, :province, :now_ms, :now_ms)"
        " ON CONFLICT (township_id) DO UPDATE SET code = excluded.code, name = excluded.name,"
        " county = excluded.county, province = excluded.province"
        " WHERE townships.code <> excluded.code OR townships.name <> excluded.name"
        " OR townships.county <> excluded.county OR townships.province <> excluded.province",
        values,
    )
    return changed > 0


async def mark_changed(tx: Tx, *, now_ms: int) -> None:
    """Move the stamp on: what was built from areas, stations or policies must be built anew."""
    await tx.run(
        "UPDATE townships SET changed_ms ="
        " CASE WHEN changed_ms >= :now_ms THEN changed_ms + 1 ELSE :now_ms END WHERE township_id = :t",
        {"now_ms": now_ms},
    )


async def stamp(tx: Tx) -> int:
    """A number that grows with every import that changed something; 0 before the first."""
    row = await tx.one("SELECT changed_ms FROM townships WHERE township_id = :t")
    return int(row["changed_ms"]) if row else 0


async def all_areas(tx: Tx) -> Sequence[Row]:
    """Current areas: area_id, parent_id, level, code, name, aliases, boundary (GeoJSON text), lat, lng, datum."""
    return await current(tx, "areas")


async def all_landmarks(tx: Tx) -> Sequence[Row]:
    """Current landmarks: landmark_id, village_id, name, kind, aliases (`;` between), lat, lng, datum."""
    return await current(tx, "landmarks")


async def all_stations(tx: Tx) -> Sequence[Row]:
    """Current recycling stations: station_id, village_id, code, name, aliases, phone, hours, lat, lng, datum."""
    return await current(tx, "stations")
