"""The photos and videos of a township as files: what has to be in the store."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx


async def originals(tx: Tx, first: str) -> Sequence[Row]:
    """sha256 and mime of the files that are needed, of those that begin with `first` (two hexadecimal digits).

    `follows`: 1 for one that followed a smaller photo, and has a copy in full size.
    """
    return await tx.all(
        "SELECT sha256, MIN(mime) AS mime, MAX(CASE WHEN original_of IS NULL THEN 0 ELSE 1 END) AS follows"
        " FROM media WHERE township_id = :t AND sha256 >= :first AND sha256 < :after"
        " AND state <> 'erased' GROUP BY sha256 ORDER BY sha256",
        {"first": first, "after": f"{first}g"},
    )
