"""WeCom's group robots: digests, overdue lists and the roll-call in the groups, and who is called there."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.channels.wecom.robots import robots_check
from bot.console.doctor import seen_of
from bot.stored import dump_out
from bot.talk.messages import Out
from bot.turn import Desk
from storage.database import Tx
from storage.machine import outbox
from tests.fakes.wechat_wecom import Robot
from tests.stories.doings import HOUSEHOLD, belongs, joins, reports, weighs
from tests.stories.robots import Groups
from tests.stories.town import TOWN, Someone, Town

ZONE = ZoneInfo("Asia/Shanghai")
OVERDUE = "久等未办"


@pytest.fixture
async def groups(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Groups]:
    opened = await Groups.open(tmp_path / "data", database_url, monkeypatch)
    try:
        yield opened
    finally:
        await opened.close()


async def is_called(someone: Someone, name: str) -> None:
    """Tell the program by what one may be called."""
    await someone.says(f"企业微信 {name}")
    await someone.taps("同意")
    someone.sees("记下了")


def said(robot: Robot, part: str) -> list[str]:
    """The messages of a group with these words, but for the calls by number."""
    return [one.text for one in robot.posted if one.kind == "markdown" and part in one.text]


async def test_the_digest_reaches_the_office_and_the_village(groups: Groups) -> None:
    town = groups.town
    aunt = await town.person("王大娘")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    neighbour = await town.person("钱师傅", role="cleaner", area="李家湾")
    await groups.goes_to("2026-11-18 18:00", "2026-11-18 18:30")
    number = await reports(aunt, "王家沟桥头有人倒垃圾")
    await weighs(cleaner, "张三 15.6公斤")
    await groups.goes_to("2026-11-19 18:00")
    office, village = said(groups.office, "日报 2026-11-19")[0], said(groups.village, "日报 2026-11-19")[0]
    assert office.split("\n")[:12] == [
        "### 青禾塬镇日报 2026-11-19",
        "数据时间 11-18 18:00—11-19 18:00",
        "范围：全镇",
        "",
        "**【举报】**",
        "> 新报 **1** 件",
        "",
        "**【等着办】**",
        "> 待核实 **1** 件（1 件快到时限）",
        "",
        "**【农膜】**",
        "> 计入 **15.6** 公斤",
    ]
    assert "范围：王家沟村" in village and "> 新报 **1** 件" in village
    for text in (*groups.office.texts(), *groups.village.texts()):
        assert "王大娘" not in text and "张三" not in text and "桥头" not in text and number not in text
    neighbour.sees_not("日报")
    assert len(said(groups.office, "日报 2026-11-19")) == len(said(groups.village, "日报 2026-11-19")) == 1
    await town.tick()
    assert len(said(groups.office, "日报 2026-11-19")) == 1


async def test_what_is_overdue_follows_the_digest_and_calls_who_can_do_something(groups: Groups) -> None:
    town = groups.town
    aunt = await town.person("王大娘")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    await is_called(keeper, "zhao.wangge")
    await is_called(staff, "13800000002")
    await belongs(town, cleaner)
    await groups.goes_to("2026-11-18 18:00", "2026-11-18 18:30")
    number = await reports(aunt, "王家沟桥头有人倒垃圾")
    await weighs(cleaner, "张三 15.6公斤")
    await aunt.says("/household")
    await aunt.says(HOUSEHOLD)
    await aunt.taps("我是家里人")
    await aunt.taps("申请绑定")
    await groups.goes_to("2026-11-19 18:00")
    assert said(groups.office, OVERDUE) == [], "a case has 24 hours, the others the time of a whole digest"
    await groups.goes_to("2026-11-20 18:00")
    words = said(groups.office, OVERDUE)[0].split("\n")
    assert words == [
        "### 青禾塬镇久等未办 2026-11-20",
        "范围：全镇",
        "",
        "**【久等未核实 1 件】**",
        f"> **47** 小时 {number} 王家沟村 乱倒垃圾",
        "",
        "**【称重单等了一天以上 1 张】**",
        "> **1** 张 王家沟村",
        "",
        "**【家庭绑定等了一天以上 1 个】**",
        "> **1** 个 王家沟村",
        "",
        "请到平时办事的聊天里办，机器人看不到群里的话。",
        "<@zhao.wangge>",
    ]
    digest, _, call = groups.office.posted[-3:]
    assert (call.kind, call.text, call.mobiles) == ("text", "青禾塬镇久等未办 2026-11-20", ("13800000002",))
    assert "久等未核实" not in digest.text, "it is said once"
    assert "<@" not in digest.text and not digest.mobiles, "the digest calls nobody"
    assert "范围：王家沟村" in said(groups.village, OVERDUE)[0] and "<@zhao.wangge>" in said(groups.village, OVERDUE)[0]

    await keeper.says(f"/verify {number} true")
    await staff.says("待确认")
    await staff.taps("是，确认")
    await keeper.says("/reminders off")
    await groups.goes_to("2026-11-21 18:00")
    words = said(groups.office, OVERDUE)[-1].split("\n")
    assert words[3:5] == ["**【称重单等了一天以上 1 张】**", "> **1** 张 王家沟村"]
    assert "zhao.wangge" not in "".join(words), "whoever wants no reminders is not called"
    assert groups.office.posted[-1].mobiles == ("13800000002",)


async def test_friday_in_the_groups(groups: Groups) -> None:
    town = groups.town
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    neighbour = await town.person("钱网格", role="grid_keeper", area="李家湾")
    for someone, name in ((keeper, "zhao"), (neighbour, "qian")):
        await is_called(someone, name)
    await groups.goes_to("2026-11-19 19:00")
    (reminder,) = said(groups.village, "集中整治")
    assert reminder.startswith("### 明天（11月20日 周五）集中整治，请王家沟村在 20:00 前报到。\n请到平时办事的聊天里报")
    assert reminder.endswith("\n<@zhao>")
    assert said(groups.office, "点名") == [], "on the day before everybody is missing"
    await groups.goes_to("2026-11-20 08:00")
    (morning,) = said(groups.office, "点名")
    assert morning.startswith("### 集中整治点名 2026-11-20\n已报 **0/24**\n未报 **24** 个村：")
    assert morning.endswith("截至 11-20 08:00\n<@qian><@zhao>")
    town.clock.go_to("2026-11-20 15:00")
    await keeper.sends_photo(2, caption="12人 3车 8.5方", album=True)
    await keeper.taps("提交")
    await groups.goes_to("2026-11-20 18:00", "2026-11-20 20:00")
    page = said(groups.office, "点名")[-1]
    assert page.startswith(
        "### 集中整治点名 2026-11-20\n数据时间 11-20 00:00—11-20 20:00\n已报 **1/24**\n未报 **23** 个村："
    )
    assert "\n\n**【合计】**\n> **12** 人\n> **3** 车\n> **8.5** 方\n\n**【各村】**\n> 王家沟村 **12** 人" in page
    assert page.endswith("\n<@qian>"), "who reported is not called"
    assert [one.kind for one in groups.office.posted if one.kind == "image"] == []
    own = [one for one in groups.village.posted if one.at_ms >= town.clock.ms - 60_000]
    assert [one.kind for one in own] == ["markdown", "image", "image"], "the village sees its own photos"
    assert "已报 **1/1**\n都报了。" in own[0].text and "【各村】" not in own[0].text and "<@" not in own[0].text
    before = len(groups.village.posted)
    await town.tick()
    assert len(groups.village.posted) == before


async def test_a_name_is_asked_for_agreed_to_shown_and_taken_back(groups: Groups) -> None:
    town = groups.town
    aunt = await town.person("王大娘")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await aunt.says("企业微信")
    aunt.sees("要由保洁员、网格员或镇上工作人员")
    await aunt.says("我的信息")
    assert "企业微信" not in aunt.last.labels
    await keeper.says("我的信息")
    await keeper.taps("企业微信")
    keeper.sees("只用来 @ 您", "企业微信（腾讯）", "同意吗")
    await keeper.taps("不同意")
    keeper.sees("没有记")
    assert list(await town.rows("SELECT name FROM wecom_names WHERE township_id = :t")) == []
    await keeper.says("企业微信")
    await keeper.taps("同意")
    keeper.sees("用的是哪个手机号")
    await keeper.says("12345")
    keeper.sees("「12345」不像手机号")
    await keeper.says("１３８ ０００１ ０００１")
    keeper.sees("记下了：13800010001")
    await keeper.says("企业微信 不用")
    await keeper.says("企业微信 all")
    keeper.sees("「all」不像手机号")
    await keeper.says("企业微信里有人说王家沟桥头倒垃圾")
    keeper.sees("请拍张照片")
    await keeper.says("取消")
    await is_called(keeper, "138-0001-0001")
    await keeper.says("我的信息")
    keeper.sees("企业微信：13800010001")
    await keeper.says("/wecom")
    keeper.sees("群里用 13800010001 来 @ 您")
    await keeper.taps("删掉")
    keeper.sees("删掉了，群里不再 @ 您")
    await keeper.says("我的信息")
    keeper.sees_not("13800010001")


@pytest.mark.parametrize("how", ["企业微信 取消", "删除我的信息", "no role"])
async def test_a_name_that_is_taken_back_stands_nowhere(groups: Groups, how: str) -> None:
    town = groups.town
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await is_called(keeper, "13800010001")
    groups.village.gone = groups.office.gone = True
    await groups.goes_to("2026-11-19 19:00")
    bodies = "SELECT body FROM outbox WHERE township_id = :t AND channel = 'wecom'"
    assert any("13800010001" in row["body"] for row in await town.rows(bodies))
    if how == "no role":
        await town.write("UPDATE roles SET until_ms = :now WHERE township_id = :t", now=town.clock.ms)
        await groups.goes_to("2026-11-20 03:30")
    else:
        await keeper.says(how)
        if how.startswith("删除"):
            await keeper.taps("删除")
    rows = await town.rows(bodies)
    assert rows and all("13800010001" not in row["body"] and "cleanup" not in row["body"] for row in rows)
    assert any("集中整治" in row["body"] for row in rows), "the letters themselves stay"
    names = await town.rows("SELECT name FROM wecom_names WHERE township_id = :t")
    assert [row["name"] for row in names] == [""]


async def test_who_is_two_contacts_is_called_once(groups: Groups) -> None:
    """Joining two chats takes the name along."""
    town = groups.town
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    other = await town.person("赵网格")
    await is_called(keeper, "zhao")
    await joins(other, keeper)
    await keeper.says("我的信息")
    keeper.sees("企业微信：zhao")
    await groups.goes_to("2026-11-19 19:00")
    assert said(groups.village, "集中整治")[0].endswith("\n<@zhao>")


async def test_five_letters_keep_the_pace_over_a_restart(groups: Groups) -> None:
    await write(groups.town, [f"第{at}条" for at in range(5)])
    await groups.town.work()
    times = [one.at_ms for one in groups.office.posted]
    assert len(times) == 5 and min(b - a for a, b in pairwise(times)) >= 3_000
    await write(groups.town, [f"第{at}条" for at in range(5, 10)])
    await groups.restart()
    await groups.town.work()
    assert groups.office.texts() == [f"第{at}条" for at in range(10)]
    times = [one.at_ms for one in groups.office.posted]
    assert min(b - a for a, b in pairwise(times)) >= 3_000


async def write(town: Town, words: list[str]) -> None:
    """Letters to the office's robot, as a transaction leaves them."""

    async def work(tx: Tx) -> None:
        now_ms = town.clock.now_ms()
        world = await town.app.product.world(tx, now_ms)
        desk = Desk(
            tx=tx,
            now_ms=now_ms,
            ids=town.app.ids,
            dice=None,
            catalogues=town.app.catalogues,
            world=world,  # type: ignore[arg-type]
        )
        for one in words:
            desk.post(0, "wecom", "wecom:629999101", Out(one))
        await outbox.put(tx, desk.outbox)

    await town.app.database.transaction(work)


