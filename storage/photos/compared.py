"""Photos of cases, compared with those of the others."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx

ALIKE_BITS = 6  # of 64: the same picture, packed anew, differs in fewer, another one in some thirty


def looks_alike(one: str, other: str) -> bool:
    """Whether two photos are the same picture, by their likeness (`bot.media.likeness`)."""
    return (int(one, 16) ^ int(other, 16)).bit_count() <= ALIKE_BITS


async def same_files(tx: Tx, case_id: int) -> Sequence[Row]:
    """The other cases with a photo or video of the very same bytes, the first one first: number."""
    return await tx.all(
        "SELECT DISTINCT k.id, k.number FROM case_media a"
        " JOIN media b ON b.township_id = a.township_id AND b.id = a.media_id"
        " JOIN media m ON m.township_id = b.township_id AND m.sha256 = b.sha256"
        " JOIN case_media c ON c.township_id = m.township_id AND c.media_id = m.id AND c.case_id <> a.case_id"
        " JOIN cases k ON k.township_id = c.township_id AND k.id = c.case_id"
        " WHERE a.township_id = :t AND a.case_id = :case_id AND b.sha256 IS NOT NULL ORDER BY k.id",
        {"case_id": case_id},
    )


async def likenesses(tx: Tx, case_id: int) -> list[str]:
    """What the photos of a case look like, those that show anything (see `bot.media.likeness`)."""
    rows = await tx.all(
        "SELECT DISTINCT m.likeness FROM case_media c"
        " JOIN media m ON m.township_id = c.township_id AND m.id = c.media_id"
        " WHERE c.township_id = :t AND c.case_id = :case_id AND m.likeness IS NOT NULL",
        {"case_id": case_id},
    )
    return sorted(row["likeness"] for row in rows)


async def likenesses_elsewhere(tx: Tx, case_id: int, *, since_ms: int) -> Sequence[Row]:
    """What the photos of the other cases look like that came since a moment: number and likeness, the first first."""
    return await tx.all(
        "SELECT k.number, m.likeness FROM media m"
        " JOIN case_media c ON c.township_id = m.township_id AND c.media_id = m.id AND c.case_id <> :case_id"
        " JOIN cases k ON k.township_id = c.township_id AND k.id = c.case_id"
        " WHERE m.township_id = :t AND m.likeness IS NOT NULL AND m.created_ms >= :since_ms ORDER BY k.id",
        {"case_id": case_id, "since_ms": since_ms},
    )
