"""The office's own doors, and the program killed in between: a PIN and what waits for it, a reporter's notice."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.fakes.botapi import FakeBotApi
from tests.fakes.botapi_people import User
from tests.process.crowd import join_links, until_sent
from tests.process.test_undo import UNDO_MS, Office

DIGITS = "482913"
HOLDS_MS, DAY_MS = 11 * 60_000, 86_400_000
TOLD_DAYS = 14  # of the example's policy
TOLD = "看过是谁报的"


async def joins(office: Office, name: str, role: str) -> User:
    """Somebody with a role for the whole town."""
    [token] = await join_links(office.program, role, "青禾塬镇", 1)
    user = office.api.user(name)
    await office._taps(user, f"/start {token}", "同意")
    await user.hears_all()
    return user


async def sets_a_pin(user: User) -> None:
    for said, heard in (("设置密码", "请设一个"), (DIGITS, "再输一遍"), (DIGITS, "密码设好了")):
        await user.says(said)
        await user.hears(heard)


@pytest.mark.process
async def test_killed_between_the_pin_and_what_waits_for_it(tmp_path: Path, dice: random.Random) -> None:
    async with FakeBotApi() as api:
        office = Office(tmp_path, api)
        try:
            await office.open()
            admin = await joins(office, "周主任", "admin")
            await sets_a_pin(admin)
            await office.dies(later_ms=HOLDS_MS)
            await office._taps(admin, "/invite", "保洁员")
            await admin.says("王家沟")
            await office._taps(admin, "", "生成邀请")
            await admin.hears("请输入您的数字密码")
            await admin.says(DIGITS)
            await asyncio.sleep(dice.uniform(0, 0.15))
            await office.dies()
            made = "SELECT 1 FROM invitations WHERE kind = 'role' AND role = 'cleaner'"
            async with asyncio.timeout(30):
                while not office.program.rows(made):
                    await asyncio.sleep(0.1)
            await until_sent(office.program)
            await office.dies()
            await until_sent(office.program)
            assert len(office.program.rows(made)) == 1
            given = office.program.rows("SELECT event FROM pin_events ORDER BY id")
            assert [row["event"] for row in given] == ["set", "right"]
            await office.sound()
        finally:
            await office.program.end()


@pytest.mark.process
async def test_killed_around_the_day_on_which_a_reporter_is_told_of_a_look(tmp_path: Path, dice: random.Random) -> None:
    async with FakeBotApi() as api:
        office = Office(tmp_path, api)
        try:
            await office.open()
            payer, auditor = await joins(office, "钱会计", "finance"), await joins(office, "吴督查", "auditor")
            await office.dies(later_ms=UNDO_MS + 60_000)
            await office.quiet()
            number = office.program.rows("SELECT number FROM cases")[0]["number"]
            await office._taps(payer, f"/reporter {number}", "发奖励")
            await office._taps(auditor, "", "同意")
            await payer.hears("同意了")
            await payer.says(f"/reporter {number}")
            await payer.hears("的举报人")
            await office.aunt.hears_all()
            await office.dies(later_ms=(TOLD_DAYS - 1) * DAY_MS)
            await until_sent(office.program)
            assert office.program.rows("SELECT 1 FROM timers WHERE kind = 'disclosure.tell' AND state = 'due'")
            await office.aunt.hears_nothing()
            await office.program.kill()
            office.program.ahead_ms += 2 * DAY_MS
            await office.program.start()
            await asyncio.sleep(dice.uniform(0, 2.5))  # while it starts, plans, tells, sends
            await office.dies()
            async with asyncio.timeout(60):
                while not office.program.rows("SELECT 1 FROM timers WHERE kind = 'disclosure.tell' AND state = 'done'"):
                    await asyncio.sleep(0.1)
            await until_sent(office.program)
            told = [heard.text for heard in await office.aunt.hears_all() if TOLD in heard.text]
            assert told and len(set(told)) == 1 and number in told[0]
            assert len(told) <= 2, "sent, and killed before that was marked"
            await office.sound()
        finally:
            await office.program.end()
