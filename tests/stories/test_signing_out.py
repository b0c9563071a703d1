"""A web page is left: by its person, on a shared computer, or because the office has not used it for weeks."""

from __future__ import annotations

import pytest

from bot.talk.spans import DAY_MS
from tests.stories.doings import code_of
from tests.stories.town import Someone, Town

WEB = pytest.mark.parametrize("town", ["web"], indirect=True)


async def is_open(town: Town, someone: Someone) -> bool:
    """Whether a page's cookies of now hold, and news goes there."""
    [row] = await town.rows(
        "SELECT state, cookies_from_ms FROM contacts WHERE township_id = :t AND address = :address",
        address=someone.driver.address,
    )
    assert (row["cookies_from_ms"] > 0) == (row["state"] != "active")
    return bool(row["state"] == "active")


async def nights(town: Town, days: int) -> None:
    """Days go by in which nobody does anything."""
    for _ in range(days):
        town.clock.advance(days=1)
        await town.tick()


@WEB
async def test_whoever_has_another_chat_signs_out_and_loses_nothing(town: Town) -> None:
    aunt = await town.person("王大娘")
    town.clock.advance(minutes=1)
    page = await town.person("", channel="web")
    await page.says(await code_of(aunt))
    await aunt.taps("是我")
    await page.says("退出登录")
    page.sees("找不回来", "绑定另一个聊天")  # both are pages: a browser may forget the other one, too
    await page.taps("退出")
    assert not await is_open(town, page) and await is_open(town, aunt)
    await aunt.says("我的联系方式")
    aunt.sees("断开了 网页聊天")
    await aunt.says("我的信息")
    aunt.sees("王大娘")


@pytest.mark.parametrize("town", ["telegram", "wechat"], indirect=True)
async def test_beside_another_chat_nothing_is_at_stake_and_it_says_so(town: Town) -> None:
    aunt = await town.person("王大娘")
    page = await town.person("", channel="web")
    await page.says(await code_of(aunt))
    await aunt.taps("是我")
    await page.says("换人用")
    page.sees("什么都不会丢")
    assert page.last.labels == ["退出"]
    await page.taps("退出")
    assert not await is_open(town, page)
    await aunt.says("退出登录")
    aunt.sees("只有网页能在这里退出")
    await aunt.taps("看我的联系方式")
    aunt.sees("断开了 网页聊天")


@WEB
async def test_signing_out_asks_first_and_words_that_only_sound_like_it_do_nothing(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("退出")  # ends what is open, as ever
    assert await is_open(town, aunt)
    await aunt.says("退出网页")
    aunt.sees("真的要退出吗")
    assert await is_open(town, aunt)
    await aunt.says("我的积分")
    assert await is_open(town, aunt)


@WEB
@pytest.mark.parametrize(("role", "stays"), [("staff", False), ("finance", False), ("admin", False), ("cleaner", True)])
async def test_a_page_of_the_office_that_lies_unused_for_a_month_is_signed_out(
    town: Town, role: str, stays: bool
) -> None:
    someone = await town.person("李主任", role=role)
    villager = await town.person("王大娘")
    await nights(town, 29)
    assert await is_open(town, someone)
    await nights(town, 3)
    assert await is_open(town, someone) is stays
    assert await is_open(town, villager), "a villager's page stays as long as the browser keeps its cookie"


@WEB
async def test_a_page_that_is_looked_at_or_written_from_is_in_use(town: Town) -> None:
    looks, writes, idle = [await town.person("李主任", role="staff") for _ in range(3)]
    for _ in range(4):
        await nights(town, 20)
        await town.write(
            "UPDATE contacts SET looked_ms = :now_ms WHERE township_id = :t AND address = :address",
            now_ms=town.clock.now_ms(),
            address=looks.driver.address,
        )
        await writes.says("待办")
    assert [await is_open(town, one) for one in (looks, writes, idle)] == [True, True, False]
    [event] = await town.rows("SELECT event, channel FROM contact_events WHERE township_id = :t")
    assert (event["event"], event["channel"]) == ("disconnected", "web")


@WEB
async def test_a_lost_phone_s_cookies_are_void_at_once(town: Town) -> None:
    aunt = await town.person("王大娘")
    town.clock.advance(minutes=1)
    phone = await town.person("", channel="web")
    await phone.says(await code_of(aunt))
    await aunt.taps("是我")
    await aunt.says("手机丢了")
    await aunt.taps("断开 网页聊天")
    await aunt.taps("断开")
    assert not await is_open(town, phone) and await is_open(town, aunt)


@WEB
async def test_joining_and_gaining_a_role_ask_for_new_cookies(town: Town) -> None:
    aunt = await town.person("王大娘")
    renewals = "SELECT renew_ms FROM contacts WHERE township_id = :t ORDER BY address"
    assert [row["renew_ms"] for row in await town.rows(renewals)] == [0]
    town.clock.advance(minutes=1)
    page = await town.person("", channel="web")
    await page.says(await code_of(aunt))
    await aunt.taps("是我")
    joined_ms = town.clock.now_ms()
    assert [row["renew_ms"] for row in await town.rows(renewals)] == [joined_ms] * 2
    town.clock.advance(minutes=1)
    await town.grant(aunt, "staff")
    assert [row["renew_ms"] - joined_ms for row in await town.rows(renewals)] == [60_000] * 2
    assert joined_ms > DAY_MS
