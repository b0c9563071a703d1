"""«看消息» in WeChat when only photos wait: they can't stand in the reply, and come by themselves after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.pictures import photo
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_world import Heard
from tests.stories.town import Someone, Town

COMING, NONE = "新消息这就发给您", "没有新消息"


@pytest.fixture
async def wechat() -> AsyncIterator[FakeWeChat]:
    """The platform."""
    async with FakeWeChat() as fake:
        yield fake


@pytest.fixture
async def town(tmp_path: Path, sqlite_url: str, wechat: FakeWeChat) -> AsyncIterator[Town]:
    """The example township with an Official Account that has no template."""
    opened = await Town.open(tmp_path / "data", sqlite_url, "wechat", wechat=wechat, wechat_notice={})
    yield opened
    await opened.close()


async def whose_photo_waits(town: Town, wechat: FakeWeChat) -> Someone:
    """A grid keeper who has read of a case, whose photo WeChat did not take then."""
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    town.clock.advance(days=3)
    await aunt.sends_photo(content=photo(3), caption="王家沟桥头有人倒垃圾")
    await aunt.taps("提交")
    await town.tick()
    wechat.trouble("custom/send", errcode=45047, times=1)
    await keeper.says("看消息")
    keeper.sees("2026-0001")
    town.clock.advance(seconds=5)
    assert pictures(keeper) == []
    return keeper


def pictures(someone: Someone) -> list[Heard]:
    """The photos that their phone ever showed."""
    return [one for one in someone.driver.user.contact.seen if one.picture is not None]


@pytest.mark.parametrize("how", ["typed", "clicked"])
async def test_a_photo_that_waits_is_on_its_way_and_then_there_is_none(
    town: Town, wechat: FakeWeChat, how: str
) -> None:
    keeper = await whose_photo_waits(town, wechat)

    async def asks_for_news() -> None:
        town.clock.advance(seconds=5)
        if how == "typed":
            await keeper.says("看消息")
        else:
            await keeper.driver._arrives(keeper.driver.user.clicks("news"))
            await town.work()

    await asks_for_news()
    said = [one.text for one in keeper.driver.user.contact.seen if one.kind == "passive"][-1]
    assert COMING in said and NONE not in said
    assert len(pictures(keeper)) == 1, "it has come"
    await asks_for_news()
    keeper.sees(NONE)
    assert len(pictures(keeper)) == 1 and wechat.violations == []


async def test_a_try_again_is_told_that_the_photo_comes_too(town: Town, wechat: FakeWeChat) -> None:
    keeper = await whose_photo_waits(town, wechat)
    whole, answers = wechat.world.deliver, []
    assert whole is not None

    async def lost_once(query: object, body: bytes) -> tuple[int, bytes]:
        answers.append(await whole(query, body))  # type: ignore[arg-type]
        if len(answers) == 1:
            raise TimeoutError
        return answers[-1]

    wechat.world.deliver = lost_once  # type: ignore[assignment]
    await keeper.driver._arrives(keeper.driver.user.clicks("news"))
    await town.work()
    assert len(answers) == 2
    said = [one.text for one in keeper.driver.user.contact.seen if one.kind == "passive"][-1]
    assert COMING in said and len(pictures(keeper)) == 1
