"""Film by weight: a cleaner in a hurry, a careful one, odd weights, objections, corrections (D13, D14)."""

from __future__ import annotations

from datetime import datetime

import pytest

from handlers.film.checks import check_tickets
from storage.database import Tx
from storage.product import areas, ledger, policies
from storage.product.integrity import Flaw
from storage.product.ledger import Transfer
from tests.example import EXAMPLE
from tests.stories.doings import balance, belongs, cleaner_of, household_id, time_to_take_back_is_over, weighs
from tests.stories.town import ZONE, Town


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


async def test_the_form_step_by_step(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    cleaner.sees("谁家的膜")
    await cleaner.says("张三")
    cleaner.sees("什么膜")
    await cleaner.taps("棚膜")
    cleaner.sees("多重")
    await cleaner.says("毛16 皮0.4 公斤")
    cleaner.sees("含杂率")
    await cleaner.says("5%")
    cleaner.sees("照片")
    await cleaner.sends_photo()
    await cleaner.taps("发完了")
    review = cleaner.sees("净重15.6公斤", "棚膜", "5%")
    assert "张三" in review.text
    await cleaner.taps("记账")
    ticket = cleaner.sees("F2026-00001")
    assert "毛重 16公斤，皮重 0.4公斤，净重 15.6公斤" in ticket.text
    assert "扣杂 5%：0.78公斤" in ticket.text
    assert "折净 14.82公斤" in ticket.text
    assert "县补 8.89元（每公斤0.6元）" in ticket.text
    assert "镇补 4.45元（每公斤0.3元）" in ticket.text
    assert "合计 13.34元" in ticket.text
    assert "积分 7分" in ticket.text
    rows = await town.rows("SELECT photos FROM film_tickets WHERE township_id = :t")
    assert len(rows) == 1
    assert rows[0]["photos"] != "[]"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("张三 三十一斤半", "15.75公斤"),
        ("张三三十一斤半", "15.75公斤"),
        ("张三家 半吨", "500公斤"),
        ("N0123 毛16皮0.4公斤 杂质5%", "净重15.6公斤"),
        ("n0123 15.6kg", "15.6公斤"),
        ("15.6公斤 张三", "15.6公斤"),
        ("张双全 十二斤", "6公斤"),
    ],
)
async def test_weights_as_people_say_them(town: Town, line: str, shown: str) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says(line)
    cleaner.sees("张三", shown, "记账")
    assert await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t") == []


