"""«我的积分» and «我的补贴»: what there is, what is pending, why, and who may look (D13, D51)."""

from __future__ import annotations

from bot.stored import load_out
from tests.stories.doings import (
    belongs,
    cleaner_of,
    number_and_code,
    the_month_turns,
    time_to_take_back_is_over,
    weighs,
)
from tests.stories.town import Town


async def test_nothing_yet(town: Town) -> None:
    aunt = await town.person("张大娘")
    await aunt.says("我的积分")
    aunt.sees("您的积分：0 分", "还没有积分", "绑定家庭卡")
    await aunt.taps("看补贴")
    aunt.sees("补贴余额：0.00 元", "还没有补贴记录")


async def test_a_household_sees_every_entry_with_its_reason(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    await weighs(cleaner, "张三 15.6公斤")
    town.clock.advance(days=1)
    await weighs(cleaner, "张三 棚膜 10公斤")
    await aunt.says("我的积分")
    points = aunt.sees("张三家（卡尾号0123）积分：20 分")
    assert points.text.splitlines()[1:] == [
        "2026-11-19 +5 分 交膜积分 F2026-00002",
        "2026-11-18 +15 分 交膜积分 F2026-00001",
    ]
    await aunt.says("我的补贴")
    subsidy = aunt.sees("补贴余额：32.40 元")
    assert subsidy.text.splitlines()[1:] == [
        "县补累计 21.60 元",
        "镇补累计 10.80 元",
        "2026-11-19 +3.00 元 交膜镇补 F2026-00002",
        "2026-11-19 +6.00 元 交膜县补 F2026-00002",
        "2026-11-18 +7.80 元 交膜镇补 F2026-00001",
        "2026-11-18 +15.60 元 交膜县补 F2026-00001",
    ]


async def test_ten_entries_a_page_and_more(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    for kilograms in range(1, 24):
        await weighs(cleaner, f"张三 {kilograms}公斤")
        town.clock.advance(minutes=1)
    await aunt.says("我的积分")
    seen = []
    for page in range(3):
        seen += [line.split()[-1] for line in aunt.last.text.splitlines() if "F2026" in line]
        assert len(seen) == min(23, 10 * (page + 1))
        if page < 2:
            await aunt.taps("更多")
            assert "积分：" not in aunt.last.text
    assert "更多" not in aunt.last.labels
    assert seen == [f"F2026-{number:05d}" for number in range(23, 0, -1)]


async def test_points_of_a_report_are_pending_then_there(town: Town) -> None:
    aunt = await town.person("王大娘")
    staff = await town.person("王干事", role="staff")
    await aunt.says("王家沟桥头有人倒垃圾")
    while not any("提交" in label for label in aunt.last.labels):
        await aunt.taps("跳过" if any("跳过" in label for label in aunt.last.labels) else "实名")
    await aunt.taps("提交")
    await aunt.says("我的积分")
    aunt.sees("您的积分：0 分", "还没到账 5 分：举报 2026-0001")
    await staff.taps("属实")
    await time_to_take_back_is_over(town)
    await aunt.says("我的积分")
    aunt.sees("您的积分：0 分", "举报奖励：5 分（只有您自己看得到", "+5 分 举报属实 2026-0001")
    aunt.sees_not("还没到账")
    await the_month_turns(town)
    await aunt.says("我的积分")
    aunt.sees("举报奖励：5 分", "2026-12-01 +5 分 上月举报奖励合计")
    aunt.sees_not("2026-0001")


async def test_points_of_an_anonymous_report_wait_to_be_claimed(town: Town) -> None:
    aunt, staff = await town.person("王大娘"), await town.person("王干事", role="staff")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("改留名")
    await aunt.taps("匿名")
    await aunt.taps("提交")
    _, code = number_and_code(aunt.sees("领奖码"))
    await staff.taps("属实")
    await time_to_take_back_is_over(town)
    await aunt.says("我的积分")
    aunt.sees("您的积分：0 分", "待领 5 分：举报 2026-0001，2026-12-18 前发「领奖 2026-0001 领奖码」")
    await staff.says("我的积分")
    staff.sees_not("待领")
    await aunt.says(f"领奖 2026-0001 {code}")
    await aunt.says("我的积分")
    aunt.sees("举报奖励：5 分", "+5 分 举报属实 2026-0001")
    aunt.sees_not("待领")


async def test_who_reported_stays_with_the_reporter(town: Town) -> None:
    """Neither staff nor the rest of the household learn from a statement which case somebody reported."""
    aunt, uncle = await town.person("张大娘"), await town.person("张大爷")
    await belongs(town, aunt)
    await belongs(town, uncle)
    staff = await town.person("王干事", role="staff")
    auditor = await town.person("老纪", role="auditor")
    await aunt.says("王家沟桥头有人倒垃圾")
    while not any("提交" in label for label in aunt.last.labels):
        await aunt.taps("跳过" if any("跳过" in label for label in aunt.last.labels) else "实名")
    await aunt.taps("提交")
    await uncle.says("我的积分")
    uncle.sees_not("2026-0001")
    await staff.taps("属实")
    await time_to_take_back_is_over(town)
    await aunt.says("我的积分")
    aunt.sees("积分：0 分", "举报奖励：5 分", "举报属实 2026-0001")
    for _ in range(2):
        for someone, words in ((uncle, "我的积分"), (staff, "/points N0123"), (auditor, "/points N0123")):
            await someone.says(words)
            someone.sees("积分：0 分", "还没有积分")
            for told in ("2026-0001", "举报", "奖励", "+5"):
                someone.sees_not(f"{told} ")
        await the_month_turns(town)


async def test_staff_look_a_household_up(town: Town) -> None:
    cleaner = await cleaner_of(town)
    staff = await town.person("王干事", role="staff", area="王家沟")
    finance = await town.person("刘会计", role="finance")
    await weighs(cleaner, "张三 15.6公斤")
    await staff.says("/points 张三")
    staff.sees("张三家（卡尾号0123）积分：15 分", "F2026-00001")
    await staff.taps("看补贴")
    staff.sees("张三家", "补贴余额：23.40 元")
    await finance.says("/subsidy n0123")
    finance.sees("县补累计 15.60 元", "镇补累计 7.80 元")
    await staff.says("/points 王建国")
    staff.sees("叫「王建国」的有 2 户", "王家社", "沟口社")
    await staff.taps("沟口社")
    staff.sees("王建国家（卡尾号0118）积分：0 分")
    await staff.says("/points 李狗蛋")
    staff.sees("没找到「李狗蛋」")


async def test_others_may_not_look(town: Town) -> None:
    aunt, cleaner = await town.person("张大娘"), await cleaner_of(town)
    elsewhere = await town.person("周干事", role="staff", area="阳坡")
    for someone in (aunt, cleaner):
        await someone.says("/points 张三")
        someone.sees("镇上工作人员、财务或督查人员")
    await elsewhere.says("/points N0123")
    elsewhere.sees("不在您负责的地方")
    staff = await town.person("王干事", role="staff")
    await staff.says("/points 张三")
    (row,) = await town.rows(
        "SELECT body FROM outbox WHERE township_id = :t AND address = :address ORDER BY id DESC LIMIT 1",
        address=staff.driver.address,
    )
    await aunt.says(load_out(row["body"]).rows[0][0][1])
    aunt.sees("镇上工作人员、财务或督查人员")


async def test_who_acts_for_an_elder_sees_the_elders_statement(town: Town) -> None:
    cleaner = await cleaner_of(town)
    son = await town.person("张小军")
    await weighs(cleaner, "张三 15.6公斤")
    await belongs(town, son, relation="proxy")
    await son.says("我的积分")
    son.sees("您的积分：0 分", "张三家")
    await son.taps("张三家")
    son.sees("张三家（卡尾号0123）积分：15 分")
    await weighs(cleaner, "张三 16公斤")
    await time_to_take_back_is_over(town)
    son.sees("您家的称重单 F2026-00002")


async def test_odd_arguments_are_answered(town: Town) -> None:
    staff = await town.person("王干事", role="staff")
    for words, said in (
        ("/points h:zzzzzzzzzzz", "没找到"),
        ("/points ~zz", "还没有积分"),
        ("/points '; DROP TABLE people", "没找到"),
        ("/subsidy 🙂", "没找到"),
        ("/ticket", "F2026-00042"),
        ("/ticket x", "没有「x」这一单"),
        ("/correct F9", "没有「F9」这一单"),
        ("/weight 5", "认可"),
        ("/weight 99999999999999999999 ok", "没有「99999999999999999999」这一单"),
        ("/objection 5 maybe", "维持"),
        ("/object abc", "没有「abc」这一单"),
    ):
        await staff.says(words)
        staff.sees(said)