async def test_a_robot_that_is_gone_is_named_and_nothing_else_breaks(groups: Groups) -> None:
    town = groups.town
    staff = await town.person("孙干事", role="staff")
    groups.village.gone = True
    await groups.goes_to("2026-11-18 18:00")
    staff.sees("青禾塬镇日报 2026-11-18")
    assert said(groups.office, "日报 2026-11-18") and groups.village.posted == []
    await staff.says("日报")
    await groups.goes_to("2026-11-19 18:00")
    assert "> 发送失败 **1** 条" in said(groups.office, "日报 2026-11-19")[0]
    staff.sees("日报 2026-11-19", "发送失败 1 条")
    robots = {"青禾塬镇": groups.office.key, "王家沟村": groups.village.key}
    await staff.says("日报")
    checks = await robots_check(robots, town.app.database, ZONE)
    assert [(one.name, one.ok) for one in checks] == [("robots", True), ("robot 王家沟村", False)]
    assert seen_of(checks[1]).startswith("2026-11-19 18:00: no_such_robot; is it still in its group?")
    groups.village.gone = False
    await groups.goes_to("2026-11-20 18:00")
    assert said(groups.village, "日报 2026-11-20")
    await staff.says("日报")
    assert [one.ok for one in await robots_check(robots, town.app.database, ZONE)] == [True]


async def test_no_key_in_any_log_or_row(
    groups: Groups, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    groups.village.gone = True
    groups.wecom.trouble("webhook/send", status=502)
    await groups.goes_to("2026-11-18 18:00", "2026-11-19 18:00")
    await groups.restart()
    keys = groups.office.key, groups.village.key
    printed = capfd.readouterr()
    logged = [*(record.getMessage() for record in caplog.records), printed.out, printed.err]
    assert not [line for line in logged for key in keys if key in line]
    for table in ("outbox", "timers", "channel_faults"):
        rows = await groups.town.rows(f"SELECT * FROM {table} WHERE township_id = :t")
        assert not [row for row in rows for key in keys if key in repr(tuple(row))]
    assert repr(groups.town.app.channels.of(TOWN)["wecom"]).find(keys[0]) == -1


def test_a_letter_keeps_whom_it_calls() -> None:
    from bot.stored import load_out

    out = Out("点名", mentions=("zhao", "13800010001"))
    assert load_out(dump_out(out)) == out and load_out(dump_out(Out("点名"))).mentions == ()
