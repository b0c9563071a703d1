"""The web page opened from a chat of another platform, as the same person: one conversation, and news in the chat."""

from __future__ import annotations

import pytest

from storage.database import Tx
from storage.people import people
from tests.stories.doings import time_to_take_back_is_over
from tests.stories.town import Someone, Town

pytestmark = pytest.mark.parametrize("town", ["telegram", "wechat"], indirect=True)


async def opens_page(town: Town, someone: Someone) -> Someone:
    """Their page, signed in."""
    page = await town.person("", channel="web", consent=False)
    person_id = await someone.person_id()

    async def work(tx: Tx) -> None:
        await people.add_contact(
            tx,
            channel="web",
            address=page.driver.address,
            person_id=person_id,
            now_ms=town.clock.now_ms(),
            opened_from=someone.driver.address,
        )

    await town.app.database.transaction(work)
    return page


async def test_a_report_from_the_page_is_decided_in_the_chat(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    page = await opens_page(town, aunt)
    await page.says("我的信息")
    page.sees("王大娘")
    town.clock.advance(minutes=5)
    await page.sends_photo(2, caption="王家沟桥头有人倒垃圾")
    await page.taps("提交")
    page.sees("收到了")
    await keeper.says("/verify 2026-0001 true")
    await time_to_take_back_is_over(town)
    aunt.sees("2026-0001", "是真的")
    page.sees_not("是真的")


async def test_a_question_goes_on_where_they_write(town: Town) -> None:
    aunt = await town.person("王大娘")
    page = await opens_page(town, aunt)
    await aunt.says("改称呼")
    await page.says("王婶婶")
    page.sees("以后叫您王婶婶")
    await aunt.says("我的信息")
    aunt.sees("王婶婶")


@pytest.mark.parametrize("where", ["chat", "page"])
async def test_erased_in_one_place_they_are_nobody_in_the_other(town: Town, where: str) -> None:
    aunt = await town.person("王大娘")
    page = await opens_page(town, aunt)
    old, addresses = await aunt.person_id(), (aunt.driver.address, page.driver.address)
    here, there = (aunt, page) if where == "chat" else (page, aunt)
    await here.says("删除我的信息")
    await here.taps("删除")
    town.clock.advance(hours=2)
    await town.tick()
    left = await town.rows("SELECT address, opened_from FROM contacts WHERE township_id = :t")
    assert not {value for row in left for value in (row["address"], row["opened_from"])} & set(addresses)
    await there.says("你好")
    await there.taps("同意")
    assert await there.person_id() != old
