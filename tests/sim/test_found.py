"""Defects that the simulator found, or that were found while writing it, each as small as it can be told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.channels.base import Channels
from bot.clock import Seams, TimeIds
from bot.incoming.flood import FloodGate
from bot.outgoing.shares import Outgoing
from bot.schedule import MAX_ATTEMPTS, Schedule
from storage.database import Damaged, Tx, Unavailable
from storage.engine.migrate import migrate
from storage.engine.sqlite import SqliteDatabase
from storage.machine import inbox, timers, townships
from tests.sim.chat.texts import KeyCatalogues
from tests.sim.plays.product import Defect
from tests.sim.plays.township import Clock
from tests.sim.town import SimDice

NOON_MS = 1_795_000_000_000


def update(number: int, **fields: Any) -> dict[str, Any]:
    """An inbox row."""
    row = {"id": number, "channel": "sim", "update_key": f"{number}", "address": "sim:0", "body": b"{}"}
    return {**row, "received_ms": NOON_MS, **fields}


@pytest.fixture
async def database(tmp_path: Path) -> Any:
    """An empty database, opened as the program opens it."""
    migrate(tmp_path / "jingxiang.db", now_ms=NOON_MS)
    opened = await SqliteDatabase.open(tmp_path / "jingxiang.db")
    await opened.transaction(townships.add_turn)
    yield opened
    await opened.close()


async def test_a_full_disk_is_said_and_does_not_wedge_the_writer(database: SqliteDatabase) -> None:
    async def limit(tx: Tx, pages: int) -> None:
        await tx.one(f"PRAGMA max_page_count={pages}")

    async def fill(tx: Tx) -> None:
        await inbox.put(tx, [update(number, body=b"x" * 4_000) for number in range(500)])

    await database.transaction(lambda tx: limit(tx, 1))
    with pytest.raises(Unavailable):
        await database.transaction(fill)
    await database.transaction(lambda tx: limit(tx, 1 << 30))
    await database.transaction(lambda tx: inbox.put(tx, [update(1)]))
    assert (await database.read(inbox.counts)) == {"new": 1}


def test_ids_asked_for_by_several_threads_are_never_the_same() -> None:
    ids = TimeIds(Clock(NOON_MS))
    made: list[int] = []
    asking = [threading.Thread(target=lambda: made.extend(ids.next() for _ in range(20_000))) for _ in range(4)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert len(set(made)) == len(made) == 80_000


def test_two_workers_never_make_the_same_id() -> None:
    class Worker:
        def __init__(self, number: int) -> None:
            self.number = number

    first, second = TimeIds(Clock(NOON_MS), worker=Worker(0)), TimeIds(Clock(NOON_MS), worker=Worker(1))
    made = [maker.next() for _ in range(1_000) for maker in (first, second)]
    assert len(set(made)) == len(made)


async def test_an_update_that_another_worker_has_handled_is_not_set_aside(database: SqliteDatabase) -> None:
    await database.transaction(lambda tx: inbox.put(tx, [update(1), update(2)]))
    await database.transaction(lambda tx: inbox.done(tx, [1]))
    assert not await database.transaction(lambda tx: inbox.quarantine(tx, 1, "late"))
    assert await database.transaction(lambda tx: inbox.quarantine(tx, 2, "broken"))
    assert await database.read(inbox.counts) == {"quarantined": 1}


async def test_ids_go_on_after_a_timer_too(database: SqliteDatabase) -> None:
    row = {"id": 77, "kind": "k", "timer_key": "k", "fire_ms": NOON_MS, "payload": "{}"}
    await database.transaction(lambda tx: timers.put(tx, [row]))
    assert await database.read(inbox.last_id) == 77


def test_what_was_put_off_before_a_restart_still_goes_first() -> None:
    gate = FloodGate()
    for per_minute in (0, 20):
        judge = gate.judge(1, NOON_MS, per_minute)
        assert judge.due_ms("sim:0", after_ms=NOON_MS + 30_000) >= NOON_MS + 30_000
        assert judge.due_ms("sim:1") == NOON_MS


async def test_an_update_is_due_also_with_the_clock_set_back(database: SqliteDatabase) -> None:
    await database.transaction(lambda tx: inbox.put(tx, [update(1), update(2)]))
    await database.transaction(lambda tx: inbox.put_off(tx, [{"id": 2, "due_ms": NOON_MS + 30_000}]))
    found = await database.read(lambda tx: inbox.oldest_new(tx, now_ms=NOON_MS - 60_000, limit=10))
    assert [row["id"] for row in found] == [1]


class OneErrand:
    """A product whose only timer needs something from outside; how often the timer was run."""

    def __init__(self, handler: Callable[[], None] = lambda: None) -> None:
        self.timers = {"fetch": self._fetched}
        self.run = 0
        self._handler = handler

    async def world(self, tx: Tx, now_ms: int) -> None:
        return None

    async def _fetched(self, desk: Any, payload: Mapping[str, Any]) -> None:
        self.run += 1
        self._handler()


async def errand_of(database: SqliteDatabase, product: Any, clock: Any, fetch: Any) -> Schedule:
    """A schedule with that errand, due now."""
    schedule = Schedule(
        database,
        product,
        KeyCatalogues(),
        Seams(clock, TimeIds(clock), SimDice(1)),
        Outgoing(database, Channels(), clock=clock),
        errands={"fetch": fetch},
    )
    row = {"id": 1, "kind": "fetch", "timer_key": "f", "fire_ms": NOON_MS, "payload": "{}"}
    await database.transaction(lambda tx: timers.put(tx, [row]))
    return schedule


async def test_an_errand_whose_failure_cannot_be_told_is_given_up(database: SqliteDatabase) -> None:
    def always() -> None:
        raise Defect("always")

    async def fetch(township_id: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        return {}

    product, clock = OneErrand(always), Clock(NOON_MS)
    schedule = await errand_of(database, product, clock, fetch)
    async with asyncio.timeout(20):
        while not (await database.read(timers.counts)).get("failed"):
            await schedule.run_due()
            await schedule.errands_done()
            clock._now_ms += 3_600_000
    assert product.run == MAX_ATTEMPTS + 1


@pytest.mark.parametrize("away", [Unavailable("disk full"), Damaged("database disk image is malformed")])
async def test_an_errand_that_finds_the_database_away_stays_due(database: SqliteDatabase, away: Unavailable) -> None:
    troubles: list[Exception] = [away] * (MAX_ATTEMPTS + 2)

    async def fetch(township_id: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        if troubles:
            raise troubles.pop()
        return {}

    product, clock = OneErrand(), Clock(NOON_MS)
    schedule = await errand_of(database, product, clock, fetch)
    async with asyncio.timeout(20):
        while not product.run:
            await schedule.run_due()
            await schedule.errands_done()
    assert clock._now_ms == NOON_MS and "failed" not in await database.read(timers.counts)
