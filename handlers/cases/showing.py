"""`/case` and `/mycases`: what a person may see of a case. The reporter sees their own; staff see their area's."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.errors import PersonError
from bot.talk.geo import Point, distance_m
from bot.talk.messages import Button, Say, Text, Words, on_lines, text
from handlers.cases import rules
from handlers.cases.known import Known, case_said, known
from handlers.cases.notices import card_of, decision_rows, facts, kind_text, links_of, point_of, shortened, state_text
from handlers.people.actions import called, private
from handlers.people.rules import may
from handlers.undo import signed, withdraw_button
from handlers.world import Desk, Turn
from storage.database import Row
from storage.machine import media
from storage.photos import following, owners
from storage.product import case_vault, cases
from storage.product.cases import Case
from storage.security import reporter_looks

LISTED = 10


async def case_command(turn: Turn, args: str) -> None:
    """`/case 2026-0113`: for its reporter, the area's staff and who pays there; to others there is no such case."""
    private(turn)
    if not args.strip():
        raise PersonError("case_which")
    found = await case_said(turn, args)
    case = found.case
    if found.is_of(turn.person.id):
        await _show_own(turn, case)
    elif may(turn.person.roles, "see_cases", case.area_id, turn.world.places.covers):
        await show_case(turn, found)
    elif may_see_reporter(turn, case):
        await _show_payer(turn, case)
    else:
        raise PersonError("case_unknown", said=args[:40])


def may_see_reporter(turn: Turn, case: Case) -> bool:
    """Whether it is the person's job to know who reported a case of that area (`handlers/disclosure`)."""
    return may(turn.person.roles, "see_reporter", case.area_id, turn.world.places.covers)


async def _show_payer(turn: Turn, case: Case) -> None:
    """What is needed to pay a reward: which case, what was decided, how much. No words of the reporter, no photos."""
    lines = await facts(turn, case, for_staff=False, words=False)
    lines.append(text("case.status", state=state_text(case.told_state)))
    lines.append(text("case.points", points=case.points))
    rows = _reporter_rows(turn, case)
    if not rows:
        lines.append(text("case.reporter_later"))
    turn.reply(Say(on_lines(lines), rows))


def _reporter_rows(turn: Turn, case: Case) -> tuple[tuple[Button, ...], ...]:
    if rules.was_verified(case.told_state) and may_see_reporter(turn, case):
        return ((Button(text("case.see_reporter"), f"/reporter {case.number}"),),)
    return ()


async def my_cases(turn: Turn, args: str) -> None:
    """`/mycases`: the person's latest reports with their states."""
    private(turn)
    rows = await case_vault.reports_of(turn.tx, turn.person.id, limit=LISTED)
    if not rows:
        turn.reply(Say(text("case.mine_none"), ((Button(text("menu.report"), "/report", "primary"),),)))
        return
    lines: list[Words] = [text("case.mine", count=len(rows))]
    lines += [
        text(
            "case.mine_line",
            number=row["number"],
            kind=kind_text(row["kind"]),
            place=shortened(row["place"], 30),
            state=state_text(row["state"]),
        )
        for row in rows
    ]
    turn.reply(Say(on_lines(lines), number_rows([row["number"] for row in rows])))


async def waiting_cases(turn: Turn, args: str) -> None:
    """`/cases`: what waits to be verified in the areas that the person looks after, what presses most first.

    `/cases next` shows the first of them that is not the person's own.
    """
    private(turn)
    places = turn.world.places
    area_ids = [one for one in places.areas if may(turn.person.roles, "see_cases", one, places.covers)]
    total, found = await cases.undecided(turn.tx, area_ids=area_ids, limit=LISTED)
    if not found:
        turn.reply(text("case.waiting_none"))
        return
    if args.strip() == "next":
        for case in found:
            one = await known(turn, case)
            if not one.is_of(turn.person.id):
                await show_case(turn, one)
                return
    lines: list[Words] = [text("case.waiting", count=total)]
    lines += [
        text(
            "case.waiting_line.urgent" if case.urgent else "case.waiting_line",
            number=case.number,
            kind=kind_text(case.kind),
            place=shortened(case.place, 30),
            due_ms=case.verify_due_ms,
        )
        for case in found
    ]
    rows = tuple((Button(_named(case), f"/case {case.number}"),) for case in found)
    turn.reply(Say(on_lines(lines), rows, card="cases"))


def _named(case: Case) -> Text:
    """A case on a button: its number, kind and place."""
    return text("case.option", number=case.number, kind=kind_text(case.kind), place=shortened(case.place, 10))


def number_rows(numbers: Sequence[str]) -> tuple[tuple[Button, ...], ...]:
    """A button a case, two in a row."""
    buttons = [Button(number, f"/case {number}") for number in numbers]
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


async def _show_own(turn: Turn, case: Case) -> None:
    """What the reporter sees: no word of the staff's own."""
    lines = await facts(turn, case, for_staff=False)
    untold_ms = await reporter_looks.untold_ms(turn.tx, case.id)
    events = [event for event in await cases.events(turn.tx, case.id) if _told(case, event, untold_ms)]
    lines += [text("case.event", at_ms=event["at_ms"], state=state_text(event["event"])) for event in events]
    if case.claim_until_ms is not None:
        lines.append(text("case.claim_until", until_ms=case.claim_until_ms))
    photos = tuple(await cases.media_of(turn.tx, case.id))
    turn.reply(Say(on_lines(lines), media=photos, links=links_of(case)))


