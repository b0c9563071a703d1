"""Before a report is sent its review says that the same was reported there lately; never by whom."""

from __future__ import annotations

from tests.stories.doings import SENTENCE, reports, reports_anonymously
from tests.stories.town import Someone, Town


async def reviews(someone: Someone, words: str = SENTENCE) -> str:
    """The review of a report, not sent."""
    await someone.says(words)
    await someone.taps("跳过")
    return someone.sees("请看对不对").text


async def test_three_reports_of_one_place_in_nine_minutes(town: Town) -> None:
    aunt, uncle, child = await town.person("王大娘"), await town.person("刘二"), await town.person("小红")
    assert "报过" not in await reviews(aunt)
    await aunt.taps("提交")
    aunt.sees("收到了")
    town.clock.advance(minutes=5)
    assert "5 分钟前有人报过这里的乱倒垃圾（2026-0001）" in await reviews(uncle)
    assert "王大娘" not in uncle.last.text
    await uncle.taps("提交")
    uncle.sees("收到了", "2026-0002")
    town.clock.advance(minutes=4)
    assert "9 分钟前有人报过这里的乱倒垃圾（2026-0001）" in await reviews(child)
    await child.taps("取消")
    assert len(await town.rows("SELECT id FROM cases WHERE township_id = :t")) == 2


async def test_ones_own_report_is_called_so(town: Town) -> None:
    aunt = await town.person("王大娘")
    await reports(aunt)
    assert "刚才您自己报过这里的乱倒垃圾（2026-0001）" in await reviews(aunt)


async def test_who_reported_without_a_name_stays_unknown(town: Town) -> None:
    aunt, uncle = await town.person("王大娘"), await town.person("刘二")
    number, _ = await reports_anonymously(aunt)
    town.clock.advance(hours=3)
    review = await reviews(uncle)
    assert f"3 小时前有人报过这里的乱倒垃圾（{number}）" in review and "王大娘" not in review and "匿名" not in review


async def test_another_place_another_kind_and_another_time_are_no_reason_to_say_so(town: Town) -> None:
    aunt, uncle = await town.person("王大娘"), await town.person("刘二")
    await reports(aunt)
    for words in ("李家湾小学有人倒垃圾", "王家沟桥头有人烧垃圾"):
        assert "报过" not in await reviews(uncle, words)
        await uncle.taps("取消")
    town.clock.advance(hours=73)
    assert "报过" not in await reviews(uncle)


async def test_it_goes_and_comes_with_the_place_that_is_corrected(town: Town) -> None:
    aunt, uncle = await town.person("王大娘"), await town.person("刘二")
    await reports(aunt)
    assert "报过" in await reviews(uncle)
    await uncle.taps("改地点")
    await uncle.says("李家湾小学")
    assert "报过" not in uncle.sees("请看对不对").text
    await uncle.taps("改地点")
    await uncle.says("王家沟桥头")
    uncle.sees("报过这里的乱倒垃圾（2026-0001）")
