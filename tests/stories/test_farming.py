"""Rewards that somebody farms: a cap a month, and what the auditor is shown of verifiers and rewarded."""

from __future__ import annotations

from tests.stories.doings import (
    belongs,
    change_policy,
    held,
    reports,
    reports_anonymously,
    the_month_turns,
    time_to_take_back_is_over,
)
from tests.stories.someone import Someone
from tests.stories.town import Town

POINTS = 5  # of a report of dumping
FAR_APART_DAYS = 4  # so that nobody takes one for a duplicate


async def is_true(town: Town, keeper: Someone, number: str) -> None:
    """Found true, and beyond taking back."""
    await town.tick()
    await keeper.says(f"/verify {number} true sure")
    await time_to_take_back_is_over(town)


async def rewarded(town: Town, keeper: Someone, reporter: Someone, times: int) -> list[str]:
    found = []
    for _ in range(times):
        found.append(await reports(reporter))
        await is_true(town, keeper, found[-1])
        town.clock.advance(days=FAR_APART_DAYS)
    return found


class Capped:
    """A keeper whose month is used up after one reward, and a second report that was found true."""

    keeper: Someone
    payer: Someone
    aunt: Someone
    first: str
    second: str


async def capped(town: Town, key: str = "verifier_month_points = 1_000") -> Capped:
    await change_policy(town, key, f"{key.partition(' ')[0]} = {POINTS + 3}")
    town.clock.go_to("2026-12-02 10:00")
    here = Capped()
    here.keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    here.payer = await town.person("钱会计", role="finance")
    here.aunt = await town.person("王大娘")
    here.first, here.second = await rewarded(town, here.keeper, here.aunt, 2)
    return here


async def waiting(town: Town) -> int:
    rows = await town.rows("SELECT 1 FROM reward_holds WHERE township_id = :t AND ended_ms IS NULL")
    return len(rows)


async def test_above_the_cap_the_verdict_stands_and_the_reward_waits_for_somebody_else(town: Town) -> None:
    here = await capped(town)
    here.aunt.sees(here.second, "奖励 5 分要等一等")
    told = [heard.text for one in (here.keeper, here.payer) for heard in one.heard if "先等着" in heard.text]
    assert len(told) == 2 and all(here.second in one and "王大娘" not in one for one in told)
    assert await waiting(town) == 1
    await here.keeper.says(f"/release {here.second}")
    here.keeper.sees("要由财务人员或管理员来办")
    await here.payer.says("等发的奖励")
    here.payer.sees(here.second, "赵网格这个月核实的到上限了")
    await here.payer.taps(f"放 {here.second}")
    here.payer.sees("放出去了")
    here.aunt.sees(here.second, "奖励 5 分记上了")
    await here.aunt.says("我的积分")
    here.aunt.sees("10 分")
    await here.payer.says(f"/release {here.second}")
    here.payer.sees("没有等发的奖励")


async def test_what_nobody_lets_go_goes_with_the_next_month(town: Town) -> None:
    here = await capped(town)
    third = (await rewarded(town, here.keeper, here.aunt, 1))[0]
    assert await waiting(town) == 2
    assert sum("先等着" in heard.text for heard in here.payer.heard) == 1, "once a month"
    town.clock.go_to("2027-01-01 09:00")
    await town.tick()
    assert await waiting(town) == 1, "the month's first, and no more"
    await here.payer.says("等发的奖励")
    here.payer.sees(third)
    assert here.second not in here.payer.heard[-1].text
    town.clock.go_to("2027-02-01 09:00")
    await town.tick()
    assert await waiting(town) == 0
    assert not [account for account, points in (await held(town)).items() if account.startswith("hold:") and points]


async def test_another_keeper_s_month_is_another_and_the_township_has_one_of_its_own(town: Town) -> None:
    here = await capped(town)
    other = await town.person("孙网格", role="grid_keeper", area="王家沟")
    uncle = await town.person("李大爷")
    await rewarded(town, other, uncle, 1)
    assert await waiting(town) == 1
    uncle.sees("5 分")
    await change_policy(town, "programme_month_points = 10_000", f"programme_month_points = {2 * POINTS + 1}")
    third = await town.person("周网格", role="grid_keeper", area="王家沟")
    await rewarded(town, third, await town.person("郑大妈"), 1)
    assert await waiting(town) == 2
    here.payer.sees("全镇这个月的奖励到了 11 分")


