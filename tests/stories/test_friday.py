"""The weekly clean-up: reminders, one-line reports, corrections, the roll-call; holidays, opt-out, downtime."""

from __future__ import annotations

import pytest

from storage.database import Refused
from tests.stories.doings import change_policy
from tests.stories.town import Someone, Town


async def effort(town: Town, day: str = "2026-11-20") -> dict[tuple[str, str], int]:
    """What stands for a day, each series by itself, in thousandths."""
    rows = await town.rows(
        "SELECT e.metric, e.unit, SUM(e.value_milli) AS milli FROM effort_entries e WHERE e.township_id = :t"
        " AND e.day = :day AND NOT EXISTS (SELECT 1 FROM cleanup_reports n WHERE n.township_id = e.township_id"
        " AND n.replaces = e.report_id) GROUP BY e.metric, e.unit",
        day=day,
    )
    return {(row["metric"], row["unit"]): row["milli"] for row in rows}


def reminders(someone: Someone) -> list[str]:
    """Every reminder they ever got."""
    return [heard.text for heard in someone.heard if "集中整治，请" in heard.text]


async def rewind(town: Town, moment: str) -> None:
    """Let the story begin earlier, in a year whose holidays are known."""
    town.clock.ms -= 90 * 86_400_000
    town.clock.go_to(moment)
    await town.write("UPDATE areas SET from_ms = 0 WHERE township_id = :t")
    for table in ("timers", "cadences"):
        await town.write(f"DELETE FROM {table} WHERE township_id = :t")


