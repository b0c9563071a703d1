"""A report is filed: the case, who reported it (in the vault), the promised points, the word to staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import PersonError
from bot.talk.messages import Button, Say, Text, on_lines, text
from bot.talk.spans import HOUR_MS
from handlers.cases import rules
from handlers.cases.claiming import new_code
from handlers.cases.notices import kind_text, tell_staff
from handlers.cases.places import Spot, first_near, spot_of
from handlers.cases.points import move
from handlers.households.beneficiary import beneficiary_household
from handlers.numbers import CASES
from handlers.policy.report import ReportKind
from handlers.world import Turn
from storage.numbers import next_number
from storage.product import case_vault, cases
from storage.product.cases import Case

NAME_FORM = "reporter"


@dataclass(frozen=True, slots=True)
class Filed:
    """A new case: what its reporter is told."""

    case: Case
    kind: ReportKind
    code: str
    anonymous: bool


async def submit_report(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Write the case and tell the reporter its number and code, and the area's staff what was reported."""
    policy = turn.world.policy.report
    try:
        kind = policy.kind(answers["kind"])
    except KeyError:
        raise PersonError("report_kind_gone", step="kind") from None
    anonymous = bool(answers.get("anonymous"))
    if anonymous and not policy.anonymous:
        raise PersonError("report_not_anonymous", step="anonymous")
    spot = await spot_of(turn, answers)
    filed = await _file(turn, kind, spot, str(answers.get("statement") or "").strip(), anonymous)
    case = filed.case
    await case_vault.add_reporter(
        turn.tx,
        case_id=case.id,
        person_id=turn.person.id,
        anonymous=anonymous,
        household_id=await beneficiary_household(turn.tx, turn.person.id, answers),
        points=case.points,
        received_ms=turn.now_ms,
    )
    await move(
        turn,
        rules.promise(case.id),
        case_id=case.id,
        points=case.points,
        policy_version=case.policy_version,
    )
    photos = answers.get("photos") or ()
    media_ids = await turn.attach(turn.person.id, turn.person.channel, photos) if photos else []
    await cases.add_media(turn.tx, case.id, media_ids)
    told = await tell_staff(turn, case, media_ids, not_to=turn.person.id)
    turn.reply(_receipt(filed, told))
    if not anonymous and not turn.person.name:
        turn.open(NAME_FORM)  # whoever pays the reward asks for them by name


async def _file(turn: Turn, kind: ReportKind, spot: Spot, statement: str, anonymous: bool) -> Filed:
    """The case's row, with a number of its own and a code of which only the salted hash stays."""
    world = turn.world
    policy = world.policy.report
    local = world.local(turn.now_ms)
    day_start_ms = world.moment_ms(local.date(), local.min.time())
    earned = await case_vault.points_since(turn.tx, turn.person.id, day_start_ms)
    first = await first_near(turn, kind.id, spot)
    code, salt, claim_hash = await new_code(turn)
    case = Case(
        id=turn.ids.next(),
        number=CASES.write(local.year, await next_number(turn.tx, "cases", local.year)),
        kind=kind.id,
        area_id=spot.area_id,
        place=spot.label,
        landmark_id=spot.landmark_id,
        lat=spot.lat,
        lng=spot.lng,
        datum=None if spot.lat is None else "WGS-84",
        accuracy_m=spot.accuracy_m,
        cell=None if spot.lat is None or spot.lng is None else rules.cell_of(spot.lat, spot.lng),
        statement=statement,
        urgent=kind.urgent,
        received_ms=turn.now_ms,
        verify_due_ms=turn.now_ms + kind.verify_hours * HOUR_MS,
        late_ms=rules.late_ms(turn.now_ms, kind.verify_hours, policy.waiting_too_long_hours),
        maybe_duplicate_of=first["id"] if first else None,
        points=rules.points_promised(kind.points, earned, policy.person_day_points_largest),
        policy_version=world.current.version,
        claim_salt=salt,
        claim_hash=claim_hash,
    )
    await cases.add_case(turn.tx, case, event_id=turn.ids.next())
    return Filed(case, kind, code, anonymous)


def _receipt(filed: Filed, told: int) -> Say:
    """The number, what happens next, and where points wait for it the code (shown this once)."""
    case, kind = filed.case, filed.kind
    lines: list[Text] = []
    if kind.call_first is not None:
        lines.append(text("report.call_first", number=kind.call_first))
    lines.append(text("report.filed", number=case.number, kind=kind_text(kind.id), place=case.place))
    if case.points and filed.anonymous:
        lines.append(text("report.code", code=filed.code))
        lines.append(text("report.points_by_code", points=case.points))
    elif case.points:
        lines.append(text("report.points_pending", points=case.points))
    elif kind.points:
        lines.append(text("report.points_enough"))
    lines.append(text("report.next" if told else "report.next_nobody", hours=kind.verify_hours))
    again = Button(text("report.again"), "/report", "primary"), Button(text("menu.mycases"), "/mycases")
    return Say(on_lines(lines), (again,))
