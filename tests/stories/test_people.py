"""People: consent, invitations, roles, joined contacts, erasure, reminders, the menu."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.i18n import Catalogues
from bot.talk.hearing import bare
from bot.talk.messages import text
from handlers import registry
from handlers.people.menu import MENU
from storage.database import Tx
from storage.people import people
from tests.stories.doings import token_for
from tests.stories.town import ZONE, Someone, Town

TOKEN = re.compile(r"\?join=([A-Za-z0-9_-]+)")


async def invites(someone: Someone, role: str, area: str) -> str:
    """The token that a person gets in the chat."""
    await someone.says("发邀请")
    await someone.taps(role)
    await someone.says(area)
    await someone.taps("生成邀请")
    found = TOKEN.search(someone.sees("只能用一次").text)
    assert found
    return found.group(1)


# ── consent ──────────────────────────────────────────────────────────────────


async def test_the_first_words_are_kept_until_consent(town: Town) -> None:
    aunt = await town.person("", consent=False)
    await aunt.says("谁负责王家沟")
    aunt.sees("删除我的信息")
    assert aunt.last.labels[:2] == ["同意", "不同意"]
    aunt.sees_not("王家沟")
    await aunt.says("同意")
    aunt.sees("记下了")
    aunt.sees("王家沟村")
    rows = await town.rows("SELECT version, answer FROM consents WHERE township_id = :t")
    assert [tuple(row) for row in rows] == [(2, "agreed")]
    people_rows = await town.rows("SELECT consent_version, consent_ms FROM people WHERE township_id = :t")
    assert [tuple(row) for row in people_rows] == [(2, town.clock.now_ms())]


async def test_consent_is_five_short_lines_and_the_rest_is_a_button_away(town: Town) -> None:
    aunt = await town.person("", consent=False)
    await aunt.says("你好")
    told = aunt.sees("五件事")
    numbered = [line for line in told.text.splitlines() if line[:2] in ("1.", "2.", "3.", "4.", "5.")]
    assert len(numbered) == 5 and max(map(len, told.text.splitlines())) <= 60
    assert "聊天半年，谁举报的1年，照片2年" in told.text, "the policy's own times"
    await aunt.taps("详细")
    aunt.sees("农膜回收台账按规定不少于 2 年")
    assert aunt.last.labels[:2] == ["同意", "不同意"], "the question stays open"
    await aunt.taps("同意")
    aunt.sees("记下了")


async def test_words_instead_of_an_answer_get_the_question_again_and_are_not_lost(town: Town) -> None:
    aunt = await town.person("", consent=False)
    await aunt.says("你好")
    await aunt.says("谁负责王家沟")
    aunt.sees("替您留着", "同意")
    await aunt.taps("同意")
    aunt.sees("我要举报")
    aunt.sees("王家沟村")


async def test_agreeing_in_other_words_is_agreeing_and_answers_nothing_else(town: Town) -> None:
    agreeing = ("好的", "好", "可以", "行", "ok", "OK", "我同意", "同意。", "agree", "yes", "好的，谢谢")
    for said in agreeing:
        aunt = await town.person("", consent=False)
        await aunt.sends_photo()
        await aunt.says(said)
        aunt.sees("记下了")
        aunt.sees("在哪里")
    rows = await town.rows("SELECT answer FROM consents WHERE township_id = :t")
    assert [row["answer"] for row in rows] == ["agreed"] * len(agreeing)


@pytest.mark.parametrize("said", ["不行", "我不同意"])
async def test_refusing_in_other_words_is_refusing(town: Town, said: str) -> None:
    aunt = await town.person("", consent=False)
    await aunt.says("你好")
    await aunt.says(said)
    aunt.sees("已经删掉")


async def test_of_what_waits_for_consent_only_what_says_something_is_kept(town: Town) -> None:
    aunt = await town.person("", consent=False)
    await aunt.sends_photo()
    for said in ("唉", "哦哦", "15.6", "100000", "？？？", "好了"):
        await aunt.says(said)
    await aunt.taps("同意")
    aunt.sees("在哪里")
    assert len([heard for heard in aunt.news if "在哪里" in heard.text]) == 1


async def test_a_command_s_button_before_consent_is_done_after_it(town: Town) -> None:
    aunt = await town.person("王大娘")
    await town.write("UPDATE people SET consent_version = 0 WHERE township_id = :t")
    await aunt.says("你好")
    aunt.sees("改过了")
    await aunt.taps("积分")  # of the old menu
    aunt.sees_not("这个按钮是给别人的")
    aunt.sees("替您留着")
    await aunt.taps("同意")
    aunt.sees("记下了")
    aunt.sees("积分")


@pytest.mark.parametrize("said", ["我的积分", "/points", "我的举报"])
async def test_a_command_after_a_long_silence_is_simply_done(town: Town, said: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    town.clock.advance(hours=13)
    await aunt.says(said)
    aunt.sees_not("还没办完")
    assert len(aunt.news) >= 1
    town.clock.advance(hours=13)
    await aunt.says("桥头有一堆垃圾没人管")
    aunt.sees("上次的", "还没办完")


async def test_a_refusal_erases_the_contact_and_says_how_to_come_back(town: Town) -> None:
    aunt = await town.person("", consent=False)
    await aunt.starts()
    await aunt.taps("不同意")
    aunt.sees("已经删掉", "回来")
    assert (
        await town.rows(
            "SELECT 1 FROM contacts WHERE township_id = :t AND address = :address", address=aunt.driver.address
        )
        == []
    )
    town.clock.advance(hours=2)
    await town.tick()
    assert (
        await town.rows(
            "SELECT 1 FROM inbox WHERE township_id = :t AND (address = :address OR body <> :empty)",
            address=aunt.driver.address,
            empty=b"",
        )
        == []
    )
    await aunt.says("你好")
    await aunt.taps("同意")
    aunt.sees("我要举报")


async def test_a_changed_text_asks_again_and_a_slip_of_the_finger_loses_nothing(town: Town) -> None:
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    await town.write("UPDATE people SET consent_version = 0 WHERE township_id = :t")
    await cleaner.says("我的信息")
    cleaner.sees("改过了")
    await cleaner.taps("不同意")
    cleaner.sees("真的不同意吗")
    await cleaner.says("同意")
    cleaner.sees("真的不同意吗")
    await cleaner.taps("再想想")
    cleaner.sees("没有删")
    await cleaner.says("我的信息")
    await cleaner.taps("同意")
    cleaner.sees("王家沟村 保洁员")
    answers = await town.rows("SELECT answer FROM consents WHERE township_id = :t ORDER BY id")
    assert [row["answer"] for row in answers] == ["agreed", "agreed"]


async def test_whoever_never_answers_is_not_kept(town: Town) -> None:
    silent = await town.person("", consent=False)
    await silent.says("有人吗")
    kept = await town.person("王大娘")
    for _ in range(9):
        town.clock.advance(days=1)
        await town.tick()
    states = {row["id"]: row["state"] for row in await town.rows("SELECT id, state FROM people WHERE township_id = :t")}
    assert states.pop(await kept.person_id()) == "active"
    assert list(states.values()) == ["erased"]


# ── invitations ──────────────────────────────────────────────────────────────


async def test_an_invitation_from_the_console_makes_the_first_admin(town: Town) -> None:
    token = await token_for(town, "admin", "")
    head = await town.person("", consent=False)
    await head.starts(token)
    await head.taps("同意")
    welcome = head.sees("欢迎", "青禾塬镇 管理员")
    assert "发邀请" in welcome.labels
    stored = await town.rows("SELECT token_hash FROM invitations WHERE township_id = :t")
    assert stored[0]["token_hash"] != token and len(stored[0]["token_hash"]) == 64


async def test_an_admin_invites_a_cleaner_with_a_link_and_a_picture(town: Town) -> None:
    head = await town.person("马主任", role="admin")
    token = await invites(head, "保洁员", "王家沟")
    answer = head.sees("https://chat.example/?join=", "72 小时")
    assert len(answer.media) == 1 or any(heard.media for heard in head.news)
    pictures = await town.rows("SELECT content FROM media WHERE township_id = :t")
    assert pictures[0]["content"].startswith(b"\x89PNG") and len(pictures[0]["content"]) < 2_000
    cleaner = await town.person("", consent=False)
    await cleaner.starts(token)
    await cleaner.taps("同意")
    welcome = cleaner.sees("欢迎", "王家沟村 保洁员")
    assert "称重" in welcome.labels
    head.sees("王家沟村 保洁员", "接受")


async def test_who_joins_without_a_name_is_asked_for_one(town: Town) -> None:
    """What somebody decides is signed with a name; nobody who comes with one is asked."""
    head = await town.person("马主任", role="admin")
    keeper = await town.person("")
    await town.write("UPDATE people SET name = '' WHERE township_id = :t AND id = :id", id=await keeper.person_id())
    await keeper.starts(await invites(head, "网格员", "王家沟"))
    keeper.sees("欢迎")
    keeper.sees("怎么称呼您")
    head.sees("您的邀请有人接受了", "王家沟村 网格员")
    await keeper.says("赵网格")
    keeper.sees("以后叫您赵网格")
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    await town.tick()
    await keeper.taps("属实")
    keeper.sees("经办：赵网格")
    await aunt.starts(await invites(head, "保洁员", "王家沟"))
    aunt.sees("欢迎")
    aunt.sees_not("怎么称呼您")
    head.sees("王大娘接受了邀请")


@pytest.mark.parametrize(("paste", "words"), [(True, "?join="), (False, "")])
async def test_a_link_works_once_and_for_one_person(town: Town, paste: bool, words: str) -> None:
    token = await token_for(town)
    first = await town.person("李师傅")
    if paste:
        await first.says(f"看看这个 https://chat.example/{words}{token}")
    else:
        await first.starts(token)
    first.sees("欢迎", "保洁员")
    await first.starts(token)
    first.sees("已经是「王家沟村 保洁员」")
    second = await town.person("赵四")
    await second.starts(token)
    second.sees("有人用过", "环境治理办")
    roles = await town.rows("SELECT person_id FROM roles WHERE township_id = :t AND until_ms IS NULL")
    assert [row["person_id"] for row in roles] == [await first.person_id()]


async def test_expired_unknown_and_withdrawn_invitations_say_whom_to_ask(town: Town) -> None:
    head = await town.person("马主任", role="admin")
    old = await invites(head, "网格员", "王家沟")
    town.clock.advance(hours=73)
    late = await town.person("赵四")
    await late.starts(old)
    late.sees("过期", "马主任")
    await late.starts("x" * 43)
    late.sees("邀请链接不对", "环境治理办")
    taken_back = await invites(head, "网格员", "王家沟")
    await head.taps("作废")
    head.sees("已经作废")
    await late.starts(taken_back)
    late.sees("已经作废", "马主任")
    assert await late.person_id() not in {
        row["person_id"] for row in await town.rows("SELECT person_id FROM roles WHERE township_id = :t")
    }


async def test_an_invitation_ends_with_the_right_of_whoever_gave_it(town: Town) -> None:
    staff = await town.person("赵干事", role="staff", area="王家沟")
    token = await invites(staff, "保洁员", "王家沟")
    await town.write("UPDATE roles SET until_ms = 1 WHERE township_id = :t")
    someone = await town.person("赵四")
    await someone.starts(token)
    someone.sees("作废", "环境治理办")


async def test_staff_invite_only_those_below_them_in_their_own_village(town: Town) -> None:
    staff = await town.person("赵干事", role="staff", area="王家沟")
    await staff.says("/invite")
    assert "管理员" not in staff.last.labels and "财务人员" not in staff.last.labels
    await staff.taps("保洁员")
    assert "王家沟村" in staff.last.labels
    await staff.says("柳树湾")
    staff.sees("没找到「柳树湾」")
    await staff.taps("王家沟村")
    staff.sees("王家沟村", "保洁员")


async def test_a_villager_is_told_who_can_invite(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("/invite")
    aunt.sees("镇上工作人员或管理员")
    await aunt.says("/roles")
    aunt.sees("管理员来办")


# ── roles ────────────────────────────────────────────────────────────────────


async def test_who_holds_what_and_taking_a_role_back(town: Town) -> None:
    head = await town.person("马主任", role="admin")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    await head.says("/roles")
    head.sees("李师傅 · 王家沟村 保洁员", "马主任")
    await head.taps("收回角色")
    await head.says("李师傅")
    await head.taps("收回")
    head.sees("已经收回")
    cleaner.sees("收回了您的角色", "王家沟村 保洁员")
    await cleaner.says("/help")
    assert "称重" not in cleaner.last.labels


async def test_the_last_admin_stays(town: Town) -> None:
    head = await town.person("马主任", role="admin")
    await head.says("收回角色")
    await head.says("马主任")
    await head.taps("收回")
    head.sees("最后一个管理员")
    rows = await town.rows("SELECT 1 FROM roles WHERE township_id = :t AND role = 'admin' AND until_ms IS NULL")
    assert len(rows) == 1


async def test_who_answers_for_a_village(town: Town) -> None:
    await town.person("李师傅", role="cleaner", area="王家沟")
    await town.person("赵干事", role="staff")
    aunt = await town.person("王大娘")
    await aunt.says("王家沟归谁管？")
    aunt.sees("保洁员：李师傅", "工作人员：赵干事")
    await aunt.says("谁负责")
    await aunt.says("柳树湾")
    aunt.sees("赵干事")
    aunt.sees_not("李师傅")
    await aunt.says("/who 天边")
    aunt.sees("没找到「天边」")


# ── erasure ──────────────────────────────────────────────────────────────────


async def test_an_erased_person_leaves_no_name_and_may_come_back(town: Town) -> None:
    aunt = await town.person("王大娘", role="cleaner", area="王家沟")
    old = await aunt.person_id()
    await aunt.says("/name 王婶婶")
    await aunt.says("删除我的信息")
    aunt.sees("会删掉", "会留下")
    await aunt.taps("不删")
    aunt.sees("没有删")
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    aunt.sees("已经删除")
    town.clock.advance(hours=2)
    await town.tick()
    erased = "SELECT name, state, consent_version FROM people WHERE township_id = :t AND id = :id"
    assert [tuple(row) for row in await town.rows(erased, id=old)] == [("", "erased", None)]
    address = aunt.driver.address
    for table in ("contacts", "inbox", "outbox"):
        sql = f"SELECT 1 FROM {table} WHERE township_id = :t AND address = :address"
        assert await town.rows(sql, address=address) == [], table
    assert await town.rows("SELECT 1 FROM timers WHERE township_id = :t AND payload LIKE :a", a=f"%{address}%") == []
    assert await town.rows("SELECT 1 FROM roles WHERE township_id = :t AND until_ms IS NULL") == []
    await aunt.says("你好")
    aunt.sees("删除我的信息")
    await aunt.taps("同意")
    assert await aunt.person_id() != old
    await aunt.says("/me")
    aunt.sees("您的信息")
    aunt.sees_not("王婶婶")
    aunt.sees_not("保洁员")
    answers = await town.rows("SELECT answer FROM consents WHERE township_id = :t ORDER BY id")
    assert [row["answer"] for row in answers] == ["agreed", "withdrawn", "agreed"]


async def test_what_is_written_right_after_the_erasure_stays(town: Town) -> None:
    aunt = await town.person("王大娘")
    old = await aunt.person_id()
    await aunt.says("/name 王婶婶")
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    await aunt.says("谁负责王家沟")
    await aunt.taps("同意")
    aunt.sees("王家沟村")
    await aunt.says("/name 新来的")
    town.clock.advance(hours=2)
    await town.tick()
    await aunt.says("我的信息")
    aunt.sees("称呼：新来的")
    assert await aunt.person_id() != old


# ── oneself, reminders, the menu ─────────────────────────────────────────────


async def test_name_and_language(town: Town) -> None:
    aunt = await town.person("")
    await aunt.says("改称呼")
    await aunt.says("12345")
    aunt.sees("用不了")
    await aunt.says("王大娘")
    aunt.sees("以后叫您王大娘")
    await aunt.says("/name 王 婶")
    aunt.sees("王 婶")
    await aunt.says("语言")
    await aunt.taps("English")
    aunt.sees("English from now on")
    await aunt.says("my details")
    aunt.sees("Name: 王 婶")


async def test_reminders_are_put_off_and_stopped(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("/snooze 60 report")
    aunt.sees("以后再提醒")
    town.clock.advance(minutes=59)
    await town.tick()
    aunt.sees_not("时间到了")
    town.clock.advance(minutes=2)
    await town.tick()
    assert aunt.sees("时间到了").labels == ["我要举报"]
    await aunt.says("稍后提醒")
    await aunt.taps("3 小时后")
    await aunt.says("不再提醒")
    aunt.sees("不再提醒您")
    town.clock.advance(hours=4)
    await town.tick()
    aunt.sees_not("时间到了")
    await aunt.says("提醒")
    aunt.sees("现在不提醒")
    await aunt.taps("恢复提醒")
    aunt.sees("照常提醒")


@pytest.mark.parametrize("said", ["/fly", "咕咕嘎嘎", "……"])
async def test_whatever_is_not_understood_gets_the_menu(town: Town, said: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(said)
    aunt.sees("我要举报")
    assert {"我的积分", "我的补贴", "我的信息"} <= set(aunt.last.labels)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_a_menu_label_typed_as_words_does_what_its_button_does(language: str) -> None:
    """Where a channel has no buttons, people type what they read."""
    catalogue = Catalogues(ZONE)[language]
    phrases = catalogue.synonyms("phrase.")
    aliases = {"subsidies": "subsidy"}
    for item in MENU:
        assert item.command in registry.COMMANDS or item.command in registry.FORM_COMMANDS
        label = catalogue.render(text(f"menu.{item.command}"))
        assert phrases.get(bare(label)) == aliases.get(item.command, item.command), label


async def test_the_platform_s_own_menu_follows_the_role(town: Town) -> None:
    """Only Telegram has one: everybody's, the groups', and that of somebody with work to do."""
    cleaner = await town.person("老李", role="cleaner", area="王家沟")
    aunt = await town.person("王大娘")
    await aunt.says("菜单")
    await cleaner.says("菜单")
    if town.channel != "telegram":
        assert await town.rows("SELECT 1 FROM outbox WHERE township_id = :t AND message_key LIKE 'commands%'") == []
        return
    menus = town.bot_api.world.menus
    everybody = [one["command"] for one in menus["all_private_chats", 0, "zh"]]
    assert everybody[:2] == ["report", "mycases"] and menus["all_private_chats", 0, "en"][0]["description"]
    assert [one["command"] for one in menus["all_group_chats", 0, ""]] == ["rollcall", "who", "help"]
    own = menus["chat", cleaner.driver.user.id, ""]
    assert own[0] == {"command": "weigh", "description": "称重"}
    assert ("chat", aunt.driver.user.id, "") not in menus
    await cleaner.says("/language en")
    await cleaner.says("menu")
    assert menus["chat", cleaner.driver.user.id, ""][0]["description"] == "Weigh film"


async def test_greetings_and_being_at_a_loss(town: Town) -> None:
    aunt = await town.person("王大娘")
    for said in ("你好", "不知道怎么办", "帮助", "/start"):
        await aunt.says(said)
        aunt.sees("青禾塬镇净乡服务")
    await aunt.says("隐私说明")
    aunt.sees("个人信息说明")


async def test_in_a_group_nothing_personal_is_told(town: Town) -> None:
    """Only Telegram has groups; the township's page is always one person's own."""
    if town.channel != "telegram":
        aunt = await town.person("王大娘")
        await aunt.says("/me")
        aunt.sees("称呼：王大娘")
        return
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    group = town.bot_api.group("王家沟村群")

    async def says(words: str) -> str:
        await cleaner.driver._arrives(cleaner.driver.user.says(words, to=group))
        await town.work()
        return str((await group.hears()).text)

    for personal in ("/me", "/link", "/name 李四", "/roles", "/claims", "/invite", "/erase", "/join x", "/proxy"):
        answer = await says(personal)
        assert "单独跟我说" in answer or "来办" in answer, (personal, answer)
    assert "李师傅" in await says("/who 王家沟")
    row = await town.app.database.read(people_row(await cleaner.person_id()))
    assert row is not None and row["name"] == "李师傅"


def people_row(person_id: int) -> Any:
    """A read of one person's row."""

    async def work(tx: Tx) -> Any:
        return await people.person(tx, person_id)

    return work
