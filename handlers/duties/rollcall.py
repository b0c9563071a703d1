"""The roll-call of a clean-up, on demand: of the last one, and of any day again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, time, timedelta

import orjson

from bot.errors import PersonError
from bot.talk.form import read_day
from bot.talk.messages import Button, Say, Text, on_lines, text
from bot.talk.understanding.slots import Read
from bot.turn import Intent
from handlers.duties import rules
from handlers.duties.rules import Effort, Rollcall, Village
from handlers.duties.week import cleanup_on, last_cleanup, next_cleanup, skipped_this_week
from handlers.people.rules import Held, may, roles_with
from handlers.world import Desk, Turn, World
from storage.database import Row
from storage.product import digests, duties

RIGHT = "see_rollcall"


async def load(desk: Desk, day: date, roots: Collection[int] | None = None, *, as_of_ms: int | None = None) -> Rollcall:
    """The roll-call of a day for the villages at or below some areas; of the whole township when none are said.

    Without `as_of_ms` it is what is known now; printed as of the end of reporting, or of the last report after it.
    Everything that tells of a clean-up counts here: the receipt, the roll-call, digests, the county's list, groups.
    """
    world = desk.world
    cleanup, common = cleanup_on(world, day), await _was_common(desk, day)
    from_ms = world.moment_ms(day, time())
    until_ms = cleanup.until_ms if cleanup else world.moment_ms(day + timedelta(days=1), time())
    known_ms = desk.now_ms + 1 if as_of_ms is None else as_of_ms
    reports = await duties.reports(desk.tx, day.isoformat(), until_ms=known_ms)
    last_ms = max((row["at_ms"] for row in reports), default=0)
    shown_ms = min(desk.now_ms, max(until_ms, last_ms)) if as_of_ms is None else as_of_ms
    efforts: dict[int, list[Effort]] = {}
    for row in await duties.effort(desk.tx, day.isoformat(), until_ms=known_ms):
        efforts.setdefault(row["village_id"], []).append(Effort(row["metric"], row["unit"], row["value_milli"]))
    photos = {row["village_id"]: len(orjson.loads(row["photos"])) for row in reports}
    seen = _sees(world, roots)
    villages = tuple(
        Village(
            row["area_id"],
            row["name"],
            tuple(efforts.get(row["area_id"], ())) if row["area_id"] in photos else None,
            photos.get(row["area_id"], 0),
        )
        for row in await _on_the_roll(desk, min(shown_ms, until_ms), shown_ms, photos)
        if (common or row["area_id"] in photos) and seen(row)
    )
    return Rollcall(from_ms, until_ms, shown_ms, villages, common)


async def _was_common(desk: Desk, day: date) -> bool:
    """Whether every village was to report on a day: as it was when the day's digest ran, whatever is known since."""
    run = await digests.run_of(desk.tx, day.isoformat())
    return bool(run["is_cleanup"]) if run else cleanup_on(desk.world, day) is not None


async def _on_the_roll(desk: Desk, end_ms: int, shown_ms: int, reported: Collection[int]) -> list[Row]:
    """The villages that were to report by `end_ms`, and whichever did, by their codes.

    In a township that was entered only after that, its first villages were, once one of them reports for the day.
    """
    found = await _villages_at(desk, end_ms, reported)
    if not found and reported:
        found = await _villages_at(desk, max(end_ms, await duties.first_villages_ms(desk.tx) or 0), reported)
    known = {row["area_id"] for row in found}
    if not known.issuperset(reported):
        later = await duties.areas_at(desk.tx, shown_ms)
        found += [row for row in later if row["area_id"] in reported and row["area_id"] not in known]
    return sorted(found, key=lambda row: str(row["code"]))


async def _villages_at(desk: Desk, at_ms: int, reported: Collection[int]) -> list[Row]:
    return [
        row
        for row in await duties.areas_at(desk.tx, at_ms)
        if row["level"] == "village" and (not row["gone"] or row["area_id"] in reported)
    ]


def seen_by(roles: Iterable[Held]) -> set[int]:
    """The areas whose villages somebody with these roles sees."""
    allowed = roles_with(RIGHT)
    return {role.area_id for role in roles if role.name in allowed}


def _sees(world: World, roots: Collection[int] | None) -> Callable[[Row], bool]:
    """Which villages are seen; one that was given up since counts where its parent does."""
    if roots is None:
        return lambda row: True
    covers = world.places.covers
    return lambda row: any(covers(root, row[name]) for root in roots for name in ("area_id", "parent_id") if row[name])


async def rollcall(turn: Turn, args: str) -> None:
    """`/rollcall [day]`, «点名»: who reported and who is missing; works in groups."""
    day = await _day(turn, args)
    if day is None:
        return
    roll = await _roll(turn, day)
    lines = [*rules.rollcall_lines(roll), text("rollcall.as_of", at_ms=roll.as_of_ms)]
    named = day.isoformat()
    buttons = (
        Button(text("rollcall.again"), f"/rollcall {named}"),
        Button(text("rollcall.page"), f"/friday {named}"),
    )
    turn.reply(Say(on_lines(lines), (buttons,), card=f"rollcall:{named}"))


async def friday(turn: Turn, args: str) -> None:
    """`/friday [day]`: the clean-up's one-page report, any day again."""
    day = await _day(turn, args)
    if day is not None:
        roll = await _roll(turn, day)
        turn.reply(on_lines(rules.page_lines(roll)))


async def _roll(turn: Turn, day: date) -> Rollcall:
    """The roll-call that the person sees; raises PersonError when there was no village yet on that day."""
    roll = await load(turn, day, seen_by(turn.person.roles))
    if not roll.villages:
        raise PersonError("rollcall_none_yet")
    return roll


async def _day(turn: Turn, args: str) -> date | None:
    """The day that is said, else the last clean-up; None after telling that there is none."""
    world = turn.world
    today = world.day(turn.now_ms)
    said = args.strip()
    if not said:
        skipped = skipped_this_week(world, today)
        if skipped is not None and skipped <= today:
            turn.reply(_skipped(turn, skipped))
            return None
        last = last_cleanup(world, today)
        if last is None:
            raise PersonError("rollcall_none_yet")
        return last.day
    day = read_day(said, today)
    if day is None:
        raise PersonError("rollcall_day", said=said[:20])
    if day > today:
        raise PersonError("rollcall_not_yet", day_ms=world.moment_ms(day, time()))
    if cleanup_on(world, day) is None and not await duties.reports(turn.tx, day.isoformat()):
        turn.reply(_skipped(turn, day))
        return None
    return day


def _skipped(turn: Turn, day: date) -> Text:
    """There was no clean-up that day; when the next one is."""
    world = turn.world
    following = next_cleanup(world, turn.now_ms)
    day_ms = world.moment_ms(day, time())
    if following is None:
        return text("rollcall.no_cleanup", day_ms=day_ms)
    return text("rollcall.no_cleanup_next", day_ms=day_ms, next_ms=following.from_ms)


async def when(turn: Turn, read: Read) -> Intent | None:
    """The next clean-up and until when villages report, by the policy and the working calendar."""
    world = turn.world
    found = next_cleanup(world, turn.now_ms)
    if found is None:
        turn.reply(text("ask.friday.none"))
        return None
    source = world.policy.title.in_language(turn.person.language)
    said = text("ask.friday", from_ms=found.from_ms, until_ms=found.until_ms, title=source)
    rows = ((Button(text("menu.cleanup"), "/cleanup"),),) if may(turn.person.roles, "report_cleanup") else ()
    turn.reply(Say(said, rows))
    return None
