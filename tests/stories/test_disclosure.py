"""Seeing who reported: a reason, a second person, a trace for the auditor, and the reporter hears of it by itself."""

from __future__ import annotations

from tests.stories.doings import (
    asks_who_reported,
    change_policy,
    looks_up,
    reports,
    reports_anonymously,
    time_to_take_back_is_over,
)
from tests.stories.someone import Someone
from tests.stories.test_identity import stored
from tests.stories.town import Town


class Office:
    """A verified named report, and who works at the office."""

    keeper: Someone
    payer: Someone
    auditor: Someone
    aunt: Someone
    number: str


async def office(town: Town) -> Office:
    found = Office()
    found.keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    found.payer = await town.person("钱会计", role="finance")
    found.auditor = await town.person("吴督查", role="auditor")
    found.aunt = await town.person("王大娘")
    found.number = await reports(found.aunt)
    await town.tick()
    await found.keeper.taps("属实")
    await time_to_take_back_is_over(town)
    return found


async def days_pass(town: Town, days: int) -> None:
    town.clock.advance(days=days)
    await town.tick()


async def test_nothing_is_shown_before_a_reason_and_a_second_person(town: Town) -> None:
    here = await office(town)
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("为什么要看是谁报的")
    await here.payer.taps("发奖励")
    here.payer.sees("请另一个人确认")
    asked = here.auditor.sees("钱会计想看", "发奖励")
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("还在等另一个人确认")
    await here.auditor.taps("同意", asked)
    await here.payer.taps("看举报人", here.payer.sees("吴督查同意了"))
    here.payer.sees(f"{here.number} 的举报人：王大娘")
    assert all("王大娘" not in heard.text for one in (here.keeper, here.auditor) for heard in one.heard)


async def test_nobody_confirms_what_they_asked_themselves(town: Town) -> None:
    here = await office(town)
    await asks_who_reported(here.payer, here.number)
    asked = (await town.rows("SELECT request_id FROM reporter_looks WHERE township_id = :t"))[0]
    button = f"/disclosure {asked['request_id']} yes"
    await here.payer.says(button)
    here.payer.sees("要别人来确认")
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("还在等另一个人确认")
    await here.keeper.says(button)
    here.keeper.sees("要由财务人员、督查人员或管理员来办")
    await here.payer.says("/disclosure 17 yes")
    here.payer.sees("没有找到这个申请")


async def test_who_is_declined_sees_nothing_and_may_ask_again(town: Town) -> None:
    here = await office(town)
    await asks_who_reported(here.payer, here.number)
    await here.auditor.taps("不同意")
    here.payer.sees("吴督查不同意")
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("为什么要看是谁报的")
    here.payer.sees_not("王大娘")


async def test_what_nobody_confirms_ends_and_what_was_confirmed_ends(town: Town) -> None:
    here = await office(town)
    await asks_who_reported(here.payer, here.number)
    asked = here.auditor.sees("钱会计想看")
    town.clock.advance(hours=49)
    await here.auditor.taps("同意", asked)
    here.auditor.sees("过了时间")
    await looks_up(here.payer, here.auditor, here.number)
    town.clock.advance(hours=49)
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("为什么要看是谁报的")


