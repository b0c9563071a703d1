"""A decision taken back, or not, and the program killed in between: points and words are those of what stands."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path

import pytest

from storage.product import accounts
from tests.example import EXAMPLE
from tests.fakes.botapi import FakeBotApi
from tests.fakes.botapi_people import User
from tests.process.crowd import join_links, until_sent
from tests.process.program import Program, look_into

UNDO_MS = 10 * 60_000  # of the example's policy
RESULT = "有结果了"


def awake(folder: Path) -> Path:
    """The example township without quiet hours: what is told is told at once, whenever this runs."""
    folder.mkdir()
    for file in EXAMPLE.iterdir():
        content = file.read_bytes()
        if file.name == "policy.toml":
            hours = r"(\[quiet\][^\n]*\nstart = )[0-9:]+(\nend = )[0-9:]+"
            text, changed = re.subn(hours, r"\g<1>00:00:00\g<2>00:00:00", content.decode())
            assert changed == 1
            content = text.encode()
        (folder / file.name).write_bytes(content)
    return folder


class Office:
    """A keeper who decides, an aunt who reported, and the program that they write to."""

    def __init__(self, folder: Path, api: FakeBotApi) -> None:
        self.folder, self.api = folder, api
        self.program = Program(folder, api, look_into(folder / "data" / "jingxiang.db"))
        self.keeper, self.aunt = api.user("赵网格"), api.user("王大娘")

    async def open(self) -> None:
        """A report that waits to be decided."""
        code, printed = await self.program.command("import", str(awake(self.folder / "township")))
        assert code == 0, printed
        [token] = await join_links(self.program, "grid_keeper", "王家沟村", 1)
        await self.lives()
        await self._taps(self.keeper, f"/start {token}", "同意")
        await self._taps(self.aunt, "/start", "同意")
        await self._taps(self.aunt, "王家沟桥头有人倒垃圾", "跳过", "提交举报")
        await self._taps(self.keeper, "", "属实")
        self.decided = await self.keeper.hears("已记为「属实」")
        await until_sent(self.program)

    async def _taps(self, user: User, first: str, *labels: str) -> None:
        """Say something, and press each of these buttons as soon as it is there."""
        if first:
            await user.says(first)
        for label in labels:
            while label not in (heard := await user.hears()).labels:
                pass
            await user.taps(label, on=heard)

    async def lives(self) -> None:
        """Start, and wait until it serves."""
        await self.program.start()
        await self.program.serves()

    async def dies(self, *, later_ms: int = 0) -> None:
        """SIGKILL; the next life begins at once, with a clock that is so much later."""
        await self.program.kill()
        self.program.ahead_ms += later_ms
        await self.lives()

    async def quiet(self) -> None:
        """Wait until everything that is due has been done and sent."""
        async with asyncio.timeout(30):
            while self.program.rows("SELECT 1 FROM timers WHERE kind = 'verdicts.settle' AND state = 'due'"):
                await asyncio.sleep(0.1)
        await until_sent(self.program)

    def points(self) -> dict[str, int]:
        """Points by account, as far as there are any."""
        rows = self.program.rows("SELECT account, balance FROM balances WHERE unit = 'points' AND balance > 0")
        return {row["account"]: row["balance"] for row in rows}

    async def results(self) -> int:
        """How often the aunt heard what became of her report."""
        return sum(RESULT in heard.text for heard in await self.aunt.hears_all())

    def case_id(self) -> int:
        return int(self.program.rows("SELECT id FROM cases")[0]["id"])

    def state(self) -> str:
        return str(self.program.rows("SELECT state FROM cases")[0]["state"])

    async def sound(self) -> None:
        """The program stops when asked, and finds nothing wrong with what it wrote."""
        assert await self.program.stop() == 0
        code, printed = await self.program.command("verify")
        assert code == 0, printed


@pytest.mark.process
async def test_taken_back_then_killed(tmp_path: Path) -> None:
    async with FakeBotApi() as api:
        office = Office(tmp_path, api)
        try:
            await office.open()
            await office.keeper.taps("撤回")
            await office.keeper.hears("撤回了上面的判定")
            await office.dies(later_ms=UNDO_MS + 60_000)
            await office.quiet()
            assert (office.state(), office.points()) == ("registered", {accounts.held(office.case_id()): 5})
            assert await office.results() == 0
            await office.sound()
        finally:
            await office.program.end()


@pytest.mark.process
async def test_killed_while_it_is_taken_back(tmp_path: Path, dice: random.Random) -> None:
    async with FakeBotApi() as api:
        office = Office(tmp_path, api)
        try:
            await office.open()
            await office.keeper.taps("撤回")
            await asyncio.sleep(dice.uniform(0, 0.1))
            await office.dies()
            async with asyncio.timeout(30):
                while not office.program.rows("SELECT 1 FROM reversals"):
                    await asyncio.sleep(0.1)
            await office.dies(later_ms=UNDO_MS + 60_000)
            await office.quiet()
            assert (office.state(), office.points()) == ("registered", {accounts.held(office.case_id()): 5})
            assert await office.results() == 0
            assert len(office.program.rows("SELECT 1 FROM reversals")) == 1
            await office.sound()
        finally:
            await office.program.end()


@pytest.mark.process
async def test_decided_then_killed_it_takes_effect_once_and_stays(tmp_path: Path) -> None:
    async with FakeBotApi() as api:
        office = Office(tmp_path, api)
        try:
            await office.open()
            await office.dies(later_ms=UNDO_MS + 60_000)
            await office.quiet()
            await office.dies()  # what was paid and told is not again
            await office.keeper.taps("撤回", on=office.decided)  # as it was seen before
            await office.keeper.hears("不能撤回")
            await office.quiet()
            assert (office.state(), office.points()) == ("verified", {accounts.granted(office.case_id()): 5})
            assert await office.results() == 1
            await office.sound()
        finally:
            await office.program.end()
