"""«12人 3车 8方» on a day without a clean-up: it is asked which day is meant, and nothing that was said is lost."""

from __future__ import annotations

import pytest

from tests.stories.doings import change_policy
from tests.stories.town import Someone, Town

LINE = "12人 3车 8方"


async def keeper_of(town: Town, moment: str) -> Someone:
    """王家沟's keeper at some moment."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    town.clock.go_to(moment)
    return keeper


@pytest.mark.parametrize(
    ("moment", "asked"),
    [
        ("2026-11-21 08:00", "报昨天 11月20日 周五的？"),
        ("2026-11-22 21:00", "报前天 11月20日 周五的？"),
        ("2026-11-23 08:00", "报11月20日 周五的？"),
    ],
)
async def test_a_few_days_after_one_tap_says_which_day(town: Town, moment: str, asked: str) -> None:
    keeper = await keeper_of(town, moment)
    await keeper.says(LINE)
    assert keeper.sees(asked).labels[:2] == ["对，报这天的", "不是"]
    await keeper.taps("对，报这天的")
    keeper.sees("周五报到", "2026-11-20", "12 人", "3 车", "8 方")
    await keeper.taps("提交")
    keeper.sees("11月20日 周五 集中整治", "12 人", "全镇已报 1/24", "记为补报")


async def test_it_was_another_day(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-21 08:00")
    await keeper.says(LINE)
    await keeper.taps("不是")
    assert keeper.sees("报哪一天的").labels[:2] == ["昨天 11月20日 周五", "今天 11月21日 周六"]
    await keeper.taps("今天")
    keeper.sees("周五报到", "2026-11-21", "12 人", "3 车", "8 方")


@pytest.mark.parametrize("yes", ["对", "是的", "昨天"])
async def test_the_answer_may_be_typed(town: Town, yes: str) -> None:
    keeper = await keeper_of(town, "2026-11-21 08:00")
    await keeper.says(LINE)
    await keeper.says(yes)
    keeper.sees("周五报到", "2026-11-20", "12 人")


async def test_long_after_it_says_why_it_asks_and_keeps_the_figures(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-25 08:00")
    await keeper.says(LINE)
    asked = keeper.sees("今天（11月25日 周三）没有集中整治", "报哪一天的")
    assert asked.labels[:2] == ["11月20日 周五", "今天 11月25日 周三"]
    await keeper.taps("11月20日 周五")
    keeper.sees("周五报到", "2026-11-20", "12 人", "3 车", "8 方")


async def test_the_township_says_how_many_days_are_a_few(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-24 08:00")
    await keeper.says(LINE)
    keeper.sees("今天（11月24日 周二）没有集中整治")
    await keeper.says("取消")
    await change_policy(town, "late_days = 3 ", "late_days = 4 ")
    await keeper.says(LINE)
    keeper.sees("报11月20日 周五的？")


async def test_the_caption_of_a_photo_the_morning_after(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-21 08:00")
    await keeper.sends_photo(2, caption=LINE, album=True)
    if town.has_albums:
        keeper.sees("报昨天 11月20日 周五的？")
        await keeper.taps("对，报这天的")
        keeper.sees("周五报到", "照片", "12 人")


async def test_in_the_middle_of_another_question(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-21 08:00")
    await keeper.says("我要举报")
    await keeper.says(LINE)
    await keeper.taps("对，报这天的")
    keeper.sees("周五报到", "2026-11-20", "12 人")
    await keeper.taps("提交")
    keeper.sees("全镇已报 1/24")
    keeper.sees("看到什么问题了")


async def test_a_number_that_can_not_be_read_is_asked_after_the_day(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-21 08:00")
    await keeper.says("十几人 3车 8方")
    keeper.sees("请写准数")
    await keeper.taps("对，报这天的")
    keeper.sees("来了多少人")


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("今天王家沟12个人扫了街 拉了3车 8方", "2026-11-25"),
        ("昨天 12人 3车 8方", "2026-11-24"),
        ("11月20日 12人 3车 8方", "2026-11-20"),
    ],
)
async def test_a_line_that_says_its_day_is_not_asked(town: Town, said: str, day: str) -> None:
    keeper = await keeper_of(town, "2026-11-25 18:00")
    await keeper.says(said)
    keeper.sees("周五报到", day, "12 人", "3 车", "8 方")


@pytest.mark.parametrize("said", ["王家沟桥头有人倒了3车垃圾，2个人", "王家沟桥头让人倒了3车土，有8方"])
async def test_a_tip_off_with_figures_stays_one(town: Town, said: str) -> None:
    keeper = await keeper_of(town, "2026-11-25 08:00")
    await keeper.says(said)
    keeper.sees_not("报哪一天的")


async def test_a_villager_is_not_asked(town: Town) -> None:
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-21 08:00")
    await aunt.says(LINE)
    aunt.sees_not("11月20日")


# -- one figure alone


@pytest.mark.parametrize(("said", "read"), [("12人", "12 人"), ("3车", "3 车"), ("8方", "8 方")])
async def test_one_figure_alone_is_asked_what_it_is_about(town: Town, said: str, read: str) -> None:
    keeper = await keeper_of(town, "2026-11-25 08:00")
    await keeper.says(said)
    asked = keeper.sees(f"「{said}」", "哪件事")
    assert asked.labels[:2] == ["集中整治的", "别的事"]
    await keeper.taps("集中整治的")
    keeper.sees("报哪一天的")
    await keeper.taps("11月20日 周五")
    if said != "12人":
        keeper.sees("来了多少人")
        await keeper.says("5人")
        await keeper.taps("没有" if "没有" in keeper.last.labels else "跳过")
    else:
        keeper.sees(read)


async def test_a_day_after_the_clean_up_its_day_is_asked_next(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-21 08:00")
    await keeper.says("12人")
    await keeper.says("集中整治的")
    keeper.sees("报昨天 11月20日 周五的？")
    await keeper.taps("对，报这天的")
    keeper.sees("周五报到", "2026-11-20", "12 人")


async def test_a_figure_about_something_else_ends_with_what_can_be_said(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-25 08:00")
    await keeper.says("12人")
    await keeper.taps("别的事")
    keeper.sees("张三 15.6公斤")
    await keeper.says("12人 3车")
    keeper.sees("报哪一天的")


async def test_on_the_clean_up_s_day_nothing_is_asked(town: Town) -> None:
    keeper = await keeper_of(town, "2026-11-20 09:00")
    await keeper.says("12人")
    keeper.sees("周五报到", "12 人")


@pytest.mark.parametrize("said", ["12", "12个", "张三 12人", "有人"])
async def test_what_is_no_figure_of_a_clean_up_is_not_asked(town: Town, said: str) -> None:
    keeper = await keeper_of(town, "2026-11-25 08:00")
    await keeper.says(said)
    keeper.sees_not("哪件事")


async def test_a_villager_s_figure_is_not_asked(town: Town) -> None:
    aunt = await town.person("王大娘")
    town.clock.go_to("2026-11-25 08:00")
    await aunt.says("12人")
    aunt.sees_not("哪件事")
