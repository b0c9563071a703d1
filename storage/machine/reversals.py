"""What was decided and taken back, or decided anew by somebody else; the entries themselves stay as they are."""

from __future__ import annotations

from typing import Literal

from storage.database import Tx

Kind = Literal["withdrawn", "overturned"]


async def add_reversal(
    tx: Tx,
    *,
    reversal_id: int,
    what: str,
    subject_id: int,
    entry_id: int,
    entry_ms: int,
    kind: Kind,
    person_id: int,
    reason: str,
    at_ms: int,
) -> bool:
    """Take an entry of a `what` («case», «ticket») back. False: it was taken back before."""
    written = await tx.run(
        "INSERT INTO reversals (township_id, id, what, subject_id, entry_id, entry_ms, kind, person_id, reason, at_ms)"
        " VALUES (:t, :reversal_id, :what, :subject_id, :entry_id, :entry_ms, :kind, :person_id, :reason, :at_ms)"
        " ON CONFLICT (township_id, entry_id) DO NOTHING",
        {
            "reversal_id": reversal_id,
            "what": what,
            "subject_id": subject_id,
            "entry_id": entry_id,
            "entry_ms": entry_ms,
            "kind": kind,
            "person_id": person_id,
            "reason": reason,
            "at_ms": at_ms,
        },
    )
    return written == 1
