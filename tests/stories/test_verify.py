"""Staff verify: true, not true with a reason, duplicate of. Points follow; an anonymous reward needs its code."""

from __future__ import annotations

import pytest

from handlers.cases import rules
from storage.database import Tx
from storage.product import cases, integrity, ledger
from storage.product.integrity import Flaw
from tests.stories.doings import (
    belongs,
    held,
    number_of,
    reports,
    reports_anonymously,
    the_case,
    the_month_turns,
    time_to_take_back_is_over,
)
from tests.stories.town import Town


async def whole(town: Town) -> None:
    """The ledger is whole, nothing is held for a decided case, and every state has its event."""

    async def look(tx: Tx) -> tuple[list[Flaw], int]:
        return await ledger.faults(tx), len(await integrity.without_event(tx))

    assert await town.app.database.read(look) == ([], 0)
    stuck = await town.rows(
        "SELECT b.account FROM balances b JOIN cases c ON c.township_id = b.township_id"
        " AND b.account = 'hold:case:' || c.id WHERE b.township_id = :t AND b.balance <> 0 AND c.state <> 'registered'"
        " AND c.settles_ms IS NULL"
    )
    assert list(stuck) == []


async def test_true(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.sends_photo()
    await aunt.taps("发完了")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    await town.tick()
    notice = keeper.heard[-1] if number in keeper.heard[-1].text else keeper.heard[-2]
    assert "乱倒垃圾" in notice.text and "王家沟村 桥头" in notice.text
    assert notice.labels[:3] == ["属实", "不属实", "重复…"]
    assert notice.links[0][0] == "看地图" and "coordinate=wgs84" in notice.links[0][1]
    assert "王大娘" not in notice.text
    await keeper.taps("属实")
    keeper.sees(number, "属实", "赵网格")
    await time_to_take_back_is_over(town)
    aunt.sees(number, "查过了，是真的", "5 分是您的了")
    aunt.sees_not("赵网格")
    case_id = (await the_case(town, number))["id"]
    assert await held(town) == {"programme:reports": -5, f"hold:case:{case_id}": 0, f"reward:case:{case_id}": 5}
    await whole(town)


async def test_the_photos_come_with_the_case(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await aunt.sends_photo(3, album=True, caption="王家沟桥头有人倒垃圾")
    await aunt.taps("提交")
    keeper.sees("新举报")
    await town.tick()
    assert sum(len(heard.media) for heard in keeper.heard) == 3


async def test_two_staff_press_the_same_button(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    boss = await town.person("李主任", role="staff")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    seen = boss.sees("新举报", number)
    await keeper.taps_twice("属实")
    keeper.sees(f"{number}（乱倒垃圾，王家沟村", "）已记为「属实」")
    keeper.sees("已经由赵网格", "不用再办")
    await time_to_take_back_is_over(town)
    assert len([heard for heard in aunt.news if "是您的了" in heard.text]) == 1
    await boss.taps("不属实", on=seen)
    boss.sees(number, "已经由赵网格", "属实")
    boss.sees_not("理由")
    assert (await the_case(town, number))["state"] == "verified"
    await whole(town)


async def test_not_true_needs_a_reason(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await keeper.taps("不属实")
    keeper.sees("必须选一个理由", "现场没有发现")
    assert (await the_case(town, number))["state"] == "registered"
    await keeper.taps("现场没有发现")
    await keeper.taps("附言")
    await keeper.says("下午三点去看过，桥头是干净的")
    keeper.sees(number, "现场没有发现", "桥头是干净的")
    await keeper.taps("确定不属实")
    await time_to_take_back_is_over(town)
    aunt.sees(number, "没看到您说的情况", "现场没有发现", "桥头是干净的", "再报一次")
    assert await held(town) == {"programme:reports": 0, f"hold:case:{(await the_case(town, number))['id']}": 0}
    await whole(town)


async def test_somebody_else_was_quicker_while_the_reason_was_chosen(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    boss = await town.person("李主任", role="staff")
    number = await reports(await town.person("王大娘"))
    await keeper.taps("不属实")
    await keeper.taps("早已清理")
    await boss.taps("属实")
    await time_to_take_back_is_over(town)
    await keeper.taps("确定不属实")
    keeper.sees("已经由李主任", "属实")
    await time_to_take_back_is_over(town)
    assert (await the_case(town, number))["state"] == "verified"
    await keeper.says("/cases")
    keeper.sees("没有等核实")
    await whole(town)


async def test_a_duplicate_leaves_the_points_with_the_first_reporter(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt, uncle = await town.person("王大娘"), await town.person("刘二")
    first = await reports(aunt)
    second = await reports(uncle)
    await keeper.says(f"/verify {second} dup")
    keeper.sees("和哪一件重复", first)
    await keeper.taps(first)
    await keeper.taps("确定重复")
    await time_to_take_back_is_over(town)
    uncle.sees(second, "已经有人先报")
    assert aunt.news == []
    await keeper.says(f"/verify {first} true")
    await time_to_take_back_is_over(town)
    aunt.sees("5 分是您的了")
    case = await the_case(town, second)
    assert (case["state"], case["duplicate_of"]) == ("duplicate", (await the_case(town, first))["id"])
    assert (await held(town))["programme:reports"] == -5
    await whole(town)


async def test_a_duplicate_by_its_number_and_what_it_can_not_be(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    first = await reports(aunt)
    second = await reports(aunt, "王家沟小学有人倒垃圾")
    await keeper.says(f"/verify {first} dup")
    await keeper.says("2026-9999")
    keeper.sees("没有编号「2026-9999」")
    await keeper.says(first)
    await keeper.taps("确定重复")
    keeper.sees("不能和自己重复")
    await time_to_take_back_is_over(town)
    await keeper.says(second)
    await keeper.taps("确定重复")
    keeper.sees("首报算数")
    await time_to_take_back_is_over(town)
    await keeper.taps("取消")
    await keeper.says(f"/verify {second} dup")
    await keeper.says(first)
    await keeper.taps("确定重复")
    await time_to_take_back_is_over(town)
    aunt.sees(second, "已经有人先报")
    await whole(town)


async def test_an_anonymous_reward_is_claimed_with_its_code(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number, code = await reports_anonymously(aunt)
    await aunt.says(f"领奖 {number} {code}")
    aunt.sees("还在核实")
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    aunt.sees(number, "5 分等您来领", "2026-12-18")
    case_id = (await the_case(town, number))["id"]
    assert (await held(town))[f"claim:case:{case_id}"] == 5
    await aunt.says(f"领奖 {number} {code}")
    aunt.sees("5 分已记到您名下")
    await aunt.says(f"领奖 {number} {code}")
    aunt.sees("已经领过")
    assert (await held(town))[f"reward:case:{case_id}"] == 5
    town.clock.advance(days=31)
    await town.tick()
    assert aunt.news == [] or all("退回" not in heard.text for heard in aunt.news)
    await whole(town)


async def test_the_case_tells_nobody_when_its_reward_was_claimed(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    boss = await town.person("王干事", role="admin")
    aunt = await town.person("王大娘")
    numbers = [await reports_anonymously(aunt), await reports_anonymously(aunt, "王家沟小学有人倒垃圾")]
    for number, _ in numbers:
        await keeper.says(f"/verify {number} true")
    await time_to_take_back_is_over(town)
    (claimed, code), (left, _) = numbers
    await aunt.says(f"领奖 {claimed} {code}")
    aunt.sees("5 分已记到您名下")
    town.clock.advance(days=31)
    await town.tick()
    for someone in (keeper, boss):
        for number in (claimed, left):
            await someone.says(f"/case {number}")
            shown = someone.sees(number, "属实").text
            assert "奖励" not in shown and "领" not in shown


async def test_a_grandchild_claims_with_the_code_on_another_phone(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt, grandchild = await town.person("王大娘"), await town.person("小王")
    number, code = await reports_anonymously(aunt)
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    await grandchild.says(f"{number} {code}")
    grandchild.sees("5 分已记到您名下")
    await whole(town)


async def test_the_verifier_can_not_claim(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    number, code = await reports_anonymously(await town.person("王大娘"))
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    await keeper.says(f"/claim {number} {code}")
    keeper.sees("不能由您领奖")
    await whole(town)


async def test_what_nobody_claims_goes_back(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number, code = await reports_anonymously(aunt)
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    town.clock.advance(days=30, minutes=1)
    await town.tick()
    aunt.sees("没有在期限内领取")
    await aunt.says(f"领奖 {number} {code}")
    aunt.sees("领奖期已过")
    assert (await held(town))["programme:reports"] == 0
    await whole(town)


async def test_codes_can_not_be_guessed(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt, thief = await town.person("王大娘"), await town.person("刘二")
    number, code = await reports_anonymously(aunt)
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    wrong = [f"{at:06d}" for at in range(10) if f"{at:06d}" != code][:5]
    for at, guess in enumerate(wrong):
        await thief.says(f"领奖 {number} {guess}")
        thief.sees("还可以试" if at < 4 else "一小时后再来")
    await thief.says(f"领奖 {number} {code}")
    thief.sees("试错太多次")
    assert (await held(town))[f"claim:case:{(await the_case(town, number))['id']}"] == 5
    await aunt.says(f"领奖 {number} {code}")
    aunt.sees("已记到您名下")
    town.clock.advance(hours=1, minutes=1)
    await thief.says(f"领奖 {number} {code}")
    thief.sees("已经领过")
    await whole(town)


@pytest.mark.parametrize("said", ["领奖", "领奖 2026-0001", "/claim 12 ab", "领奖 2026-0001 12345"])
async def test_how_to_claim(town: Town, said: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(said)
    aunt.sees("领奖 2026-0113 1234 5678 9012 3456")


async def of_an_older_program(town: Town, number: str, code: str) -> None:
    """Its named receipts showed a code, too; what it kept of one is sealed at the next start."""
    await town.write(
        "UPDATE cases SET claim_salt = 's', claim_hash = :h WHERE township_id = :t AND number = :n",
        h=rules.hash_code("s", code),
        n=number,
    )
    await town.app.database.transaction(town.app.product.catch_up)


async def test_a_named_reward_needs_no_code(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    aunt.sees_not("领奖码")
    await of_an_older_program(town, number, "123456")
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    aunt.sees("5 分是您的了")
    await aunt.says(f"领奖 {number} 123456")
    aunt.sees("已经直接记给")
    await whole(town)


async def test_nobody_verifies_their_own_report(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    other = await town.person("周网格", role="grid_keeper", area="王家沟")
    number = await reports(keeper)
    keeper.sees_not("新举报")
    other.sees("新举报")
    for verdict in ("true", "false", "dup"):
        await keeper.says(f"/verify {number} {verdict}")
        keeper.sees("您自己报的")
    await other.taps("属实")
    await time_to_take_back_is_over(town)
    keeper.sees("5 分是您的了")
    await whole(town)


async def test_only_the_areas_staff_decide(town: Town) -> None:
    stranger = await town.person("周网格", role="grid_keeper", area="柳树湾")
    cleaner = await town.person("李师傅", role="cleaner", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    assert stranger.news == [] and cleaner.news == []
    for someone in (stranger, cleaner, aunt):
        await someone.says(f"/verify {number} true")
        someone.sees_not("已记为")
        assert someone.news
    assert (await the_case(town, number))["state"] == "registered"
    await stranger.says("/verify 2026-7777 true")
    stranger.sees("没有找到案件")
    await time_to_take_back_is_over(town)


async def test_nobody_on_duty_is_said_and_the_admin_hears(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交")
    aunt.sees("暂时没有值班的人")
    admin = await town.person("孙书记", role="admin")
    await reports(aunt, "王家沟小学有人倒垃圾")
    admin.sees("新举报")


async def test_what_waits_is_listed(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    first = await reports(aunt)
    second = await reports(aunt, "王家沟小学有人倒垃圾")
    await keeper.says("待核实")
    listed = keeper.sees("等核实的有 2 件")
    assert listed.text.index(first) < listed.text.index(second)
    await keeper.taps(first)
    keeper.sees(first, "属实", "不属实")
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    await keeper.says("/cases")
    keeper.sees("等核实的有 1 件", second)


async def test_where_the_only_keeper_reports_the_admin_is_asked(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    admin = await town.person("钱主任", role="admin")
    number = await reports(await town.person("王大娘"))
    assert admin.news == []
    keeper.sees(number)
    own = await reports(keeper)
    admin.sees(own, "属实")


async def test_a_case_that_nobody_verifies_is_late(town: Town) -> None:
    aunt = await town.person("王大娘")
    dump = await reports(aunt)
    fire = await reports(aunt, "王家沟小学有人烧垃圾")
    area_id = await town.area_id("王家沟")

    async def late(hours: int) -> list[str]:
        until_ms = start_ms + hours * 3_600_000 + 1
        found = await town.app.database.read(
            lambda tx: cases.waiting(tx, until_ms=until_ms, area_ids={area_id}, limit=10, late_only=True)
        )
        return [case.number for case in found]

    start_ms = town.clock.now_ms()
    assert [await late(hours) for hours in (1, 2, 23, 24)] == [[], [fire], [fire], [dump, fire]]


async def test_an_erased_reporters_points_wait_for_the_code(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await of_an_older_program(town, number, "123456")
    await town.write("UPDATE case_reporters SET reporter_key = NULL, sealed = NULL WHERE township_id = :t")
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    assert aunt.news == []
    await aunt.says(f"领奖 {number} 123456")
    aunt.sees("5 分已记到您名下")
    await whole(town)


async def test_identities_are_forgotten_after_a_year(town: Town) -> None:
    aunt = await town.person("王大娘")
    await reports(aunt)
    town.clock.advance(days=366)
    await town.tick()
    town.clock.advance(days=1)
    await town.tick()
    rows = await town.rows("SELECT reporter_key, sealed FROM case_reporters WHERE township_id = :t")
    assert [(row["reporter_key"], row["sealed"]) for row in rows] == [(None, None)]


async def test_the_elder_gets_what_the_child_reports(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    child = await town.person("小王")
    household = (await town.rows("SELECT * FROM households WHERE township_id = :t LIMIT 1"))[0]
    await belongs(town, child, household["card_no"], relation="proxy")
    await child.says("王家沟桥头有人倒垃圾")
    await child.taps("跳过")
    child.sees("积分归", "我自己")
    await child.taps("积分归")
    await child.taps(household["householder"])
    child.sees(household["householder"])
    await child.taps("提交")
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    elder = f"household:{household['household_id']}"
    assert (await held(town)).get(elder, 0) == 0, "the day would tell which case it was for"
    await the_month_turns(town)
    assert (await held(town))[elder] == 5
    await whole(town)
