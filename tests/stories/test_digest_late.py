"""«日报» after its hour: what was closed, and what came since, said as such; by a date it says the same for ever."""

from __future__ import annotations

from tests.stories.doings import change_policy, reports, ticks, time_to_take_back_is_over, weighs
from tests.stories.town import Someone, Town

SINCE = "18:00 到现在（"
CLEANUP = "【集中整治 2026-11-20】"


async def since(someone: Someone, asked: str = "日报") -> list[str]:
    """Ask for the digest: the lines of what came since it was closed."""
    await someone.says(asked)
    closed, found, later = someone.last.text.partition(SINCE)
    assert found, closed
    return later.split("\n\n【未送达】")[0].split("\n")


async def test_asked_late_it_also_says_what_came_since(town: Town) -> None:
    aunt = await town.person("王大娘")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-18 15:00")
    await weighs(cleaner, "张三 10公斤")
    await ticks(town, "2026-11-18 18:00")
    town.clock.go_to("2026-11-18 19:30")
    await weighs(cleaner, "张三 5.5公斤")
    number = await reports(aunt)
    await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(town)
    await reports(aunt, "王家沟学校门口有人倒垃圾")
    town.clock.go_to("2026-11-18 22:50")
    assert await since(staff) == [
        "22:50），算进明天的日报",
        "",
        "【举报】",
        "新报 2 件",
        "属实 1 件",
        "",
        "【等着办】",
        "待核实 1 件",
        "",
        "【农膜】",
        "计入 5.5 公斤",
        "称重单 1 张",
        "县补 5.50 元",
        "镇补 2.75 元",
        "",
        "【积分】",
        "发放 10 分",
    ]
    closed = staff.sees("青禾塬镇日报 2026-11-18", "数据时间 11-17 18:00—11-18 18:00", "计入 10 公斤").text
    assert "去办" in staff.last.labels
    await staff.says("/digest 2026-11-18")
    assert closed.startswith(staff.last.text.split("\n\n【未送达】")[0])
    staff.sees_not(SINCE)
    assert "计入 5.5 公斤" in "\n".join(await since(keeper, "日报 今天"))


async def test_when_nothing_came_since_it_says_so(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    await town.write("UPDATE outbox SET state = 'sent' WHERE township_id = :t")
    await ticks(town, "2026-11-18 18:00", "2026-11-19 18:00")
    town.clock.go_to("2026-11-19 23:00")
    assert await since(staff) == ["23:00），算进明天的日报", "", "没有新情况。"]
    staff.sees_not(CLEANUP)  # that is tomorrow's


async def test_before_its_hour_and_of_yesterday_nothing_came_since(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    await ticks(town, "2026-11-18 18:00")
    town.clock.go_to("2026-11-19 17:59")
    await staff.says("日报")
    staff.sees("日报 2026-11-19（还没到点")
    staff.sees_not("到现在（")
    await staff.says("日报 昨天")
    staff.sees("日报 2026-11-18")
    staff.sees_not("到现在（")


async def test_a_village_that_reports_in_the_evening_is_there_at_once(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    await ticks(town, "2026-11-18 18:00", "2026-11-19 18:00", "2026-11-20 18:00")
    town.clock.go_to("2026-11-20 19:00")
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    assert (await since(staff))[2:7] == [CLEANUP, "已报 1/24 村", "12 人", "3 车", "8 方"]
    staff.sees("已报 0/24 村")


async def test_a_digest_of_the_morning_runs_on_through_the_day(town: Town) -> None:
    await change_policy(town, "at = 18:00:00 ", "at = 07:30:00 ")
    aunt = await town.person("王大娘")
    staff = await town.person("孙干事", role="staff")
    await ticks(town, "2026-11-18 10:00")
    await reports(aunt)
    await staff.says("日报")
    staff.sees("日报 2026-11-18\n", "07:30 到现在（10:00）", "新报 1 件")
