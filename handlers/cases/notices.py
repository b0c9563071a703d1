"""What is said about cases, and to whom: the area's staff, the reporter. Nothing here tells who reported."""

from __future__ import annotations

from collections.abc import Sequence

from bot.talk.geo import Point, distance_m, map_link
from bot.talk.messages import Button, Link, Say, Text, Words, on_lines, text
from handlers.cases.known import Known
from handlers.declared import Pending
from handlers.people.actions import area_name
from handlers.people.charge import in_charge, when_awake
from handlers.photos.again import sent_again
from handlers.todo.bundling import tell_of_waiting
from handlers.world import Desk
from storage.product import cases
from storage.product.cases import Case

STATEMENT_CHARS = 500


def kind_text(kind: str) -> Text:
    """A kind's name."""
    return text(f"form.report.kind.option.{kind}")


def state_text(state: str) -> Text:
    """A state's or event's name."""
    return text(f"case.state.{state}")


def shortened(words: str, largest: int = STATEMENT_CHARS) -> str:
    """Words cut to a length that a message can carry."""
    return words if len(words) <= largest else words[: largest - 1] + "…"


def card_of(case: Case) -> str:
    """What staff's messages about a case are known by: they change together. A reporter's own have no such name."""
    return f"case:{case.number}"


async def tell_staff(desk: Desk, case: Case, media_ids: Sequence[str], *, not_to: int) -> int:
    """Show a new case to the area's staff; an urgent one at any hour. How many were told.

    The reporter is left out, who may not verify their own report.
    """
    due = text("case.verify_by", due_ms=case.verify_due_ms)
    say = Say(
        on_lines([text("case.new"), *await facts(desk, case), due]),
        decision_rows(case.number),
        media=tuple(media_ids),
        links=links_of(case),
        card=card_of(case),
    )
    staff = [row["person_id"] for row in await in_charge(desk, "verify_case", case.area_id, barred=(not_to,))]
    how = when_awake(desk, f"case:{case.id}:new", urgent=case.urgent)
    return await tell_of_waiting(desk, staff, "cases", _pending(case), say, how)


async def more_photos(desk: Desk, case: Case, media_ids: Sequence[str], *, not_to: int) -> None:
    """Show the area's staff photos that came after a case."""
    say = Say(text("case.more_photos", number=case.number), media=tuple(media_ids))
    staff = [row["person_id"] for row in await in_charge(desk, "verify_case", case.area_id, barred=(not_to,))]
    how = when_awake(desk, f"case:{case.id}:photo:{media_ids[0]}", urgent=case.urgent)
    await tell_of_waiting(desk, staff, "cases", _pending(case), say, how, about="photos")


def _pending(case: Case) -> Pending:
    return Pending(case.area_id, case.received_ms, case.number, case.kind, urgent=case.urgent)


async def tell_reporter(desk: Desk, known: Known, words: Words, *, key: str) -> None:
    """Tell the reporter, who may be anonymous: the vault knows where to write."""
    if known.reporter is not None and known.reporter.person_id is not None:
        await desk.tell(known.reporter.person_id, Say(words), when_awake(desk, f"case:{known.case.id}:{key}"))


async def facts(desk: Desk, case: Case, *, for_staff: bool = True, words: bool = True) -> list[Text]:
    """What a case is about, line by line; `words`: what its reporter said, for staff also which it may repeat."""
    area = area_name(desk.world.places, case.area_id)
    lines = [
        text("case.head", number=case.number, kind=kind_text(case.kind)),
        text("case.place" if area in case.place else "case.place_in", place=case.place, area=area),
        text("case.received", at_ms=case.received_ms),
    ]
    if for_staff and _says_no_village(desk, case):
        lines.append(text("case.village_unknown"))
    if for_staff and (case.accuracy_m or 0) > desk.world.policy.report.position_error_said_m:
        lines.append(text("case.accuracy", metres=case.accuracy_m))
    if words and case.statement:
        lines.append(text("case.statement", words=shortened(case.statement)))
    if for_staff and case.maybe_duplicate_of is not None:
        first = await cases.case(desk.tx, case.maybe_duplicate_of)
        if first is not None:
            lines.append(text("case.maybe_duplicate", number=first.number, metres=apart_m(case, first)))
    return [*lines, *await sent_again(desk, case.id)] if for_staff else lines


def _says_no_village(desk: Desk, case: Case) -> bool:
    """Whether the reporter said a place, but not in which village."""
    town = desk.world.places.town
    return town is not None and case.area_id == town.area_id


def apart_m(one: Case, other: Case) -> int:
    """Metres between two cases that both have a position; 0 otherwise."""
    here, there = point_of(one), point_of(other)
    return round(distance_m(here, there)) if here is not None and there is not None else 0


def point_of(case: Case) -> Point | None:
    """Where a case is, if it has a position."""
    if case.lat is None or case.lng is None:
        return None
    return Point(case.lat, case.lng, case.datum or "WGS-84")


def links_of(case: Case) -> tuple[Link, ...]:
    """The case's place on a map, when its position is known."""
    point = point_of(case)
    return (Link(text("case.map"), map_link(point, f"{case.number} {case.place}")),) if point is not None else ()


def decision_rows(number: str) -> tuple[tuple[Button, ...], ...]:
    """True, not true, duplicate of…"""
    return (
        (
            Button(text("case.true"), f"/verify {number} true", "primary"),
            Button(text("case.false"), f"/verify {number} false", "danger"),
        ),
        (Button(text("case.dup"), f"/verify {number} dup"),),
    )
