"""A village reports its clean-up: from a button, a line, a photo's caption. A later report corrects the earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

import orjson

from bot.errors import PersonError
from bot.talk.form import Option, read_day
from bot.talk.messages import In, Say, Text, on_lines, text
from bot.talk.numerals import QuantityError
from bot.talk.session import REVIEW, Frame
from bot.talk.understanding.slots import Read
from bot.turn import Intent
from handlers.areas.places import Area
from handlers.duties import reading, rules, words
from handlers.duties.days import UNSAID, check_day, recent_cleanup, the_day
from handlers.duties.rollcall import load
from handlers.duties.rules import Effort
from handlers.duties.villages import reports_for
from handlers.duties.week import cleanup_on
from handlers.people.actions import private
from handlers.people.rules import may
from handlers.undo import withdraw_button
from handlers.world import Turn
from storage.database import Row
from storage.product import duties

FORM = "cleanup"
RIGHT = "report_cleanup"
OFFERED_LARGEST = 8
COMMAND_WORDS = "said.cleanup"


async def cleanup(turn: Turn, args: str) -> None:
    """`/cleanup [day] [12人 3车 8方]`, the reminder's button, «周五报到»."""
    private(turn)
    first, _, rest = args.strip().partition(" ")
    today = turn.world.day(turn.now_ms)
    day = read_day(first, today) if first and first[0].isdigit() else None
    said = rest.strip() if day else args.strip()
    day = day or the_day(turn.world, today)
    if day is not None:
        check_day(turn, day, step=None)
    turn.open(FORM, **await _known(turn, day, said, None))


def is_report(turn: Turn, rest: str) -> bool:
    """Whether words behind the command are a report's day, its figures, or both."""
    first, _, after = rest.partition(" ")
    day = first[:1].isdigit() and read_day(first, turn.world.day(turn.now_ms)) is not None
    said = after.strip() if day else rest
    return (day and not said) or words.is_cleanup_line(said, strict=False)


async def surely(turn: Turn, takes_words: bool) -> Intent | None:
    """A whole report, people and something else, said to a question about another matter."""
    said = turn.event.text.strip()
    if not may(turn.person.roles, RIGHT) or not words.is_whole_line(said):
        return None
    return await from_words(turn, said)


async def interpret(turn: Turn) -> Intent | None:
    """A line (or a photo's caption) that is a village's report.

    On any day but a clean-up's without a command word it must say more, and it is asked which day is meant.
    """
    event = turn.event
    if event.kind not in ("text", "media") or not may(turn.person.roles, RIGHT):
        return None
    said = event.text.strip()
    begins = turn.catalogues[turn.person.language].render(text(COMMAND_WORDS)).split("|")
    today = turn.world.day(turn.now_ms)
    said_after = words.after_command_word(said, begins)
    if said_after is None:
        takes = words.is_cleanup_line if expects_reports(turn) else words.is_line_of_another_day
        return await from_words(turn, said) if takes(said) else None
    if said_after and not words.is_cleanup_line(said_after, strict=False):
        return None
    return Intent(form=FORM, answers=await _known(turn, the_day(turn.world, today), said_after, event))


def expects_reports(turn: Turn) -> bool:
    """Whether today is a clean-up's day, on which any figure is a report's."""
    return cleanup_on(turn.world, turn.world.day(turn.now_ms)) is not None


async def begun_by_line(turn: Turn, said: str) -> dict[str, Any]:
    """The answers with which the form begins that asks which day a line is about."""
    return {**await _known(turn, None, said, None), UNSAID: True}


async def told(turn: Turn, read: Read) -> Intent | None:
    """The report of one's village told in a sentence, with the figures, the day and the place that were said."""
    return await from_words(turn, turn.event.text.strip())


async def from_words(turn: Turn, said: str) -> Intent:
    """The form that a line without a command word opens: for the day that it says, else for today if that is a
    clean-up's; on any other day it is asked.
    """
    today = turn.world.day(turn.now_ms)
    day = words.day_in(said, today) or (today if cleanup_on(turn.world, today) is not None else None)
    if day is not None:
        return Intent(form=FORM, answers=await _known(turn, day, said, turn.event))
    answers = {**await _known(turn, None, said, turn.event), UNSAID: True}
    note = None if recent_cleanup(turn.world, today) else text("cleanup.none_today", day_ms=turn.now_ms)
    return Intent(form=FORM, answers=answers, note=note)


