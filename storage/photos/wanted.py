"""Photos of cases that could not be used, and what came in their place."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx
from storage.photos.owners import viewer_of
from storage.product.cases import SHUT


async def wanted_for(tx: Tx, person_id: int, *, since_ms: int) -> Row | None:
    """The newest open case for which a person's photo, sent since then, could not be used and none has come in its
    place: id, number. A photo that came after its case was filed is one that came in place of another.
    """
    return await tx.one(
        "SELECT k.id, k.number FROM media m"
        " JOIN case_media c ON c.township_id = m.township_id AND c.media_id = m.id"
        " JOIN cases k ON k.township_id = c.township_id AND k.id = c.case_id"
        " WHERE m.township_id = :t AND m.person_id = :viewer AND m.state = 'refused' AND m.created_ms >= :since_ms"
        f" AND m.created_ms <= k.received_ms AND k.state NOT IN {SHUT}"
        " AND (SELECT COUNT(*) FROM case_media lost JOIN media x ON x.township_id = lost.township_id"
        " AND x.id = lost.media_id WHERE lost.township_id = :t AND lost.case_id = k.id"
        " AND x.state = 'refused' AND x.created_ms <= k.received_ms)"
        " > (SELECT COUNT(*) FROM case_media came JOIN media x ON x.township_id = came.township_id"
        " AND x.id = came.media_id WHERE came.township_id = :t AND came.case_id = k.id"
        " AND x.state <> 'refused' AND x.created_ms > k.received_ms)"
        " ORDER BY k.id DESC LIMIT 1",
        {"viewer": await viewer_of(tx, person_id), "since_ms": since_ms},
    )


async def append(tx: Tx, case_id: int, media_ids: Sequence[str]) -> None:
    """Further photos of a case, behind those it has."""
    row = await tx.one(
        "SELECT COALESCE(MAX(position), -1) AS last FROM case_media WHERE township_id = :t AND case_id = :case_id",
        {"case_id": case_id},
    )
    last = row["last"] if row is not None else -1
    await tx.many(
        "INSERT INTO case_media (township_id, case_id, position, media_id) VALUES (:t, :case_id, :position, :media_id)",
        [
            {"t": tx.township_id, "case_id": case_id, "position": last + at, "media_id": media_id}
            for at, media_id in enumerate(media_ids, 1)
        ],
    )
