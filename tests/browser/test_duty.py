"""People with a role: staff verify while the villager looks on, a cleaner weighs film."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.chat import PATIENCE_MS, file_of
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program
from tests.fakes.pictures import photo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_staff_verify_and_the_villager_sees_it_happen(phone: PhoneMaker, program: Program) -> None:
    staff = await phone(join=program.invite("staff", "赵家山"))
    aunt = await phone(agreed=True)
    await aunt.sends_files(file_of(photo(3, (640, 480))))
    await aunt.sees("在哪里")
    await aunt.says("赵家山桥头")
    await aunt.taps("提交举报")
    number = await aunt.case_number()
    await aunt.ask("window.neverReloaded = true")

    notice = await staff.sees(number)
    assert "赵家山村" in notice
    await expect(staff.page.locator(".message.bot .thumb img").last).to_have_js_property("naturalWidth", 320)
    link = staff.page.get_by_role("link", name="看地图").last
    assert "amap.com" in (await link.get_attribute("href") or "")
    await staff.taps("属实")

    assert "是真的" in await aunt.sees("有结果了")
    assert await aunt.ask("window.neverReloaded")
    assert program.rows("SELECT state FROM cases WHERE number = :number", number=number) == [{"state": "verified"}]


async def test_buttons_of_earlier_news_still_work(phone: PhoneMaker, program: Program) -> None:
    staff = await phone(join=program.invite("staff", "马家岔"))
    numbers = []
    for place in ("马家岔桥头", "马家岔小学"):
        aunt = await phone(agreed=True)
        await aunt.says(f"{place}有人倒垃圾")
        await aunt.taps("跳过")
        await aunt.taps("提交举报")
        numbers.append(await aunt.case_number())
        await staff.sees(numbers[-1])
    await staff.says("待核实")
    await staff.sees("等核实的有 2 件")
    first = staff.page.locator(".message.bot").filter(has_text=f"新举报，请核实：\n{numbers[0]}")
    await first.get_by_role("button", name="属实", exact=True).click()
    await expect(staff.bot(f"{numbers[0]}（乱倒垃圾，").filter(has_text="已记为「属实」")).to_be_visible(
        timeout=PATIENCE_MS
    )


async def test_a_menu_keeps_no_mark_of_what_was_looked_at(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await aunt.taps("我的积分")
    await aunt.sees("积分")
    await expect(aunt.page.locator(".picked", has_text="我的积分")).to_have_count(0)


async def test_a_refused_tap_leaves_no_ring_and_the_card_its_buttons(phone: PhoneMaker, program: Program) -> None:
    staff = await phone(join=program.invite("staff", "李家湾"))
    aunt = await phone(agreed=True)
    await aunt.says("李家湾小学有人倒垃圾")
    await aunt.taps("跳过")
    await expect(aunt.page.locator(".picked", has_text="跳过")).to_have_count(1)  # an answer that was taken keeps it
    await aunt.taps("提交举报")
    number = await aunt.case_number()
    await staff.sees(number)
    program.write("UPDATE roles SET until_ms = from_ms WHERE id = (SELECT MAX(id) FROM roles)")
    for refusals, label in enumerate(("属实", "不属实"), start=1):
        button = staff.page.get_by_role("button", name=label, exact=True)
        await button.click()
        await expect(staff.page.locator(".message.bot", has_text="要由")).to_have_count(refusals, timeout=PATIENCE_MS)
        await expect(staff.page.locator(".picked", has_text=label)).to_have_count(0, timeout=PATIENCE_MS)
        await expect(button).to_be_enabled()
    assert program.rows("SELECT state FROM cases WHERE number = :number", number=number) == [{"state": "registered"}]


async def test_a_cleaner_weighs_in_one_line(phone: PhoneMaker, program: Program) -> None:
    cleaner = await phone(join=program.invite("cleaner", "王家沟"))
    await cleaner.says("张三 三十一斤半")
    assert "15.75公斤" in await cleaner.sees("请看对不对")
    await cleaner.taps("记账")
    ticket = await cleaner.sees("记好了")
    assert "折净 15.75公斤" in ticket
    assert "县补 15.75元" in ticket and "镇补 7.88元" in ticket


async def test_the_box_invites_what_the_question_takes(phone: PhoneMaker, program: Program) -> None:
    cleaner = await phone(join=program.invite("cleaner", "王家沟"))
    box = cleaner.page.locator("#text")
    await cleaner.says("张三 15公斤")
    await cleaner.sees("请看对不对")
    await cleaner.taps("改重量")
    await expect(box).to_have_attribute("placeholder", "写重量，如：15.6公斤", timeout=PATIENCE_MS)
    await cleaner.says("16公斤")
    await cleaner.taps("改照片")
    await expect(box).to_have_attribute("placeholder", "拍照，或选照片", timeout=PATIENCE_MS)
    assert "录像" not in await cleaner.sees("给秤拍张照片")
    await cleaner.taps("取消")
    await cleaner.says("我要举报")
    await expect(box).to_have_attribute("placeholder", "点一个按钮", timeout=PATIENCE_MS)
    await cleaner.taps("乱倒垃圾")
    await expect(box).to_have_attribute("placeholder", "拍照，或写几句", timeout=PATIENCE_MS)