async def test_the_kind_of_film_can_be_said_in_the_line(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 大棚膜 10公斤")
    cleaner.sees("棚膜", "县补 6.00元", "镇补 3.00元", "积分 5分")


async def test_a_photo_with_the_line_as_its_caption(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.sends_photo(caption="张三 15.6公斤")
    cleaner.sees("张三", "15.6公斤", "记账")
    await cleaner.taps("记账")
    rows = await town.rows("SELECT photos FROM film_tickets WHERE township_id = :t")
    assert rows[0]["photos"] != "[]"


async def test_two_households_of_one_name(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("王建国 20公斤")
    cleaner.sees("叫「王建国」的有 2 户")
    choice = cleaner.sees("王家沟村王家社", "王家沟村沟口社")
    assert any("0111" in label for label in choice.labels)
    await cleaner.taps("沟口社")
    cleaner.sees("20公斤", "沟口社", "记账")
    await cleaner.taps("记账")
    rows = await town.rows("SELECT household_id FROM film_tickets WHERE township_id = :t")
    assert rows[0]["household_id"] == await household_id(town, "N0118")


async def test_a_household_nobody_knows(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("李狗蛋 12公斤")
    cleaner.sees("没找到「李狗蛋」")
    await cleaner.says("王二麻")
    cleaner.sees("没找到「王二麻」", "N0123")
    await cleaner.says("https://chat.example/?card=N0123")
    cleaner.sees("12公斤", "张三", "记账")


async def test_a_weight_without_a_household(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("15.6公斤")
    cleaner.sees("谁家的膜")
    await cleaner.says("张三")
    cleaner.sees("15.6公斤", "记账")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("张三 15.6", "斤还是公斤"),
        ("张三 -5公斤", "负数"),
        ("张三 0公斤", "大于0"),
        ("张三 一吨多", "说得不准"),
        ("张三 0.05公斤", "少于 0.1公斤"),
        ("张三 毛0.4皮16公斤", "皮重不能大于"),
        ("张三 毛16公斤", "把皮重也说上"),
        ("张三 15.6公斤 杂质60%", "含杂超过 50%"),
        ("张三 九千吨", "太大了"),
    ],
)
async def test_a_line_that_can_not_be_is_answered_and_asked_again(town: Town, line: str, said: str) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says(line)
    cleaner.sees(said)
    cleaner.sees("多重")
    await cleaner.says("15.6公斤")
    cleaner.sees("张三", "15.6公斤", "记账")
    assert await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("15.6", "斤还是公斤"),
        ("-3公斤", "负数"),
        ("15袋", "不是重量单位"),
        ("很多", "没听出重量"),
        ("🙂", "还等您回"),
        ("毛16公斤", "皮重也说上"),
        ("三十多斤", "说得不准"),
    ],
)
async def test_the_weight_question_is_patient(town: Town, words: str, said: str) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    await cleaner.says("张三")
    await cleaner.taps("地膜")
    await cleaner.says(words)
    cleaner.sees(said)
    await cleaner.says("三十一斤半")
    cleaner.sees("含杂率")
    await cleaner.taps("跳过")
    await cleaner.taps("跳过")
    cleaner.sees("15.75公斤", "记账")


async def test_an_odd_weight_is_asked_again_even_in_one_line(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 350公斤")
    cleaner.sees("350公斤", "比平时多得多")
    await cleaner.taps("不记")
    cleaner.sees("没有记")
    assert await balance(town, "fen") == 0
    await weighs(cleaner, "张三 350公斤")
    await cleaner.taps("对，记上")
    cleaner.sees("F2026-00001", "县补 350.00元", "积分 350分")


async def test_an_odd_weight_confirmed_in_the_form_is_not_asked_twice(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("/weigh")
    await cleaner.says("张三")
    await cleaner.taps("地膜")
    await cleaner.says("350公斤")
    cleaner.sees("350公斤", "没看错吧")
    await cleaner.taps("对")
    await cleaner.says("30%")
    cleaner.sees("30%", "没看错吧")
    await cleaner.taps("对")
    await cleaner.taps("跳过")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001", "折净 245公斤")


async def test_a_huge_weight_waits_for_staff(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    staff = await town.person("王干事", role="staff")
    other = await town.person("周干事", role="staff", area="阳坡")
    await weighs(cleaner, "张三 1.5吨")
    await cleaner.taps("对，记上")
    cleaner.sees("F2026-00001", "要镇上工作人员确认后才算", "1500公斤")
    await time_to_take_back_is_over(town)
    aunt.sees_not("F2026-00001")
    other.sees_not("F2026-00001")
    asked = staff.sees("F2026-00001", "李师傅", "认可", "不认")
    assert await balance(town, "fen") == 0
    await aunt.says("我的补贴")
    aunt.sees("余额：0.00", "还没到账", "县补 1500.00元", "F2026-00001")
    await staff.taps("认可", on=asked)
    staff.sees("已认可 F2026-00001")
    cleaner.sees("镇上已确认")
    aunt.sees("F2026-00001", "县补 1500.00元", "不对")
    assert await balance(town, "fen") == 225_000
    await staff.taps("认可", on=asked)
    staff.sees("已经处理过了")
    assert await balance(town, "fen") == 225_000
    assert await balance(town, "points") == 500  # the household's limit of a day


async def test_staff_refuse_a_weight_and_say_why(town: Town) -> None:
    cleaner = await cleaner_of(town)
    staff = await town.person("王干事", role="staff")
    await weighs(cleaner, "张三 1.5吨")
    await cleaner.taps("对，记上")
    await time_to_take_back_is_over(town)
    await staff.taps("不认")
    staff.sees("为什么不认")
    await staff.says("秤坏了")
    staff.sees("F2026-00001", "不认")
    cleaner.sees("没有认可", "秤坏了")
    assert await balance(town, "fen") == 0
    spent = await town.rows("SELECT spent_fen FROM film_budgets WHERE township_id = :t AND fund = 'township'")
    assert [row["spent_fen"] for row in spent] == [0]


async def test_nobody_approves_what_they_weighed(town: Town) -> None:
    staff = await town.person("王干事", role="staff")
    admin = await town.person("赵主任", role="admin")
    await weighs(staff, "张三 1.5吨")
    await staff.taps("对，记上")
    await time_to_take_back_is_over(town)
    rows = await town.rows("SELECT id FROM film_tickets WHERE township_id = :t")
    admin.sees("F2026-00001", "认可")
    await staff.says(f"/weight {rows[0]['id']} ok")
    staff.sees("您自己称的")
    assert await balance(town, "fen") == 0


async def test_a_cleaners_own_household_waits_for_staff(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await belongs(town, cleaner)
    await weighs(cleaner, "张三 15公斤")
    cleaner.sees("称的是自己家的膜", "确认后才算")
    assert await balance(town, "fen") == 0


async def test_another_village_waits_for_staff_but_not_at_a_station(town: Town) -> None:
    cleaner = await cleaner_of(town, area="阳坡")
    keeper = await town.person("站长", role="station_keeper", area="陈家塬")
    await weighs(cleaner, "N0123 15公斤")
    cleaner.sees("不在称重人负责的村")
    await weighs(keeper, "N0123 16公斤")
    keeper.sees("记好了", "F2026-00002")
    rows = await town.rows("SELECT station_id FROM film_tickets WHERE township_id = :t ORDER BY id")
    assert [row["station_id"] is None for row in rows] == [True, False]


async def test_the_same_entry_within_ten_minutes_asks_again(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15.6公斤")
    town.clock.advance(minutes=9)
    await weighs(cleaner, "张三 15.6公斤")
    cleaner.sees("刚才", "F2026-00001", "再记一次吗")
    await cleaner.taps("不记")
    assert len(await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t")) == 1
    town.clock.advance(minutes=2)
    await weighs(cleaner, "张三 15.6公斤")
    cleaner.sees("F2026-00002")


async def test_a_double_tap_counts_once(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("张三 15.6公斤")
    await cleaner.taps_twice("记账")
    assert len(await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t")) == 1
    assert await balance(town, "fen") == 2340


async def test_the_household_objects_and_staff_take_the_ticket_back(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt, uncle = await town.person("张大娘"), await town.person("张大爷")
    await belongs(town, aunt)
    await belongs(town, uncle)
    staff = await town.person("王干事", role="staff")
    await weighs(cleaner, "张三 15.6公斤")
    await time_to_take_back_is_over(town)
    uncle.sees("F2026-00001")
    aunt.sees("您家的称重单 F2026-00001", "11-25 10:00")
    await aunt.taps("不对")
    aunt.sees("哪里不对")
    await aunt.says("我交的是20公斤")
    aunt.sees("收到了", "F2026-00001")
    staff.sees("我交的是20公斤", "李师傅", "改这一单", "维持")
    await staff.taps("改这一单")
    staff.sees("哪里错了")
    await staff.taps("重量")
    await staff.says("20公斤")
    await staff.says("少看了一袋")
    staff.sees("原单：F2026-00001 · 张三 · 地膜 15.6公斤", "重量：20公斤", "少看了一袋", "确认更正")
    await staff.taps("确认更正")
    done = staff.sees("F2026-00001（张三）原来的作废，补贴和积分退回了", "重量：15.6公斤 → 20公斤", "县补 20.00元")
    assert "新单号 F2026-00002" in done.text and "冲正" not in done.text
    aunt.sees(
        "您说不对的称重单 F2026-00001", "15.6公斤 → 20公斤", "新单号 F2026-00002", "王干事改的", "少看了一袋", "15.60元"
    )
    aunt.sees("F2026-00002", "县补 20.00元")
    uncle.sees("F2026-00002")
    told = cleaner.sees(
        "您称的 F2026-00001（张三 15.6公斤）原来的作废", "重量：15.6公斤 → 20公斤", "新单号 F2026-00002"
    )
    assert "王干事改的，原因：少看了一袋" in told.text and "冲正" not in told.text
    assert (await balance(town, "fen"), await balance(town, "points")) == (3000, 20)
    await aunt.says("我的补贴")
    statement = aunt.sees("余额：30.00 元", "县补累计 20.00 元", "镇补累计 10.00 元")
    assert "−15.60 元 退回县补 F2026-00001：少看了一袋" in statement.text
    await staff.says("/ticket f2026-1")
    staff.sees("已作废", "农户说不对 张大娘：我交的是20公斤", "已由 F2026-00002 更正")
    await staff.says("/ticket 2")
    staff.sees("F2026-00002", "称重：李师傅　更正：王干事")
    await cleaner.says("今日称重")
    cleaner.sees("今天 2 单，作废 1 单，折净 20公斤", "县补 20.00元，镇补 10.00元，积分 20分")
    await staff.says("今日称重")
    staff.sees("还没有称重")
    await staff.says("日报")
    staff.sees("计入 20 公斤", "称重单 2 张", "县补 20.00 元", "镇补 10.00 元", "作废 1 张")


async def test_the_household_objects_and_staff_uphold(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    staff = await town.person("王干事", role="staff", area="王家沟")
    await weighs(cleaner, "张三 15.6公斤")
    await time_to_take_back_is_over(town)
    ticket = aunt.sees("F2026-00001")
    await aunt.taps("不对")
    await aunt.says("少了")
    await aunt.taps("不对", on=ticket)
    aunt.sees("已经说过不对")
    await staff.taps("维持")
    await staff.says("照片上就是15.6公斤")
    staff.sees("维持原单")
    aunt.sees("维持原单", "照片上就是15.6公斤")
    cleaner.sees("维持原单")
    await aunt.taps("不对", on=ticket)
    aunt.sees("复核过")
    assert await balance(town, "fen") == 2340


async def test_an_objection_in_words(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    staff = await town.person("王干事", role="staff")
    await weighs(cleaner, "张三 15.6公斤")
    await weighs(cleaner, "张三 20公斤")
    await aunt.says("称重不对")
    aunt.sees("哪一单不对", "F2026-00001", "F2026-00002")
    await aunt.says("F2026-9")
    aunt.sees("没有「F2026-9」")
    await aunt.taps("F2026-00001")
    await aunt.says("那天没交")
    staff.sees("F2026-00001", "那天没交")
    await staff.taps("改这一单")
    await staff.taps("整单作废")
    await staff.says("记重了")
    await staff.taps("确认更正")
    aunt.sees("F2026-00001", "作废", "记重了")
    assert await balance(town, "fen") == 3000


async def test_an_objection_has_its_time_and_its_people(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt, stranger = await town.person("张大娘"), await town.person("路人")
    await belongs(town, aunt)
    await weighs(cleaner, "张三 15.6公斤")
    await time_to_take_back_is_over(town)
    ticket = aunt.sees("F2026-00001")
    (row,) = await town.rows("SELECT id FROM film_tickets WHERE township_id = :t")
    await stranger.says(f"/object {row['id']}")
    stranger.sees("不是您家的")
    await stranger.says("/ticket F2026-00001")
    stranger.sees("不是您家的")
    town.clock.advance(days=7)
    await aunt.taps("不对", on=ticket)
    aunt.sees("期限", "已过")


async def test_staff_correct_a_ticket_on_the_wrong_household(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    staff = await town.person("王干事", role="staff")
    await weighs(cleaner, "张三 15.6公斤")
    await staff.says("/correct F2026-00001")
    staff.sees("哪里错了")
    await staff.taps("记错户")
    await staff.says("N0118")
    await staff.says("同名记错了")
    await staff.taps("确认更正")
    staff.sees("F2026-00002", "王建国")
    aunt.sees("F2026-00001", "作废", "张三 → 王建国", "同名记错了")
    assert (await balance(town, "fen"), await balance(town, "fen", "N0118")) == (0, 2340)
    rows = await town.rows("SELECT transfer_key FROM transfers WHERE township_id = :t AND reason = 'film_reversed'")
    assert len(rows) == 3
    assert all(row["transfer_key"].startswith("reverse:film:") for row in rows)
    await staff.says("/correct F2026-00001")
    staff.sees("已经处理过了")


async def test_what_the_household_spent_can_not_be_taken_back(town: Town) -> None:
    cleaner = await cleaner_of(town)
    staff = await town.person("王干事", role="staff")
    await weighs(cleaner, "张三 15.6公斤")
    account = f"household:{await household_id(town)}"

    async def redeem(tx: Tx) -> None:
        await ledger.transfer(
            tx,
            Transfer(
                id=town.app.ids.next(), source=account, destination="programme:shop", amount=10, unit="points",
                key="shop:1", reason="redeemed", ref="shop:1", policy_version=1, at_ms=town.clock.now_ms(),
            ),
        )  # fmt: skip

    await town.app.database.transaction(redeem)
    await staff.says("/correct F2026-00001")
    await staff.taps("整单作废")
    await staff.says("重复了")
    await staff.taps("确认更正")
    staff.sees("没有改 F2026-00001", "还差 10分")
    assert (await balance(town, "fen"), await balance(town, "points")) == (2340, 5)
    rows = await town.rows("SELECT kind FROM film_ticket_events WHERE township_id = :t")
    assert [row["kind"] for row in rows] == ["counted"]


async def test_old_tickets_keep_their_figures_when_the_policy_changes(town: Town) -> None:
    cleaner = await cleaner_of(town)
    staff = await town.person("王干事", role="staff")
    await weighs(cleaner, "张三 10公斤")
    await new_policy(town, "2026-11-20", mulch="120")
    await weighs(cleaner, "张三 11公斤")
    cleaner.sees("县补 11.00元")
    town.clock.go_to("2026-11-20 09:00")
    await weighs(cleaner, "张三 12公斤")
    cleaner.sees("F2026-00003", "县补 14.40元（每公斤1.2元）")
    await cleaner.says("/ticket 1")
    cleaner.sees("县补 10.00元", "政策第1版：青禾塬镇全域无垃圾管理办法（示例）", "县级奖补：朔禾县", "县农业农村局")
    await staff.says("/correct 1")
    await staff.taps("重量")
    await staff.says("20公斤")
    await staff.says("看错了")
    await staff.taps("确认更正")
    staff.sees("F2026-00004", "县补 20.00元（每公斤1元）")

    async def check(tx: Tx) -> list[Flaw]:
        world = await town.app.product.world(tx, town.clock.now_ms())
        return [*await check_tickets(tx, world), *await ledger.faults(tx)]

    assert await town.app.database.read(check) == []
    await town.write("UPDATE policies SET body = replace(body, 'mulch = 120', 'mulch = 130') WHERE township_id = :t")
    await town.write("UPDATE townships SET changed_ms = changed_ms + 1 WHERE township_id = :t")
    faults = await town.app.database.read(check)
    assert any(
        fault.code == "figure"
        and {"number": "F2026-00003", "figure": "county_fen", "had": 1440}.items() <= fault.fields.items()
        for fault in faults
    )
    assert not any(fault.fields.get("number") == "F2026-00001" for fault in faults)


async def new_policy(town: Town, day: str, *, mulch: str = "100", budget: str = "30_000_000") -> None:
    """Import a later policy that differs in the county's rate and the township's cap."""
    body = (EXAMPLE / "policy.toml").read_text("utf-8")
    body = body.replace("effective_from = 2026-01-01", f"effective_from = {day}")
    body = body.replace("mulch = 100", f"mulch = {mulch}")
    body = body.replace("budget_fen = 30_000_000", f"budget_fen = {budget}")
    now_ms = town.clock.now_ms()
    from_ms = int(datetime.fromisoformat(f"{day} 00:00").replace(tzinfo=ZONE).timestamp() * 1000)

    async def work(tx: Tx) -> None:
        await policies.add_policy(tx, body, effective_from_ms=from_ms, now_ms=now_ms, imported_by=None)
        await areas.mark_changed(tx, now_ms=now_ms)

    await town.app.database.transaction(work)


async def test_the_townships_fund_runs_out(town: Town) -> None:
    await new_policy(town, "2026-11-18", budget="1_000")
    cleaner = await cleaner_of(town)
    await weighs(cleaner, "张三 15公斤")
    cleaner.sees("镇补 7.50元（每公斤0.5元）")
    await weighs(cleaner, "张三 16公斤")
    cleaner.sees("县补 16.00元", "镇补 2.50元", "应补8.00元", "到上限")
    await weighs(cleaner, "张三 17公斤")
    cleaner.sees("县补 17.00元", "镇补 0.00元")


async def test_the_days_list(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("今天的称重")
    cleaner.sees("还没有称重")
    await weighs(cleaner, "张三 15.6公斤")
    await weighs(cleaner, "N0118 10公斤")
    await weighs(cleaner, "张三 2吨")
    await cleaner.taps("对，记上")
    await cleaner.says("今天的称重")
    day = cleaner.sees("今天 2 单", "折净 25.6公斤", "县补 25.60元", "镇补 12.80元", "积分 25分", "1 单待镇上确认")
    assert "张三 2000公斤 F2026-00003（待镇上确认）" in day.text
    town.clock.advance(days=1)
    await cleaner.says("/tickets")
    cleaner.sees("还没有称重")


async def test_who_corrected_a_ticket_decides_nothing_more_about_it(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    first, second = await town.person("王干事", role="staff"), await town.person("周干事", role="staff")
    await weighs(cleaner, "张三 15.6公斤")
    await first.says("/correct 1")
    await first.taps("重量")
    await first.says("1500公斤")
    await first.taps("对")
    await first.says("少看了两个零")
    await first.taps("确认更正")
    first.sees("新单号 F2026-00002，要另一位工作人员确认后才算")
    cleaner.sees("15.6公斤 → 1500公斤", "新单号 F2026-00002，要另一位")
    (row,) = await town.rows(
        "SELECT id, operator_id FROM film_tickets WHERE township_id = :t AND number = 'F2026-00002'"
    )
    assert row["operator_id"] == await cleaner.person_id()
    await first.says(f"/weight {row['id']} ok")
    first.sees("您自己")
    await second.taps("认可")
    cleaner.sees("镇上已确认")
    await aunt.taps("不对")
    await aunt.says("没有这么多")
    await first.says(f"/objection {row['id']} uphold")
    first.sees("您自己")


async def test_a_correction_of_yesterday_s_ticket_is_today_s(town: Town) -> None:
    cleaner = await cleaner_of(town)
    staff = await town.person("王干事", role="staff")
    await weighs(cleaner, "张三 15.6公斤")
    town.clock.advance(days=1)
    await weighs(cleaner, "N0118 10公斤")
    await staff.says("/correct 1")
    await staff.taps("整单作废")
    await staff.says("记重了")
    await staff.taps("确认更正")
    await cleaner.says("今日称重")
    day = cleaner.sees("今天 1 单，作废 1 单，折净 -5.6公斤", "县补 -5.60元")
    assert "11-18 的 张三 -15.6公斤 F2026-00001（已作废）" in day.text


async def test_what_was_just_weighed_is_taken_back_before_anybody_hears_of_it(town: Town) -> None:
    cleaner = await cleaner_of(town)
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    await weighs(cleaner, "张三 15.6公斤")
    assert "撤回" in cleaner.sees("F2026-00001").labels
    town.clock.advance(minutes=9)
    await cleaner.taps("撤回")
    cleaner.sees("撤回了：F2026-00001（张三 15.6公斤）不算")
    assert (await balance(town, "fen"), await balance(town, "points")) == (0, 0)
    await time_to_take_back_is_over(town)
    assert not any("F2026" in heard.text for heard in aunt.heard)
    await cleaner.says("称错了")
    cleaner.sees("已经处理过了")
    await cleaner.says("今日称重")
    cleaner.sees("今天 1 单，作废 1 单，折净 0公斤")
    await cleaner.says("/ticket 1")
    cleaner.sees("已作废", "作废 李师傅：称重的人自己撤回")


async def test_what_the_household_was_told_is_not_taken_back_any_more(town: Town) -> None:
    cleaner, other = await cleaner_of(town), await cleaner_of(town, "钱师傅")
    aunt = await town.person("张大娘")
    await belongs(town, aunt)
    await other.says("撤回称重")
    other.sees("没有可撤回的")
    await weighs(cleaner, "张三 15.6公斤")
    ticket = cleaner.last
    (row,) = await town.rows("SELECT id FROM film_tickets WHERE township_id = :t")
    await other.says(f"/unweigh {row['id']}")
    other.sees("不是您称的")
    await time_to_take_back_is_over(town)
    aunt.sees("您家的称重单 F2026-00001", "11-25 10:00")
    if town.channel != "wechat":
        assert "撤回" not in next(heard for heard in reversed(cleaner.heard) if "F2026-00001" in heard.text).labels
    await cleaner.taps("撤回", on=ticket)
    cleaner.sees("已经告诉农户了", "镇上工作人员")
    assert await balance(town, "fen") == 2340


async def test_a_heavy_weight_taken_back_asks_no_staff_and_a_decided_one_shows_by_whom(town: Town) -> None:
    cleaner = await cleaner_of(town)
    first, second = await town.person("王干事", role="staff"), await town.person("周干事", role="staff")
    await weighs(cleaner, "张三 1.5吨")
    await cleaner.taps("对，记上")
    await cleaner.taps("撤回")
    cleaner.sees("撤回了：F2026-00001")
    await time_to_take_back_is_over(town)
    assert not any("F2026" in heard.text for heard in (*first.heard, *second.heard))
    await weighs(cleaner, "张三 1.6吨")
    await cleaner.taps("对，记上")
    await time_to_take_back_is_over(town)
    second.sees("F2026-00002", "认可")
    await first.taps("认可")
    first.sees("已认可 F2026-00002")
    if town.channel != "wechat":
        shown = next(heard for heard in reversed(second.heard) if "F2026-00002" in heard.text)
        assert shown.labels == [] and "已确认" in shown.text and "王干事" in shown.text


async def test_a_villager_may_not_weigh(town: Town) -> None:
    aunt = await town.person("张大娘")
    await aunt.says("称重")
    aunt.sees("保洁员、回收站管理员或镇上工作人员")
    await aunt.says("张三 15.6公斤")
    assert await town.rows("SELECT 1 FROM film_tickets WHERE township_id = :t") == []


async def test_a_household_that_closed_meanwhile(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("张三 15.6公斤")
    await town.write("UPDATE households SET status = 'closed' WHERE township_id = :t AND card_no = 'N0123'")
    await cleaner.taps("记账")
    cleaner.sees("已经注销")
    await cleaner.says("N0118")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001", "王建国")


async def test_the_same_in_english(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await town.write("UPDATE people SET language = 'en' WHERE township_id = :t")
    await cleaner.says("N0123 15.6kg")
    cleaner.sees("15.6 kg", "mulch film", "Record it")
    await cleaner.taps("Record it")
    cleaner.sees("ticket F2026-00001", "County 15.60 yuan", "Township 7.80 yuan", "15 points")


async def test_words_that_only_look_like_a_weigh_in_are_left_alone(town: Town) -> None:
    cleaner = await cleaner_of(town)
    for words in ("王家沟桥头倒了3吨垃圾", "12人 3车 8方", "明天下雨吗"):
        await cleaner.says(words)
        cleaner.sees_not("谁家的膜")
        cleaner.sees_not("没找到")
        await cleaner.says("取消")


# ── a whole line while a question is open


async def test_a_whole_line_takes_the_place_of_the_open_draft(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    cleaner.sees("谁家的膜")
    await cleaner.says("张三 20公斤")
    cleaner.sees("请看对不对", "张三", "20公斤")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001", "20公斤")


async def test_the_photo_of_the_draft_stays_and_the_draft_is_not_lost_in_silence(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    await cleaner.says("张三")
    cleaner.sees("什么膜")
    await cleaner.sends_photo()
    cleaner.sees("照片收到了，共 1 张", "什么膜")
    cleaner.sees_not("发完了")
    await cleaner.says("N0124 9公斤")
    cleaner.sees("张三", "没有记")
    cleaner.sees("9公斤", "照片：1 张", "卡尾号0124")
    await cleaner.taps("记账")
    cleaner.sees("F2026-00001", "9公斤")
    assert await balance(town, "points") == 0


async def test_the_review_is_not_replaced_by_the_next_line(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("张三 20公斤")
    await cleaner.says("N0124 9公斤")
    cleaner.sees("这句还没有记", "张三", "20公斤")


async def test_a_line_without_a_known_household_is_an_answer_as_before(town: Town) -> None:
    cleaner = await cleaner_of(town)
    await cleaner.says("称重")
    await cleaner.says("天上人 20公斤")
    cleaner.sees("没找到「天上人 20公斤」")
