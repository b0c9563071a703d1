"""The announcements of public holidays as they were imported: every version's text, for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from storage.database import Row, Tx


async def calendars_in_force(tx: Tx) -> Sequence[Row]:
    """The last version of each year: year, version, body (TOML), imported_ms."""
    return await tx.all(
        "SELECT year, version, body, imported_ms FROM calendars c WHERE c.township_id = :t AND version ="
        " (SELECT MAX(o.version) FROM calendars o WHERE o.township_id = :t AND o.year = c.year) ORDER BY year"
    )


async def add_calendar(tx: Tx, body: str, *, year: int, now_ms: int, imported_by: int | None) -> int | None:
    """Write the text as a year's next version; its number, or None if it is the one in force."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    last = await tx.one(
        "SELECT version, sha256 FROM calendars WHERE township_id = :t AND year = :year ORDER BY version DESC LIMIT 1",
        {"year": year},
    )
    if last and last["sha256"] == digest:
        return None
    version = 1 + (int(last["version"]) if last else 0)
    await tx.run(
        "INSERT INTO calendars (township_id, year, version, body, sha256, imported_ms, imported_by)"
        " VALUES (:t, :year, :version, :body, :sha256, :now_ms, :imported_by)",
        {
            "year": year,
            "version": version,
            "body": body,
            "sha256": digest,
            "now_ms": now_ms,
            "imported_by": imported_by,
        },
    )
    return version