async def again(turn: Turn, frame: Frame) -> Intent | None:
    """A whole line said to a question of an open report: it takes the draft's place, for its day, with its photos.

    Free words and the review take no line, and the question for the people reads the whole line itself.
    """
    event, before = turn.event, frame.answers
    begins = turn.catalogues[turn.person.language].render(text(COMMAND_WORDS)).split("|")
    said = event.text.strip()
    said = words.after_command_word(said, begins) or said
    if frame.asked in (REVIEW, "words") or not words.is_whole_line(said):
        return None
    village = _village_said(turn, said)
    same = village is None or str(village.area_id) == (before.get("village") or {}).get("id")
    if frame.asked == "people" and same:
        return None
    day = date.fromisoformat(before["day"]) if "day" in before else the_day(turn.world, turn.world.day(turn.now_ms))
    known = await _known(turn, day, said, event)
    kept = {name: before[name] for name in ("village",) if name in before}
    photos = [*(before.get("photos") or ()), *(known.get("photos") or ())]
    return Intent(form=FORM, answers={**kept, **known, **({"photos": photos} if photos else {})})


async def _known(turn: Turn, day: date | None, said: str, event: In | None) -> dict[str, Any]:
    """A form's answers from what is said: with the day and the people known, straight to the review.

    What a correction does not say again is as it was reported before.
    """
    answers: dict[str, Any] = {"day": day.isoformat()} if day is not None else {}
    village = _village_said(turn, said)
    if village is not None:
        answers["village"] = {"id": str(village.area_id), "label": village.name}
    if event and event.media:
        answers["photos"] = [[one.kind, one.ref, one.size_bytes] for one in event.media]
    if not said:
        return answers
    try:
        efforts = rules.efforts_of(words.parse_cleanup_line(said))
    except QuantityError as problem:
        turn.reply(text(f"step.effort_{problem.code}", said=problem.said))
        return answers
    figures, odd = reading.answers_of(efforts, turn.world.policy.friday)
    if odd:
        turn.reply(text("cleanup.unlikely", efforts=rules.efforts_line(odd)))
    left = {effort.metric for effort in odd}
    before = await _before(turn, day, village.area_id) if village is not None and day is not None else None
    kept = {one.metric: one.to_json() for one in before.efforts if one.metric not in left} if before else {}
    if "people" in efforts or kept:
        answers |= {name: kept.get(name) for name in ("vehicles", "volume") if name not in left}
        answers.setdefault("photos", None)
    if "people" in kept:
        answers["people"] = kept["people"]
    return {**answers, **figures}


def _village_said(turn: Turn, said: str) -> Area | None:
    """The village that the words name, if the person reports for it; else their only one."""
    own = {village.area_id: village for village in reports_for(turn.world, turn.person.roles)}
    match = turn.world.places.find_place(said) if said else None
    if match is not None and match.village is not None and match.village.area_id in own:
        return own[match.village.area_id]
    return next(iter(own.values())) if len(own) == 1 else None


