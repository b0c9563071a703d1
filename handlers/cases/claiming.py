"""Points of an anonymous report are claimed with its code (D47), or go back when nobody comes in time."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from typing import Any

from bot.errors import PersonError
from bot.talk.messages import Say, Text, on_lines, text
from bot.talk.spans import DAY_MS, HOUR_MS
from handlers.cases import rules
from handlers.cases.known import Known, known
from handlers.cases.notices import tell_reporter
from handlers.cases.points import claimable, move
from handlers.people.actions import private
from handlers.people.charge import when_awake
from handlers.rewards.turning import hand_out_of
from handlers.world import Desk, Turn
from storage.database import Row
from storage.product import case_vault, cases
from storage.product.cases import Case
from storage.security import claim_tries, reward_watch
from storage.vault import keys
from storage.vault.sealing import day_of
from storage.vault.vault import Purpose

CLAIM_CHARS = 200
SALT_CHARS = 22
LOOK_BACK_MS = 2 * HOUR_MS
EXPIRE, FORGET = "cases.claim_expire", "cases.forget"
FORGET_AT = time(3, 20)


async def new_code(desk: Desk) -> tuple[str, str, str]:
    """A claim code as it is shown, with the salt and the hash that stay of it."""
    code, salt = desk.dice.digits(rules.CODE_DIGITS), desk.dice.token()[:SALT_CHARS]
    return rules.grouped(code), salt, await case_vault.code_key(desk.tx, rules.hash_code(salt, code))


async def _is_right(turn: Turn, case: Case, code: str) -> bool:
    key = await case_vault.code_key(turn.tx, rules.hash_code(case.claim_salt, code))
    return hmac.compare_digest(case.claim_hash, key)


async def codes_instead_of_name(desk: Desk, rows: Sequence[Row]) -> list[Text]:
    """Make the points of named reports claimable by somebody whose name is about to be erased: a line a report.

    `rows` are of `case_vault.named_reports`. Of a code only its hash stays, and the first one was never shown: each
    case gets another one.
    """
    lines = []
    for row in rows:
        code, salt, claim_hash = await new_code(desk)
        await cases.set_claim(desk.tx, row["id"], salt=salt, claim_hash=claim_hash)
        key = "claim.instead_of_name.refused" if row["refused"] else "claim.instead_of_name"
        lines.append(text(key, number=row["number"], points=row["points"], code=code))
    return lines


def brings_a_code(turn: Turn, rest: str) -> bool:
    """Whether words behind the command hold a number, right or wrong."""
    return any(one.isdigit() for one in rest) and len(rest) <= CLAIM_CHARS


async def claim(turn: Turn, args: str) -> None:
    """`/claim 2026-0113 1234 5678 9012 3456`, «领奖 …». A wrong code is written down, so it is not an error here."""
    private(turn)
    said = rules.read_claim(args, turn.world.local(turn.now_ms).year)
    if said is None:
        raise PersonError("claim_how")
    number, code = said
    since_ms = turn.now_ms - LOOK_BACK_MS
    tries = await claim_tries.of_person(turn.tx, turn.person.id, since_ms=since_ms)
    if until_ms := rules.locked_until_ms(tries, turn.now_ms):
        raise PersonError("claim_locked", until_ms=until_ms)
    case = await cases.case_of_number(turn.tx, number)
    found = await known(turn, case) if case is not None else None
    if found is not None and rules.can_be_guessed(code):
        await _not_guessed_at(turn, found, since_ms)
    if case is None or not await _is_right(turn, case, code):
        await claim_tries.add(
            turn.tx,
            try_id=turn.ids.next(),
            person_id=turn.person.id,
            case_id=case.id if case is not None else None,
            now_ms=turn.now_ms,
        )
        left = rules.tries_left([*tries, turn.now_ms], turn.now_ms)
        turn.reply(text("claim.wrong", count=left) if left else text("claim.wrong_last"))
        return
    await _claim(turn, case)


async def _not_guessed_at(turn: Turn, found: Known, since_ms: int) -> None:
    """Many wrong codes of six digits for one case shut it to those for an hour, whoever sent them; its reporter is
    still let in.
    """
    tries = await claim_tries.of_case(turn.tx, found.case.id, since_ms=since_ms)
    until_ms = rules.locked_until_ms(tries, turn.now_ms, rules.CASE_WRONG_CODES_LARGEST)
    if until_ms and not found.is_of(turn.person.id):
        raise PersonError("claim_locked", until_ms=until_ms)


async def _claim(turn: Turn, case: Case) -> None:
    """The code is right: give what waits, or say why nothing does."""
    events = await cases.events(turn.tx, case.id)
    happened = {event["event"] for event in events}
    points = await claimable(turn, case)
    if points and case.claim_until_ms is not None and turn.now_ms >= case.claim_until_ms:
        await _expire(turn, case, points)
        happened.add("claim_expired")
        points = 0
    if points == 0 and "claim_expired" in happened:
        turn.reply(text("claim.expired", number=case.number))
    elif points == 0 and await reward_watch.is_held(turn.tx, case.id):
        turn.reply(text("claim.waits", number=case.number))
    elif points == 0 and "claimed" in happened:
        turn.reply(text("claim.done_before", number=case.number))
    elif not points:
        turn.reply(text(_why_nothing(case, happened), number=case.number))
    elif any(event["event"] == "verified" and event["person_id"] == turn.person.id for event in events):
        raise PersonError("claim_own_decision")
    else:
        await case_vault.note_claimer(turn.tx, case.id, turn.person.id)
        await move(turn, rules.claim(case.id), case_id=case.id, points=points, policy_version=case.policy_version)
        await _note(turn, case, "claimed", points)
        turn.reply(text("claim.done", number=case.number, points=points))


def _why_nothing(case: Case, happened: set[str]) -> str:
    if case.told_state == "registered":
        return "claim.not_verified_yet"
    if "verified" not in happened:
        return "claim.refused"
    return "claim.no_points" if case.points == 0 else "claim.counted_already"


async def _note(desk: Desk, case: Case, event: str, points: int) -> None:
    await cases.add_event(
        desk.tx,
        event_id=desk.ids.next(),
        case_id=case.id,
        event=event,
        area_id=case.area_id,
        points=points,
        policy_version=case.policy_version,
        at_ms=desk.now_ms,
    )


async def _expire(desk: Desk, case: Case, points: int) -> None:
    """The points go back to the programme."""
    await move(desk, rules.expire(case.id), case_id=case.id, points=points, policy_version=case.policy_version)
    await _note(desk, case, "claim_expired", points)


async def expire(desk: Desk, payload: Mapping[str, Any]) -> None:
    """Timer: the time for claiming is over."""
    case = await cases.case(desk.tx, int(payload["case_id"]))
    points = await claimable(desk, case) if case is not None else 0
    if case is not None and points and desk.now_ms >= (case.claim_until_ms or 0):
        await _expire(desk, case, points)
        words = text("claim.expired_news", number=case.number, points=points)
        await tell_reporter(desk, await known(desk, case), words, key="claim_expired")


async def plan(desk: Desk) -> None:
    """Once a day, early in the morning, the vault forgets what it has kept long enough (PIPL 19)."""
    world = desk.world
    today = world.day(desk.now_ms)
    for day in (today, today + timedelta(days=1)):
        desk.later(FORGET, f"{FORGET}:{day.isoformat()}", world.moment_ms(day, FORGET_AT))


async def forget(desk: Desk, _: Mapping[str, Any]) -> None:
    """Timer: reporters' identities older than the policy's retention are erased; points then wait for the code.

    Who reported with their name and still has points to come is told the code first; what was granted is theirs first.
    """
    before_ms = desk.now_ms - desk.world.policy.retention.reporter_identity_days * DAY_MS
    for row in await case_vault.named_reports(desk.tx, before_ms=before_ms):
        words = on_lines([text("claim.name_erased"), *await codes_instead_of_name(desk, [row])])
        await desk.tell(row["person_id"], Say(words), when_awake(desk, f"case:{row['id']}:name_erased"))
    await hand_out_of(
        desk, await case_vault.received_before(desk.tx, before_ms), desk.world.day(desk.now_ms).isoformat()
    )
    await case_vault.forget_before(desk.tx, before_ms)
    await keys.erase_keys(desk.tx, Purpose.REPORTERS, before_day=day_of(Purpose.REPORTERS, before_ms))
