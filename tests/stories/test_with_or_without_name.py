"""Reports with a name and without: what the reporter is called, what is kept for the next report, and the code."""

from __future__ import annotations

import re

import pytest

from tests.stories.doings import (
    SENTENCE,
    balance,
    belongs,
    held,
    looks_up,
    number_of,
    reports,
    reports_anonymously,
    reports_for_an_elder,
    time_to_take_back_is_over,
)
from tests.stories.town import Someone, Town

ELSEWHERE = "李家湾小学有人倒垃圾"


async def name_of(town: Town, someone: Someone) -> str:
    """What somebody is called."""
    rows = await town.rows("SELECT name FROM people WHERE township_id = :t AND id = :i", i=await someone.person_id())
    return str(rows[0]["name"])


async def nameless(town: Town) -> Someone:
    """Somebody who gave no name and has just reported with it."""
    someone = await town.person("")
    await town.write("UPDATE people SET name = '' WHERE township_id = :t AND id = :i", i=await someone.person_id())
    await reports(someone)
    return someone


async def test_who_has_no_name_is_asked_once_the_report_is_sent(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await nameless(town)
    aunt.sees("收到了")
    assert aunt.sees("怎么称呼您？").labels == ["以后再说"]
    await aunt.says("王大娘")
    aunt.sees("以后叫您王大娘")
    await town.tick()
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    heard = await looks_up(payer, await town.person("孙书记", role="admin"), "2026-0001")
    assert "举报人：王大娘" in heard.text


async def test_later_is_an_answer_and_the_next_named_report_asks_again(town: Town) -> None:
    aunt = await nameless(town)
    await aunt.taps("以后再说")
    aunt.sees("改称呼")
    assert await name_of(town, aunt) == ""
    await aunt.says("我的举报")
    aunt.sees("2026-0001")
    aunt.sees_not("怎么称呼您")
    await reports(aunt, ELSEWHERE)
    aunt.sees("怎么称呼您？")


async def test_who_has_a_name_or_wants_none_is_not_asked(town: Town) -> None:
    await reports(aunt := await town.person("王大娘"))
    aunt.sees_not("怎么称呼您")
    await reports_anonymously(uncle := await town.person(""), ELSEWHERE)
    uncle.sees_not("怎么称呼您")


@pytest.mark.parametrize("said", ["谢谢您", "12345", "提交举报", "我的积分", "2026-0001"])
async def test_what_is_no_name_ends_the_question(town: Town, said: str) -> None:
    aunt = await nameless(town)
    await aunt.says(said)
    aunt.sees_not("怎么称呼您")
    assert aunt.news and await name_of(town, aunt) == ""
    await aunt.says("我的举报")
    aunt.sees("2026-0001")


async def test_the_next_report_is_no_name(town: Town) -> None:
    aunt = await nameless(town)
    await aunt.says("李家湾那边有人倒垃圾")
    aunt.sees("照片", "跳过")
    await aunt.taps("取消")
    aunt.sees_not("怎么称呼您")
    await reports(aunt, ELSEWHERE)
    aunt.sees("怎么称呼您")
    await aunt.sends_photo()
    aunt.sees("在哪里")
    await aunt.taps("取消")
    aunt.sees_not("怎么称呼您")
    await reports(aunt, "王家沟戏台有人倒垃圾")
    await aunt.sends_place(35.651781, 104.734687)
    aunt.sees("什么问题")
    assert await name_of(town, aunt) == ""


async def test_a_button_or_a_night_ends_the_question(town: Town) -> None:
    aunt = await nameless(town)
    await aunt.taps("再报一件")
    aunt.sees("什么问题")
    await aunt.taps("取消")
    aunt.sees_not("怎么称呼您")
    await reports(aunt, ELSEWHERE)
    town.clock.advance(hours=13)
    await aunt.says(SENTENCE)
    aunt.sees("照片", "跳过")
    aunt.sees_not("还没办完")


async def test_the_last_choice_is_kept_and_shown(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(SENTENCE)
    await aunt.taps("跳过")
    assert "改留名" in aunt.sees("留名：留（只有发奖的人看得到）").labels
    await aunt.taps("改留名")
    assert {"匿名", "留名（只有发奖的人看得到）"} <= set(aunt.sees("要留名吗").labels)
    await aunt.taps("匿名")
    aunt.sees("留名：不留（匿名）")
    await aunt.taps("提交")
    aunt.sees("领奖码")
    await aunt.sends_photo(caption=ELSEWHERE)
    aunt.sees("留名：不留（匿名）")
    await aunt.taps("改留名")
    await aunt.taps("留名（只有发奖的人看得到）")
    await aunt.taps("提交")
    number_of(aunt.sees("收到了"))
    aunt.sees_not("领奖码")
    await aunt.says("王家沟戏台有人倒垃圾")
    await aunt.taps("跳过")
    aunt.sees("留名：留（只有发奖的人看得到）")


async def test_an_anonymous_report_that_earns_nothing_has_no_code(town: Town) -> None:
    aunt = await town.person("王大娘")
    for words in ("王家沟桥头货车偷运", "王家沟小学货车偷运", "王家沟戏台货车偷运"):
        await reports(aunt, words)
    await aunt.says(ELSEWHERE)
    await aunt.taps("跳过")
    await aunt.taps("改留名")
    await aunt.taps("匿名")
    await aunt.taps("提交")
    aunt.sees("记满了")
    aunt.sees_not("领奖码")


def codes(someone: Someone, *words: str) -> dict[str, str]:
    """The codes of a farewell by their numbers."""
    return dict(re.findall(r"(20\d\d-\d{4})[^\n]*?领奖码 ((?:\d{4} ?){4})", someone.sees(*words).text))


async def test_who_erases_themselves_gets_the_codes_of_what_is_still_open(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    first = await reports(aunt)
    await town.tick()
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    second = await reports(aunt, "王家沟戏台有人倒垃圾")
    await reports_anonymously(aunt, ELSEWHERE)
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    given = codes(aunt, "已经删除")
    assert set(given) == {second} and first != second
    await town.tick()
    await keeper.says(f"/verify {second} true")
    await time_to_take_back_is_over(town)
    await aunt.says("你好")
    await aunt.taps("同意")
    await aunt.says(f"领奖 {second} {given[second]}")
    aunt.sees("5 分已记到您名下")
    await aunt.says("举报奖励")
    aunt.sees("举报奖励：5 分", second)
    assert await balance(town, "points") == 0
    assert sum((await held(town)).values()) == 0


async def test_a_verdict_that_can_be_taken_back_is_still_open(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await town.tick()
    await keeper.taps("属实")
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    code = codes(aunt, "已经删除")[number]
    await time_to_take_back_is_over(town)
    neighbour = await town.person("刘二")
    await neighbour.says(f"领奖 {number} {code}")
    neighbour.sees("5 分已记到您名下")


async def test_who_has_nothing_open_is_told_no_code(town: Town) -> None:
    aunt = await town.person("王大娘")
    await reports_anonymously(aunt)
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    aunt.sees("已经删除")
    aunt.sees_not("领奖码")


async def test_before_a_name_is_too_old_to_be_kept_its_owner_gets_the_code(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    town.clock.advance(days=366)
    await town.tick()
    code = codes(aunt, "留的名保存到期了")[number]
    await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(town)
    await aunt.says(f"领奖 {number} {code}")
    aunt.sees("5 分已记到您名下")


async def refused_then_erased(town: Town) -> tuple[Someone, str, dict[str, str]]:
    """A named report that is found untrue; then its reporter erases themselves. Who decides anew, number, codes."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    boss = await town.person("孙干事", role="staff")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await keeper.says(f"/verify {number} false")
    await keeper.taps("现场没有发现")
    await keeper.taps("确定不属实")
    await time_to_take_back_is_over(town)
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    return boss, number, codes(aunt, "已经删除", "以后要是改判属实")


async def decides_anew(boss: Someone, number: str) -> None:
    await boss.says(f"/revise {number}")
    await boss.taps("属实")
    await boss.says("在桥的另一头")
    await boss.taps("确定改判")


async def test_decided_anew_after_its_reporter_left_it_is_claimed_by_the_code(town: Town) -> None:
    boss, number, given = await refused_then_erased(town)
    payer = await town.person("钱会计", role="finance")
    await decides_anew(boss, number)
    boss.sees_not("抹掉")  # who decides learns nothing of the reporter
    await payer.says(f"/reporter {number}")
    payer.sees("5 分凭领奖码来领", "没人领就退回")
    neighbour = await town.person("刘二")
    await neighbour.says(f"领奖 {number} {given[number]}")
    neighbour.sees("5 分已记到您名下")
    assert sum((await held(town)).values()) == 0


async def test_what_nobody_claims_goes_back_and_the_payer_reads_no_more_of_it(town: Town) -> None:
    boss, number, _ = await refused_then_erased(town)
    payer = await town.person("钱会计", role="finance")
    await decides_anew(boss, number)
    town.clock.advance(days=31)
    await town.tick()
    await payer.says(f"/reporter {number}")
    payer.sees("本人已经删除")
    payer.sees_not("领奖码")
    assert all(not points for account, points in (await held(town)).items() if account.startswith("claim:"))


async def test_the_code_of_what_stays_refused_says_so(town: Town) -> None:
    _, number, given = await refused_then_erased(town)
    neighbour = await town.person("刘二")
    await neighbour.says(f"领奖 {number} {given[number]}")
    neighbour.sees(f"{number} 没有查实，没有奖励")


async def test_a_report_for_an_elder_shows_and_keeps_whether_it_is_anonymous(town: Town) -> None:
    keeper = await town.person("张网格", role="grid_keeper", area="王家沟")
    son = await town.person("王子轩")
    await reports_anonymously(son, ELSEWHERE)
    await reports_for_an_elder(son, keeper)
    son.sees("留名：不留", "王三家")
    await son.taps("改留名")
    await son.taps("留名（只有发奖的人看得到）")
    son.sees("留名：留（只有发奖的人看得到）", "王三家")
    await son.taps("提交")
    son.sees("收到了")
    son.sees_not("领奖码")
