"""The daily digest: figures by area at six, the same figures for ever, what was late or never arrived."""

from __future__ import annotations

import pytest

from tests.stories.doings import change_policy, reports, ticks, time_to_take_back_is_over, weighs
from tests.stories.town import Heard, Someone, Town

REMINDERS = ("2026-11-19 19:00", "2026-11-20 08:00")
UNDELIVERED = "\n\n【未送达】"


def digests(someone: Someone) -> list[Heard]:
    """Every digest they ever got."""
    return [heard for heard in someone.heard if "日报 20" in heard.text]


def body(heard: Heard) -> list[str]:
    """A digest's lines below its heading, without what the channel did not deliver (nobody keeps a page open here)."""
    return heard.text.split(UNDELIVERED)[0].split("\n")[3:]


async def test_a_friday(town: Town) -> None:
    aunt = await town.person("王大娘")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    neighbour = await town.person("钱网格", role="grid_keeper", area="李家湾")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    auditor = await town.person("周督查", role="auditor")
    await ticks(town, "2026-11-18 18:00")
    town.clock.go_to("2026-11-18 18:30")
    old = await reports(aunt, "王家沟桥头有人倒垃圾")
    await ticks(town, "2026-11-19 18:00", *REMINDERS)
    first = await reports(aunt, "王家沟学校门口有人倒垃圾")
    second = await reports(aunt, "王家沟桥头河道里有垃圾")
    await keeper.says(f"/verify {first} true")
    await keeper.says(f"/verify {second} false")
    await keeper.taps("现场没有发现")
    await keeper.taps("确定不属实")
    await time_to_take_back_is_over(town)
    await weighs(cleaner, "张三 15.6公斤")
    await weighs(cleaner, "张三 10公斤 杂质10%")
    await keeper.says("12人 3车 8.5方")
    await keeper.taps("提交")
    await ticks(town, "2026-11-20 18:00")

    found = staff.sees("青禾塬镇日报 2026-11-20", "范围：全镇", "数据时间 11-19 18:00—11-20 18:00")
    assert body(found) == [
        "",
        "【举报】",
        "新报 2 件",
        "属实 1 件",
        "不实 1 件",
        "",
        "【等着办】",
        "待核实 1 件（1 件超时）",
        "",
        "【久等未核实 1 件】",
        f"47 小时 {old} 王家沟村 乱倒垃圾",
        "",
        "【农膜】",
        "计入 24.6 公斤",
        "称重单 2 张",
        "县补 24.60 元",
        "镇补 12.30 元",
        "",
        "【积分】",
        "发放 29 分",
        "",
        "【集中整治 2026-11-20】",
        "已报 1/24 村",
        "12 人",
        "3 车",
        "8.5 方",
    ]
    assert found.labels == ["去办", f"办 {old}"]
    assert digests(auditor)[-1].labels == [f"办 {old}"]
    assert body(digests(auditor)[-1]) == body(found)
    here = keeper.sees("青禾塬镇日报 2026-11-20", "范围：王家沟村")
    assert "已报 1/1 村" in here.text and "24.6 公斤" in here.text
    elsewhere = neighbour.sees("范围：李家湾村")
    assert body(elsewhere) == [
        "",
        "【集中整治 2026-11-20】",
        "已报 0/1 村",
        "人数 暂无数据",
        "车辆 暂无数据",
        "方量 暂无数据",
    ]
    aunt.sees_not("日报")
    cleaner.sees_not("日报")
    await staff.taps(f"办 {old}")
    staff.sees(old, "乱倒垃圾", "属实")


async def test_what_waits_is_in_the_digest_and_a_tap_leads_to_it(town: Town) -> None:
    aunt = await town.person("王大娘")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    await ticks(town, "2026-11-18 18:00")
    town.clock.go_to("2026-11-19 17:00")
    await reports(aunt, "王家沟桥头有人倒垃圾")
    await reports(aunt, "王家沟学校门口有人倒垃圾")
    fire = await reports(aunt, "王家沟桥头有人烧垃圾")
    await weighs(cleaner, "张三 1.5吨")
    await cleaner.taps("对，记上")
    await ticks(town, "2026-11-19 18:00")
    found = staff.sees("【等着办】\n待核实 3 件（1 件快到时限）\n待处理称重单 1 张")
    assert found.labels == ["去办"]
    assert "待核实 3 件（1 件快到时限）" in digests(keeper)[-1].text
    await staff.taps("去办", on=found)
    staff.sees("等您办的有 4 件", fire)
    town.clock.go_to("2026-11-19 19:30")
    await staff.says("/digest 2026-11-19")
    assert (staff.last.text, staff.last.labels) == (found.text, found.labels)
    await ticks(town, "2026-11-20 18:00")
    assert "待核实 3 件（3 件超时）\n待处理称重单 1 张（1 张超过一天）" in digests(staff)[-1].text