async def test_without_a_second_person_it_is_not_shown(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    payer = await town.person("钱会计", role="finance")
    number = await reports(await town.person("王大娘"))
    await town.tick()
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    await asks_who_reported(payer, number)
    payer.sees("没有第二个人能确认")
    await change_policy(town, "reporter_second_person = true", "reporter_second_person = false")
    await asks_who_reported(payer, number)
    payer.sees(f"{number} 的举报人：王大娘")


async def test_the_auditor_sees_every_look_and_every_refused_try(town: Town) -> None:
    here = await office(town)
    other = await town.person("孙会计", role="finance", area="柳树湾")
    nobody = await town.person("刘二")
    await here.keeper.says(f"/reporter {here.number}")
    await other.says(f"/reporter {here.number}")
    await nobody.says(f"/reporter {here.number}")
    nobody.sees("要由发奖的财务人员或管理员来办")
    await looks_up(here.payer, here.auditor, here.number)
    await here.auditor.says("谁看过举报人")
    told = here.auditor.sees("谁看过举报人").text
    for line in (
        f"赵网格想看 {here.number}，没有给看：没有这个权限",
        f"孙会计想看 {here.number}，没有给看：不归他管的地方",
        f"刘二想看 {here.number}，没有给看：没有这个权限",
        f"钱会计申请看 {here.number}：发奖励",
        f"吴督查同意看 {here.number}：发奖励",
        f"钱会计看了 {here.number} 是谁报的：发奖励",
    ):
        assert line in told
    assert "王大娘" not in told
    await here.payer.says("/looks")
    here.payer.sees("要由督查人员或管理员来办")


async def test_the_auditor_turns_the_pages_and_sees_only_their_own_areas(town: Town) -> None:
    here = await office(town)
    elsewhere = await town.person("郑督查", role="auditor", area="柳树湾")
    for _ in range(16):
        await here.keeper.says(f"/reporter {here.number}")
        town.clock.advance(minutes=1)
    await here.auditor.says("谁看过举报人")
    assert here.auditor.sees("谁看过举报人").text.count("赵网格想看") == 15
    await here.auditor.taps("更早的")
    assert here.auditor.sees("谁看过举报人").text.count("赵网格想看") == 1
    await here.auditor.says("谁看过举报人 3")
    here.auditor.sees("没有")
    await elsewhere.says("谁看过举报人")
    elsewhere.sees("还没有人看过举报人")


async def test_an_anonymous_and_an_undecided_report_are_refused_and_that_is_kept(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    auditor = await town.person("吴督查", role="auditor")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    number, _ = await reports_anonymously(await town.person("王大娘"))
    await payer.says(f"/reporter {number}")
    payer.sees("还没有核实属实")
    await town.tick()
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    await payer.says(f"/reporter {number}")
    payer.sees("匿名举报，谁也看不到")
    await auditor.says("谁看过举报人")
    auditor.sees("没有给看：还没有核实属实", "没有给看：匿名举报")


async def test_the_reporter_is_told_after_the_days_of_the_policy_at_a_civil_hour(town: Town) -> None:
    here = await office(town)
    town.clock.go_to("2026-11-21 23:30")
    await here.auditor.says("帮助")  # awake, so that nothing waits for the morning
    await looks_up(here.payer, here.auditor, here.number)
    town.clock.go_to("2026-12-04 23:00")
    await town.tick()
    assert not any("看过是谁报的" in heard.text for heard in here.aunt.heard)
    town.clock.go_to("2026-12-05 23:45")
    await town.tick()
    assert not any("看过是谁报的" in heard.text for heard in here.aunt.heard)
    town.clock.go_to("2026-12-06 08:30")
    await town.tick()
    here.aunt.sees(f"您报的 {here.number}", "理由：发奖励", "有第二个人同意")
    await town.tick()
    assert sum("看过是谁报的" in heard.text for heard in here.aunt.heard) == 1


async def test_her_own_case_says_nothing_of_a_look_before_she_is_told_of_it(town: Town) -> None:
    here = await office(town)
    await looks_up(here.payer, here.auditor, here.number)
    await here.aunt.says(f"/case {here.number}")
    here.aunt.sees_not("查看了举报人")
    await here.keeper.says(f"/case {here.number}")
    here.keeper.sees("查看了举报人", "钱会计")
    await days_pass(town, 13)
    await here.payer.says(f"/reporter {here.number}")  # what was agreed to holds no longer: asked anew, and looked at
    await looks_up(here.payer, here.auditor, here.number)
    await days_pass(town, 2)
    here.aunt.sees("看过是谁报的")
    await here.aunt.says(f"/case {here.number}")
    shown = here.aunt.sees(here.number).text
    assert shown.count("查看了举报人") == 1, "the second look she is not told of yet"
    await days_pass(town, 13)
    await here.aunt.says(f"/case {here.number}")
    assert here.aunt.sees(here.number).text.count("查看了举报人") == 2


async def test_a_second_look_at_what_she_was_told_of_is_in_her_case_and_one_after_another_policy_too(
    town: Town,
) -> None:
    await change_policy(town, "reporter_told_days = 14", "reporter_told_days = 1")
    await change_policy(town, "reporter_look_hours = 48", "reporter_look_hours = 96")
    here = await office(town)
    await looks_up(here.payer, here.auditor, here.number)
    await change_policy(town, "reporter_told_days = 1 ", "reporter_told_days = 30 ")
    await days_pass(town, 2)
    here.aunt.sees("看过是谁报的")
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("王大娘")
    await here.aunt.says(f"/case {here.number}")
    assert here.aunt.sees(here.number).text.count("查看了举报人") == 2


async def test_words_of_ones_own_are_told_as_they_are(town: Town) -> None:
    here = await office(town)
    await here.payer.says(f"/reporter {here.number}")
    await here.payer.taps("别的理由")
    await here.payer.says("县里要表彰举报的人")
    await here.auditor.taps("同意", here.auditor.sees("县里要表彰举报的人"))
    await here.payer.taps("看举报人")
    assert not [row for name, row in await stored(town) if name == "reporter_looks" and "表彰" in repr(row)]
    await days_pass(town, 15)
    here.aunt.sees("理由：县里要表彰举报的人")


async def test_who_has_erased_themselves_is_told_nothing_and_nobody_sees_them(town: Town) -> None:
    here = await office(town)
    await looks_up(here.payer, here.auditor, here.number)
    await here.aunt.says("删除我的信息")
    await here.aunt.taps("删除")
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("已经到期抹掉，或者本人已经删除")
    await days_pass(town, 15)
    here.aunt.sees_not("看过是谁报的")


async def test_a_reporter_who_tried_it_themselves_leaves_no_way_from_the_case_to_them(town: Town) -> None:
    here = await office(town)
    await here.aunt.says(f"/reporter {here.number}")
    here.aunt.sees("要由发奖的财务人员或管理员来办")
    person = str(await here.aunt.person_id())
    assert not [row for name, row in await stored(town) if name == "reporter_looks" and person in repr(dict(row))]
    await here.aunt.says("删除我的信息")
    await here.aunt.taps("删除")
    await here.auditor.says("谁看过举报人")
    here.auditor.sees("（已到期抹掉）想看", here.number)


async def test_the_screen_before_anything_else_says_how_it_is(town: Town) -> None:
    first = await town.person("周大妈", consent=False)
    await first.starts()
    first.sees("查实后写了理由、有第二个人同意才能看，过14天告诉您")
    await change_policy(town, "reporter_second_person = true", "reporter_second_person = false")
    other = await town.person("周大爷", consent=False)
    await other.starts()
    other.sees("查实后写了理由才能看，过14天告诉您")