async def test_an_anonymous_one_is_claimed_when_it_can_be_and_its_time_begins_then(town: Town) -> None:
    here = await capped(town)
    nobody = await town.person("刘二")
    number, code = await reports_anonymously(nobody)
    await is_true(town, here.keeper, number)
    await nobody.says(f"领奖 {number} {code}")
    nobody.sees("奖励要等一等", "码不会过期")
    town.clock.go_to("2026-12-30 10:00")
    await here.payer.says(f"/release {number}")
    here.payer.sees("放出去了")
    town.clock.go_to("2027-01-20 10:00")
    await nobody.says(f"领奖 {number} {code}")
    nobody.sees("5")
    assert (await held(town)).get(f"claim:case:{number}", 0) == 0
    await here.payer.says("等发的奖励")
    assert number not in here.payer.heard[-1].text


async def test_decided_anew_it_waits_no_more(town: Town) -> None:
    here = await capped(town)
    other = await town.person("孙网格", role="grid_keeper", area="王家沟")
    await other.says(f"/revise {here.second}")
    await other.taps("不属实")
    await other.says("去看了，什么也没有")
    await other.taps("确定改判")
    await town.tick()
    assert await waiting(town) == 0
    assert not [account for account, points in (await held(town)).items() if account.startswith("hold:") and points]


async def test_who_reported_it_does_not_let_it_go(town: Town) -> None:
    here = await capped(town)
    number = await reports(here.payer)
    await is_true(town, here.keeper, number)
    await here.payer.says(f"/release {number}")
    here.payer.sees("没有参与的人来放")


async def test_the_auditor_is_shown_a_count_of_the_month_that_is_over_and_no_reporter(town: Town) -> None:
    town.clock.go_to("2026-12-02 10:00")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    auditor = await town.person("吴督查", role="auditor")
    wife, stranger = await town.person("王大娘"), await town.person("李大爷")
    await belongs(town, keeper)
    await belongs(town, wife)
    numbers = [*await rewarded(town, keeper, wife, 3), *await rewarded(town, keeper, stranger, 2)]
    await auditor.says("核实和领奖")
    auditor.sees("还没有什么要看的")  # not while the month runs
    await the_month_turns(town)
    town.clock.go_to("2027-01-01 09:00")
    await town.tick()
    told = auditor.sees("2026-12", "赵网格：核实人与领奖户同户 ×3（共 5 件）").text
    await auditor.says("核实和领奖")
    shown = auditor.sees("赵网格：核实人与领奖户同户 ×3（共 5 件）").text
    for hidden in ("王大娘", "李大爷", *numbers):
        assert hidden not in told and hidden not in shown
    await keeper.says("核实和领奖")
    keeper.sees("要由督查人员或管理员来办")


async def test_of_few_cases_and_of_strangers_nothing_is_shown(town: Town) -> None:
    town.clock.go_to("2026-12-02 10:00")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    other = await town.person("孙网格", role="grid_keeper", area="王家沟")
    auditor = await town.person("吴督查", role="auditor")
    wife = await town.person("王大娘")
    await belongs(town, keeper)
    await belongs(town, wife)
    await rewarded(town, keeper, wife, 2)  # true both times, and 2 of 2 would say who reported
    for name in ("甲", "乙", "丙"):
        await rewarded(town, other, await town.person(name), 1)
    await the_month_turns(town)
    town.clock.go_to("2027-01-01 09:00")
    await town.tick()
    auditor.sees_not("核实人与领奖")
    assert not await town.rows("SELECT 1 FROM reward_hints WHERE township_id = :t")


async def test_the_same_two_people_again_and_again(town: Town) -> None:
    town.clock.go_to("2026-12-01 10:00")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    auditor = await town.person("吴督查", role="auditor")
    await rewarded(town, keeper, await town.person("王大娘"), 5)
    await auditor.says("帮助")  # else the page is signed out after thirty days
    await the_month_turns(town)
    town.clock.go_to("2027-01-01 09:00")
    await town.tick()
    auditor.sees("赵网格：同一个人领奖 ×5（共 5 件）")
