"""Somebody blocks the bot or no longer follows the account: who is forgotten, and what stays without a name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.doings import balance, belongs, cleaner_of, joins, weighs
from tests.stories.town import Someone, Town


async def leaves(town: Town, someone: Someone) -> None:
    """They unfollow the account, or block the bot."""
    user: Any = someone.driver.user
    going = user.unfollows() if town.channel == "wechat" else user.blocks()
    await someone._act(someone.driver._arrives(going))


async def follows_again(someone: Someone) -> None:
    await someone._act(someone.driver._arrives(someone.driver.user.follows()))


async def rows_with(town: Town, words: str) -> dict[str, int]:
    """In how many rows of which tables some words stand, in any column."""
    found = {}
    for table in (row["name"] for row in await tables(town)):
        rows = await town.rows(f"SELECT * FROM {table}")
        count = sum(words in str(tuple(row)) or words.encode() in b"".join(_bytes(row)) for row in rows)
        if count:
            found[table] = count
    return found


def _bytes(row: Any) -> list[bytes]:
    return [bytes(value) for value in tuple(row) if isinstance(value, bytes | memoryview)]


async def tables(town: Town) -> Any:
    if town.app.settings.database_path is not None:
        return await town.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return await town.rows("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'")


@pytest.mark.parametrize("town", ["telegram"], indirect=True)
async def test_who_blocks_the_telegram_bot_is_only_out_of_reach(town: Town) -> None:
    aunt = await town.person("王大娘")
    await leaves(town, aunt)
    states = await town.rows("SELECT state FROM contacts WHERE township_id = :t")
    assert [row["state"] for row in states] == ["unreachable"]
    people = await town.rows("SELECT name, state FROM people WHERE township_id = :t")
    assert [(row["name"], row["state"]) for row in people] == [("王大娘", "active")]


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_who_unfollows_is_forgotten_and_the_ledgers_stay(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("王大娘")
    await belongs(town, aunt)
    await weighs(cleaner, "张三 15.6公斤")
    await aunt.says("王家沟桥头有人倒垃圾，就是隔壁老赵")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    await aunt.sends_photo()
    old, openid = await aunt.person_id(), aunt.driver.user.openid
    before = (await balance(town, "points"), await balance(town, "fen"))
    await leaves(town, aunt)
    town.clock.advance(hours=2)
    await town.tick()
    assert await rows_with(town, openid) == {}
    assert await rows_with(town, "王大娘") == {}
    # the case itself keeps what was reported until its own time is over, and nobody knows by whom
    assert set(await rows_with(town, "隔壁老赵")) <= {"cases"}
    reporters = await town.rows("SELECT reporter_key, sealed FROM case_reporters WHERE township_id = :t")
    assert [(row["reporter_key"], row["sealed"]) for row in reporters] == [(None, None)]
    links = await town.rows("SELECT until_ms FROM household_members WHERE township_id = :t")
    assert all(row["until_ms"] is not None for row in links)
    answers = await town.rows(
        "SELECT answer FROM consents WHERE township_id = :t AND person_id = :id ORDER BY id", id=old
    )
    assert [row["answer"] for row in answers] == ["agreed", "withdrawn"]
    assert (await balance(town, "points"), await balance(town, "fen")) == before == (15, 2340)
    tickets = await town.rows("SELECT number FROM film_tickets WHERE township_id = :t")
    cases = await town.rows("SELECT number, state FROM cases WHERE township_id = :t")
    assert [row["number"] for row in tickets] == ["F2026-00001"]
    assert [tuple(row) for row in cases] == [("2026-0001", "registered")]


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_who_follows_again_is_somebody_new(town: Town) -> None:
    aunt = await town.person("王大娘", role="cleaner", area="王家沟")
    old = await aunt.person_id()
    await leaves(town, aunt)
    town.clock.advance(seconds=5)
    await follows_again(aunt)
    aunt.sees("五件事")
    await aunt.taps("同意")
    assert await aunt.person_id() != old
    await aunt.says("我的信息")
    aunt.sees("您的信息")
    aunt.sees_not("王大娘")
    aunt.sees_not("保洁员")
    town.clock.advance(hours=2)
    await town.tick()  # what is left of the old one goes, what the new one wrote stays
    await aunt.says("/name 新来的")
    aunt.sees("以后叫您新来的")
    answered = await town.rows(
        "SELECT COUNT(*) AS n FROM inbox WHERE township_id = :t AND address = :address", address=aunt.driver.address
    )
    assert answered[0]["n"] >= 3


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_who_leaves_and_comes_back_at_once_is_new_too(town: Town) -> None:
    """Both updates in one batch."""
    aunt = await town.person("王大娘")
    old = await aunt.person_id()
    town.clock.advance(seconds=5)
    town.begin()
    await aunt.driver._arrives(aunt.driver.user.unfollows())
    await aunt.driver._arrives(aunt.driver.user.follows())
    await town.work()
    aunt.sees("五件事")
    assert await aunt.person_id() != old


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_pending_news_never_goes_to_who_has_left(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    await leaves(town, aunt)
    await keeper.taps("属实")
    town.clock.advance(days=3)
    await town.tick()
    left = await town.rows(
        "SELECT state, COUNT(*) AS n FROM outbox WHERE township_id = :t AND person_id NOT IN"
        " (SELECT id FROM people WHERE township_id = :t AND state = 'active') GROUP BY state"
    )
    assert {row["state"] for row in left} <= {"sent", "expired"}
    aunt.sees_not("核实")


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_who_was_never_known_leaves_nothing_but_a_blank(town: Town) -> None:
    """They followed before the program was there."""
    stranger = await town.person("", consent=False)
    await leaves(town, stranger)
    town.clock.advance(hours=2)
    await town.tick()
    assert await rows_with(town, stranger.driver.user.openid) == {}
    people = await town.rows("SELECT name, state FROM people WHERE township_id = :t")
    assert [tuple(row) for row in people] == [("", "erased")]
    assert await town.rows("SELECT 1 FROM consents WHERE township_id = :t") == []


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_who_is_known_elsewhere_goes_on_there(town: Town) -> None:
    aunt = await town.person("王大娘", role="cleaner", area="王家沟")
    town.clock.advance(minutes=1)
    page = await town.person("", channel="web")
    await joins(aunt, page)
    await aunt.says("王家沟桥头有人倒垃圾，车牌甘A")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    kept, openid = await aunt.person_id(), aunt.driver.user.openid
    town.begin()
    await aunt.driver._arrives(aunt.driver.user.unfollows())
    await page.driver.says("我的信息")  # in the same batch
    await town.work()
    assert await page.person_id() == kept
    page.sees("称呼：王大娘", "王家沟村 保洁员")
    await page.says("我的举报")
    page.sees("2026-0001")
    town.clock.advance(hours=2)
    await town.tick()
    assert await rows_with(town, openid) == {}
    assert set(await rows_with(town, "车牌甘A")) <= {"cases"}
    town.clock.advance(minutes=1)
    await follows_again(aunt)
    await aunt.taps("同意")
    assert await aunt.person_id() != kept


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_a_page_opened_from_the_account_goes_with_it(town: Town) -> None:
    aunt = await town.person("王大娘")
    page = await town.person("", channel="web")
    await town.write(
        "UPDATE contacts SET person_id = :id, opened_from = :source WHERE township_id = :t AND address = :address",
        id=await aunt.person_id(),
        source=aunt.driver.address,
        address=page.driver.address,
    )
    await page.says("我的信息")
    page.sees("称呼：王大娘")
    await page.sends_photo()
    await leaves(town, aunt)
    town.clock.advance(hours=2)
    await town.tick()
    assert await rows_with(town, "王大娘") == {}
    assert await rows_with(town, page.driver.address) == {}
    await page.says("你好")
    page.sees("五件事")


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_a_worker_s_place_is_vacant_and_those_who_can_fill_it_hear_so(town: Town) -> None:
    head = await town.person("马主任", role="admin")
    first = await town.person("李师傅", role="cleaner", area="王家沟")
    second = await town.person("赵师傅", role="cleaner", area="王家沟")
    await leaves(town, first)
    head.sees_not("现在没有人了")
    await leaves(town, second)
    told = head.sees("「王家沟村 保洁员」现在没有人了")
    assert told.labels == ["发邀请"] and "师傅" not in told.text
    roles = await town.rows("SELECT role FROM roles WHERE township_id = :t AND until_ms IS NULL")
    assert [row["role"] for row in roles] == ["admin"]


async def test_with_the_last_admin_gone_staff_hear_what_is_to_be_done(town: Town) -> None:
    staff = await town.person("赵干事", role="staff")
    head = await town.person("马主任", role="admin")
    if town.channel == "wechat":
        await leaves(town, head)
    else:
        await head.says("删除我的信息")
        await head.taps("删除")
    staff.sees("没有管理员了", "python -m bot invite --role admin")
