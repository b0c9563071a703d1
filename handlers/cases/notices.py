"""What is said about cases, and to whom: the area's staff, the reporter. Nothing here tells who reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.talk.geo import Point, distance_m, map_link
from bot.talk.messages import Button, Link, Say, Text, Words, on_lines, text
from handlers.people.actions import area_name
from handlers.people.charge import in_charge, tell_each, when_awake
from handlers.world import Desk
from storage.database import Row
from storage.product import case_vault, cases

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


def card_of(case: Mapping[str, Any] | Row) -> str:
    """What staff's messages about a case are known by: they change together. A reporter's own have no such name."""
    return f"case:{case['number']}"


async def tell_staff(desk: Desk, case: Mapping[str, Any], media_ids: Sequence[str], *, not_to: int) -> int:
    """Show a new case to the area's staff; an urgent one at any hour. How many were told.

    The reporter is left out, who may not verify their own report.
    """
    due = text("case.verify_by", due_ms=case["verify_due_ms"])
    say = Say(
        on_lines([text("case.new"), *await facts(desk, case), due]),
        decision_rows(str(case["number"])),
        media=tuple(media_ids),
        links=links_of(case),
        card=card_of(case),
    )
    staff = [row["person_id"] for row in await in_charge(desk, "verify_case", case["area_id"], barred=(not_to,))]
    return await tell_each(desk, staff, say, when_awake(desk, f"case:{case['id']}:new", urgent=bool(case["urgent"])))


async def tell_reporter(desk: Desk, case: Row, words: Words, *, key: str) -> None:
    """Tell the reporter, who may be anonymous: the vault knows where to write."""
    reporter = await case_vault.reporter(desk.tx, case["id"])
    if reporter is not None and reporter["person_id"] is not None:
        await desk.tell(reporter["person_id"], Say(words), when_awake(desk, f"case:{case['id']}:{key}"))


async def facts(desk: Desk, case: Mapping[str, Any] | Row, *, for_staff: bool = True, words: bool = True) -> list[Text]:
    """What a case is about, line by line; `words`: what its reporter said, for staff also which it may repeat."""
    area = area_name(desk.world.places, case["area_id"])
    lines = [
        text("case.head", number=case["number"], kind=kind_text(case["kind"])),
        text("case.place" if area in case["place"] else "case.place_in", place=case["place"], area=area),
        text("case.received", at_ms=case["received_ms"]),
    ]
    if words and case["statement"]:
        lines.append(text("case.statement", words=shortened(case["statement"])))
    if for_staff and case["maybe_duplicate_of"] is not None:
        first = await cases.case(desk.tx, case["maybe_duplicate_of"])
        if first is not None:
            lines.append(text("case.maybe_duplicate", number=first["number"], metres=apart_m(case, first)))
    return lines


def apart_m(one: Mapping[str, Any] | Row, other: Mapping[str, Any] | Row) -> int:
    """Metres between two cases that both have a position; 0 otherwise."""
    if one["lat"] is None or other["lat"] is None:
        return 0
    return round(distance_m(_point(one), _point(other)))


def _point(case: Mapping[str, Any] | Row) -> Point:
    return Point(case["lat"], case["lng"], case["datum"])


def links_of(case: Mapping[str, Any] | Row) -> tuple[Link, ...]:
    """The case's place on a map, when its position is known."""
    if case["lat"] is None:
        return ()
    return (Link(text("case.map"), map_link(_point(case), f"{case['number']} {case['place']}")),)


def decision_rows(number: str) -> tuple[tuple[Button, ...], ...]:
    """True, not true, duplicate of…"""
    return (
        (
            Button(text("case.true"), f"/verify {number} true", "primary"),
            Button(text("case.false"), f"/verify {number} false", "danger"),
        ),
        (Button(text("case.dup"), f"/verify {number} dup"),),
    )
