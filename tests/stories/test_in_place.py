"""Messages that change in place: a case's card, a roll-call, lists and the menu; sent anew where that can't be done."""

from __future__ import annotations

from tests.stories.doings import reports
from tests.stories.town import Someone, Town


def in_place(town: Town) -> bool:
    """WeChat shows what was sent for ever."""
    return town.channel != "wechat"


def cards(someone: Someone, number: str) -> list[str]:
    """What the person's messages about a case say now."""
    return [heard.text for heard in someone.heard if number in heard.text]


async def test_a_decided_case_loses_its_buttons_wherever_it_is_shown(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    boss = await town.person("李主任", role="staff")
    number = await reports(await town.person("王大娘"))
    card = boss.sees("新举报", number)
    messages = len(boss.heard)
    await keeper.taps("属实")
    keeper.sees(number, "已记为「属实」")
    if in_place(town):
        changed = boss.sees(number, "属实", "赵网格")
        assert changed.labels == [] and boss.heard.count(changed) == 1
        assert len(cards(boss, number)) == 1 and "新举报" not in cards(boss, number)[0]
        assert any("属实" in told and "赵网格" in told for told in cards(keeper, number))
    else:
        assert boss.news == []
    assert len(boss.heard) == messages, "nobody is told of it"
    await boss.taps("不属实", on=card)  # pressed before the change was seen
    boss.sees(number, "已经由赵网格", "属实")


async def test_a_case_opened_by_its_number_is_a_message_of_its_own(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    number = await reports(await town.person("王大娘"))
    messages = len(keeper.heard)
    await keeper.says(f"/case {number}")
    keeper.sees(number, "属实")
    assert len(keeper.heard) == messages + 1


async def test_a_reporter_s_own_messages_are_not_known_by_the_case(town: Town) -> None:
    aunt = await town.person("王大娘")
    number = await reports(aunt)
    await aunt.says(f"/case {number}")
    aunt.sees(number)
    rows = await town.rows(
        "SELECT card FROM outbox WHERE township_id = :t AND address = :address AND card IS NOT NULL",
        address=aunt.driver.address,
    )
    assert [row["card"] for row in rows if row["card"].startswith("case:")] == []


async def test_the_menu_turns_its_pages_where_it_stands(town: Town) -> None:
    staff = await town.person("孙干事", role="staff")
    await staff.says("菜单")
    first = staff.last.labels
    messages = len(staff.heard)
    assert "更多" in first and len(first) <= 8
    await staff.taps("更多")
    second = staff.news[-1].labels
    assert "返回" in second and len(second) <= 8 and set(second) - {"更多"} != set(first)
    await staff.taps("返回", on=staff.news[-1])
    assert staff.news[-1].labels == first
    assert len(staff.heard) == messages + (0 if in_place(town) else 2)


async def test_what_waits_stands_in_the_menu_and_leads_to_it(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    number = await reports(await town.person("王大娘"))
    await keeper.says("菜单")
    assert keeper.last.labels[0] == "待办 1"
    await keeper.taps("待办 1")
    keeper.sees(number)
    await keeper.says(f"/verify {number} true")
    await keeper.says("菜单")
    assert not any(label.startswith("待办 ") for label in keeper.last.labels)


async def test_a_roll_call_is_looked_at_again_where_it_stands(town: Town) -> None:
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    staff = await town.person("孙干事", role="staff")
    town.clock.go_to("2026-11-20 10:00")
    await staff.says("点名")
    staff.sees("已报 0/24")
    messages = len(staff.heard)
    await keeper.says("12人 3车 8方")
    await keeper.taps("提交")
    again = next(label for label in staff.last.labels if "再" in label or "刷新" in label)
    await staff.taps(again)
    staff.sees("已报 1/24")
    assert len(staff.heard) == messages + (0 if in_place(town) else 1)
