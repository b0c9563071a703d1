"""How another township is read: its own policy and days, the digest's own figures, and nothing can be written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import time
from typing import NoReturn

from handlers.areas.index import Gazetteer
from handlers.county.rules import Days, Seen, Town
from handlers.digests.figures import Material, Period, figures, period_of, read, since_closing
from handlers.digests.rules import Figures
from handlers.duties.rollcall import load
from handlers.duties.week import cleanup_on
from handlers.policy.actions import load_policies
from handlers.policy.rules import NoPolicy
from handlers.world import Desk, Turn, World
from storage.database import Params, Row, Tx
from storage.machine import townships


class WriteRefused(RuntimeError):
    """County staff look; whoever writes in another township has a defect."""


class Glance:
    """A transaction of which only reading is left."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.township_id = tx.township_id
        self.sealing = tx.sealing

    async def one(self, sql: str, params: Params | None = None) -> Row | None:
        """The first row, or None."""
        return await self._tx.one(_checked(sql), params)

    async def all(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        """Every row."""
        return await self._tx.all(_checked(sql), params)

    async def run(self, sql: str, params: Params | None = None) -> NoReturn:
        """Refused, like all that follow."""
        raise WriteRefused(sql)

    async def many(self, sql: str, rows: Sequence[Params]) -> NoReturn:
        raise WriteRefused(sql)

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        raise WriteRefused("savepoint")

    def at(self, township_id: int) -> NoReturn:
        raise WriteRefused("a third township")

    async def notify(self, topic: str, payload: str) -> NoReturn:
        raise WriteRefused(topic)


def _checked(sql: str) -> str:
    if not sql.lstrip().upper().startswith("SELECT"):
        raise WriteRefused(sql)
    return sql


async def towns_of_county(turn: Turn) -> tuple[str, list[Town]]:
    """The county's name and its townships by code: those of the same province and county as the person's own.

    A township of no county is alone.
    """
    rows = await townships.every_name(turn.tx)
    home = next(row for row in rows if row["township_id"] == turn.tx.township_id)
    found = [
        Town(row["township_id"], row["code"], row["name"])
        for row in rows
        if row["township_id"] == home["township_id"]
        or (home["county"] and (row["province"], row["county"]) == (home["province"], home["county"]))
    ]
    return home["county"] or home["name"], sorted(found, key=lambda town: town.code)


async def look_at(turn: Turn, town: Town) -> Desk | None:
    """The desk of a township, to be read only and without its places; None before its first policy."""
    tx = Glance(turn.tx.at(town.id))
    policies = await load_policies(tx)
    home: World = turn.world
    try:
        current = policies.at(turn.now_ms)
    except NoPolicy:
        return None
    nowhere = Gazetteer((), (), (), policies.stamp)
    world = World(
        town.code, town.name, home.zone, home.public_url, "", nowhere, policies, current, declared=home.declared
    )
    return Desk(tx=tx, now_ms=turn.now_ms, ids=turn.ids, dice=turn.dice, catalogues=turn.catalogues, world=world)


async def seen(turn: Turn, town: Town, days: Days) -> Seen:
    """A township's figures over the digests of some days."""
    desk = await look_at(turn, town)
    period = await _period(desk, days) if desk is not None else None
    if desk is None or period is None:
        return Seen(town)
    material = await _with_every_cleanup(desk, await read(desk, period), days)
    if not material.areas:  # imported after that
        return Seen(town)
    return Seen(town, await whole(desk, material))


async def whole(desk: Desk, material: Material) -> Figures:
    """The figures of a whole township."""
    return await figures(desk, material, [area.area_id for area in material.areas if area.level == "town"])


async def _period(desk: Desk, days: Days) -> Period | None:
    """From the beginning of the first day's digest (the first that there can be) to the end of the last one's, today
    until now."""
    last = await period_of(desk, days.last)
    if last is None:
        return None
    running = await since_closing(desk, last)
    until_ms = running.until_ms if running is not None else last.until_ms
    for day in days.each():
        first = await period_of(desk, day)
        if first is not None:
            return replace(last, from_ms=first.from_ms, until_ms=until_ms, over=True, ran=False)
    return None


async def _with_every_cleanup(desk: Desk, material: Material, days: Days) -> Material:
    """A clean-up of which no village reported anything is missing all of them."""
    world = desk.world
    known = {roll.from_ms for roll in material.cleaned}
    silent = [
        await load(desk, day, as_of_ms=material.period.until_ms)
        for day in days.each()
        if world.moment_ms(day, time()) not in known and cleanup_on(world, day) is not None
    ]
    return replace(material, cleaned=(*material.cleaned, *silent))
