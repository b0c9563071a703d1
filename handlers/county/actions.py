"""County staff list the townships and read their digests; `/digest [day]` alone is anybody's who has the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bot.errors import PersonError
from bot.talk.form import read_day
from bot.talk.messages import Button, Say, text
from handlers.county import rules
from handlers.county.looking import look_at, seen, towns_of_county, whole
from handlers.county.rules import Days, Town
from handlers.digests import actions as digests
from handlers.digests.figures import period_of, read
from handlers.digests.rules import compose, no_data
from handlers.people.actions import private
from handlers.people.rules import may
from handlers.world import Turn

RIGHT = "see_county"


async def townships(turn: Turn, args: str) -> None:
    """`/townships [day [day]]`: the figures of each township of the county."""
    private(turn)
    world = turn.world
    today = world.day(turn.now_ms)
    days = rules.days_of(args, today)
    if days is None:
        raise PersonError("county_days", said=args.strip()[:40])
    _check(days, today)
    county, towns = await towns_of_county(turn)
    every = [await seen(turn, town, days) for town in towns]
    turn.reply(rules.compose(county, days, every, today))


def _check(days: Days, today: date) -> None:
    if days.last > today:
        raise PersonError("digest_not_yet")
    if (days.last - days.first).days >= rules.DAYS_LARGEST:
        raise PersonError("county_too_long", days=rules.DAYS_LARGEST)


async def digest(turn: Turn, args: str) -> None:
    """`/digest [day]` of one's own township; for county staff also `/digest TOWNSHIP [day]`."""
    roles = turn.person.roles
    if not may(roles, RIGHT):
        await digests.digest(turn, args)
        return
    private(turn)
    _, towns = await towns_of_county(turn)
    said, _, rest = args.strip().partition(" ")
    named = rules.towns_named(towns, said)
    if named:
        await _digest_of(turn, named, rest)
    elif said and read_day(args, turn.world.day(turn.now_ms)) is None:
        raise PersonError("county_unknown", said=said[:20], names=rules.names(towns))
    elif may(roles, digests.RIGHT):
        await digests.digest(turn, args)
    else:
        await _digest_of(turn, [town for town in towns if town.id == turn.tx.township_id], args)


async def _digest_of(turn: Turn, named: Sequence[Town], said: str) -> None:
    """One township's digest of a day as its own staff see it, without buttons to act there."""
    if len(named) > 1:
        rows = tuple((Button(f"{town.name} {town.code}", f"/digest {town.code}"),) for town in named)
        turn.reply(Say(text("county.which"), rows))
        return
    [town] = named
    today = turn.world.day(turn.now_ms)
    day = read_day(said, today) if said.strip() else today
    if day is None:
        raise PersonError("digest_day", said=said.strip()[:20])
    if day > today:
        raise PersonError("digest_not_yet")
    desk = await look_at(turn, town)
    period = await period_of(desk, day) if desk is not None else None
    if desk is None or period is None:
        raise PersonError("digest_before")
    material = await read(desk, period)
    found = await whole(desk, material)
    since = await digests.read_since(desk, period) if digests.is_asked_for_now(said) else None
    later = await whole(desk, since) if since is not None else None
    say = compose(found, with_buttons=False, since=later) if material.areas else no_data(found)
    back = Button(text("county.back"), f"/townships {day}")
    turn.reply(replace(say, rows=((back,),)))
