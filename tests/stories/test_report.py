"""People tip off what they see: with two presses, a sentence, a command; anonymously; for an elder; for a fire."""

from __future__ import annotations

import re

import pytest
from PIL import Image
from PIL.ExifTags import IFD

from tests.fakes.pictures import photo
from tests.stories.doings import held, looks_up, number_of, the_case, time_to_take_back_is_over
from tests.stories.town import Someone, Town

BRIDGE = (35.651781, 104.734687)  # 王家沟村 桥头
FAR_AWAY = (39.9042, 116.4074)


async def test_one_photo_and_two_presses(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo()
    assert "王家沟" in aunt.sees("在哪里").text or any("村" in label for label in aunt.last.labels)
    place = next(label for label in aunt.last.labels if "村" in label)
    await aunt.taps(place)
    review = aunt.sees("乱倒垃圾", place)
    assert "提交举报" in review.labels[0]
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    case = await the_case(town, number)
    assert (case["kind"], case["state"], case["place"]) == ("dumping", "registered", place)
    photos = await town.rows("SELECT * FROM case_media WHERE township_id = :t AND case_id = :c", c=case["id"])
    assert len(photos) == 1


async def test_a_sentence_says_almost_everything(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    aunt.sees("照片", "跳过")
    await aunt.taps("跳过")
    aunt.sees("乱倒垃圾", "王家沟村 桥头", "王家沟桥头有人倒垃圾")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了", "查实了给您记"))
    case = await the_case(town, number)
    assert (case["area"], case["statement"]) == ("王家沟村", "王家沟桥头有人倒垃圾")
    assert (case["lat"], case["lng"]) == BRIDGE
    assert await held(town) == {"programme:reports": -5, f"hold:case:{case['id']}": 5}


def photo_taken_at(lat: float, lng: float) -> bytes:
    """A photo that says where it was taken."""

    def degrees(value: float) -> tuple[float, float, float]:
        minutes = value % 1 * 60
        return float(int(value)), float(int(minutes)), round(minutes % 1 * 60, 3)

    exif = Image.Exif()
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: degrees(lat), 3: "E", 4: degrees(lng)})
    return photo(5, exif=exif.tobytes())


# A photo of the web chat is there at once; other platforms bring it later, when the question is asked already.
at_once = pytest.mark.parametrize("town", ["web"], indirect=True)


@at_once
async def test_where_a_photo_says_it_was_taken_is_asked_and_not_taken_in_silence(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345))
    assert aunt.sees("照片收到了，像是在王家沟村桥头拍的。").labels == ["对", "不是"]
    await aunt.taps("对")
    aunt.sees("请看对不对", "王家沟村 桥头")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    assert ((case := await the_case(town, number))["lat"], case["lng"]) == (35.6515, 104.7345)


@at_once
async def test_a_photo_of_another_place_is_denied_and_the_place_asked(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345))
    await aunt.says("不是")
    offered = [label for label in aunt.sees("在哪里").labels if "村" in label]
    assert len(offered) == 8 and "王家沟村 桥头" not in offered
    await aunt.sends_photo()
    aunt.sees("在哪里")
    aunt.sees_not("像是在")
    await aunt.says("李家湾村小学")
    aunt.sees("请看对不对", "李家湾村 小学")


@at_once
async def test_other_words_at_the_supposed_place_are_the_place(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345))
    await aunt.says("我的积分")
    aunt.sees("像是在王家沟村桥头拍的")  # what was in between changes nothing
    await aunt.sends_photo()
    aunt.sees("像是在王家沟村桥头拍的")
    await aunt.says("李家湾村小学")
    aunt.sees("请看对不对", "李家湾村 小学", "2 张")


@at_once
async def test_a_place_in_the_words_goes_before_the_one_in_the_photo(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345), caption="李家湾村小学有人倒垃圾")
    aunt.sees("请看对不对", "李家湾村 小学")
    aunt.sees_not("像是在")


@at_once
async def test_a_photo_from_far_away_supposes_nothing(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(content=photo_taken_at(31.2, 121.5))
    aunt.sees("在哪里")
    aunt.sees_not("像是在")


async def test_where_a_photo_was_taken_is_evidence(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345), caption="王家沟桥头有人倒垃圾")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    await town.tick()
    await keeper.says(f"/case {number}")
    distance = re.search(r"照片自带的位置离这里约 (\d+) 米", keeper.sees(number).text)
    assert distance and 20 <= int(distance[1]) <= 60


