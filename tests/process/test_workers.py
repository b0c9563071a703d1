"""Four workers on PostgreSQL under load: one killed at random, again and again, and the server too."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.botapi import FakeBotApi
from tests.postgres import PostgresServer
from tests.process.crowd import CLEANERS, VILLAGERS, WISHES, Crowd, check, example, join_links
from tests.process.fleet import Fleet

WORKERS = 4
KILLS = 20
SERVER_CRASHES = (6, 13)


@pytest.fixture
async def fleet(durable_postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[tuple[FakeBotApi, Fleet]]:
    """Workers, not started yet, with the example township imported."""
    url = await durable_postgres.fresh()
    async with FakeBotApi() as api:
        made = Fleet(tmp_path, api, durable_postgres, url, WORKERS)
        code, printed = await made.command("import", str(example(tmp_path / "township")))
        assert code == 0, printed
        yield api, made
        made.rows.close()


async def incidents(fleet: Fleet, dice: random.Random) -> None:
    """One worker after the other dies and is started again; now and then the server crashes as well."""
    for number in range(KILLS):
        await asyncio.sleep(dice.uniform(0.0, 0.8))
        victim = dice.randrange(WORKERS)
        await fleet.kill(victim)
        if number in SERVER_CRASHES:
            await fleet.restart_server()
        await asyncio.sleep(dice.uniform(0.0, 0.5))
        await fleet.restart(victim)


@pytest.mark.process
async def test_a_worker_is_killed_twenty_times_and_the_server_twice(
    fleet: tuple[FakeBotApi, Fleet], dice: random.Random
) -> None:
    api, workers = fleet
    crowd = Crowd(api, workers, await join_links(workers, "cleaner", "王家沟村", CLEANERS))
    await workers.start()
    carried = crowd.begin()
    await incidents(workers, dice)
    before = len(crowd.left)
    await crowd.finish(carried)
    assert before < VILLAGERS * WISHES, "they were killed so quickly that nothing was done meanwhile"
    await check(workers, crowd)


@pytest.mark.process
async def test_a_rolling_restart_is_not_noticed(fleet: tuple[FakeBotApi, Fleet]) -> None:
    api, workers = fleet
    crowd = Crowd(api, workers, await join_links(workers, "cleaner", "王家沟村", CLEANERS))
    await workers.start()
    carried = crowd.begin()
    for number in range(WORKERS):
        assert await workers.workers[number].stop() == 0
        await workers.restart(number)
    await crowd.finish(carried)
    await check(workers, crowd)