def _told(case: Case, event: Row, untold_ms: Collection[int]) -> bool:
    """Whether a reporter sees an entry of their case: no decision that can still be, or was, taken back, and no look
    before the message that says why.
    """
    if event["event"] == "reporter_seen" and event["at_ms"] in untold_ms:
        return False
    decision = event["event"] in rules.DECISIONS
    hidden = decision and (event["taken_back"] or case.settles_ms is not None)
    return not hidden and event["event"] not in ("withdrawn", "overturned")


async def show_case(turn: Turn, found: Known) -> None:
    """What the area's staff see; with the buttons while nothing is decided."""
    case, own = found.case, found.is_of(turn.person.id)
    photos = await cases.media_of(turn.tx, case.id)
    await owners.grant(turn.tx, photos, turn.person.id)
    covers = turn.world.places.covers
    decides = case.state == "registered" and not own
    rows = (
        decision_rows(case.number)
        if decides and may(turn.person.roles, "verify_case", case.area_id, covers)
        else _reporter_rows(turn, case)
    )
    if await following.originals_of(turn.tx, photos):
        rows = (*rows, (Button(text("case.originals"), f"/original {case.number}"),))
    lines = await _card_lines(turn, case, photos)
    card = "" if own else card_of(case)  # nothing of a reporter's own is known by the case
    say = Say(on_lines(lines), rows, media=tuple(photos), links=links_of(case), card=card)
    turn.reply(say)


async def originals(turn: Turn, args: str) -> None:
    """`/original 2026-0113`: the photos of a case in full size, for those who may see the case."""
    private(turn)
    if not args.strip():
        raise PersonError("case_which")
    found = await case_said(turn, args)
    case = found.case
    if not may(turn.person.roles, "see_cases", case.area_id, turn.world.places.covers):
        raise PersonError("case_unknown", said=args[:40])
    photos = await cases.media_of(turn.tx, case.id)
    full = await following.originals_of(turn.tx, photos)
    if not full:
        turn.reply(text("case.no_originals", number=case.number))
        return
    turn.reply(Say(text("case.originals_here", number=case.number, count=len(full)), media=tuple(full)))


async def change_cards(desk: Desk, case: Case) -> None:
    """Let every staff's message about a case say what has become of it, without the buttons that decided."""
    photos = await cases.media_of(desk.tx, case.id)
    lines = await _card_lines(desk, case, photos)
    open_again = case.state == "registered"
    rows = ((Button(text("case.look"), f"/case {case.number}"),),) if open_again else ()
    say = Say(on_lines(lines), rows, media=tuple(photos), links=links_of(case), card=card_of(case))
    await desk.refresh(say)


async def _card_lines(desk: Desk, case: Case, photos: list[str]) -> list[Text]:
    """A case as the area's staff see it: the facts, where its photos were taken, what happened.

    What became of the reward stays out.
    """
    lines = [*await facts(desk, case), *await _taken_elsewhere(desk, case, photos)]
    for event in await cases.events(desk.tx, case.id):
        if event["event"] in rules.REWARDED:
            continue
        when, state = event["at_ms"], state_text(event["event"])
        if event["person_id"] is None:
            lines.append(text("case.event", at_ms=when, state=state))
        else:
            lines.append(signed(state, event["name"] or "", when))
        if event["note"]:
            lines.append(text("case.note", note=shortened(event["note"])))
    return lines


async def _taken_elsewhere(desk: Desk, case: Case, photos: list[str]) -> list[Text]:
    """Where the photos themselves say that they were taken: evidence, if inside the township, and never asked for."""
    here = point_of(case)
    if here is None:
        return []
    taken = [
        Point(row["lat"], row["lng"], row["datum"] or "WGS-84")
        for row in await media.get_many(desk.tx, photos)
        if row["lat"] is not None
    ]
    inside = [distance_m(here, point) for point in taken if desk.world.places.locate(point) is not None]
    if not inside:
        return []
    nearest_m = round(min(inside))
    return [text("case.photo_here") if nearest_m <= rules.SAME_SPOT_M else text("case.photo_place", metres=nearest_m)]


async def show_decided(turn: Turn, found: Known) -> None:
    """A case that was decided before: who decided what and when, in the place of the card that was pressed."""
    case = found.case
    said = [row for row in await cases.events(turn.tx, case.id) if row["event"] in rules.DECISIONS]
    event = next((row for row in reversed(said) if not row["taken_back"]), None)
    if event is None:
        turn.reply(text("case.not_decided", number=case.number))
        return
    head = text(
        "case.decided_before",
        number=case.number,
        state=state_text(event["event"]),
        by=called(event["name"] or ""),
        at_ms=event["at_ms"],
    )
    rows: tuple[tuple[Button, ...], ...] = ()
    if case.settles_ms is not None and event["person_id"] == turn.person.id:
        rows = ((withdraw_button(f"/takeback {case.number}"),),)
    elif case.settles_ms is None and event["person_id"] != turn.person.id and not found.is_of(turn.person.id):
        rows = ((Button(text("case.revise"), f"/revise {case.number}"),),)
    photos = await cases.media_of(turn.tx, case.id)
    lines = await _card_lines(turn, case, photos)
    card = "" if found.is_of(turn.person.id) else card_of(case)
    turn.reply(Say(on_lines([head, *lines]), rows, media=tuple(photos), links=links_of(case), card=card))
