"""What must hold of cases, looked for as rows that break it; for `verify` and `doctor`."""

from __future__ import annotations

from collections.abc import Sequence

from storage.database import Row, Tx


async def held_after_decision(tx: Tx) -> Sequence[Row]:
    """Decided cases whose points are still on hold: number, balance."""
    return await tx.all(
        "SELECT c.number, b.balance FROM balances b JOIN cases c ON c.township_id = b.township_id"
        " AND b.account = 'hold:case:' || c.id WHERE b.township_id = :t AND b.account LIKE 'hold:case:%'"
        " AND b.balance <> 0 AND c.decided_ms IS NOT NULL ORDER BY c.id"
    )


async def without_event(tx: Tx) -> Sequence[Row]:
    """Cases in a state that no event of theirs explains: number, state."""
    return await tx.all(
        "SELECT c.number, c.state FROM cases c WHERE c.township_id = :t AND NOT EXISTS (SELECT 1 FROM case_events e"
        " WHERE e.township_id = :t AND e.case_id = c.id AND e.event = c.state) ORDER BY c.id"
    )


async def decided_by_event_only(tx: Tx) -> Sequence[Row]:
    """Cases that an event has decided, and that wait all the same: number."""
    return await tx.all(
        "SELECT c.number FROM cases c WHERE c.township_id = :t AND c.state = 'registered' AND EXISTS"
        " (SELECT 1 FROM case_events e WHERE e.township_id = :t AND e.case_id = c.id"
        " AND e.event IN ('verified', 'rejected', 'duplicate')) ORDER BY c.id"
    )
