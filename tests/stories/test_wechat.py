"""What only WeChat has: one reply to a push, few messages of our own, tokens, tries again; and news that waits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.channels.wechat import channel as channel
from bot.media.store import MediaStore
from storage.machine import channel_faults
from tests.fakes.pictures import photo
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_people import pushed
from tests.fakes.wechat_world import Deliver
from tests.stories.doings import change_policy, time_to_take_back_is_over
from tests.stories.town import Someone, Town, wechat_settings

HOUR_MS = 3_600_000


@pytest.fixture
async def wechat() -> AsyncIterator[FakeWeChat]:
    """The platform."""
    async with FakeWeChat() as fake:
        yield fake


@pytest.fixture
async def town(tmp_path: Path, sqlite_url: str, wechat: FakeWeChat) -> AsyncIterator[Town]:
    """The example township with an Official Account."""
    opened = await Town.open(tmp_path / "data", sqlite_url, "wechat", wechat=wechat)
    yield opened
    await opened.close()


@pytest.fixture
async def plain_town(tmp_path: Path, sqlite_url: str, wechat: FakeWeChat) -> AsyncIterator[Town]:
    """The same, with an account that has no template."""
    opened = await Town.open(tmp_path / "data", sqlite_url, "wechat", wechat=wechat, wechat_notice={})
    yield opened
    await opened.close()


async def states(town: Town, someone: Someone) -> list[str]:
    """What became of the messages to a person, in order."""
    rows = await town.rows(
        "SELECT state FROM outbox WHERE township_id = :t AND address = :address ORDER BY id",
        address=someone.driver.address,
    )
    return [row["state"] for row in rows]


def shown(someone: Someone) -> list[str]:
    """Everything their phone ever showed, and how."""
    return [f"{one.kind} {one.text[:12]}" for one in someone.driver.user.contact.seen]


def clip(town: Town, wechat: FakeWeChat, *, lose: int) -> list[int]:
    """Let the answers to the next pushes be lost on the way; the statuses that were."""
    whole: Deliver | None = wechat.world.deliver
    assert whole is not None
    lost: list[int] = []

    async def deliver(query: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        status, answer = await whole(query, body)
        if len(lost) < lose:
            lost.append(status)
            raise TimeoutError
        return status, answer

    wechat.world.deliver = deliver
    return lost


async def one_village_reports(town: Town, aunt: Someone) -> None:
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")


async def test_one_photo_two_answers_and_the_case_number_is_the_reply(town: Town, wechat: FakeWeChat) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo()
    await aunt.taps("村")
    await aunt.taps("提交")
    aunt.sees("收到了", "2026-0001")
    assert {one.kind for one in aunt.driver.user.contact.seen} == {"passive"}
    assert wechat.called("custom/send") == [] and wechat.violations == []


async def test_a_photo_is_fetched_at_once(town: Town, wechat: FakeWeChat) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(content=photo(3))
    await town.tick()
    town.clock.advance(days=4)  # WeChat keeps it for three days
    (row,) = await town.rows("SELECT id, state FROM media WHERE township_id = :t")
    store: MediaStore = town.app.media.of(1)
    assert row["state"] == "ready" and await store.viewing_copy(row["id"]) is not None


async def test_a_try_again_has_the_same_answer_and_no_second_effect(town: Town, wechat: FakeWeChat) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    lost = clip(town, wechat, lose=2)
    await aunt.taps("提交")
    assert lost == [200, 200]
    aunt.sees("收到了", "2026-0001")
    assert len(await town.rows("SELECT id FROM cases WHERE township_id = :t")) == 1
    assert len([one for one in shown(aunt) if "收到了" in one]) == 1
    await town.tick()
    assert len([one for one in shown(aunt) if "收到了" in one]) == 1, "the outbox sent it once more"


async def test_what_is_late_comes_by_itself_and_once(
    town: Town, wechat: FakeWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    aunt = await town.person("王大娘")
    monkeypatch.setattr(channel, "ANSWER_S", 0.05)
    assert await aunt.driver.user.says("我的积分") is None, "there was no answer in time"
    await town.work()
    aunt.sees_not("积分")
    town.clock.advance(seconds=5)
    await town.tick()
    aunt.sees("积分")
    assert [one.kind for one in aunt.driver.user.contact.seen][-1] == "customer"
    await aunt.says("我的信息")
    aunt.sees_not("积分 0")
    assert set(await states(town, aunt)) == {"sent"} and wechat.violations == []


async def test_news_that_could_not_be_sent_waits_and_then_comes_first(plain_town: Town, wechat: FakeWeChat) -> None:
    town = plain_town
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await one_village_reports(town, aunt)
    town.clock.advance(days=3)
    await keeper.says("/verify 2026-0001 true")
    keeper.sees("已记为「属实」")
    await time_to_take_back_is_over(town)
    assert "waiting" in await states(town, aunt), "the 48 hours are over"
    await aunt.says("我的积分")
    first, second = aunt.news
    assert "2026-0001" in first.text and "是真的" in first.text and "5 分" in second.text
    assert "waiting" not in await states(town, aunt) and wechat.violations == []


async def test_the_digest_says_how_many_wait(plain_town: Town) -> None:
    town = plain_town
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    staff = await town.person("孙干事", role="staff")
    await one_village_reports(town, aunt)
    town.clock.advance(days=3)
    await keeper.says("/verify 2026-0001 true")
    await time_to_take_back_is_over(town)
    await staff.says("日报")
    assert "没人看" not in staff.sees("日报").text, "it waits for her: that is no fault yet"
    town.clock.advance(days=3)
    await staff.says("日报")
    assert "1 条放了好几天没人看" in staff.sees("日报").text


async def test_a_notice_says_that_there_is_something(town: Town, wechat: FakeWeChat) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await one_village_reports(town, aunt)
    town.clock.advance(days=3)
    await keeper.says("/verify 2026-0001 true")
    await time_to_take_back_is_over(town)
    aunt.sees("2026-0001", "是真的")
    kinds = [one.kind for one in aunt.driver.user.contact.seen]
    assert kinds[-2:] == ["template", "passive"], "she read it by «看消息»"
    notice = aunt.driver.user.contact.seen[-2]
    assert len(notice.values["thing1"]) <= 20 and notice.values["time2"].startswith("2026-11-21")
    assert wechat.violations == []


async def test_five_messages_and_no_more_and_the_urgent_ones_have_their_share(
    plain_town: Town, wechat: FakeWeChat
) -> None:
    town = plain_town
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    people = [await town.person(f"村民{n}") for n in range(6)]
    town.clock.advance(hours=1)  # the minute after the subscription is over
    await keeper.says("你好")
    for aunt in people[:4]:
        await one_village_reports(town, aunt)
    told = [one.text[:5] for one in keeper.driver.user.contact.seen if one.kind == "customer"]
    assert told == ["新举报，请"] * 3, "two are kept for what is urgent"
    await people[4].says("王家沟学校着火了，有人烧秸秆")
    await people[4].taps("跳过")
    await people[4].taps("提交")
    assert len([one for one in keeper.driver.user.contact.seen if one.kind == "customer"]) == 4
    await keeper.says("待办案件")
    keeper.sees("新举报")
    assert wechat.violations == []


async def test_each_message_of_our_own_has_numbers_of_its_own(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    for name in ("王大娘", "刘二"):
        await one_village_reports(town, await town.person(name))
    first, second = (one for one in keeper.driver.user.contact.seen if "新举报" in one.text)
    assert set(first.choices.values()).isdisjoint(second.choices.values())
    await keeper.says(first.choices["属实"])
    keeper.sees("2026-0001（", "）已记为「属实」")
    await keeper.says(second.choices["不属实"])
    keeper.sees("为什么不属实")
    await keeper.taps("早已清理")
    keeper.sees("2026-0002")


async def test_much_news_comes_over_several_replies_in_its_order(plain_town: Town, wechat: FakeWeChat) -> None:
    town = plain_town
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    people = [await town.person(f"村民{n}") for n in range(14)]
    town.clock.advance(days=3)
    await change_policy(town, "one_by_one_an_hour = 8", "one_by_one_an_hour = 20")
    for aunt in people:
        await one_village_reports(town, aunt)
    assert (await states(town, keeper)).count("waiting") == 14
    for _ in range(6):
        await keeper.says("我的信息")
        assert "赵网格" in keeper.last.text, "what was asked for is there at once"
    numbers = re.findall(r"新举报，请核实：\n(2026-\d+)", "\n".join(one.text for one in keeper.heard))
    assert numbers == [f"2026-{n:04}" for n in range(1, 15)]
    assert wechat.called("custom/send") == [] and wechat.violations == []


async def test_an_answer_too_long_for_a_reply_goes_on_by_itself(town: Town, wechat: FakeWeChat) -> None:
    aunt = await town.person("王大娘")
    words = "。".join(f"第{n}条，请按规定分类投放垃圾，爱护村里的环境" for n in range(1, 60))
    await change_policy(town, "用这个服务要记下：", f"{words}。用这个服务要记下：")
    await aunt.says("/privacy")
    kinds = [one.kind for one in aunt.driver.user.contact.seen]
    whole = "".join(one.text for one in aunt.driver.user.contact.seen[1:])
    assert kinds[-3:] == ["passive", "customer", "customer"] and all(f"第{n}条" in whole for n in (1, 30, 59))
    assert wechat.violations == []


async def test_a_refused_token_is_renewed_once(town: Town, wechat: FakeWeChat) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await one_village_reports(town, aunt)
    wechat.world.revoke_tokens()
    await keeper.says("/verify 2026-0001 true")
    await time_to_take_back_is_over(town)
    aunt.sees("2026-0001", "是真的")
    assert wechat.world.forced_ms and wechat.violations == []


async def test_a_refused_account_is_said_to_staff(town: Town, wechat: FakeWeChat) -> None:
    staff = await town.person("孙干事", role="staff")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await one_village_reports(town, await town.person("王大娘"))
    await keeper.says("/verify 2026-0001 true")
    wechat.trouble("custom/send", errcode=40164, times=50)
    task = asyncio.ensure_future(time_to_take_back_is_over(town))
    fault = ""
    async with asyncio.timeout(10):
        while not fault:
            await asyncio.sleep(0.02)
            await town.app.book.write()
            fault = await town.app.database.read(lambda tx: channel_faults.of_channel(tx, "wechat"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert fault == "address_not_listed"
    await staff.driver.says("日报")
    while await town.app.intake.step(1):
        pass
    await staff.driver.answered()
    assert "IP 白名单" in staff.driver.user.contact.seen[-1].text


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
@pytest.mark.parametrize("json", [False, True])
async def test_every_mode_and_both_kinds_of_body(tmp_path: Path, sqlite_url: str, mode: Any, json: bool) -> None:
    async with FakeWeChat() as wechat:
        wechat.world.mode, wechat.world.json = mode, json
        town = await Town.open(tmp_path / "data", sqlite_url, "wechat", wechat=wechat)
        aunt = await town.person("王大娘 <&]]>")
        await aunt.says("我的<b>信息</b>]]>")
        await aunt.says("我的信息")
        aunt.sees("王大娘")
        assert wechat.violations == []
        await town.close()


async def test_the_key_is_changed_without_a_gap(tmp_path: Path, sqlite_url: str) -> None:
    async with FakeWeChat() as wechat:
        old, new = wechat.world.aes_key, "Z" * 43
        settings = {**wechat_settings(wechat), "wechat_aes_key": new, "wechat_aes_key_previous": old}
        town = await Town.open(tmp_path / "data", sqlite_url, "wechat", wechat=wechat, **settings)
        aunt = await town.person("王大娘")
        wechat.world.aes_key = new
        await aunt.says("我的信息")
        aunt.sees("王大娘")
        await town.close()


async def test_what_nobody_knows_is_answered(town: Town, wechat: FakeWeChat) -> None:
    aunt = await town.person("王大娘")
    for kind in ("voice", "file", "miniprogrampage"):
        aunt.news.clear()
        town.begin()
        await aunt.driver._arrives(aunt.driver.user.sends(kind, MediaId="m1", Format="amr"))
        await town.work()
        assert aunt.news, kind
    assert await aunt.driver.user.sends("hologram", MediaId="m1") is None  # nobody sends that: WeChat tells something
    for sending in (aunt.driver.user.views("https://x.example"), aunt.driver.user.is_somewhere(35.6, 104.7)):
        assert await sending is None
    assert aunt.driver.user.broken == 0


async def test_a_push_that_could_not_be_stored_is_brought_again(
    town: Town, wechat: FakeWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.database import Unavailable

    aunt = await town.person("王大娘")
    account = town.app.channels.of(1)["wechat"]
    accept, tries = account._accept, []  # type: ignore[attr-defined]

    async def away_once(raws: Any) -> None:
        tries.append(len(raws))
        if len(tries) == 1:
            raise Unavailable("disk full")
        await accept(raws)

    monkeypatch.setattr(account, "_accept", away_once)
    await aunt.says("我的信息")
    aunt.sees("王大娘")
    assert len(tries) == 2


async def test_the_same_request_later_is_a_replay(town: Town, wechat: FakeWeChat) -> None:
    aunt = await town.person("王大娘")
    deliver = wechat.world.deliver
    assert deliver is not None
    fields = {
        "ToUserName": wechat.world.account,
        "FromUserName": aunt.driver.user.openid,
        "CreateTime": town.clock.ms // 1000,
        "MsgType": "event",
        "Event": "VIEW",
        "EventKey": "https://x.example",
    }
    query, body = pushed(wechat.world, aunt.driver.user.openid, fields)
    assert (await deliver(query, body))[0] == 200
    town.clock.advance(seconds=40)
    assert (await deliver(query, body))[0] == 403
    old, body = pushed(wechat.world, aunt.driver.user.openid, fields)
    town.clock.advance(minutes=11)
    assert (await deliver(old, body))[0] == 403
    forged = {**query, "msg_signature": "0" * 40}
    assert (await deliver(forged, body))[0] == 403


async def test_see_the_news_when_there_is_none(town: Town) -> None:
    aunt = await town.person("王大娘")
    town.begin()
    await aunt.driver._arrives(aunt.driver.user.clicks("news"))
    await town.work()
    aunt.sees("没有新消息")


async def test_late_answers_are_no_news_and_old_questions_are_left_out(
    town: Town, wechat: FakeWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    monkeypatch.setattr(channel, "ANSWER_S", 0.01)
    wechat.trouble("custom/send", errcode=45047, times=8)
    for _ in range(8):
        assert await aunt.driver.user.says("什么？") is None, "there was no answer in time"
        await town.work()
        town.clock.advance(seconds=6)
        await town.tick()
    assert {one.kind for one in aunt.driver.user.contact.seen} == {"passive"}, "no templates for answers"
    assert "waiting" in await states(town, aunt)
    monkeypatch.undo()
    await aunt.says("什么？")
    assert len(aunt.news) == 1 and aunt.last.labels[0] == "乱倒垃圾", "the present question, once"
    await aunt.taps("焚烧")
    aunt.sees("先拨119")
    assert wechat.violations == []


async def test_typed_words_ask_for_the_news(plain_town: Town) -> None:
    town = plain_town
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    people = [await town.person(f"村民{n}") for n in range(14)]
    town.clock.advance(days=3)
    for aunt in people:
        await one_village_reports(town, aunt)
    await keeper.says("看消息")
    keeper.sees("2026-0001")
    left = re.search(r"还有 (\d+) 条，发「看消息」接着看", keeper.last.text)
    assert left and 0 < int(left[1]) < 14
    for _ in range(5):
        await keeper.says("看消息")
    keeper.sees("没有新消息")


async def test_a_number_of_long_ago_is_not_another_case(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    await one_village_reports(town, await town.person("王大娘"))
    first = next(one for one in keeper.driver.user.contact.seen if "新举报" in one.text)
    for n in range(12):
        town.clock.advance(minutes=1)
        await keeper.says("我的信息")
        await one_village_reports(town, await town.person(f"村民{n}"))
    await keeper.says("属实")
    keeper.sees("好几条都有")
    for _ in range(20):
        town.clock.advance(minutes=1)
        await keeper.says("我的积分")
    await keeper.says(first.choices["属实"])
    keeper.sees("2026-0001", "已记为「属实」")
    await keeper.says("09905")
    keeper.sees("没有这个号码")
    await keeper.says("0991")
    keeper.sees("没有找到案件「2026-0991」")
