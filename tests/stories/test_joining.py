"""One person, two chats: a code from one, typed in the other, and the owner's word for it. And a lost phone."""

from __future__ import annotations

from typing import Any

from handlers.people import links
from storage.people import people
from tests.stories.doings import code_of
from tests.stories.town import Town

NO_WORLD: Any = None


async def test_two_contacts_become_one_person(town: Town) -> None:
    first = await town.person("李师傅", role="cleaner", area="王家沟")
    town.clock.advance(minutes=1)
    second = await town.person("", channel="web")
    newer = await second.person_id()
    await town.write(
        "INSERT INTO transfers (township_id, id, source, destination, amount, unit, transfer_key, input_hash, reason,"
        " ref, policy_version, at_ms) VALUES (:t, 1, 'programme:reports', :account, 5, 'points', 'k', 'h',"
        " 'r', 'x', 1, 1)",
        account=f"person:{newer}",
    )
    for account, balance in ((f"person:{newer}", 5), ("programme:reports", -5)):
        await town.write(
            "INSERT INTO balances (township_id, account, unit, balance, may_be_negative)"
            " VALUES (:t, :account, 'points', :balance, :negative)",
            account=account,
            balance=balance,
            negative=int(balance < 0),
        )
    code = await code_of(first)
    await second.says(code)  # as the text beside it says
    second.sees("点「是我」")
    assert await second.person_id() == newer, "nothing is joined before its owner says so"
    first.sees("网页聊天里发了您的码", "是您自己吗")
    await first.taps("是我")
    first.sees("两边是同一个人")
    second.sees("连好了，李师傅")
    assert await second.person_id() == await first.person_id()
    await second.says("/me")
    second.sees("王家沟村 保洁员")
    balances = await town.rows("SELECT account, balance FROM balances WHERE township_id = :t AND unit = 'points'")
    assert {row["account"]: row["balance"] for row in balances} == {
        f"person:{newer}": 0,
        f"person:{await first.person_id()}": 5,
        "programme:reports": -5,
    }
    found = await town.app.database.read(lambda tx: people.person(tx, newer))
    assert found is not None and found["id"] == await first.person_id()


async def test_an_open_question_goes_along(town: Town) -> None:
    first = await town.person("李师傅")
    town.clock.advance(minutes=1)
    second = await town.person("", channel="web")
    code = await code_of(first)
    await first.says("改称呼")
    await second.says(f"/link {code}")
    await first.taps("是我")
    first.sees("两边是同一个人")
    first.sees("怎么称呼您")
    second.sees("连好了")
    await second.says("李老三")
    second.sees("以后叫您李老三")


async def test_guessing_codes_ends_after_five(town: Town) -> None:
    first = await town.person("李师傅")
    thief = await town.person("", channel="web")
    code = await code_of(first)
    await thief.says("/link 你好")
    thief.sees("10 个数字")
    wrong = "0000 0000 00"
    assert code != wrong
    for left in (4, 3, 2, 1, 0):
        await thief.says(f"/link {wrong}")
        thief.sees(f"还可以试 {left} 次")
    await thief.says(f"/link {code}")
    thief.sees("一小时后再试")
    assert await thief.person_id() != await first.person_id()
    await first.says(f"/link {code}")
    first.sees("您自己在这里要的")


async def test_a_code_lapses_and_works_once(town: Town) -> None:
    first = await town.person("李师傅")
    second = await town.person("", channel="web")
    code = await code_of(first)
    town.clock.advance(minutes=16)
    await second.says(f"/link {code}")
    second.sees("过期")
    fresh = await code_of(first)
    await second.says(f"/link {fresh}")
    await first.taps("是我")
    second.sees("连好了")
    await second.says(f"/link {fresh}")
    second.sees("已经连好")
    third = await town.person("", channel="web")
    await third.says(f"/link {fresh}")
    third.sees("还可以试")


