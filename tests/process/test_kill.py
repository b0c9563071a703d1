"""The real program under load, killed again and again: nothing is lost, nothing is doubled, the ledger is whole."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.fakes.botapi import FakeBotApi
from tests.process.crowd import CLEANERS, VILLAGERS, WISHES, Crowd, check, example, join_links
from tests.process.program import Program, look_into

KILLS = 20


async def lives_and_deaths(program: Program, dice: random.Random) -> None:
    """Twenty kills at random moments, some while it starts."""
    for _ in range(KILLS):
        await program.start()
        if dice.random() < 0.2:
            await asyncio.sleep(dice.uniform(0.1, 1.0))
        else:
            await program.serves()
            await asyncio.sleep(dice.uniform(0.0, 1.2))
        await program.kill()


@pytest.mark.process
async def test_killed_twenty_times(tmp_path: Path, dice: random.Random) -> None:
    async with FakeBotApi() as api:
        program = Program(tmp_path, api, look_into(tmp_path / "data" / "jingxiang.db"))
        code, printed = await program.command("import", str(example(tmp_path / "township")))
        assert code == 0, printed
        crowd = Crowd(api, program, await join_links(program, "cleaner", "王家沟村", CLEANERS))
        carried = crowd.begin()
        await lives_and_deaths(program, dice)
        before = len(crowd.left)
        await program.start()
        await program.serves()
        await crowd.finish(carried)
        assert before < VILLAGERS * WISHES, "it was killed so quickly that nothing was done meanwhile"
        await check(program, crowd)