async def test_run_again_it_says_the_same(town: Town) -> None:
    aunt = await town.person("王大娘")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    await ticks(town, "2026-11-18 18:00")
    number = await reports(aunt, "王家沟桥头有人倒垃圾")
    await ticks(town, "2026-11-19 18:00", "2026-11-20 10:00")
    await weighs(cleaner, "张三 15.6公斤")
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    await ticks(town, "2026-11-20 18:00")
    sent, local = digests(staff)[-1], digests(keeper)[-1]
    assert number in sent.text

    # Afterwards everything moves on: the case, the ticket, the village's figures, the messages, the policy.
    town.clock.go_to("2026-11-20 18:30")
    await keeper.says(f"/verify {number} true")
    await keeper.says("20人 5车 12方")
    await keeper.taps("提交")
    await weighs(cleaner, "张三 20公斤")
    await town.write("UPDATE outbox SET state = 'sent' WHERE township_id = :t AND state <> 'sent'")
    for someone, before in ((staff, sent), (keeper, local)):
        await someone.says("/digest 2026-11-20")
        assert (someone.last.text, someone.last.labels) == (before.text, before.labels)
    await change_policy(town, "at = 18:00:00 ", "at = 17:00:00 ")
    await town.write("UPDATE areas SET until_ms = :now WHERE township_id = :t AND name = '李家湾村'", now=town.clock.ms)
    town.clock.advance(days=400)
    await town.tick()
    for someone, before in ((staff, sent), (keeper, local)):
        await someone.says("/digest 2026-11-20")
        assert (someone.last.text, someone.last.labels) == (before.text, before.labels)


