"""What people do in many stories, and what is looked up after it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from handlers.areas.importer import import_folder
from handlers.people.invitations import create_invitation
from storage.database import Tx
from storage.people import households
from tests.stories.town import ZONE, Heard, Someone, StoryDice, Town

HOUSEHOLD = "N0123"  # 张三, 王家沟村张家社
SENTENCE = "王家沟桥头有人倒垃圾"

# -- reports


def number_of(heard: Heard) -> str:
    """The case number of a receipt."""
    number = re.search(r"20\d\d-\d{4}", heard.text)
    assert number, heard.text
    return number[0]


def number_and_code(heard: Heard) -> tuple[str, str]:
    """The case number and the claim code of an anonymous report's receipt."""
    code = re.search(r"领奖码 ((?:\d{4} ?){4})", heard.text)
    assert code, heard.text
    return number_of(heard), code[1]


async def reports(someone: Someone, words: str = SENTENCE) -> str:
    """File a report by a sentence, with one's name; its number."""
    await someone.says(words)
    await someone.taps("跳过")
    await someone.taps("提交")
    return number_of(someone.sees("收到了"))


async def reports_anonymously(someone: Someone, words: str = SENTENCE) -> tuple[str, str]:
    """File a report by a sentence, without one's name; its number and code."""
    await someone.says(words)
    await someone.taps("跳过")
    await someone.taps("改留名")
    await someone.taps("匿名")
    await someone.taps("提交")
    return number_and_code(someone.sees("收到了"))


async def the_case(town: Town, number: str) -> dict[str, object]:
    """A case's row, with its area's name."""
    rows = await town.rows(
        "SELECT c.*, a.name AS area FROM cases c JOIN areas a ON a.township_id = c.township_id"
        " AND a.area_id = c.area_id AND a.until_ms IS NULL WHERE c.township_id = :t AND c.number = :n",
        n=number,
    )
    assert len(rows) == 1
    return dict(rows[0])


# -- households, points and film


async def household_id(town: Town, card: str = HOUSEHOLD) -> int:
    """A household by its card."""
    rows = await town.rows(
        "SELECT household_id FROM households WHERE township_id = :t AND card_no = :card AND until_ms IS NULL", card=card
    )
    return int(rows[0]["household_id"])


async def belongs(
    town: Town, someone: Someone, card: str = HOUSEHOLD, relation: households.Relation = "member"
) -> None:
    """Link somebody to a household without asking anybody."""
    link = partial(
        households.link_person,
        link_id=town.app.ids.next(),
        household_id=await household_id(town, card),
        person_id=await someone.person_id(),
        relation=relation,
        linked_by=None,
        now_ms=town.clock.now_ms(),
    )
    await town.app.database.transaction(link)


async def reports_for_an_elder(son: Someone, keeper: Someone) -> None:
    """A son, confirmed for 王三's household, reports for it up to the review."""
    await son.says("代家里老人办")
    await son.says("王家沟 王三")
    await son.taps("申请绑定")
    await keeper.taps("是，确认")
    await son.says("代家里老人办")
    await son.taps("替王三家举报")
    await son.taps("乱倒垃圾")
    await son.taps("跳过")
    await son.says("王家沟桥头")


async def balance(town: Town, unit: str, card: str = HOUSEHOLD) -> int:
    """A household's fen or points."""
    rows = await town.rows(
        "SELECT balance FROM balances WHERE township_id = :t AND account = :account AND unit = :unit",
        account=f"household:{await household_id(town, card)}",
        unit=unit,
    )
    return int(rows[0]["balance"]) if rows else 0


async def held(town: Town) -> dict[str, int]:
    """Points by account."""
    rows = await town.rows("SELECT account, balance FROM balances WHERE township_id = :t AND unit = 'points'")
    return {row["account"]: row["balance"] for row in rows}


async def cleaner_of(town: Town, name: str = "李师傅", area: str = "王家沟") -> Someone:
    """A cleaner."""
    return await town.person(name, role="cleaner", area=area)


async def weighs(cleaner: Someone, line: str) -> None:
    """One line, one tap."""
    await cleaner.says(line)
    await cleaner.taps("记账")


# -- one person, two chats


async def code_of(owner: Someone) -> str:
    """A fresh joining code."""
    await owner.says("绑定")
    found = re.search(r"个数：(\d{4} \d{4} \d{2})", owner.sees("个数：").text)
    assert found
    return found[1]


async def joins(owner: Someone, other: Someone) -> None:
    """Make the other chat the owner's, too."""
    await other.says(await code_of(owner))
    await owner.taps("是我")
    other.sees("连好了")


# -- the office


async def time_to_take_back_is_over(town: Town) -> None:
    """Wait until what was decided takes effect (`undo.minutes` of the example's policy)."""
    town.clock.advance(minutes=10)
    await town.tick()


async def the_month_turns(town: Town) -> None:
    """Go to the first of the next month, when rewards have been added up."""
    now = datetime.fromtimestamp(town.clock.ms / 1000, ZONE)
    first = (now.replace(day=28) + timedelta(days=4)).replace(day=1)
    town.clock.go_to(f"{first:%Y-%m-%d} 03:00")
    await town.tick()


async def ticks(town: Town, *moments: str) -> None:
    """Go from moment to moment."""
    for moment in moments:
        town.clock.go_to(moment)
        await town.tick()


async def change_policy(town: Town, old: str, new: str) -> None:
    """Write another policy in place of the example's."""
    body = (await town.rows("SELECT body FROM policies WHERE township_id = :t"))[0]["body"]
    assert old in body
    await town.write("UPDATE policies SET body = :body WHERE township_id = :t", body=body.replace(old, new))
    await town.write("UPDATE townships SET changed_ms = changed_ms + 1 WHERE township_id = :t")


async def imports(town: Town, file: Path, content: str) -> None:
    """Import one file beside what is there."""
    file.write_text(content, "utf-8")
    app = town.app

    async def work(tx: Tx) -> None:
        await import_folder(tx, file, now_ms=town.clock.now_ms(), ids=app.ids)

    await app.database.transaction(work)


async def token_for(
    town: Town, role: str = "cleaner", area: str = "王家沟", hours: int = 72, *, dice: StoryDice | None = None
) -> str:
    """An invitation from the console."""
    area_id, app = await town.area_id(area), town.app

    async def work(tx: Tx) -> str:
        return await create_invitation(tx, app.ids, dice or StoryDice(), role, area_id, town.clock.now_ms(), hours)

    return await app.database.transaction(work)


# -- who reported


async def asks_who_reported(payer: Someone, number: str, why: str = "发奖励") -> None:
    """Ask to see who reported, with a reason."""
    await payer.says(f"/reporter {number}")
    await payer.taps(why)


async def looks_up(payer: Someone, second: Someone, number: str) -> Heard:
    """See who reported: with a reason, and once somebody else has agreed."""
    await asks_who_reported(payer, number)
    payer.sees("请另一个人确认")
    await second.taps("同意", second.sees("想看", number))
    await payer.taps("看举报人", payer.sees("同意了"))
    return payer.sees(number, "举报人")