async def test_who_stole_a_code_is_refused_and_nothing_of_the_owner_is_seen(town: Town) -> None:
    boss = await town.person("李主任", role="admin")
    thief = await town.person("", channel="web")
    stranger = await thief.person_id()
    code = await code_of(boss)
    await thief.says(code)
    thief.sees("点「是我」")
    asked = boss.sees("是您自己吗")
    await thief.says("/me")
    thief.sees_not("李主任")
    assert await thief.person_id() == stranger
    await boss.taps("不是我", on=asked)
    boss.sees("没有连", "不要给")
    thief.sees("没有连上")
    await boss.taps("是我", on=asked)
    boss.sees("作废")
    await thief.says(code)
    thief.sees("这个码不对，或者过期了")
    assert await thief.person_id() == stranger
    await boss.says("我的联系方式")
    boss.sees("有人在 网页聊天 里发了您的码，您没让他连")


async def test_only_the_owner_of_a_code_is_asked(town: Town) -> None:
    owner = await town.person("王大娘")
    asker = await town.person("", channel="web")
    other = await town.person("李师傅")
    await asker.says(await code_of(owner))
    [row] = await town.rows("SELECT id FROM invitations WHERE township_id = :t AND asked_by IS NOT NULL")
    for someone in (asker, other):
        await someone.says(f"/joining {row['id']} yes")
        someone.sees("没找到要您确认的连接")
    await other.says("/joining 你好")
    other.sees("没找到要您确认的连接")
    assert await asker.person_id() != await owner.person_id()
    town.clock.advance(minutes=16)
    await owner.taps("是我")
    owner.sees("过期")
    assert await asker.person_id() != await owner.person_id()


async def test_a_code_asks_once_and_a_second_one_that_sends_it_hears_nothing_of_it(town: Town) -> None:
    owner = await town.person("王大娘")
    asker, late = await town.person("", channel="web"), await town.person("", channel="web")
    code = await code_of(owner)
    await asker.says(code)
    await late.says(code)
    late.sees("这个码不对，或者过期了")
    await asker.says(code)
    asker.sees("点「是我」")
    await owner.taps("是我")
    assert await asker.person_id() == await owner.person_id() != await late.person_id()


async def test_when_a_whole_town_guesses_no_code_is_good_and_the_checks_say_so(town: Town) -> None:
    owner = await town.person("王大娘")
    code = await code_of(owner)
    for _ in range(10):
        stranger = await town.person("", channel="web")
        for number in range(5):
            await stranger.says(f"/link {number:010d}")
    last = await town.person("", channel="web")
    await last.says(code)
    last.sees("这个码不对，或者过期了")
    owner.sees_not("是您自己吗")
    faults = await town.app.database.read(lambda tx: links.codes_guessed(tx, NO_WORLD))
    assert [fault.code for fault in faults] == ["codes_guessed"]
    fresh = await code_of(owner)
    town.clock.advance(hours=2)
    assert fresh != code


async def test_a_lost_phone_is_taken_away_at_once(town: Town) -> None:
    aunt = await town.person("王大娘", role="cleaner", area="王家沟")
    phone = await town.person("", channel="web")
    await phone.says(await code_of(aunt))
    await aunt.taps("是我")
    await phone.says("张三 15.6公斤")
    phone.sees("请看对不对")
    await aunt.says("手机丢了")
    aunt.sees("网页聊天", "连上了 网页聊天")
    await aunt.taps("断开 网页聊天")
    aunt.sees("那边就是陌生人")
    await aunt.taps("断开")
    aunt.sees("已经断开网页聊天")
    address = phone.driver.address
    assert await town.rows("SELECT 1 FROM outbox WHERE township_id = :t AND address = :a", a=address) == []
    await phone.says("我的信息")
    phone.sees("五件事")
    await phone.taps("同意")
    phone.sees_not("王大娘")
    assert await phone.person_id() != await aunt.person_id()
    await aunt.says("我的联系方式")
    aunt.sees("断开了 网页聊天")
    assert not any(label.startswith("断开") for label in aunt.last.labels)
    await aunt.says("/disconnect 0123456789 yes")
    aunt.sees("已经不在您名下")
