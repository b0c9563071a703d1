"""Film by weight: a cleaner in a hurry, a careful one, odd weights, objections, corrections (D13, D14)."""

from __future__ import annotations

from typing import Any

from tests.stories.town import Someone, Town

HOUSEHOLD = "N0123"  # 张三, 王家沟村张家社


async def household_id(town: Town, card: str = HOUSEHOLD) -> int:
    rows = await town.rows(
        "SELECT household_id FROM households WHERE township_id = :t AND card_no = :card AND until_ms IS NULL", card=card
    )
    return int(rows[0]["household_id"])


async def belongs(town: Town, someone: Someone, card: str = HOUSEHOLD) -> None:
    """Link somebody to a household behind the program's back."""
    await town.write(
        "INSERT INTO household_members (township_id, id, household_id, person_id, relation, from_ms)"
        " VALUES (:t, :id, :household_id, :person_id, 'member', 0)",
        id=town.app.ids.next(),
        household_id=await household_id(town, card),
        person_id=await someone.person_id(),
    )


async def balance(town: Town, unit: str, card: str = HOUSEHOLD) -> int:
    rows = await town.rows(
        "SELECT balance FROM balances WHERE township_id = :t AND account = :account AND unit = :unit",
        account=f"household:{await household_id(town, card)}",
        unit=unit,
    )
    return int(rows[0]["balance"]) if rows else 0


async def cleaner_of(town: Town, name: str = "李师傅", area: str = "王家沟") -> Someone:
    return await town.person(name, role="cleaner", area=area)


async def weighs(cleaner: Someone, line: str) -> None:
    """One line, one tap."""
    await cleaner.says(line)
    await cleaner.taps("记账")


async def test_a_cleaner_in_a_hurry(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("张三 15.6公斤")
    cleaner.sees("张三", "15.6公斤", "地膜")
    await cleaner.taps("记账")
    ticket = cleaner.sees("F2026-00001", "毛重 15.6公斤", "扣杂 0公斤", "折净 15.6公斤")
    assert "县补 15.60元" in ticket.text
    assert "镇补 7.80元" in ticket.text
    assert "合计 23.40元" in ticket.text
    assert "积分 15分" in ticket.text
    assert (await balance(town, "fen"), await balance(town, "points")) == (2340, 15)
