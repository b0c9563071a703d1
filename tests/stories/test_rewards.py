"""Rewards for reports: nobody but the reporter sees them, neither in a statement nor by a difference, at any time."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handlers.rewards import checks, turning
from tests.stories.doings import (
    HOUSEHOLD,
    balance,
    belongs,
    held,
    household_id,
    joins,
    number_of,
    reports,
    reports_anonymously,
    the_month_turns,
    time_to_take_back_is_over,
    weighs,
)
from tests.stories.laws import a_town, told
from tests.stories.someone import Someone
from tests.stories.town import Town

NO_WORLD: Any = None
ELSEWHERE = "王家沟戏台有人倒垃圾"


async def verifies(town: Town, staff: Someone, number: str, verdict: str = "true sure") -> None:
    """Decide a case, and let it take effect."""
    await staff.says(f"/verify {number} {verdict}")
    if "现场没有发现" in staff.last.labels:
        await staff.taps("现场没有发现")
        for label in ("跳过", "确定不属实"):
            if any(label in one for one in staff.last.labels):
                await staff.taps(label)
    await time_to_take_back_is_over(town)


async def statement(someone: Someone, words: str = f"/points {HOUSEHOLD}") -> tuple[str, tuple[str, ...]]:
    """What somebody reads of a household, with its buttons."""
    await someone.says(words)
    return someone.last.text, tuple(someone.last.labels)


async def own(someone: Someone) -> str:
    await someone.says("我的积分")
    return someone.last.text


async def test_a_reward_is_its_reporter_s_own_and_no_statement_changes(town: Town) -> None:
    aunt, uncle = await town.person("张大娘"), await town.person("张大爷")
    await belongs(town, aunt)
    await belongs(town, uncle)
    staff, finance = await town.person("王干事", role="staff"), await town.person("刘会计", role="finance")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    await weighs(cleaner, "张三 15.6公斤")
    before = [await statement(staff), await statement(finance), await statement(uncle, "我的积分")]
    number = await reports(aunt)
    await verifies(town, staff, number)
    assert [await statement(staff), await statement(finance), await statement(uncle, "我的积分")] == before
    assert f"+5 分 举报属实 {number}" in await own(aunt)
    await the_month_turns(town)
    assert [await statement(staff), await statement(finance), await statement(uncle, "我的积分")] == before
    assert "上月举报奖励合计" in await own(aunt)
    assert await balance(town, "points") == 15
    await staff.says(f"/case {number}")
    staff.sees_not("领")


async def test_moved_to_the_household_when_the_reporter_says_so_and_only_then(town: Town) -> None:
    aunt, staff = await town.person("张大娘"), await town.person("王干事", role="staff")
    await belongs(town, aunt)
    await aunt.says("举报奖励")
    aunt.sees("还没有举报奖励")
    await verifies(town, staff, await reports(aunt))
    await aunt.says("举报奖励")
    assert not any("并进" in label for label in aunt.last.labels), "it is not added up yet: the day would tell the case"
    await the_month_turns(town)
    await aunt.says("举报奖励")
    await aunt.taps("并进张三家的积分")
    aunt.sees("镇上看账的人都会看到")
    assert await balance(town, "points") == 0
    await aunt.taps("并进张三家的积分")
    aunt.sees("5 分已经并进张三家的积分")
    assert await balance(town, "points") == 5
    text, _ = await statement(staff)
    assert "并进来的奖励" in text and "2026-" in text and "2026-0001" not in text
    await aunt.says("举报奖励")
    aunt.sees("举报奖励：0 分", "−5 分 并进来的奖励")
    stranger = await town.person("路人")
    for odd in (f"/rewards {await household_id(town)} yes", "/rewards x", "/rewards 1 yes"):
        await stranger.says(odd)
        stranger.sees("没有能并进去的")


async def test_who_brings_a_code_gets_it_and_nothing_says_who_that_was(town: Town) -> None:
    aunt, nephew = await town.person("张大娘"), await town.person("外甥")
    await belongs(town, nephew)
    staff = await town.person("王干事", role="staff")
    before = await statement(staff)
    number, code = await reports_anonymously(aunt)
    await verifies(town, staff, number)
    await nephew.says(f"领奖 {number} {code}")
    nephew.sees("5 分已记到您名下，只有您自己看得到")
    assert await statement(staff) == before
    assert f"举报属实 {number}" in await own(nephew)
    assert "举报奖励" not in await own(aunt)
    await the_month_turns(town)
    assert await statement(staff) == before and "+5 分 上月" in await own(nephew)
    # who has the file and no key reads a case, a pot, and somebody without a name
    rows = await town.rows(
        "SELECT source, destination, ref, created_by FROM transfers WHERE township_id = :t ORDER BY id"
    )
    kept = ("source", "destination", "ref", "created_by")
    granted = [row for row in rows if not row["source"].startswith(("hold:", "programme:"))]
    after = [tuple(row[name] for name in kept) for row in granted]
    case = after[0][2]
    assert after[0] == (f"claim:{case}", f"reward:{case}", case, None)
    assert after[1] == (f"reward:{case}", "reward:due", case, None)
    source, destination, ref, by = after[2]
    assert (source, ref, by) == ("reward:due", "rewards:2026-12", None)
    assert re.fullmatch(r"reward:\d+", destination) and str(await nephew.person_id()) not in destination


async def test_decided_anew_before_the_month_turns_it_goes_back_and_after_it_stays(town: Town) -> None:
    aunt = await town.person("张大娘")
    staff, boss = await town.person("王干事", role="staff"), await town.person("李主任", role="staff")
    first, second = await reports(aunt), await reports(aunt, ELSEWHERE)
    for number in (first, second):
        await verifies(town, staff, number)

    async def revises(number: str) -> None:
        await boss.says(f"/revise {number}")
        await boss.taps("不属实")
        await boss.says("又去看了一遍")
        await boss.taps("确定改判")

    await revises(first)
    assert "举报奖励：5 分" in await own(aunt)
    await the_month_turns(town)
    await revises(second)
    assert "举报奖励：5 分" in await own(aunt), "what was added up belongs to no case any more"
    assert sum((await held(town)).values()) == 0
    assert await town.app.database.read(lambda tx: checks.handed_out_whole(tx, NO_WORLD)) == []


async def test_two_chats_that_are_joined_have_one_reward(town: Town) -> None:
    staff = await town.person("王干事", role="staff")
    first = await town.person("张大娘")
    town.clock.advance(minutes=1)
    second = await town.person("", channel="web")
    await verifies(town, staff, await reports(first))
    await verifies(town, staff, await reports(second, ELSEWHERE))
    await the_month_turns(town)
    third = await reports(second, "王家沟水渠有人倒垃圾")
    await verifies(town, staff, third)
    await joins(first, second)
    assert "举报奖励：15 分" in await own(first)
    await the_month_turns(town)
    assert "举报奖励：15 分" in await own(second)


async def test_of_whom_nothing_is_known_any_more_it_goes_back_to_the_programme(town: Town) -> None:
    aunt, staff = await town.person("张大娘"), await town.person("王干事", role="staff")
    await verifies(town, staff, await reports(aunt))
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    await the_month_turns(town)
    points = await held(town)
    assert points.pop("programme:reports") == 0 and not any(points.values())


async def test_what_households_were_given_before_is_taken_out_again_and_hidden(town: Town) -> None:
    aunt, staff = await town.person("张大娘"), await town.person("王干事", role="staff")
    await belongs(town, aunt)
    untouched = await statement(staff)
    number = await reports(aunt)
    await verifies(town, staff, number)
    case_id = int((await town.rows("SELECT id FROM cases WHERE township_id = :t"))[0]["id"])
    home = f"household:{await household_id(town)}"
    # as the version before wrote it
    for source, destination, name in (
        (f"reward:case:{case_id}", "programme:reports", "undo"),
        ("programme:reports", home, "old"),
    ):
        await town.write(
            "INSERT INTO transfers (township_id, id, source, destination, amount, unit, transfer_key, input_hash,"
            " reason, ref, policy_version, at_ms) VALUES (:t, :id, :source, :destination, 5, 'points', :name, 'h',"
            " :reason, :ref, 1, :now_ms)",
            id=town.app.ids.next(),
            source=source,
            destination=destination,
            name=name,
            reason="report_verified" if name == "old" else "test",
            ref=f"case:{case_id}",
            now_ms=town.clock.now_ms(),
        )
    await town.write(
        "UPDATE balances SET balance = 0 WHERE township_id = :t AND account = :account",
        account=f"reward:case:{case_id}",
    )
    await town.write(
        "INSERT INTO balances (township_id, account, unit, balance, may_be_negative)"
        " VALUES (:t, :home, 'points', 5, 0)",
        home=home,
    )
    await town.write("UPDATE timers SET state = 'due' WHERE township_id = :t AND kind = :kind", kind=turning.APART)
    await town.tick()
    assert await statement(staff) == untouched
    assert "举报奖励：5 分" in await own(aunt)
    await town.write("UPDATE timers SET state = 'due' WHERE township_id = :t AND kind = :kind", kind=turning.APART)
    await town.tick()
    assert "举报奖励：5 分" in await own(aunt), "once"
    assert sum((await held(town)).values()) == 0


# -- whatever happens


Action = tuple[str, int]
actions = st.lists(
    st.tuples(
        st.sampled_from(("named", "anonymous", "true", "false", "revise", "claim", "wait", "month")), st.integers(0, 3)
    ),
    min_size=4,
    max_size=12,
)


class Village:
    """A household of two, of whom one reports; those who look at it."""

    async def open(self, town: Town) -> None:
        self.town = town
        self.aunt, self.uncle = await town.person("张大娘"), await town.person("张大爷")
        for one in (self.aunt, self.uncle):
            await belongs(town, one)
        self.staff = [await town.person("王干事", role="staff"), await town.person("李主任", role="staff")]
        self.auditor = await town.person("老纪", role="auditor")
        self.finance = await town.person("刘会计", role="finance")
        self.cases: list[tuple[str, str]] = []
        self.before = await self.seen()

    async def seen(self) -> list[tuple[str, tuple[str, ...]]]:
        """What everybody but the reporter sees of the household; a minute later, so that nobody writes too much."""
        self.town.clock.advance(minutes=1)
        looks = [await statement(one) for one in (*self.staff, self.auditor, self.finance)]
        mine = [await statement(self.uncle, words) for words in ("我的积分", "举报奖励", "我的信息")]
        return [*looks, *mine]

    async def does(self, action: Action) -> None:
        what, which = action
        number, code = self.cases[which % len(self.cases)] if self.cases else ("2026-0001", "1234 5678 9012 3456")
        if what in ("named", "anonymous"):
            place = f"王家沟{('桥头', '戏台', '水渠', '村口')[len(self.cases) % 4]}有人倒垃圾"
            await self.reports(place, anonymous=what == "anonymous")
        elif what in ("true", "false"):
            await self.decides(number, what)
        elif what == "revise":
            await self.revises(number, which)
        elif what == "claim":
            await self.aunt.says(f"领奖 {number} {code}")
        elif what == "month":
            await the_month_turns(self.town)
        else:
            self.town.clock.advance(minutes=11)
            await self.town.tick()

    async def reports(self, words: str, *, anonymous: bool) -> None:
        await self.aunt.says(words)
        for label in ("跳过", "改留名", "匿名" if anonymous else "留名（", "提交"):
            if any(label in one for one in self.aunt.last.labels):
                await self.aunt.taps(label)
        if "收到了" in self.aunt.last.text:
            code = re.search(r"领奖码 ((?:\d{4} ?){4})", self.aunt.last.text)
            self.cases.append((number_of(self.aunt.last), code[1].strip() if code else ""))

    async def decides(self, number: str, verdict: str) -> None:
        await self.staff[0].says(f"/verify {number} {verdict} sure")
        for label in ("现场没有发现", "确定不属实"):
            if label in self.staff[0].last.labels:
                await self.staff[0].taps(label)

    async def revises(self, number: str, which: int) -> None:
        boss = self.staff[1]
        await boss.says(f"/revise {number}")
        for label in ("属实", "不属实")[which % 2 :]:
            if label in boss.last.labels:
                await boss.taps(label)
                break
        if "为什么改" in boss.last.text:
            await boss.says("又去看了一遍")
            await boss.taps("确定改判")
        if "取消" in boss.last.labels:  # it was the same verdict
            await boss.taps("取消")

    async def holds(self) -> None:
        assert await self.seen() == self.before
        points = await held(self.town)
        assert sum(points.values()) == 0 and points.get("reward:due", 0) == 0


async def play(template: Path, done: list[Action]) -> None:
    async with a_town(template) as town:
        village = Village()
        await village.open(town)
        for action in (*done, ("wait", 0), ("month", 0)):
            await village.does(action)
            await village.holds()


@told(12)
@given(actions)
def test_what_others_see_of_a_household_is_the_same_before_and_after_a_reward(
    sqlite_template: Path, done: list[Action]
) -> None:
    asyncio.run(play(sqlite_template, [("named", 0), ("true", 0), *done]))
