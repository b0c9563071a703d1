"""The month's turn: what was granted for cases is added up, one transfer for each person, that names no case.

A household for which somebody acted gets its own sum. What was granted to somebody of whom nothing is known any more
goes back to the programme.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from handlers.rewards.rules import MonthSums, add_up
from handlers.rewards.watching import count_hints, month_before
from handlers.world import Desk
from storage.people import rewards
from storage.people.rewards import UNIT
from storage.product import accounts, case_vault, ledger

TURN, APART = "rewards.turn", "rewards.apart"
TURN_AT = time(2, 50)  # before the vault forgets, which is at 3:20


async def plan(desk: Desk) -> None:
    """The first of this month and of the next; once, what was given before rewards were kept apart."""
    world = desk.world
    today = world.day(desk.now_ms)
    for day in (today.replace(day=1), _next_month(today)):
        desk.later(TURN, f"{TURN}:{day:%Y-%m}", world.moment_ms(day, TURN_AT), month=f"{day:%Y-%m}")
    desk.later(APART, APART, desk.now_ms)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


async def turn_month(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: add up everything that was granted until now."""
    granted, month = await rewards.granted(desk.tx), str(payload["month"])
    await count_hints(desk, await case_vault.owners(desk.tx, sorted(granted)), month_before(month))
    await hand_out(desk, granted, month)


async def hand_out_of(desk: Desk, case_ids: set[int], occasion: str) -> None:
    """Add up what was granted for some cases, whose reporters are about to be forgotten."""
    granted = await rewards.granted(desk.tx)
    await hand_out(desk, {one: points for one, points in granted.items() if one in case_ids}, occasion)


async def hand_out(desk: Desk, granted: Mapping[int, int], occasion: str) -> None:
    """Move what was granted, case by case into one pot, and out of it by whose it is; `occasion` names the keys."""
    if not granted:
        return
    owners = await case_vault.owners(desk.tx, sorted(granted))
    for case_id, points in sorted(granted.items()):
        await _move(desk, accounts.granted(case_id), accounts.DUE, points, "reward_added_up", f"case:{case_id}", "")
        await rewards.set_granted(desk.tx, case_id, granted=False)
    await _give(desk, add_up(granted, owners), occasion)


async def _give(desk: Desk, sums: MonthSums, occasion: str) -> None:
    given = {await rewards.account_of(desk.tx, person_id): points for person_id, points in sums.people.items()}
    given |= {accounts.of_household(household_id): points for household_id, points in sums.households.items()}
    if sums.nobody:
        given[accounts.REPORTS] = sums.nobody
    for account, points in sorted(given.items()):
        await _move(desk, accounts.DUE, account, points, "reward_month", f"rewards:{occasion}", occasion)


async def _move(desk: Desk, source: str, destination: str, points: int, reason: str, ref: str, occasion: str) -> None:
    await ledger.transfer(
        desk.tx,
        ledger.Transfer(
            id=(row_id := desk.ids.next()),
            source=source,
            destination=destination,
            amount=points,
            unit=UNIT,
            key=f"{reason}:{occasion}:{row_id}",
            reason=reason,
            ref=ref,
            policy_version=desk.world.current.version,
            at_ms=desk.now_ms,
        ),
    )


async def set_apart(desk: Desk, _: Mapping[str, Any]) -> None:
    """Timer, once: take what went to households and people for reports out again, as far as it is still there.

    It becomes the reporter's own, added up like a month; of whom nothing is known any more, it stays where it is.
    """
    found = await rewards.earlier(desk.tx)
    owners = await case_vault.owners(desk.tx, sorted({_case_of(row["ref"]) for row in found}))
    moved: dict[int, int] = {}
    for row in found:
        case_id = _case_of(row["ref"])
        person_id, household_id = owners.get(case_id, (None, None))
        points = min(row["amount"], await ledger.balance(desk.tx, row["account"], UNIT))
        if points == 0 or person_id is None or household_id is not None:
            continue  # nobody is known any more, or it was meant for that household
        await _move(desk, row["account"], accounts.DUE, points, "reward_set_apart", row["ref"], "")
        moved[case_id] = moved.get(case_id, 0) + points
    await _give(desk, add_up(moved, owners), "before")


def _case_of(ref: str) -> int:
    return int(ref.partition(":")[2])
