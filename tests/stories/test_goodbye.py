"""Saying goodbye: it is asked once more, a friendly word comes last, and whoever writes again begins anew."""

from __future__ import annotations

import pytest

from tests.stories.doings import SENTENCE, reports
from tests.stories.town import Someone, Town


async def says_goodbye(someone: Someone, words: str = "我不用了") -> None:
    """Ask to be forgotten, and mean it."""
    await someone.says(words)
    someone.sees("要删除您的信息吗", "会删掉", "会留下")
    await someone.taps("删除")
    someone.sees("已经删除。谢谢您用过净乡服务", "随便发一句话就能重新开始")


@pytest.mark.parametrize("words", ["我不用了", "我不想用了", "删除我的信息", "注销"])
async def test_goodbye_in_ones_own_words(town: Town, words: str) -> None:
    aunt = await town.person("王大娘")
    await says_goodbye(aunt, words)
    assert len(aunt.news) == 1 and aunt.last.labels == []  # the last word asks for nothing


async def test_who_writes_again_is_asked_as_on_the_first_day(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("/name 王婶婶")
    number = await reports(aunt)
    await says_goodbye(aunt)
    await aunt.says(SENTENCE)
    aunt.sees("五件事")
    await aunt.taps("同意")
    aunt.sees("照片", "跳过")  # what was said first is done now
    await aunt.taps("跳过")
    await aunt.taps("提交")
    aunt.sees("收到了")
    await aunt.says("我的举报")
    aunt.sees_not(number)
    await aunt.says("我的信息")
    aunt.sees_not("王婶婶")


async def test_who_stays_after_all_loses_nothing(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await aunt.says("我不用了")
    await aunt.taps("不删")
    aunt.sees("没有删，一切照旧")
    await aunt.says("我的举报")
    aunt.sees(number)


async def test_in_the_middle_of_a_report_goodbye_is_heard(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(SENTENCE)
    await says_goodbye(aunt)
    await aunt.says("你好")
    await aunt.taps("同意")
    aunt.sees("这里是青禾塬镇净乡服务")
    assert "跳过" not in aunt.last.labels


async def test_news_of_before_never_reaches_who_said_goodbye(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await says_goodbye(aunt)
    aunt.sees(f"{number} 还没查完")
    await keeper.says(f"/verify {number} true")
    town.clock.advance(hours=2)
    await town.tick()
    assert aunt.news == []
