"""«绑定我家» and «代家里老人办»: claimed in the chat, confirmed by those in charge, undone by oneself."""

from __future__ import annotations

import pytest

from bot.errors import PersonError
from handlers.households.beneficiary import beneficiary_household
from storage.database import Tx
from storage.people import belonging
from storage.people.claims import links_of_person
from tests.stories.doings import (
    balance,
    household_id,
    joins,
    reports_for_an_elder,
    the_month_turns,
    time_to_take_back_is_over,
)
from tests.stories.town import Someone, Town


async def files_for(town: Town, someone: Someone, **answers: object) -> int | None:
    person_id = await someone.person_id()

    async def work(tx: Tx) -> int | None:
        return await beneficiary_household(tx, person_id, answers)

    return await town.app.database.read(work)


async def home_of(town: Town, someone: Someone) -> int | None:
    """The household that somebody belongs to."""
    person_id = await someone.person_id()
    links = await town.app.database.read(lambda tx: links_of_person(tx, person_id))
    return next((link["household_id"] for link in links if link["relation"] != "proxy"), None)


async def claims(someone: Someone, said: str, relation: str) -> None:
    await someone.says("绑定我家")
    await someone.says(said)
    await someone.taps(relation)
    await someone.taps("申请绑定")


async def test_a_household_is_one_s_own_once_the_grid_keeper_says_so(town: Town) -> None:
    keeper = await town.person("张网格", role="grid_keeper", area="王家沟")
    other = await town.person("别村网格", role="grid_keeper", area="柳树湾")
    aunt = await town.person("孙雪梅")
    await claims(aunt, "孙雪梅", "我是家里人")
    aunt.sees("已经请管王家沟村 张家社的人确认", "王正川家")
    keeper.sees("孙雪梅说自己是这家的人", "N0104")
    assert other.news == []
    assert await home_of(town, aunt) is None
    await aunt.says("/me")
    aunt.sees_not("王正川家")
    aunt.sees("等着确认")
    await keeper.taps("是，确认")
    keeper.sees("已经确认")
    aunt.sees("张网格确认了", "王正川家")
    assert await home_of(town, aunt) == await household_id(town, "N0104")
    await aunt.says("/me")
    aunt.sees("家庭：王正川家（王家沟村）")
    await keeper.taps("不是")
    keeper.sees("张网格已经确认过了")
    rows = await town.rows("SELECT * FROM household_members WHERE township_id = :t")
    links = await town.app.database.read(lambda tx: belonging.opened(tx, rows, "linked_by"))
    found = [(row["relation"], row["person_id"], row["linked_by"]) for row in links]
    assert found == [("member", await aunt.person_id(), await keeper.person_id())]
    await aunt.says("解绑")
    await aunt.taps("解除")
    assert await home_of(town, aunt) is None


async def test_a_household_is_found_by_card_but_not_by_leafing_through(town: Town) -> None:
    await town.person("赵干事", role="staff")
    nosy = await town.person("好奇")
    await nosy.says("绑定我家")
    for said in ("王", "王正", "张"):
        await nosy.says(said)
        nosy.sees("没找到")
        assert not any("·" in label for label in nosy.last.labels)
    await nosy.says("n0104")
    nosy.sees("您是这家的什么人")
    await nosy.taps("我是户主")
    review = nosy.sees("王正川 · 王家沟村 张家社")
    assert "1000000" not in review.text


async def test_two_of_one_name_are_told_apart_by_the_place(town: Town) -> None:
    rows = await town.rows(
        "SELECT householder, COUNT(*) AS n FROM households WHERE township_id = :t AND until_ms IS NULL"
        " AND status <> 'closed' GROUP BY householder HAVING COUNT(*) > 1 ORDER BY householder"
    )
    name = rows[0]["householder"]
    aunt = await town.person("王大娘")
    await aunt.says("绑定我家")
    await aunt.says(name)
    asked = aunt.sees("是哪一家")
    options = [label for label in asked.labels if label.startswith(f"{name} · ")]
    assert len(options) >= 2 and len(set(options)) == len(options)
    await aunt.taps(options[1])
    aunt.sees("您是这家的什么人")


