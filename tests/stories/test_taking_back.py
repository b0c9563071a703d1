"""What staff decide can be taken back for ten minutes, and decided anew by somebody else after that."""

from __future__ import annotations

from bot.talk.spans import DAY_MS
from storage.database import Tx
from storage.product import cases
from tests.stories.doings import held, reports, reports_anonymously, the_case, time_to_take_back_is_over, token_for
from tests.stories.test_verify import whole
from tests.stories.town import Someone, Town


async def staff_of(town: Town) -> tuple[Someone, Someone, Someone]:
    """Two who verify, and a villager."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    return keeper, await town.person("李主任", role="staff"), await town.person("王大娘")


async def test_true_is_taken_back_before_anybody_hears_of_it(town: Town) -> None:
    keeper, boss, aunt = await staff_of(town)
    number = await reports(aunt)
    await keeper.taps("属实")
    keeper.sees(number, "已记为「属实」", "前可以撤回")
    assert aunt.news == []
    await aunt.says("我的举报")
    aunt.sees(number, "待核实")
    await keeper.taps("撤回")
    keeper.sees(number, "撤回了上面的判定")
    await time_to_take_back_is_over(town)
    assert [heard for heard in aunt.news if "有结果" in heard.text] == []
    assert (await held(town))["programme:reports"] == -5, "the points are still promised"
    await boss.says(f"/verify {number} false")
    await boss.taps("现场没有发现")
    await boss.taps("确定不属实")
    await time_to_take_back_is_over(town)
    aunt.sees(number, "现场没有发现")
    assert (await held(town))["programme:reports"] == 0
    await whole(town)


async def test_it_takes_effect_once_and_then_can_not_be_taken_back(town: Town) -> None:
    keeper, _, aunt = await staff_of(town)
    number = await reports(aunt)
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    await time_to_take_back_is_over(town)
    assert len([heard for heard in aunt.heard if "5 分" in heard.text and "有结果" in heard.text]) == 1
    await keeper.says(f"/takeback {number}")
    keeper.sees("已经告诉举报人了")
    await whole(town)


async def test_only_who_decided_takes_it_back(town: Town) -> None:
    keeper, boss, aunt = await staff_of(town)
    number = await reports(aunt)
    await keeper.says(f"/verify {number} true")
    await boss.says(f"/takeback {number}")
    boss.sees("赵网格", "自己撤回")
    await boss.says(f"/revise {number}")
    boss.sees("赵网格", "还能撤回")
    await time_to_take_back_is_over(town)
    aunt.sees("5 分")


async def test_somebody_else_decides_anew_with_a_reason(town: Town) -> None:
    keeper, boss, aunt = await staff_of(town)
    number = await reports(aunt)
    await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(town)
    reward = f"reward:case:{(await the_case(town, number))['id']}"
    assert (await held(town))[reward] == 5
    await keeper.says(f"/revise {number}")
    keeper.sees("您自己判的")
    await boss.says(f"/revise {number}")
    await boss.taps("不属实")
    boss.sees("为什么改")
    await boss.says("照片是去年的")
    await boss.taps("确定改判")
    aunt.sees(number, "照片是去年的")
    points = await held(town)
    assert (points[reward], points["programme:reports"]) == (0, 0)
    await boss.says(f"/case {number}")
    boss.sees("属实（赵网格", "改判，上面的不算了", "不属实（李主任", "照片是去年的")
    await keeper.says(f"/revise {number}")
    await keeper.taps("属实")
    await keeper.says("去看了，是今年的")
    await keeper.taps("确定改判")
    assert (await held(town))[reward] == 5
    await whole(town)


async def test_an_anonymous_report_decided_anew_can_be_claimed(town: Town) -> None:
    keeper, boss, aunt = await staff_of(town)
    number, code = await reports_anonymously(aunt)
    await keeper.says(f"/verify {number} false")
    await keeper.taps("现场没有发现")
    await keeper.taps("确定不属实")
    await aunt.says(f"领奖 {number} {code}")
    aunt.sees("还在核实")
    await time_to_take_back_is_over(town)
    await boss.says(f"/revise {number}")
    await boss.taps("属实")
    await boss.says("在桥的另一头")
    await boss.taps("确定改判")
    await aunt.says(f"领奖 {number} {code}")
    aunt.sees("5 分已记到您名下")
    await whole(town)


async def test_what_may_be_a_duplicate_is_asked_once_more(town: Town) -> None:
    keeper, _, aunt = await staff_of(town)
    first = await reports(aunt)
    second = await reports(await town.person("刘二"))
    await keeper.says(f"/verify {second} true")
    keeper.sees(second, first, "确定算属实吗")
    assert (await the_case(town, second))["state"] == "registered"
    await keeper.taps("确定属实")
    keeper.sees(second, "已记为「属实」")


async def test_figures_leave_out_what_was_taken_back(town: Town) -> None:
    keeper, _, aunt = await staff_of(town)
    number = await reports(aunt)
    start_ms = town.clock.now_ms()
    await keeper.taps("属实")
    town.clock.advance(minutes=5)
    await keeper.says(f"/takeback {number}")
    until_ms = town.clock.now_ms()

    async def look(tx: Tx) -> tuple[bool, bool, list[int]]:
        counted = await cases.events_by_area(tx, from_ms=start_ms, until_ms=start_ms + DAY_MS)
        then = await cases.events_by_area(tx, from_ms=start_ms, until_ms=until_ms)
        waited = [
            sum(count for count, _ in (await cases.waiting_by_area(tx, until_ms=at_ms)).values())
            for at_ms in (start_ms + 60_000, until_ms + 1)
        ]
        return any("verified" in what for what in counted), any("verified" in what for what in then), waited

    assert await town.app.database.read(look) == (False, True, [0, 1])


async def test_the_next_one_is_the_most_urgent(town: Town) -> None:
    keeper, _, aunt = await staff_of(town)
    dump = await reports(aunt)
    await reports(aunt, "王家沟小学有人倒垃圾")
    fire = await reports(aunt, "王家沟小学有人烧垃圾")
    await keeper.says("待核实")
    listed = keeper.sees("等核实的有 3 件", "【急】")
    assert listed.text.index(fire) < listed.text.index(dump)
    assert any("焚烧" in label and "王家沟" in label for label in listed.labels)
    await keeper.says(f"/verify {dump} true")
    await keeper.taps("下一件")
    keeper.sees(fire, "焚烧")


async def test_after_a_report_the_next_or_all_of_ones_own(town: Town) -> None:
    _, _, aunt = await staff_of(town)
    number = await reports(aunt)
    await aunt.taps("我的举报")
    aunt.sees(number, "待核实")
    await aunt.says("王家沟小学有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    await aunt.taps("再报一件")
    aunt.sees("看到什么问题了")


async def test_who_joins_reads_what_waits(town: Town) -> None:
    await reports(await town.person("王大娘"))
    newcomer = await town.person("周干事")
    await newcomer.says(f"/start {await token_for(town, 'staff', '')}")
    newcomer.sees("现在等着办的", "待核实举报 1 件")


async def test_who_joins_where_nothing_waits_reads_nothing_of_it(town: Town) -> None:
    newcomer = await town.person("周网格")
    await newcomer.says(f"/start {await token_for(town, 'grid_keeper')}")
    newcomer.sees("欢迎")
    newcomer.sees_not("现在等着办的")