async def test_the_day_after_shows_what_came_after_six(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    await ticks(town, "2026-11-18 18:00", "2026-11-19 18:00", *REMINDERS, "2026-11-20 18:00")
    assert "已报 0/24 村" in digests(staff)[-1].text
    town.clock.go_to("2026-11-20 19:00")
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    await ticks(town, "2026-11-20 20:00", "2026-11-21 18:00", "2026-11-22 18:00")
    saturday, sunday = digests(staff)[-2:]
    assert body(saturday) == ["", "【集中整治 2026-11-20】", "已报 1/24 村", "12 人", "3 车", "8 方"]
    assert "集中整治" not in sunday.text


async def test_an_empty_township(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    await ticks(town, "2026-11-18 18:00")
    await town.write("UPDATE outbox SET state = 'sent' WHERE township_id = :t")
    await ticks(town, "2026-11-19 18:00")
    # On the web yesterday's digest itself still waits for its reader; that is not new today.
    assert digests(staff)[-1].text == (
        "青禾塬镇日报 2026-11-19\n数据时间 11-18 18:00—11-19 18:00\n范围：全镇\n\n没有新情况。"
    )


async def test_so_far_unknown_and_impossible_days(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    aunt = await town.person("王大娘")
    await aunt.says("日报")
    aunt.sees("网格员、镇上工作人员、财务或督查人员")
    await staff.says("日报")
    staff.sees("2026-11-18（还没到点", "数据时间 11-17 18:00—11-18 10:00")
    await staff.says("/digest 2026-11-10")
    staff.sees("日报 2026-11-10", "【未送达】\n暂无数据")
    await staff.says("/digest 2026-05-01")
    staff.sees("日报 2026-05-01", "暂无数据")
    await staff.says("/digest 2025-05-01")
    staff.sees("还没有启用", "暂无数据")
    await staff.says("/digest 2026-11-19")
    staff.sees("还没到")
    await staff.says("/digest 后天吧")
    staff.sees("没看懂「后天吧」")


async def test_late_is_sent_once_and_too_late_is_counted(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-18 19:00")
    await reports(aunt, "王家沟桥头有人倒垃圾")
    town.clock.go_to("2026-11-18 20:30")
    for _ in range(3):
        await town.tick()
    assert len(digests(staff)) == 1
    assert "新报" not in digests(staff)[0].text
    assert "11-17 18:00—11-18 18:00" in digests(staff)[0].text
    await ticks(town, "2026-11-20 08:00")
    assert len(digests(staff)) == 1
    await ticks(town, "2026-11-20 18:00")
    assert len(digests(staff)) == 2
    assert "【过时未发】\n日报 1 次" in digests(staff)[1].text
    await staff.says("/digest 2026-11-19")
    staff.sees("日报 2026-11-19", "新报 1 件")


async def test_messages_that_never_arrived_are_counted_where_their_people_live(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    neighbour = await town.person("钱网格", role="grid_keeper", area="李家湾")
    staff = await town.person("孙干事", role="staff")
    await ticks(town, "2026-11-18 18:00")
    await keeper.says("日报")
    await neighbour.says("日报")
    await neighbour.says("日报")
    await town.write("UPDATE outbox SET state = 'sent' WHERE township_id = :t AND state = 'waiting'")
    for someone, state in ((keeper, "expired"), (neighbour, "failed")):
        await town.write(
            "UPDATE outbox SET state = :state WHERE township_id = :t AND person_id = :person AND created_ms >= :since",
            state=state,
            person=await someone.person_id(),
            since=town.clock.ms,
        )
    await ticks(town, "2026-11-19 18:00")
    assert digests(staff)[-1].text.endswith("【未送达】\n发送失败 3 条\n过期作废 2 条")
    assert digests(keeper)[-1].text.endswith("【未送达】\n过期作废 2 条")


UNREAD = "放了好几天没人看"


@pytest.mark.parametrize("town", ["web"], indirect=True)
@pytest.mark.parametrize("days", [1, 3])
async def test_a_closed_page_is_no_fault_until_it_was_closed_for_days(town: Town, days: int) -> None:
    staff = await town.person("孙干事", role="staff")
    await change_policy(town, "unread_days = 3 ", f"unread_days = {days} ")
    aunt = await town.person("王大娘")
    await ticks(town, "2026-11-18 18:00")
    await town.write("UPDATE outbox SET state = 'sent' WHERE township_id = :t AND state = 'waiting'")
    await reports(aunt, "王家沟桥头有人倒垃圾")
    for day in range(19, 19 + days):
        await ticks(town, f"2026-11-{day} 18:00")
        assert "未送达" not in digests(staff)[-1].text, "she opens the page when she likes"
    await ticks(town, f"2026-11-{19 + days} 18:00")
    assert UNREAD in digests(staff)[-1].text


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_what_was_read_in_time_is_never_counted(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    aunt = await town.person("王大娘")
    await ticks(town, "2026-11-18 18:00")
    await reports(aunt, "王家沟桥头有人倒垃圾")
    for day in range(19, 24):
        await town.write("UPDATE outbox SET state = 'sent' WHERE township_id = :t AND state = 'waiting'")
        await ticks(town, f"2026-11-{day} 18:00")
        assert "未送达" not in digests(staff)[-1].text


async def test_somebody_for_two_villages_gets_one_digest(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await town.grant(keeper, "grid_keeper", "李家湾")
    await ticks(town, "2026-11-18 18:00")
    assert len(digests(keeper)) == 1
    assert "范围：李家湾村、王家沟村" in digests(keeper)[0].text


async def test_the_digest_waits_for_the_end_of_quiet_hours(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    await change_policy(town, "at = 18:00:00 ", "at = 23:00:00 ")
    await ticks(town, "2026-11-18 23:00")
    assert digests(staff) == []
    await ticks(town, "2026-11-19 07:00")
    assert len(digests(staff)) == 1


@pytest.mark.parametrize("town", ["telegram"], indirect=True)
async def test_the_roll_call_in_a_group_but_no_digest(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    group = town.bot_api.group("青禾塬环境整治群")
    town.clock.go_to("2026-11-20 10:00")
    for words, answer in (("/rollcall", "已报 0/24"), ("/digest", "")):
        town.begin()
        sent = town.app.intake.accepted_total
        await staff.driver.user.says(words, to=group)
        while town.app.intake.accepted_total == sent:
            await town.settle(0.01)
        await town.work()
        heard = await group.hears()
        assert answer in heard.text and "日报 2026" not in heard.text


async def test_the_digest_says_what_of_the_system_did_not_work(town: Town) -> None:
    """To those in charge of the whole township, while it lasts and once when it is over; a short one nobody noticed."""
    staff = await town.person("孙干事", role="staff")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    troubles, book = town.app.troubles, town.app.book
    await ticks(town, "2026-11-18 12:00")
    troubles.failed("media", "disk_full", said="No space left on device")
    await book.write()
    await ticks(town, "2026-11-18 18:00")
    assert "【系统】" in staff.heard[-1].text and "12:00" in staff.heard[-1].text
    assert not [heard for heard in keeper.heard if "【系统】" in heard.text]
    await ticks(town, "2026-11-18 20:00")
    troubles.failed("media", "disk_full", said="No space left on device")
    town.clock.advance(minutes=1)
    troubles.works("media")
    await book.write()
    await ticks(town, "2026-11-19 10:00")
    troubles.failed("delivery", "defect", said="ValueError")
    await book.write()
    town.clock.advance(minutes=2)
    troubles.works("delivery")
    await book.write()
    await ticks(town, "2026-11-19 18:00")
    said = staff.heard[-1].text.partition("【系统】")[2]
    assert "20:00" in said and "10:0" not in said
    await ticks(town, "2026-11-20 18:00")
    assert "【系统】" not in "".join(heard.text for heard in staff.news)