async def test_denied_and_asked_twice(town: Town) -> None:
    keeper = await town.person("张网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await claims(aunt, "N0104", "我是户主")
    await claims(aunt, "N0104", "我是户主")
    aunt.sees("正在等人确认")
    await keeper.says("待确认")
    keeper.sees("有 1 个家庭绑定")
    await keeper.taps("不是")
    aunt.sees("张网格没有确认")
    assert await town.rows("SELECT 1 FROM household_members WHERE township_id = :t") == []
    await keeper.says("/claims")
    keeper.sees("没有等您确认")


async def test_only_those_in_charge_there_decide_and_never_for_themselves(town: Town) -> None:
    other = await town.person("别村网格", role="grid_keeper", area="柳树湾")
    keeper = await town.person("张网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await claims(aunt, "N0104", "我是户主")
    claim = (await town.rows("SELECT id FROM household_claims WHERE township_id = :t"))[0]["id"]
    await other.says(f"/member {claim} yes")
    other.sees("王家沟村 张家社不归您管", "网格员")
    await aunt.says(f"/member {claim} yes")
    aunt.sees("由网格员或镇上工作人员来办")
    await claims(keeper, "N0105", "我是户主")
    keeper.sees("还没有人能确认")
    own = (await town.rows("SELECT MAX(id) AS id FROM household_claims WHERE township_id = :t"))[0]["id"]
    await keeper.says(f"/member {own} yes")
    keeper.sees("不能自己确认")
    for odd in ("/member", "/member x yes", "/member 12 yes", f"/member {claim} maybe"):
        await keeper.says(odd)
        keeper.sees("没找到这个申请")
    states = {row["state"] for row in await town.rows("SELECT state FROM household_claims WHERE township_id = :t")}
    assert states == {"pending"}


async def test_a_cadre_acts_for_an_elder_and_the_reward_stays_the_elder_s(town: Town) -> None:
    keeper = await town.person("张网格", role="grid_keeper", area="王家沟")
    son = await town.person("王子轩")
    await son.says("代家里老人办")
    await son.says("王家沟 王三")
    await son.taps("申请绑定")
    keeper.sees("替这家老人办事", "N0107")
    with pytest.raises(PersonError):
        await files_for(town, son, beneficiary={"id": str(await household_id(town, "N0107")), "label": ""})
    await keeper.taps("是，确认")
    son.sees("可以替王三家办事")
    elder = await household_id(town, "N0107")
    assert await files_for(town, son, beneficiary={"id": str(elder), "label": "王三家"}) == elder
    assert await files_for(town, son) is None
    await son.says("/me")
    son.sees("代办：王三家（王家沟村）")
    await son.says("代家里老人办")
    await son.taps("替王三家举报")
    son.sees_not("您是这家的什么人")
    assert son.news


async def test_a_report_for_an_elder_pays_the_elder_s_household(town: Town) -> None:
    keeper = await town.person("张网格", role="grid_keeper", area="王家沟")
    son = await town.person("王子轩")
    await claims(son, "N0104", "我是家里人")
    await keeper.taps("是，确认")
    await reports_for_an_elder(son, keeper)
    son.sees("请看对不对", "积分归：王三家 王家沟村")
    await son.taps("提交")
    await keeper.taps("属实")
    await time_to_take_back_is_over(town)
    assert [await balance(town, "points", card) for card in ("N0107", "N0104")] == [0, 0]
    await the_month_turns(town)
    assert [await balance(town, "points", card) for card in ("N0107", "N0104")] == [5, 0]


async def test_an_erased_claimant_can_no_longer_be_confirmed(town: Town) -> None:
    keeper = await town.person("张网格", role="grid_keeper", area="王家沟")
    aunt = await town.person("王大娘")
    await claims(aunt, "N0104", "我是户主")
    await aunt.says("删除我的信息")
    await aunt.taps("删除")
    await keeper.taps("是，确认")
    keeper.sees("已经撤回")
    assert await town.rows("SELECT 1 FROM household_members WHERE township_id = :t") == []


async def test_joining_two_contacts_keeps_the_household(town: Town) -> None:
    keeper = await town.person("张网格", role="grid_keeper", area="王家沟")
    first = await town.person("王大娘")
    town.clock.advance(minutes=1)
    second = await town.person("", channel="web")
    await claims(second, "N0104", "我是户主")
    await keeper.taps("是，确认")
    await joins(first, second)
    await first.says("我的信息")
    first.sees("王正川家")
    assert await home_of(town, first) == await household_id(town, "N0104")
