"""A PIN before money is released or somebody is revealed: asked in that chat, and what was typed goes on by itself."""

from __future__ import annotations

import pytest

from bot.talk.messages import HIDDEN
from bot.web import history
from tests.stories.doings import asks_who_reported, change_policy, joins, looks_up
from tests.stories.someone import Someone
from tests.stories.test_disclosure import office
from tests.stories.test_identity import stored
from tests.stories.town import Town

DIGITS = "482913"
LATER_MINUTES = 11


async def sets_a_pin(someone: Someone, digits: str = DIGITS) -> None:
    """Set one where there is none."""
    await someone.says("设置密码")
    await someone.says(digits)
    someone.sees("再输一遍")
    await someone.says(digits)
    someone.sees("密码设好了")


async def later(town: Town, minutes: int = LATER_MINUTES) -> None:
    town.clock.advance(minutes=minutes)
    await town.tick()


async def test_a_command_waits_for_the_pin_and_then_goes_on(town: Town) -> None:
    here = await office(town)
    await sets_a_pin(here.payer)
    await looks_up(here.payer, here.auditor, here.number)
    here.payer.sees(f"{here.number} 的举报人：王大娘")  # the answer of a moment ago holds
    await later(town)
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("请输入您的数字密码")
    here.payer.sees_not("王大娘")
    await here.payer.says(DIGITS)
    here.payer.sees(f"{here.number} 的举报人：王大娘")


async def test_a_form_keeps_all_that_was_typed_until_the_pin_came(town: Town) -> None:
    here = await office(town)
    await sets_a_pin(here.payer)
    await here.payer.says(f"/reporter {here.number}")
    await here.payer.taps("别的理由")
    await later(town)
    await here.payer.says("县里要表彰举报的人")
    here.payer.sees("请输入您的数字密码")
    assert not await town.rows("SELECT 1 FROM reporter_looks WHERE township_id = :t")
    await here.payer.says("４８２ ９１３")  # as some keyboards write it
    here.payer.sees("请另一个人确认")
    here.auditor.sees("县里要表彰举报的人")
    assert len(await town.rows("SELECT 1 FROM reporter_looks WHERE township_id = :t")) == 1


async def test_a_form_with_a_review_is_submitted_once_the_pin_came(town: Town) -> None:
    admin = await town.person("周主任", role="admin")
    await sets_a_pin(admin)
    await admin.says("/invite")
    await admin.taps("保洁员")
    await admin.says("王家沟")
    await later(town)
    await admin.taps("生成邀请")
    await admin.taps("取消", admin.sees("请输入您的数字密码"))
    await admin.taps("生成邀请")
    await admin.says(DIGITS)
    admin.sees("邀请")
    assert len(await town.rows("SELECT 1 FROM invitations WHERE township_id = :t AND role = 'cleaner'")) == 1


async def test_the_digits_can_be_read_nowhere(town: Town) -> None:
    here = await office(town)
    await sets_a_pin(here.payer)
    await later(town)
    await here.payer.says(f"/reporter {here.number}")
    await here.payer.says("71")
    await here.payer.says("密码是 713-905")  # meant to be one
    await here.payer.says("713905")
    here.payer.sees("密码不对")
    await here.payer.says(DIGITS)
    everything = repr(
        [[dict(row) for _, row in await stored(town)], await town.rows("SELECT body FROM inbox WHERE township_id = :t")]
    )
    assert "/reporter" in everything, "what was said can be read here"
    for digits in (DIGITS, "713905", "713-905"):
        assert digits not in everything, digits
    for name, row in await stored(town):
        assert DIGITS not in repr(row), name
        assert name != "sessions" or "argon2" not in repr(row)


async def test_a_wrong_pin_does_nothing_and_many_make_a_pause_that_grows(town: Town) -> None:
    here = await office(town)
    await sets_a_pin(here.payer)
    await later(town)
    await here.payer.says(f"/reporter {here.number}")
    for left in ("还能试 2 次", "还能试 1 次"):
        await here.payer.says("713905")
        here.payer.sees(left)
    await here.payer.says("713905")
    here.payer.sees("以后再试")
    await here.payer.says(DIGITS)  # even the right one, now
    here.payer.sees("以后再试")
    here.payer.sees_not("为什么要看是谁报的")
    await here.payer.says("帮助")
    here.payer.sees("您")  # everything else goes on
    await later(town, 2)
    await here.payer.says("713905")
    here.payer.sees("以后再试")
    await later(town, 2)
    await here.payer.says(DIGITS)
    here.payer.sees("以后再试")
    await later(town, 4)
    await here.payer.says(DIGITS)
    here.payer.sees("为什么要看是谁报的")


