"""How much one may send is the policy's; and what is asked in a group is answered there."""

from __future__ import annotations

import pytest

from tests.stories.doings import change_policy
from tests.stories.town import Someone, Town


async def test_the_policy_may_want_shorter_messages(town: Town) -> None:
    await change_policy(town, "text_chars_largest = 2_000", "text_chars_largest = 60")
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾，" * 8)
    aunt.sees("写得太长了（88 个字）", "最多 60 个字")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("改说明")
    await aunt.says("臭" * 61)
    aunt.sees("缩到 60 个字以内")
    await aunt.says("臭" * 60)
    aunt.sees("说明：臭")


async def test_the_policy_may_want_fewer_photos(town: Town) -> None:
    await change_policy(town, "photos_largest = 9", "photos_largest = 2")
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.sends_photo(1)
    aunt.sees("共 1 张")
    await aunt.sends_photo(3, album=True)
    assert any("只收前 2 张" in heard.text for heard in aunt.heard)
    await aunt.taps("发完了")
    aunt.sees("照片：2 张")
    await aunt.taps("提交")
    rows = await town.rows("SELECT COUNT(*) AS n FROM case_media WHERE township_id = :t")
    assert rows[0]["n"] == 2


async def test_the_policy_may_want_smaller_photos(town: Town) -> None:
    await change_policy(town, "photo_pixels_largest = 50_000_000", "photo_pixels_largest = 1_000_000")
    aunt = await town.person("王大娘")
    await aunt.says("我的积分")
    assert town.app.media.of(1).limits().photo_px == 1_000_000
    assert town.app.media.of(1).limits().photo_bytes == 20_971_520


@pytest.mark.parametrize("town", ["telegram"], indirect=True)
async def test_who_is_in_charge_is_answered_in_a_group_too(town: Town) -> None:
    aunt = await town.person("王大娘")
    await town.person("赵网格", role="grid_keeper", area="王家沟")
    group = town.bot_api.group("王家沟村民群")
    for words, answer in (("/who", "请连村名一起说，例如 /who 王家沟"), ("/who 王家沟", "网格员：赵网格")):
        town.begin()
        sent = town.app.intake.accepted_total
        await aunt.driver.user.says(words, to=group)
        while town.app.intake.accepted_total == sent:
            await town.settle(0.01)
        await town.work()
        assert answer in (await group.hears()).text


async def speaks(town: Town, someone: Someone) -> None:
    """Send a voice message, where that can be done."""
    user = someone.driver.user
    going = user.speaks() if town.channel == "wechat" else user.sends_voice(b"OggS")
    await someone._act(someone.driver._arrives(going))


@pytest.mark.parametrize("town", ["telegram", "wechat"], indirect=True)
async def test_a_voice_message_is_answered_with_how_to_turn_it_into_words(town: Town) -> None:
    aunt = await town.person("王大娘")
    await speaks(town, aunt)
    aunt.sees("语音我还听不懂", "转文字", "我要举报")


@pytest.mark.parametrize("town", ["telegram", "wechat"], indirect=True)
async def test_an_answer_that_is_spoken_is_asked_for_again_in_words(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("改称呼")
    await speaks(town, aunt)
    aunt.sees("转文字")
    aunt.sees("怎么称呼您")
    aunt.sees_not("没看懂")
    await aunt.says("王婶")
    aunt.sees("以后叫您王婶")
