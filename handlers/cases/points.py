"""The points of a case in the ledger: promised, settled, claimed, expired (design: two-phase)."""

from __future__ import annotations

from handlers.cases import rules
from handlers.world import Desk
from storage.people import rewards
from storage.product import accounts, ledger
from storage.product.cases import Case

UNIT = "points"


async def move(
    desk: Desk, step: rules.Move, *, case_id: int, points: int, policy_version: int, created_by: int | None = None
) -> None:
    """Write one step's transfer; nothing for a case without points. The same step again changes nothing."""
    if points == 0:
        return
    await ledger.transfer(
        desk.tx,
        ledger.Transfer(
            id=desk.ids.next(),
            source=step.source,
            destination=step.destination,
            amount=points,
            unit=UNIT,
            key=step.key,
            reason=step.reason,
            ref=f"case:{case_id}",
            policy_version=policy_version,
            at_ms=desk.now_ms,
            created_by=created_by,
        ),
    )
    if step.destination == accounts.granted(case_id):
        await rewards.set_granted(desk.tx, case_id, granted=True)


async def claimable(desk: Desk, case: Case) -> int:
    """What still waits for whoever brings the code of a case."""
    return await ledger.balance(desk.tx, accounts.claimable(case.id), UNIT)
