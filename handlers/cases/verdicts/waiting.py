"""A month's points for rewards are used up: what was found true stands, its reward waits for somebody else or a month.

Nothing here says who reported; whether a reward waits depends on the case's points and who verified it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from bot.errors import PersonError
from bot.talk.messages import Button, Say, Words, on_lines, text
from bot.talk.spans import DAY_MS
from handlers.cases.claiming import EXPIRE
from handlers.cases.known import Known, case_said, known
from handlers.cases.notices import tell_reporter
from handlers.cases.points import pay
from handlers.people.actions import called, private
from handlers.people.charge import check_area, in_charge, tell_each, when_awake
from handlers.people.rules import may
from handlers.rewards.rules import why_it_waits
from handlers.world import Desk, Turn
from storage.database import Row
from storage.people import people
from storage.product import cases, verdicts
from storage.product.cases import Case
from storage.security import reward_watch

RIGHT = "release_reward"
MONTH = "verdicts.month"
MONTH_AT = time(3, 5)  # when what was granted in the month before has been added up
LISTED = 20


def by_code(found: Known) -> bool:
    """Whether the points wait for the code: of an anonymous report, or when the identity was erased."""
    reporter = found.reporter
    return reporter is None or reporter.anonymous or reporter.person_id is None


async def grant(desk: Desk, found: Known, decided: Row) -> tuple[bool, int | None]:
    """Grant the reward of a case that was found true, or keep it waiting: (whether it waits, until when its code can
    be brought, None where there is none).
    """
    case, verifier_id = found.case, int(decided["person_id"])
    if case.points and (why := await _why(desk, case.points, verifier_id)) is not None:
        await _hold(desk, case, verifier_id, why)
        return True, None
    return False, await _pay(desk, found, decided, verifier_id)


async def _why(desk: Desk, points: int, verifier_id: int) -> str | None:
    policy = desk.world.policy.rewards
    of_verifier, of_all = await reward_watch.used(desk.tx, _month(desk), verifier_id)
    cap, cap_of_all = policy.verifier_month_points, policy.programme_month_points
    return why_it_waits(points, of_verifier=of_verifier, cap=cap, of_all=of_all, cap_of_all=cap_of_all)


def _month(desk: Desk) -> str:
    return f"{desk.world.day(desk.now_ms):%Y-%m}"


async def _pay(desk: Desk, found: Known, decided: Row, counted_for: int) -> int | None:
    case, until_ms = found.case, None
    if by_code(found) and case.points:
        until_ms = desk.now_ms + desk.world.policy.report.claim_days * DAY_MS
        desk.later(EXPIRE, f"{EXPIRE}:{case.id}:{decided['id']}", until_ms, case_id=case.id)
    await pay(desk, case, decided, by_code=by_code(found))
    await reward_watch.count(desk.tx, _month(desk), counted_for, case.points)
    await verdicts.settle(desk.tx, case.id, claim_until_ms=until_ms)
    return until_ms


async def _hold(desk: Desk, case: Case, verifier_id: int, why: str) -> None:
    """Write it down, and tell who verified and who may let it go; once a month, for many may follow."""
    await reward_watch.hold(
        desk.tx, row_id=desk.ids.next(), case_id=case.id, verifier_id=verifier_id, why=why, now_ms=desk.now_ms
    )
    await verdicts.settle(desk.tx, case.id, claim_until_ms=None)
    verifier = await people.person(desk.tx, verifier_id)
    policy = desk.world.policy.rewards
    cap = policy.verifier_month_points if why == "verifier" else policy.programme_month_points
    said = text(f"held.{why}", number=case.number, name=called(verifier["name"] if verifier else ""), points=cap)
    how = when_awake(desk, f"held:{_month(desk)}:{verifier_id if why == 'verifier' else reward_watch.ALL}")
    await desk.tell(verifier_id, Say(said), how)
    others = [row["person_id"] for row in await in_charge(desk, RIGHT, case.area_id, barred=(verifier_id,))]
    await tell_each(desk, others, Say(said, ((Button(text("held.list.button"), "/held"),),)), how)


async def held(turn: Turn, _: str) -> None:
    """`/held`: the rewards that wait, of the areas that the person looks after, with a button for each."""
    private(turn)
    covers = turn.world.places.covers
    found = [
        row for row in await reward_watch.all_held(turn.tx) if may(turn.person.roles, RIGHT, row["area_id"], covers)
    ]
    if not found:
        turn.reply(text("held.none"))
        return
    lines: list[Words] = [text("held.head", count=len(found))]
    for row in found[:LISTED]:
        verifier = await people.person(turn.tx, row["verifier_id"])
        name = called(verifier["name"] if verifier else "")
        lines.append(
            text(
                f"held.line.{row['why']}", number=row["number"], points=row["points"], name=name, at_ms=row["since_ms"]
            )
        )
    buttons = tuple(
        (Button(text("held.release", number=row["number"]), f"/release {row['number']}"),) for row in found[:LISTED]
    )
    turn.reply(Say(on_lines(lines), buttons))


async def release(turn: Turn, args: str) -> None:
    """`/release 2026-0113`: somebody else than who verified lets a reward go that waits."""
    private(turn)
    found = await case_said(turn, args)
    case = found.case
    check_area(turn, RIGHT, case.area_id)
    decided = await _standing(turn, case)
    if decided is None or not await reward_watch.is_held(turn.tx, case.id):
        raise PersonError("release_nothing", number=case.number)
    if decided["person_id"] == turn.person.id or found.is_of(turn.person.id):
        raise PersonError("release_own", number=case.number)
    await _let_go(turn, found, decided, by_id=turn.person.id)
    turn.reply(text("held.released", number=case.number, points=case.points))


async def _standing(desk: Desk, case: Case) -> Row | None:
    """The decision by which a case is true, if it is."""
    decided = [row for row in await cases.events(desk.tx, case.id) if row["event"] == "verified"]
    decided = [row for row in decided if not row["taken_back"]]
    return decided[-1] if decided and case.state == "verified" else None


async def _let_go(desk: Desk, found: Known, decided: Row, *, by_id: int | None) -> None:
    """What somebody else let go counts for the programme, no more for who verified."""
    case = found.case
    until_ms = await _pay(desk, found, decided, int(decided["person_id"]) if by_id is None else by_id)
    await reward_watch.end_hold(desk.tx, case.id, by_id=by_id, now_ms=desk.now_ms)
    key = "held.told.claim" if until_ms is not None else "held.told"
    words = text(key, number=case.number, points=case.points, until_ms=until_ms)
    await tell_reporter(desk, found, words, key=f"released:{decided['id']}")


async def plan(desk: Desk) -> None:
    """The first of this month and of the next."""
    world = desk.world
    first = world.day(desk.now_ms).replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    for day in (first, following):
        desk.later(MONTH, f"{MONTH}:{day:%Y-%m}", world.moment_ms(day, MONTH_AT))


async def new_month(desk: Desk, _: Mapping[str, Any]) -> None:
    """Timer: what waits goes, the longest waiting first, as far as the new month's points reach."""
    for row in await reward_watch.all_held(desk.tx):
        case = await cases.case(desk.tx, row["case_id"])
        decided = await _standing(desk, case) if case is not None else None
        if case is None or decided is None or await _why(desk, case.points, int(decided["person_id"])) is not None:
            continue
        await _let_go(desk, await known(desk, case), decided, by_id=None)
