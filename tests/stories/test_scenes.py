"""Printed codes: a station, a sign, a door, an invitation; scanned by somebody new, by a cleaner, by a neighbour."""

from __future__ import annotations

import pytest

from handlers.areas import codes
from handlers.world import World
from tests.stories.doings import belongs, cleaner_of, household_id, token_for, weighs
from tests.stories.town import Town

STATION, DOOR = "station-S02", "door-N0123"  # 王家沟回收点; 张三, 王家沟村张家社


async def world_of(town: Town) -> World:
    return await town.app.database.read(lambda tx: town.app.product.world(tx, town.clock.now_ms()))


async def sign_at(town: Town, village: str, name: str) -> str:
    """The code on the sign at a landmark."""
    places = (await world_of(town)).places
    landmark = next(
        one for one in places.landmarks.values() if one.name == name and places.areas[one.village_id].name == village
    )
    return codes.of_landmark(places, landmark)


# ── somebody new


async def test_somebody_new_scans_a_sign_agrees_and_is_in_the_report(town: Town) -> None:
    aunt = await town.person("王大娘", consent=False)
    await aunt.starts(await sign_at(town, "王家沟村", "桥头"))
    aunt.sees("五件事")
    aunt.sees_not("地点记好了")
    await aunt.taps("同意")
    aunt.sees("地点记好了：王家沟村 桥头")
    await aunt.taps("乱倒垃圾")
    await aunt.taps("跳过")
    aunt.sees("地点：王家沟村 桥头")
    await aunt.taps("提交举报")
    aunt.sees("编号 2026-0001", "王家沟村 桥头")
    case = (await town.rows("SELECT area_id, landmark_id, lat, datum FROM cases WHERE township_id = :t"))[0]
    assert case["area_id"] == await town.area_id("王家沟")
    assert case["landmark_id"] is not None and case["lat"] is not None and case["datum"] == "WGS-84"


async def test_somebody_new_scans_a_station_agrees_and_sees_it(town: Town) -> None:
    aunt = await town.person("王大娘", consent=False)
    await aunt.starts(STATION)
    await aunt.taps("同意")
    page = aunt.sees("王家沟回收点（王家沟村）", "开放时间：08:00-18:00", "电话：10000010002")
    assert page.labels == ["绑定我家"]