async def test_who_has_no_pin_and_needs_none_is_not_asked(town: Town) -> None:
    here = await office(town)
    await asks_who_reported(here.payer, here.number)
    here.payer.sees("请另一个人确认")
    for one in (await town.person("李师傅", role="cleaner", area="王家沟"), here.aunt):
        await one.says("设置密码")
        one.sees("用不着密码")


async def test_where_the_policy_wants_it_nothing_goes_without_one(town: Town) -> None:
    here = await office(town)
    await change_policy(town, "required_of = []", 'required_of = ["finance", "admin"]')
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("要先设密码", "请设一个数字密码")
    for easy in ("123456", "000000", "19870312", "870312", "123123", "121212", "520131"):
        await here.payer.says(easy)
        here.payer.sees("太好猜了")
    await here.payer.says(DIGITS)
    await here.payer.says("482914")
    here.payer.sees("两遍不一样")
    await here.payer.says(DIGITS)
    await here.payer.says(DIGITS)
    here.payer.sees("密码设好了")
    here.payer.sees("为什么要看是谁报的")


async def test_changing_asks_for_the_old_one(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    await sets_a_pin(payer)
    await payer.says("改密码")
    payer.sees("先输入现在的数字密码")
    await payer.says("713905")
    payer.sees("密码不对")
    await payer.says(DIGITS)
    await payer.says("713905")
    await payer.says("713905")
    payer.sees("密码改好了")
    await later(town)
    await payer.says("改密码")
    await payer.says(DIGITS)
    payer.sees("密码不对")


async def test_a_new_one_that_was_left_half_typed_asks_for_the_old_one_again(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    await sets_a_pin(payer)
    await payer.says("改密码")
    await payer.says(DIGITS)
    await payer.says("713905")
    await later(town)  # the phone lies open on the desk
    await payer.says("713905")
    payer.sees("先输入现在的数字密码")


async def test_digits_behind_the_command_are_not_taken_and_not_left(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    for words in (f"/pin {DIGITS}", f"设置密码 {DIGITS}"):
        await payer.says(words)
        payer.sees("不要跟命令写在一起")
    assert all(DIGITS not in repr(row) for _, row in await stored(town))


async def test_an_admin_clears_a_forgotten_one_and_its_owner_hears_of_it_everywhere(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    phone = await town.person("")
    admin = await town.person("周主任", role="admin")
    auditor = await town.person("吴督查", role="auditor")
    await joins(payer, phone)
    await sets_a_pin(payer)
    phone.sees("在另一个聊天里设了数字密码")
    await sets_a_pin(admin, "905713")
    await admin.says("清除密码")
    await admin.says("周主任")
    await admin.taps("提交")
    admin.sees("自己的密码不能自己清除")
    await admin.says("钱会计")
    await admin.taps("提交")
    admin.sees("钱会计 的密码清除了")
    for chat in (payer, phone):
        chat.sees("周主任 清除了您的数字密码")
    await sets_a_pin(payer, "713905")
    await auditor.says("密码记录")
    told = auditor.sees("密码记录").text
    for line in ("周主任 清除了 钱会计 的密码", "钱会计 设了密码", "周主任 设了密码"):
        assert line in told
    assert not any(one in told for one in (DIGITS, "713905", "905713"))
    await payer.says("密码记录")
    payer.sees("要由督查人员或管理员来办")


async def test_an_answer_is_of_its_chat_and_ends_when_chats_are_joined(town: Town) -> None:
    here = await office(town)
    phone = await town.person("")
    await sets_a_pin(here.payer)
    await joins(here.payer, phone)
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("请输入您的数字密码")
    await here.payer.says(DIGITS)
    here.payer.sees("为什么要看是谁报的")
    await here.payer.says("取消")
    await phone.says(f"/reporter {here.number}")
    phone.sees("请输入您的数字密码")
    await phone.says(DIGITS)  # the one PIN that both have
    phone.sees("为什么要看是谁报的")


async def test_the_pin_of_the_newer_chat_is_kept_when_the_older_had_none(town: Town) -> None:
    old = await town.person("钱会计")
    new = await town.person("", role="finance")
    await sets_a_pin(new)
    await joins(old, new)
    await old.says("改密码")
    await old.says(DIGITS)
    old.sees("请设一个数字密码")


async def test_sent_twice_the_second_is_hidden_too(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    await sets_a_pin(payer)
    await payer.says(DIGITS)
    payer.sees("像是密码")
    await payer.says("713905")
    payer.sees("像是密码")  # it says nothing of which is right
    assert all(one not in repr(row) for _, row in await stored(town) for one in (DIGITS, "713905"))
    assert not await town.rows("SELECT 1 FROM pin_events WHERE township_id = :t AND event = 'wrong'")
    await later(town)
    await payer.says("713905")
    payer.sees_not("像是密码")


async def test_a_role_that_was_given_or_taken_ends_the_answer(town: Town) -> None:
    here = await office(town)
    await sets_a_pin(here.payer)
    town.clock.advance(minutes=1)
    await town.grant(here.payer, "staff")
    await here.payer.says(f"/reporter {here.number}")
    here.payer.sees("请输入您的数字密码")
    await here.payer.says("取消")
    await here.payer.says("删除我的信息")
    await here.payer.taps("删除")
    assert not await town.rows("SELECT 1 FROM pins WHERE township_id = :t AND hash IS NOT NULL")
    assert not await town.rows("SELECT 1 FROM pin_events WHERE township_id = :t AND door IS NOT NULL")


async def test_a_pin_that_comes_after_a_night_still_answers_and_is_kept_nowhere(town: Town) -> None:
    here = await office(town)
    await sets_a_pin(here.payer)
    await later(town)
    await here.payer.says(f"/reporter {here.number}")
    await later(town, 14 * 60)
    await here.payer.says(DIGITS)
    here.payer.sees("为什么要看是谁报的")
    assert all(DIGITS not in repr(row) for _, row in await stored(town))


@pytest.mark.parametrize("town", ["telegram"], indirect=True)
async def test_on_telegram_the_message_itself_is_taken_away_and_an_edited_one_is_hidden(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    await sets_a_pin(payer)
    shown = payer.driver.user.chat.messages
    assert not any(DIGITS in repr(sound.message) for sound in shown.values())
    await payer.says("改密码")
    await payer.says("7139")  # four of six; they see it and mend it, which comes as an edit
    await payer.driver._arrives(payer.driver.user.edits("482914"))
    await town.work()
    payer.sees_not("改过的消息")
    assert "7139" not in [sound.message.get("text") for sound in shown.values()]
    rows = await town.rows("SELECT body FROM inbox WHERE township_id = :t")
    assert '"改密码"'.encode() in b"".join(bytes(row["body"]) for row in rows), "they can be read here"
    assert not any(f'"{one}"'.encode() in bytes(row["body"]) for row in rows for one in ("7139", "482914"))


@pytest.mark.parametrize("town", ["wechat"], indirect=True)
async def test_in_wechat_it_is_said_how_to_take_it_away(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    await sets_a_pin(payer)
    payer.sees("长按刚才那条密码")
    await payer.says("改密码")
    await payer.says("012345")  # a number, and no choice of those shown last
    payer.sees("密码不对")


@pytest.mark.parametrize("town", ["web"], indirect=True)
async def test_the_page_shows_dots_also_when_it_is_loaded_again(town: Town) -> None:
    payer = await town.person("钱会计", role="finance")
    await sets_a_pin(payer)
    address, catalogues, now_ms = payer.driver.address, town.app.catalogues, town.clock.now_ms()
    lines, _ = await town.app.database.read(
        lambda tx: history.before(tx, address, catalogues, before_id=history.NEWEST, limit=50, now_ms=now_ms)
    )
    assert [line.message["text"] for line in lines if line.message["from"] == "me"][-2:] == [HIDDEN, HIDDEN]
    assert any(line.message["ask"] == "secret" for line in lines)