async def test_from_the_reminder_to_the_roll_call(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-19 18:59")
    await town.tick()
    assert reminders(keeper) == []
    town.clock.go_to("2026-11-19 19:00")
    await town.tick()
    heard = keeper.sees("明天（11月20日 周五）集中整治", "王家沟村", "20:00", "12人 3车 8方")
    assert heard.labels == ["现在报到", "稍后提醒", "不再提醒"]
    staff.sees_not("集中整治")
    await keeper.taps("现在报到")
    keeper.sees("11月20日 周五 还没到，当天再报")
    town.clock.go_to("2026-11-20 08:00")
    await town.tick()
    keeper.sees("今天（11月20日 周五）集中整治")

    town.clock.go_to("2026-11-20 15:00")
    await keeper.says("12人 3车 8.5方")
    review = keeper.sees("周五报到", "王家沟村", "12 人", "3 车", "8.5 方")
    assert "2026-11-20" in review.text
    await keeper.taps("提交")
    keeper.sees("记下了：王家沟村", "12 人\n3 车\n8.5 方", "已报 1/24")
    assert await effort(town) == {("people", "person"): 12_000, ("vehicles", "vehicle"): 3_000, ("volume", "m3"): 8_500}

    await staff.says("点名")
    roll = staff.sees(
        "集中整治点名 2026-11-20", "已报 1/24", "未报 23 个村", "缺照片 1 个村：王家沟村", "截至 11-20 15:00"
    )
    assert "李家" in roll.text
    town.clock.go_to("2026-11-20 20:00")
    await town.tick()
    final = staff.sees(
        "集中整治点名 2026-11-20", "已报 1/24", "合计\n12 人\n3 车\n8.5 方", "王家沟村 12 人 3 车 8.5 方"
    )
    assert "数据时间 11-20 00:00—11-20 20:00" in final.text
    keeper.sees_not("点名")
    town.clock.advance(days=3)
    await staff.says("/friday 2026-11-20")
    assert staff.last.text == final.text
    assert len(reminders(keeper)) == 2


async def test_the_form_asks_what_the_line_left_out(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.says("/cleanup")
    keeper.sees("来了多少人")
    await keeper.says("很多")
    keeper.sees("没看懂这个数")
    await keeper.says("0人")
    keeper.sees("人数不能是 0")
    await keeper.says("3000人")
    keeper.sees("3000 人，比平常多很多，对吗")
    await keeper.says("30人次 2车")
    keeper.sees("多少方垃圾")
    await keeper.taps("跳过")
    keeper.sees("现场照片")
    await keeper.sends_photo(2)
    await keeper.taps("发完了")
    keeper.sees("30 人次", "2 车", "2 张")
    await keeper.taps("提交")
    keeper.sees("记下了", "30 人次\n2 车\n照片 2 张")
    assert await effort(town) == {("people", "person_time"): 30_000, ("vehicles", "vehicle"): 2_000}
    rows = await town.rows("SELECT photos FROM cleanup_reports WHERE township_id = :t")
    assert rows[0]["photos"].count('"i') == 2


async def test_a_later_report_corrects_the_earlier_and_is_not_added(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    town.clock.go_to("2026-11-20 21:00")
    await cleaner.says("周五 15人次 4车 9方")
    await cleaner.taps("提交")
    cleaner.sees("改过来了：王家沟村", "15 人次", "原来报的：12 人 3 车 8 方", "已过 20:00，记为补报", "已报 1/24")
    assert await effort(town) == {
        ("people", "person_time"): 15_000,
        ("vehicles", "vehicle"): 4_000,
        ("volume", "m3"): 9_000,
    }
    kept = await town.rows("SELECT COUNT(*) AS n FROM effort_entries WHERE township_id = :t")
    assert kept[0]["n"] == 6
    await staff.says("/friday")
    staff.sees("已报 1/24", "合计\n15 人次\n4 车\n9 方", "数据时间 11-20 00:00—11-20 21:00")


async def test_a_whole_line_takes_the_place_of_the_open_report_with_its_photos(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.says("/cleanup")
    keeper.sees("来了多少人")
    await keeper.sends_photo()
    keeper.sees("照片收到了，共 1 张", "来了多少人")
    await keeper.says("5人")
    await keeper.says("12人 3车 8方")
    keeper.sees("请看对不对", "人数：12 人", "车辆：3 车", "方量：8 方", "1 张")
    await keeper.taps("提交")
    keeper.sees("记下了", "12 人", "照片 1 张")


async def test_a_correction_keeps_what_it_does_not_say_again(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    await keeper.says("周五 15人")
    keeper.sees("人数：15 人", "车辆：3 车", "方量：8 方")
    await keeper.taps("提交")
    keeper.sees("改过来了", "15 人\n3 车\n8 方", "原来报的：12 人 3 车 8 方")
    await keeper.says("周五 5车")
    keeper.sees("人数：15 人", "车辆：5 车", "方量：8 方")
    await keeper.taps("提交")
    expected = {("people", "person"): 15_000, ("vehicles", "vehicle"): 5_000, ("volume", "m3"): 8_000}
    assert await effort(town) == expected
    await keeper.says("/cleanup")
    await keeper.says("16人")
    await keeper.taps("跳过")
    await keeper.taps("跳过")
    await keeper.taps("跳过")
    await keeper.taps("提交")
    keeper.sees("16 人", "没有另说、照旧：5 车 8 方")
    assert await effort(town) == {**expected, ("people", "person"): 16_000}
    await keeper.says("周五 0车")
    await keeper.taps("提交")
    assert await effort(town) == {**expected, ("people", "person"): 16_000, ("vehicles", "vehicle"): 0}


async def test_there_is_no_roll_call_before_the_villages_were_imported(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    await town.write("UPDATE areas SET from_ms = :now WHERE township_id = :t", now=town.clock.now_ms())
    for words in ("点名", "周五整治", "/friday 2026-11-13"):
        await staff.says(words)
        staff.sees("还没有过集中整治")
        staff.sees_not("0/0")


async def test_a_photo_with_the_figures_as_its_caption(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.sends_photo(caption="12人 3车 8方")
    keeper.sees("周五报到", "1 张")
    await keeper.taps("提交")
    keeper.sees("记下了", "照片 1 张")


async def test_an_accusation_on_friday_is_a_report_of_dumping(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.says("有人在桥头倒了3车垃圾，2个人")
    keeper.sees_not("集中整治")
    assert await town.rows("SELECT id FROM cleanup_reports WHERE township_id = :t") == []


async def test_an_unlikely_line_is_asked_again(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.says("3000人 3车 8方")
    keeper.sees("「3000 人」比平常多很多")
    keeper.sees("来了多少人")
    await keeper.says("30人")
    keeper.sees("30 人", "3 车", "8 方")


async def test_a_vague_line_is_told_and_asked(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await keeper.says("周五 十几人 3车 8方")
    keeper.sees("请写准数")
    keeper.sees("来了多少人")


async def test_what_was_reported_is_never_changed(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    for statement in (
        "UPDATE effort_entries SET value_milli = 1 WHERE township_id = :t",
        "DELETE FROM effort_entries WHERE township_id = :t",
        "UPDATE cleanup_reports SET words = '' WHERE township_id = :t",
        "DELETE FROM cleanup_reports WHERE township_id = :t",
    ):
        with pytest.raises(Refused):
            await town.write(statement)


async def test_somebody_for_several_villages_names_theirs(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-20 10:00")
    await staff.says("周五 12人 3车 8方")
    staff.sees("哪个村的")
    await staff.says("王家沟")
    staff.sees("周五报到", "王家沟村")
    await staff.taps("取消")
    await staff.says("王家沟 12人 3车 8方")
    staff.sees("周五报到", "王家沟村", "12 人")


async def test_a_cleaner_of_the_whole_town_has_villages_to_tap(town: Town) -> None:
    cleaner = await town.person("李师傅", role="cleaner")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-20 10:00")
    await cleaner.says("12人 3车 8方")
    first = [label for label in cleaner.sees("哪个村的").labels if label.endswith("村")]
    assert len(first) == 8
    await cleaner.taps(first[0])
    cleaner.sees("周五报到", first[0], "12 人")
    await cleaner.taps("提交")
    cleaner.sees(f"记下了：{first[0]}", "全镇已报 1/24")
    await cleaner.says("5人 1车 2方")
    left = cleaner.sees("哪个村的").labels
    assert first[0] not in left and first[1] in left
    await cleaner.says("王家沟")
    await cleaner.taps("提交")
    cleaner.sees("全镇已报 2/24")
    await staff.says("点名")
    staff.sees("已报 2/24", "未报 22 个村")


async def test_on_saturday_it_is_asked_whether_friday_is_meant(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-21 09:00")
    await keeper.says("整治 12人 3车 8方")
    asked = keeper.sees("报哪一天的")
    assert asked.labels[:2] == ["昨天 11月20日 周五", "今天 11月21日 周六"]
    await keeper.taps("昨天")
    keeper.sees("周五报到", "2026-11-20", "12 人")
    await keeper.taps("提交")
    keeper.sees("11月20日 周五 集中整治", "全镇已报 1/24", "记为补报")
    await keeper.says("周五报到")
    await keeper.says("今天")
    keeper.sees("来了多少人")
    await keeper.says("3人 1车 2方")
    await keeper.taps("跳过")
    await keeper.taps("提交")
    assert "已报" not in keeper.sees("11月21日 周六", "3 人").text
    await staff.says("/rollcall 2026-11-21")
    other = staff.sees("清洁 2026-11-21", "报了的 1 个村：王家沟村")
    assert "未报" not in other.text
    await staff.says("/rollcall 2026-11-20")
    staff.sees("已报 1/24")
    town.clock.go_to("2026-11-22 09:00")
    await keeper.says("/cleanup")
    assert keeper.sees("报哪一天的").labels[:2] == ["前天 11月20日 周五", "今天 11月22日 周日"]
    await keeper.says("11月20日")
    keeper.sees("来了多少人")


async def test_a_town_entered_on_saturday_counts_the_same_everywhere(town: Town) -> None:
    """Its villages stood on nobody's list on Friday; the first that reports for it makes it a clean-up of them all."""
    cleaner = await town.person("李师傅", role="cleaner")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-21 09:00")
    await town.write("UPDATE areas SET from_ms = :now WHERE township_id = :t", now=town.clock.now_ms())
    await staff.says("点名")
    staff.sees("还没有过集中整治")
    await cleaner.says("整治 王家沟 12人 3车 8方")
    await cleaner.taps("昨天")
    await cleaner.taps("提交")
    cleaner.sees("记下了：王家沟村", "全镇已报 1/24")
    await staff.says("点名")
    staff.sees("已报 1/24", "未报 23 个村")
    await staff.says("/friday 2026-11-20")
    staff.sees("已报 1/24", "王家沟村 12 人 3 车 8 方")
    await staff.says("日报")
    staff.sees("已报 1/24 村", "12 人\n3 车\n8 方")


async def test_a_report_is_taken_back(town: Town) -> None:
    """The wrong village tapped, then a wrong correction; each time everything that counts goes along."""
    cleaner = await town.person("李师傅", role="cleaner")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-20 10:00")
    await cleaner.says("李家湾 12人 3车 8方")
    await cleaner.taps("提交")
    wrong = cleaner.sees("记下了：李家湾村", "全镇已报 1/24")
    await cleaner.taps("撤回", on=wrong)
    cleaner.sees("撤回了：李家湾村 11月20日 周五 算没报")
    await cleaner.taps("撤回", on=wrong)
    cleaner.sees("不用撤回")
    await staff.says("点名")
    staff.sees("已报 0/24")
    await cleaner.says("王家沟 12人 3车 8方")
    await cleaner.taps("提交")
    cleaner.sees("记下了：王家沟村", "全镇已报 1/24")
    await cleaner.says("王家沟 99人 3车 8方")
    await cleaner.taps("提交")
    changed = cleaner.sees("改过来了：王家沟村", "99 人")
    await cleaner.taps("撤回", on=changed)
    cleaner.sees("还是上一次报的")
    await staff.says("/friday")
    staff.sees("已报 1/24", "王家沟村 12 人 3 车 8 方")
    await staff.says("日报")
    staff.sees("已报 1/24 村\n12 人\n3 车\n8 方")
    await cleaner.says("李家湾 5人 1车 2方")
    await cleaner.taps("提交")
    last = cleaner.sees("记下了：李家湾村", "全镇已报 2/24")
    await staff.says("撤回报到")
    staff.sees("自己刚报的")
    town.clock.advance(minutes=10)
    await cleaner.taps("撤回", on=last)
    cleaner.sees("过了 10 分钟", "后报的算")


async def test_villagers_may_not(town: Town) -> None:
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-20 10:00")
    await aunt.says("/cleanup")
    aunt.sees("保洁员、网格员或镇上工作人员")
    await aunt.says("点名")
    aunt.sees("网格员、镇上工作人员或督查人员")
    await aunt.says("12人 3车 8方")
    aunt.sees_not("集中整治")


async def test_another_village_may_not(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 10:00")
    await keeper.says("李家湾 12人 3车 8方")
    keeper.sees("周五报到", "王家沟村")
    await keeper.taps("村")
    await keeper.says("李家湾")
    keeper.sees("没找到")


async def test_a_holiday_week_is_skipped_and_said(town: Town) -> None:
    await rewind(town, "2026-09-29 09:00")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    for moment in ("2026-09-30 19:30", "2026-10-01 19:30", "2026-10-02 08:30", "2026-10-02 20:00", "2026-10-04 12:00"):
        town.clock.go_to(moment)
        await town.tick()
    assert reminders(keeper) == []
    await staff.says("点名")
    staff.sees("10月2日 周五", "没有集中整治", "下一次是 10月9日 周五")
    for moment in ("2026-10-08 19:00", "2026-10-09 08:00"):
        town.clock.go_to(moment)
        await town.tick()
    assert [text[:2] for text in reminders(keeper)] == ["明天", "今天"]


async def test_a_clean_up_moved_before_the_holiday(town: Town) -> None:
    await rewind(town, "2026-09-28 09:00")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    await change_policy(town, 'on_holiday = "skip"', 'on_holiday = "last_workday"')
    town.clock.go_to("2026-09-29 19:00")
    await town.tick()
    keeper.sees("明天（9月30日 周三）集中整治")
    town.clock.go_to("2026-09-30 12:00")
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    keeper.sees("9月30日 周三 集中整治")
    town.clock.go_to("2026-09-30 20:00")
    await town.tick()
    staff.sees("集中整治点名 2026-09-30", "已报 1/24")


async def test_who_wants_no_reminders_gets_none(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    town.clock.go_to("2026-11-19 19:00")
    await town.tick()
    await keeper.taps("不再提醒")
    keeper.sees("不再提醒您了")
    town.clock.go_to("2026-11-20 08:00")
    await town.tick()
    assert len(reminders(keeper)) == 1 and len(reminders(cleaner)) == 2
    await keeper.says("12人 3车 8方")
    keeper.sees("周五报到")


async def test_later_means_later(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 08:00")
    await town.tick()
    await keeper.taps("稍后提醒")
    await keeper.taps("1 小时")
    town.clock.go_to("2026-11-20 08:59")
    await town.tick()
    keeper.sees_not("时间到了")
    town.clock.go_to("2026-11-20 09:00")
    await town.tick()
    keeper.sees("时间到了")
    await keeper.taps("周五报到")
    keeper.sees("来了多少人")


async def test_reported_villages_are_left_in_peace(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-11-20 07:30")
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    town.clock.go_to("2026-11-20 08:00")
    await town.tick()
    keeper.sees_not("集中整治，请")


async def test_a_day_of_downtime(town: Town) -> None:
    """Nothing is sent twice for one period; what is later than the policy allows is dropped and counted."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    for moment in ("2026-11-18 18:00", "2026-11-19 18:30"):
        town.clock.go_to(moment)
        await town.tick()
    town.clock.go_to("2026-11-20 10:30")  # the program was down since; 08:00 was 2.5 hours ago, 19:00 half a day
    for _ in range(3):
        await town.tick()
        await town.app.schedule.plan()
    assert [text[:2] for text in reminders(keeper)] == ["今天"]
    dropped = await town.rows("SELECT cadence, period, part, people FROM duty_drops WHERE township_id = :t")
    assert [tuple(row) for row in dropped] == [("friday", "2026-11-20", "0", 1)]
    town.clock.go_to("2026-11-20 18:00")
    await town.tick()
    staff.sees("【过时未发】\n整治提醒 1 次")


async def test_a_month_of_downtime_is_counted_not_made_up_for(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to("2026-12-22 10:00")
    await town.tick()
    assert reminders(keeper) == []
    rows = await town.rows(
        "SELECT cadence, COUNT(*) AS n FROM duty_drops WHERE township_id = :t GROUP BY cadence ORDER BY cadence"
    )
    assert {row["cadence"]: row["n"] for row in rows} == {"digest": 34, "friday": 10, "rollcall": 5}


async def test_a_changed_policy_does_not_remind_twice(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await change_policy(town, "{ weekday = 5, at = 08:00:00 }", "{ weekday = 5, at = 09:30:00 }")
    for moment in ("2026-11-20 08:00", "2026-11-20 09:30", "2026-11-20 10:00"):
        town.clock.go_to(moment)
        await town.tick()
    assert len([text for text in reminders(keeper) if text.startswith("今天")]) == 1


async def test_quiet_hours_put_a_reminder_off(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await change_policy(town, "{ weekday = 4, at = 19:00:00 }", "{ weekday = 4, at = 22:00:00 }")
    town.clock.go_to("2026-11-19 22:00")
    await town.tick()
    assert reminders(keeper) == []
    town.clock.go_to("2026-11-20 07:00")
    await town.tick()
    assert [text[:2] for text in reminders(keeper)] == ["今天"]
