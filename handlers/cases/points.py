"""The points of a case in the ledger: promised, settled, claimed, expired (design: two-phase)."""

from __future__ import annotations

from handlers.cases import rules
from handlers.world import Desk
from storage.database import Row
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


async def pay(desk: Desk, case: Case, decided: Row, *, by_code: bool) -> None:
    """First out of the case's hold; decided anew, from wherever they went, as far as they are still there."""
    step, points = rules.settle(case.id, decided["event"], by_code=by_code), case.points
    came = await ledger.came_to(desk.tx, f"case:{case.id}", UNIT)
    if came is not None and came[0] != step.source:
        where, amount = came
        step = rules.move_again(step, case.id, where, decided["id"])
        if where == step.destination:
            return
        points = amount
        if where != accounts.REPORTS:
            points = min(amount, await ledger.balance(desk.tx, where, UNIT))
        elif decided["event"] == "verified":
            points = case.points
    await move(
        desk,
        step,
        case_id=case.id,
        points=points,
        policy_version=case.policy_version,
        created_by=decided["person_id"],
    )