async def test_a_photo_of_the_very_spot_is_said_in_words(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await aunt.sends_photo(content=photo_taken_at(35.6515, 104.7345))
    await aunt.sends_place(35.6515, 104.7345)
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    await town.tick()
    await keeper.says(f"/case {number}")
    keeper.sees(number, "照片就是在这里拍的。")
    keeper.sees_not("0 米")


async def test_an_album_opens_a_report_with_one_answer(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(3, album=True)
    assert [heard.text[:4] for heard in aunt.news] == ["在哪里？", *["照片收到"] * (0 if town.has_albums else 2)]
    await aunt.taps("村")
    aunt.sees("照片：3 张")


async def test_the_command_asks_three_questions_and_shows_a_review(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    assert len([label for label in aunt.sees("什么问题").labels if "取消" not in label]) == 6
    await aunt.taps("河道垃圾")
    aunt.sees("照片")
    await aunt.sends_photo(2, album=True)
    assert len(aunt.news) == (1 if town.has_albums else 2)
    await aunt.taps("发完了")
    aunt.sees("在哪里")
    await aunt.says("王家沟桥头往北二百米")
    aunt.sees("河道垃圾", "王家沟村 桥头 往北二百米", "留名：留")
    await aunt.taps("说明")
    await aunt.says("塑料袋挂满了树枝")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    case = await the_case(town, number)
    assert (case["kind"], case["area"], case["statement"]) == ("river", "王家沟村", "塑料袋挂满了树枝")


async def test_a_place_without_its_village_is_asked_back(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("桥头有人倒垃圾")
    await aunt.taps("跳过")
    offered = aunt.sees("在哪里").labels
    assert any("王家沟村 桥头" in label for label in offered)
    await aunt.taps("王家沟村 桥头")
    aunt.sees("乱倒垃圾", "王家沟村 桥头")


async def test_a_pin_finds_its_village_and_one_outside_is_refused_kindly(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_place(*FAR_AWAY)
    aunt.sees("不在青禾塬镇")
    aunt.sees("什么问题")
    await aunt.taps("废旧农膜")
    await aunt.taps("跳过")
    await aunt.sends_place(0, 0)
    aunt.sees("位置是空的", "在哪里")
    await aunt.sends_place(*BRIDGE)
    aunt.sees("王家沟村")
    await aunt.taps("提交")
    case = await the_case(town, number_of(aunt.sees("收到了")))
    assert (case["kind"], case["area"]) == ("waste_film", "王家沟村")


async def test_a_position_first(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_place(*BRIDGE)
    await aunt.taps("露天垃圾")
    await aunt.taps("跳过")
    aunt.sees("露天垃圾", "王家沟村")
    await aunt.taps("提交")
    aunt.sees("收到了")


async def test_a_caption_says_kind_and_place(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(caption="王家沟戏台有人烧垃圾")
    aunt.sees("先拨119")
    aunt.sees("焚烧", "王家沟村 戏台", "提交")
    await aunt.taps("提交")
    aunt.sees("先拨119", "收到了")


async def test_a_fire_says_119_first_and_wakes_the_staff(town: Town) -> None:
    town.clock.go_to("2026-11-18 23:30")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    await aunt.taps("焚烧")
    assert "先拨119" in aunt.news[0].text
    assert "照片" in aunt.news[1].text
    await aunt.taps("跳过")
    aunt.sees_not("先拨119")
    await aunt.says("王家沟小学")
    aunt.sees("有明火先拨119")
    await aunt.taps("提交")
    aunt.sees("先拨119", "2 小时内")
    keeper.sees("新举报", "焚烧", "王家沟村 小学")


async def test_what_is_not_urgent_lets_the_staff_sleep(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-18 23:30")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    aunt.sees("收到了")
    assert keeper.news == []
    town.clock.go_to("2026-11-19 07:01")
    await town.tick()
    keeper.sees("新举报", "王家沟村 桥头")


async def test_an_anonymous_report_keeps_no_name(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    payer = await town.person("钱会计", role="finance")
    admin = await town.person("孙书记", role="admin")
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("改留名")
    await aunt.taps("匿名")
    await aunt.taps("提交")
    number = number_of(aunt.sees("凭编号和领奖码"))
    await town.tick()
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    for someone in (keeper, payer, admin):
        await someone.says(f"/case {number}")
        someone.sees(number)
    for someone in (payer, admin):
        await someone.taps("看举报人")
        someone.sees("匿名举报，谁也看不到")
    assert all("王大娘" not in heard.text for someone in (keeper, payer, admin) for heard in someone.heard)


async def test_only_who_pays_sees_who_reported_and_each_look_is_recorded(town: Town) -> None:
    """D47, 1B.6: whoever verifies never learns it; finance and admins look it up, once there is something to pay."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    boss = await town.person("李主任", role="staff")
    payer = await town.person("钱会计", role="finance")
    elsewhere = await town.person("孙会计", role="finance", area="柳树湾")
    admin = await town.person("孙书记", role="admin")
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    for someone in (payer, admin):
        await someone.says(f"/reporter {number}")
        someone.sees("还没有核实属实，不能看举报人")
    await payer.says(f"/case {number}")
    payer.sees("核实属实以后才能看举报人")
    payer.sees_not("有人倒垃圾")
    await town.tick()
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    for someone in (keeper, boss):
        await someone.says(f"/case {number}")
        assert "看举报人（会记下）" not in someone.sees(number).labels
        await someone.says(f"/reporter {number}")
        someone.sees("要由发奖的财务人员或管理员来办")
    await elsewhere.says(f"/reporter {number}")
    elsewhere.sees("没有找到案件")
    for someone in (payer, admin):
        await someone.says(f"/case {number}")
        heard = await looks_up(someone, admin if someone is payer else payer, number)
        assert f"{number} 的举报人：王大娘。奖励记在他自己名下" in heard.text
    assert all("王大娘" not in heard.text for someone in (keeper, boss, elsewhere) for heard in someone.heard)
    looks = await town.rows("SELECT person_id FROM case_events WHERE township_id = :t AND event = 'reporter_seen'")
    assert [row["person_id"] for row in looks] == [await payer.person_id(), await admin.person_id()]
    await aunt.says(f"/case {number}")
    aunt.sees_not("查看了举报人")  # that she is told with the reason, some days later
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    await payer.says(f"/reporter {number}")
    payer.sees("已经到期抹掉，或者本人已经删除")


async def test_others_do_not_learn_that_a_case_exists(town: Town) -> None:
    aunt = await town.person("王大娘")
    neighbour = await town.person("刘二")
    keeper = await town.person("周网格", role="grid_keeper", area="柳树湾")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    for someone in (neighbour, keeper):
        await someone.says(f"/case {number}")
        someone.sees("没有找到案件")


async def test_my_reports(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我的举报")
    aunt.sees("还没有举报过")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    await aunt.says("我的举报")
    aunt.sees(number, "乱倒垃圾", "登记")
    await aunt.taps(number)
    aunt.sees(number, "王家沟村 桥头", "王家沟桥头有人倒垃圾")


async def test_a_second_report_of_the_same_heap_is_marked(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt, uncle = await town.person("王大娘"), await town.person("刘二")
    numbers = []
    for someone in (aunt, uncle):
        await someone.says("王家沟桥头有人倒垃圾")
        await someone.taps("跳过")
        await someone.taps("提交")
        numbers.append(number_of(someone.sees("收到了")))
        someone.sees_not("重复")
    keeper.sees(numbers[1], f"可能和 {numbers[0]} 重复")


async def test_a_day_earns_only_so_many_points(town: Town) -> None:
    aunt = await town.person("王大娘")
    for words in ("王家沟桥头货车偷运", "王家沟小学货车偷运", "王家沟戏台货车偷运"):
        await aunt.says(words)
        await aunt.taps("跳过")
        await aunt.taps("提交")
        aunt.sees("10 分")
    await aunt.says("王家沟涝坝有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    aunt.sees("记满了", "问题照样办")
    assert (await held(town))["programme:reports"] == -30
    town.clock.advance(days=1)
    await aunt.says("王家沟老柳树有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    aunt.sees("5 分")


async def test_pressing_submit_twice_makes_one_case(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps_twice("提交")
    assert len(await town.rows("SELECT id FROM cases WHERE township_id = :t")) == 1
    aunt.sees("收到了")


@pytest.mark.parametrize("said", ["你好", "张三 15.6公斤", "12人 3车 8方", "谢谢", "😀😀"])
async def test_other_words_open_no_report(town: Town, said: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(said)
    aunt.sees_not("什么问题")
    aunt.sees_not("在哪里")
    assert aunt.news


async def test_the_numbers_of_a_list_and_english(town: Town) -> None:
    visitor: Someone = await town.person("Ann")
    person_id = await visitor.person_id()
    await town.write("UPDATE people SET language = 'en' WHERE township_id = :t AND id = :i", i=person_id)
    await visitor.says("/report")
    visitor.sees("What did you see?")
    await visitor.says("3")
    visitor.sees("photo")
    await visitor.taps("Skip")
    await visitor.says("王家沟小学")
    visitor.sees("River rubbish", "王家沟村 小学")
    await visitor.taps("Send")
    visitor.sees("Received, thank you")
