"""Households and people by their names and cards, as people type them and as we show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.doings import cleaner_of, household_id, imports
from tests.stories.town import Town

AYGUL = "买买提·吐尔逊江"


async def moves_in(town: Town, folder: Path, *rows: str) -> None:
    """More households come with the office's next table."""
    content = "\n".join(("卡号,户主,村,社,电话,家庭成员", *rows)) + "\n"
    await imports(town, folder / "households.csv", content)


@pytest.mark.parametrize("typed", [AYGUL, "买买提吐尔逊江", "买买提•吐尔逊江", "买买提 吐尔逊江"])
async def test_she_binds_her_own_house_whatever_dot_her_keyboard_has(town: Town, tmp_path: Path, typed: str) -> None:
    await moves_in(town, tmp_path, f"N9001,{AYGUL},王家沟,张家社,,阿依古丽")
    aunt = await town.person("阿依古丽")
    await aunt.says("绑定我家")
    await aunt.says(typed)
    aunt.sees("您是这家的什么人")
    await aunt.taps("我是家里人")
    aunt.sees(f"{AYGUL} · 王家沟村 张家社")


async def test_a_weigh_in_finds_every_letter_of_a_name(town: Town, tmp_path: Path) -> None:
    await moves_in(
        town, tmp_path, f"N9001,{AYGUL},王家沟,张家社,,", "N9002,刘䶮,王家沟,张家社,,", "N9003,𠮷大,王家沟,,,"
    )
    cleaner = await cleaner_of(town)
    for line, name in (
        ("买买提 吐尔逊江 15公斤", AYGUL),
        ("刘\ue863 15公斤", "刘䶮"),
        ("𠮷 大 15公斤", "𠮷大"),
    ):
        await cleaner.says(line)
        cleaner.sees(name, "15公斤", "记账")
        await cleaner.taps("取消")


@pytest.mark.parametrize(
    "typed", ["0123", "尾号0123", "卡尾号0123", "张三 卡尾号0123", "张三 · 王家沟村张家社 · 卡尾号0123"]
)
async def test_what_a_list_shows_of_a_card_finds_the_household(town: Town, typed: str) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    await cleaner.says(typed)
    cleaner.sees("什么膜")
    await cleaner.taps("地膜")
    await cleaner.says("15公斤")
    await cleaner.taps("跳过")
    await cleaner.taps("跳过")
    cleaner.sees("张三", "15公斤", "记账")
    await cleaner.taps("记账")
    rows = await town.rows("SELECT household_id FROM film_tickets WHERE township_id = :t")
    assert [row["household_id"] for row in rows] == [await household_id(town)]


async def test_the_last_digits_begin_a_weigh_in(town: Town) -> None:
    cleaner = await cleaner_of(town)
    for line in ("0123 15.6公斤", "尾号0123 15.6公斤"):
        await cleaner.says(line)
        cleaner.sees("张三", "15.6公斤", "记账")
        await cleaner.taps("取消")
    await cleaner.says("李四 尾号0123")
    cleaner.sees_not("张三")


async def test_two_cards_that_end_alike_are_asked_about(town: Town, tmp_path: Path) -> None:
    await moves_in(town, tmp_path, "X0123,李四宝,王家沟,沟口社,,")
    cleaner = await cleaner_of(town)
    await cleaner.says("尾号0123 15公斤")
    cleaner.sees("有 2 户")
    await cleaner.taps("李四宝")
    cleaner.sees("李四宝", "15公斤", "记账")


async def test_last_digits_reach_no_farther_than_ones_own_area(town: Town) -> None:
    elsewhere = await cleaner_of(town, "外村师傅", "柳树湾")
    await elsewhere.says("尾号0123 15公斤")
    elsewhere.sees("没找到「尾号0123」")
    await elsewhere.taps("取消")
    await elsewhere.says("称重")
    await elsewhere.says("王家沟 尾号0123")
    elsewhere.sees("什么膜")
    nosy = await town.person("好奇")
    await nosy.says("绑定我家")
    await nosy.says("0123")
    nosy.sees("没找到")


@pytest.mark.parametrize("blank", ["\u3164", "\u3164\u3164", "··", "王?三", "张\ue000"])
async def test_a_name_needs_letters_that_can_be_seen(town: Town, blank: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(f"/name {blank}")
    aunt.sees("这个称呼用不了")
    await aunt.says("/me")
    aunt.sees("王大娘")
    await aunt.says("/name 刘\ue863")
    aunt.sees("刘䶮")


async def test_the_township_s_name_before_a_village_is_no_village(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("青禾塬镇李家湾村小学有人倒垃圾")
    await aunt.taps("跳过")
    aunt.sees("李家湾村", "小学", "提交")
