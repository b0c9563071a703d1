"""What was decided about a case: written, put off until it can no longer be taken back, taken back, in effect."""

from __future__ import annotations

from storage.database import Tx
from storage.product.cases import Case, add_event


async def decide(
    tx: Tx,
    case: Case,
    event: str,
    *,
    event_id: int,
    person_id: int,
    policy_version: int,
    now_ms: int,
    reason: str = "",
    note: str = "",
    original_id: int | None = None,
) -> bool:
    """Move a case to `event`'s state with its event. False: somebody decided it before.

    A case that was decided keeps the moment at which it was decided first.
    """
    moved = await tx.run(
        "UPDATE cases SET state = :event, decided_ms = COALESCE(decided_ms, :now_ms), duplicate_of = :original_id"
        " WHERE township_id = :t AND id = :id AND state = :before",
        {
            "id": case.id,
            "event": event,
            "now_ms": now_ms,
            "original_id": original_id,
            "before": case.state,
        },
    )
    if not moved:
        return False
    await add_event(
        tx,
        event_id=event_id,
        case_id=case.id,
        event=event,
        area_id=case.area_id,
        points=case.points,
        policy_version=policy_version,
        at_ms=now_ms,
        person_id=person_id,
        reason=reason,
        note=note,
        other_case_id=original_id,
    )
    return True


async def put_off(tx: Tx, case_id: int, settles_ms: int) -> None:
    """What was decided takes effect at a moment."""
    await tx.run(
        "UPDATE cases SET settles_ms = :settles_ms WHERE township_id = :t AND id = :case_id",
        {"case_id": case_id, "settles_ms": settles_ms},
    )


async def settle(tx: Tx, case_id: int, *, claim_until_ms: int | None) -> None:
    """What was decided has taken effect; until when its reward waits for the code, if it does."""
    await tx.run(
        "UPDATE cases SET settles_ms = NULL, claim_until_ms = :claim_until_ms WHERE township_id = :t AND id = :case_id",
        {"case_id": case_id, "claim_until_ms": claim_until_ms},
    )


async def undecide(tx: Tx, case_id: int) -> None:
    """The decision was taken back before it took effect."""
    await tx.run(
        "UPDATE cases SET state = 'registered', decided_ms = NULL, duplicate_of = NULL, settles_ms = NULL"
        " WHERE township_id = :t AND id = :case_id",
        {"case_id": case_id},
    )