async def own_villages(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """The villages a person reports for; of too many those that are missing on the day come first."""
    own = reports_for(turn.world, turn.person.roles)
    if len(own) > OFFERED_LARGEST and "day" in answers:
        done = {row["village_id"] for row in await duties.reports(turn.tx, answers["day"])}
        own.sort(key=lambda village: village.area_id in done)
    return [_option(village) for village in own[:OFFERED_LARGEST]]


async def search_village(turn: Turn, _: Mapping[str, Any], said: str) -> Sequence[Option]:
    """Those of them that the words name."""
    own = reports_for(turn.world, turn.person.roles)
    match = turn.world.places.find_place(said)
    if match is not None:
        named = {match.village.area_id} if match.village else {choice.village.area_id for choice in match.choices}
        return [_option(village) for village in own if village.area_id in named]
    return [_option(village) for village in own if said.strip() and said.strip() in village.name][:OFFERED_LARGEST]


def _option(village: Area) -> Option:
    return Option(str(village.area_id), village.name)


async def submit_cleanup(turn: Turn, answers: Mapping[str, Any]) -> None:
    """Write the report and its effort (D15: each series its own row), in place of the village's earlier one."""
    world = turn.world
    day = date.fromisoformat(answers["day"])
    check_day(turn, day, step="day")
    village_id = int(answers["village"]["id"])
    if village_id not in {village.area_id for village in reports_for(world, turn.person.roles)}:
        area = world.places.areas.get(village_id)
        raise PersonError(
            "not_your_area", step="village", area=area.name if area else "?", who=text(f"right.{RIGHT}.who")
        )
    efforts = [
        reading.effort_from(metric, answers[metric]) for metric in rules.METRICS if answers.get(metric) is not None
    ]
    before = await _before(turn, day, village_id)
    kept = [one for one in before.efforts if one.metric not in {new.metric for new in efforts}] if before else []
    photos = await _photos(turn, answers.get("photos") or (), before.row if before else None)
    remark = str(answers.get("words") or "").strip() or (before.row["words"] if before else "")
    report = {
        "id": turn.ids.next(),
        "day": day.isoformat(),
        "village_id": village_id,
        "person_id": turn.person.id,
        "words": remark,
        "photos": photos,
        "replaces": before.row["id"] if before else None,
        "policy_version": world.current.version,
        "at_ms": turn.now_ms,
    }
    entries = [
        {"id": turn.ids.next(), "metric": one.metric, "unit": one.unit, "value_milli": one.milli}
        for one in (*efforts, *kept)
    ]
    await duties.add_report(turn.tx, report, entries)
    said = await _receipt(turn, day, village_id, (efforts, kept), len(photos), before)
    back = ((withdraw_button(f"/uncleanup {report['id']}"),),) if world.policy.undo.minutes else ()
    turn.reply(replace(said, rows=back, card=f"cleanup:{report['id']}"))


@dataclass(frozen=True, slots=True)
class Before:
    """The report of a village that stands so far, and what it said."""

    row: Row
    efforts: tuple[Effort, ...]


async def _before(turn: Turn, day: date, village_id: int) -> Before | None:
    row = next(iter(await duties.reports(turn.tx, day.isoformat(), village_id=village_id)), None)
    if row is None:
        return None
    efforts = tuple(
        Effort(one["metric"], one["unit"], one["value_milli"])
        for one in await duties.effort(turn.tx, day.isoformat())
        if one["report_id"] == row["id"]
    )
    return Before(row, efforts)


async def _photos(turn: Turn, sent: Sequence[Sequence[Any]], before: Row | None) -> list[str]:
    """The evidence: earlier photos of the day stay with the village's report, new ones are added."""
    known: list[str] = orjson.loads(before["photos"]) if before else []
    new = await turn.attach(turn.person.id, turn.person.channel, sent) if sent else []
    return list(dict.fromkeys((*known, *new)))


async def _receipt(
    turn: Turn,
    day: date,
    village_id: int,
    said: tuple[Sequence[Effort], Sequence[Effort]],
    photos: int,
    before: Before | None,
) -> Say:
    """What was noted (said now, and kept from before), what it corrects, and how far the roll-call is."""
    world = turn.world
    efforts, kept = said
    lines: list[Text] = [
        text("cleanup.corrected" if before else "cleanup.noted", village=world.places.areas[village_id].name),
        text("cleanup.day", day_ms=world.moment_ms(day, time())),
        *(rules.effort_text(effort) for effort in efforts),
        text("cleanup.photos" if photos else "cleanup.no_photos", count=photos),
    ]
    if kept:
        lines.append(text("cleanup.kept", efforts=rules.efforts_line(kept)))
    if before is not None:
        lines.append(text("cleanup.before", efforts=rules.efforts_line(before.efforts)))
    due = cleanup_on(world, day)
    if due is not None:
        if turn.now_ms >= due.until_ms:
            lines.append(text("cleanup.late", until_ms=due.until_ms))
        roll = await load(turn, day)
        lines.append(text("cleanup.reported", reported=len(roll.reported), villages=len(roll.villages)))
    return Say(on_lines(lines))