async def test_somebody_new_scans_a_door_agrees_and_may_ask_for_the_household(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("", consent=False)
    await aunt.starts(DOOR)
    aunt.sees_not("张三")
    await aunt.taps("同意")
    aunt.sees_not("张三")
    aunt.sees("王家沟村 张家社 N0123", "要绑定这一家吗")
    await aunt.taps("我是家里人")
    aunt.sees("王家沟村 张家社 N0123")
    await aunt.taps("申请绑定")
    keeper.sees("张三", "N0123")
    await aunt.starts(DOOR)
    aunt.sees("您的绑定申请已经收到")


async def test_an_invitation_s_code_still_gives_its_role(town: Town) -> None:
    token = await token_for(town)
    cleaner = await town.person("", consent=False)
    await cleaner.starts(token)
    await cleaner.taps("同意")
    cleaner.sees("欢迎", "王家沟村 保洁员")


# ── a station


async def test_a_cleaner_scans_the_station_and_weighs_there(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.starts(STATION)
    cleaner.sees("站点记好了：王家沟回收点")
    cleaner.sees("谁家的膜")
    await cleaner.says("张三")
    await cleaner.taps("地膜")
    await cleaner.says("15.6公斤")
    await cleaner.taps("跳过")
    await cleaner.taps("跳过")
    cleaner.sees("站点：王家沟回收点")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001")
    stations = {one.code: one.station_id for one in (await world_of(town)).places.stations}
    tickets = "SELECT station_id FROM film_tickets WHERE township_id = :t ORDER BY id"
    assert [row["station_id"] for row in await town.rows(tickets)] == [stations["S02"]]
    await cleaner.taps("再称一户")
    cleaner.sees("站点记好了：王家沟回收点")
    await cleaner.taps("取消")
    await weighs(cleaner, "张三 9公斤")
    assert [row["station_id"] for row in await town.rows(tickets)] == [stations["S02"], None]


async def test_the_wrong_station_is_changed_in_the_review(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.starts(DOOR)
    await cleaner.taps("地膜")
    await cleaner.starts(STATION)  # the household stays
    await cleaner.says("15.6公斤")
    await cleaner.taps("跳过")
    await cleaner.taps("跳过")
    await cleaner.taps("改站点")
    await cleaner.says("天上")
    cleaner.sees("没找到「天上」")
    await cleaner.says("镇中心站")
    cleaner.sees("站点：镇中心回收站", "张三")
    await cleaner.taps("记账")
    stations = {one.station_id: one.code for one in (await world_of(town)).places.stations}
    rows = await town.rows("SELECT station_id, household_id FROM film_tickets WHERE township_id = :t")
    assert [(stations[row["station_id"]], row["household_id"]) for row in rows] == [("S01", await household_id(town))]


async def test_a_villager_finds_the_household_s_tickets_at_the_station(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("王大娘")
    await belongs(town, aunt)
    await aunt.starts(STATION)
    aunt.sees("您家还没有称重单", "我的补贴")
    for kg in (5, 6, 7, 8):
        await weighs(cleaner, f"张三 {kg}公斤")
    town.clock.advance(minutes=1)
    await aunt.starts(STATION)
    page = aunt.sees("您家最近的称重单在下面")
    assert [label for label in page.labels if "F2026" in label] == page.labels[:3]
    assert "F2026-00004" in page.labels[0]
    await aunt.taps("F2026-00003")
    aunt.sees("F2026-00003", "7公斤")


# ── a sign


async def test_a_sign_scanned_after_the_photo_only_adds_the_place(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo()
    await aunt.starts(await sign_at(town, "王家沟村", "桥头"))
    aunt.sees("地点：王家沟村 桥头", "照片：1 张")
    await aunt.starts(await sign_at(town, "柳树湾村", "老柳树"))  # another place is another report
    await aunt.taps("河道垃圾")
    await aunt.taps("跳过")
    aunt.sees("地点：柳树湾村 老柳树", "照片：没有")


async def test_a_photo_of_yesterday_is_not_taken_for_this_sign(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo()
    town.clock.advance(hours=20)
    await aunt.starts(await sign_at(town, "王家沟村", "桥头"))
    await aunt.taps("河道垃圾")
    await aunt.taps("跳过")
    aunt.sees("照片：没有")


# ── a door


async def test_a_cleaner_scans_a_door_and_weighs(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.starts(DOOR)
    cleaner.sees("张三 · 王家沟村张家社 · 卡尾号0123")
    await cleaner.taps("地膜")
    await cleaner.says("15.6公斤")
    await cleaner.taps("跳过")
    await cleaner.taps("跳过")
    cleaner.sees("张三", "15.6公斤")
    await cleaner.starts("door-N0124")  # the next door: nothing of the one before stays
    cleaner.sees("什么膜")
    await cleaner.taps("取消")
    await cleaner.says("称重")
    await cleaner.says(f"https://chat.example/?t=629999101&start={DOOR}")
    cleaner.sees("什么膜")


async def test_a_member_scans_their_own_door(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("王大娘")
    await belongs(town, aunt)
    await weighs(cleaner, "张三 15.6公斤")
    await aunt.starts(DOOR)
    aunt.sees("15 分", "张三")
    await town.grant(aunt, "cleaner", "王家沟")  # also of a cleaner, at home it is their own
    await aunt.starts(DOOR)
    aunt.sees("15 分", "张三")


async def test_who_acts_for_an_elder_sees_the_elder_s_points(town: Town) -> None:
    cleaner = await cleaner_of(town)
    nephew = await town.person("张小明")
    await belongs(town, nephew, relation="proxy")
    await weighs(cleaner, "张三 15.6公斤")
    await nephew.starts(DOOR)
    nephew.sees("15 分", "张三")


async def test_a_neighbour_learns_nothing_at_a_door(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    neighbour = await town.person("李四")
    await belongs(town, neighbour, "N0124")
    await neighbour.starts(DOOR)
    neighbour.sees("不是您绑定的那一家", "代家里老人办")
    neighbour.sees_not("张三")
    neighbour.sees_not("15 分")


async def test_who_may_see_the_ledger_sees_the_household_s(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    auditor = await town.person("督查", role="auditor")
    await auditor.starts(DOOR)
    auditor.sees("15 分", "张三")


# ── codes that lead nowhere


@pytest.mark.parametrize("code", ["station-S99", "sign-AAAAAAAAAAAAAAAA", "door-N9999", "door-_", "shop-7", "x" * 42])
async def test_a_code_that_is_not_ours_gets_a_kind_word_and_the_menu(town: Town, code: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.starts(code)
    aunt.sees("这个码已经不用了", "我要举报")


async def test_a_closed_household_s_door_is_given_up(town: Town) -> None:
    aunt = await town.person("王大娘")
    await town.write("UPDATE households SET status = 'closed' WHERE township_id = :t AND card_no = 'N0123'")
    await aunt.starts(DOOR)
    aunt.sees("这个码已经不用了")


async def test_a_code_s_link_pasted_as_words_works_too(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(f"https://chat.example/?t=629999101&start={STATION}")
    aunt.sees("王家沟回收点（王家沟村）")
    await aunt.says(f"/start {STATION}")
    aunt.sees("王家沟回收点（王家沟村）")
    await aunt.starts()
    aunt.sees("青禾塬镇净乡服务")


@pytest.mark.parametrize("town", ["telegram"], indirect=True)
async def test_in_a_group_no_code_is_answered_with_what_is_personal(town: Town) -> None:
    aunt = await town.person("王大娘")
    await belongs(town, aunt)
    group = town.bot_api.group("王家沟村群")
    await aunt.driver._arrives(aunt.driver.user.says(f"/start {DOOR}", to=group))
    await town.work()
    assert "单独跟我说" in (await group.hears()).text
