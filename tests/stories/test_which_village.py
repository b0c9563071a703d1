"""A place that says no village: it is asked for, wherever it is not known, and the words stay as the detail."""

from __future__ import annotations

from tests.stories.doings import belongs, number_of, the_case
from tests.stories.town import Someone, Town

DITCH = "我家后头那条沟里"


async def says_the_ditch(someone: Someone) -> None:
    """A report whose place is known to nobody else."""
    await someone.says("我要举报")
    await someone.taps("乱倒垃圾")
    await someone.taps("跳过")
    await someone.says(DITCH)


async def filed(town: Town, someone: Someone) -> tuple[object, object]:
    """Submit; the area and the place of the case."""
    await someone.taps("提交")
    case = await the_case(town, number_of(someone.sees("收到了")))
    return case["area"], case["place"]


async def test_words_without_a_village_are_asked_for_it(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await says_the_ditch(aunt)
    assert "王家沟村" in aunt.sees("哪个村的？").labels
    await aunt.taps("王家沟村")
    aunt.sees(f"地点：{DITCH}", "村：王家沟村")
    assert await filed(town, aunt) == ("王家沟村", f"王家沟村 {DITCH}")
    keeper.sees("新举报", f"王家沟村 {DITCH}")


async def test_the_village_is_typed_or_said_by_a_place_in_it(town: Town) -> None:
    aunt = await town.person("王大娘")
    await says_the_ditch(aunt)
    await aunt.says("王家沟桥头")
    aunt.sees("村：王家沟村")
    await aunt.taps("改村")
    await aunt.says("不存在的村")
    aunt.sees("哪个村的？")
    await aunt.says("李家湾")
    assert await filed(town, aunt) == ("李家湾村", f"李家湾村 {DITCH}")


async def test_whose_household_is_known_is_not_asked(town: Town) -> None:
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    await says_the_ditch(aunt)
    aunt.sees("请看对不对", f"地点：王家沟村 {DITCH}")
    aunt.sees_not("哪个村的？")
    assert await filed(town, aunt) == ("王家沟村", f"王家沟村 {DITCH}")


async def test_a_position_answers_the_village_too(town: Town) -> None:
    aunt = await town.person("王大娘")
    await says_the_ditch(aunt)
    aunt.sees("哪个村的？")
    await aunt.sends_place(35.651781, 104.734687)
    aunt.sees("请看对不对", "地点：王家沟村")
    aunt.sees_not("哪个村的？")
    assert "\n村：" not in aunt.last.text
    assert (await filed(town, aunt))[0] == "王家沟村"


async def test_a_better_place_answers_the_village_too(town: Town) -> None:
    aunt = await town.person("王大娘")
    await says_the_ditch(aunt)
    await aunt.taps("上一步")
    await aunt.says("李家湾村小学")
    aunt.sees("请看对不对", "地点：李家湾村 小学")
    assert await filed(town, aunt) == ("李家湾村", "李家湾村 小学")


async def test_who_can_not_say_the_village_is_heard_all_the_same(town: Town) -> None:
    boss = await town.person("李主任", role="staff")
    driver = await town.person("路人")
    await says_the_ditch(driver)
    await driver.taps("跳过")
    driver.sees("村：没有")
    assert (await filed(town, driver))[1] == DITCH
    boss.sees("新举报", DITCH, "哪个村的没说，请先问清楚。")
    await boss.says("2026-0001")
    boss.sees(DITCH, "哪个村的没说")
    await driver.says("2026-0001")
    driver.sees(DITCH)
    driver.sees_not("哪个村的没说")


async def test_a_case_of_a_village_is_not_said_to_be_of_none(town: Town) -> None:
    boss = await town.person("李主任", role="staff")
    aunt = await town.person("王大娘")
    await says_the_ditch(aunt)
    await aunt.taps("王家沟村")
    await filed(town, aunt)
    boss.sees("新举报", f"王家沟村 {DITCH}")
    boss.sees_not("哪个村的没说")


async def test_words_that_only_name_the_town_say_no_village(town: Town) -> None:
    boss = await town.person("李主任", role="staff")
    driver = await town.person("路人")
    await driver.says("我要举报")
    await driver.taps("乱倒垃圾")
    await driver.taps("跳过")
    await driver.says("青禾塬镇的大路边")
    await driver.taps("跳过")
    await filed(town, driver)
    boss.sees("新举报", "青禾塬镇的大路边", "哪个村的没说")


async def test_such_a_place_is_not_offered_again_without_its_village(town: Town) -> None:
    aunt = await town.person("王大娘")
    await says_the_ditch(aunt)
    await aunt.taps("跳过")
    await filed(town, aunt)
    await aunt.says("我要举报")
    await aunt.taps("焚烧")
    await aunt.taps("跳过")
    assert DITCH not in aunt.sees("在哪里").labels
