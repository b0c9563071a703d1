"""A villager with a phone reports what they see."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.chat import PATIENCE_MS, file_of
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program
from tests.fakes.pictures import photo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_one_photo_and_two_presses_make_a_report(phone: PhoneMaker, program: Program) -> None:
    aunt = await phone(agreed=True)
    await aunt.sends_files(file_of(photo(1, (800, 600))))
    await aunt.sees("在哪里")
    place = (await aunt.open_labels())[0]
    await aunt.taps(place)
    review = await aunt.sees("请看对不对")
    assert "照片：1 张" in review and place in review
    await aunt.taps("提交举报")
    number = await aunt.case_number()
    await aunt.sees("怎么称呼您")
    assert not any("领奖码" in told for told in await aunt.bot_texts())
    image = aunt.page.locator(".message.me .thumb img")
    await expect(image).to_have_js_property("complete", True)
    rows = program.rows("SELECT * FROM cases WHERE number = :number", number=number)
    assert len(rows) == 1


async def test_a_photo_before_agreeing_waits_on_the_phone_and_goes_by_itself_afterwards(
    phone: PhoneMaker, program: Program
) -> None:
    aunt = await phone()
    aunt.forgives = "422"
    await aunt.opens()
    await aunt.sends_files(file_of(photo(11, (800, 600))))
    waiting = aunt.page.locator(".message.me[data-state=failed]")
    await expect(waiting).to_contain_text("照片还没有收", timeout=PATIENCE_MS)
    await aunt.sees("点「同意」")
    before = program.rows("SELECT COUNT(*) AS n FROM media")[0]["n"]
    await aunt.taps("同意")
    await aunt.sees("在哪里")
    await expect(waiting).to_have_count(0)
    assert program.rows("SELECT COUNT(*) AS n FROM media")[0]["n"] == before + 1


async def test_a_sentence_is_enough_and_history_is_there_after_a_reload(phone: PhoneMaker) -> None:
    aunt = await phone()
    await aunt.opens()
    await aunt.says("张家坪桥头有人倒垃圾")
    await aunt.taps("同意")
    await aunt.taps("跳过")
    review = await aunt.sees("请看对不对")
    assert "张家坪村" in review and "乱倒垃圾" in review
    await aunt.taps("提交举报")
    number = await aunt.case_number()
    before = [await aunt.bot_texts(), await aunt.own_texts()]
    await aunt.page.reload()
    await aunt.sees(number)
    assert [await aunt.bot_texts(), await aunt.own_texts()] == before
    await aunt.says("我的举报")
    assert number in await aunt.sees("您最近的")


async def test_the_phone_says_where_it_is(phone: PhoneMaker) -> None:
    at_wangjiagou = {"latitude": 35.6442, "longitude": 104.7323, "accuracy": 8}
    aunt = await phone(agreed=True, geolocation=at_wangjiagou, permissions=["geolocation"])
    await aunt.taps("我要举报")
    await aunt.taps("河道垃圾")
    await aunt.taps("跳过")
    await aunt.page.get_by_role("button", name="发送我的位置").click()
    assert "王家沟村" in await aunt.sees("请看对不对")
    await aunt.taps("提交举报")
    assert await aunt.case_number()


async def test_a_phone_that_hides_its_place_is_no_obstacle(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await aunt.sends_files(file_of(photo(2)))
    await aunt.sees("在哪里")
    await aunt.page.get_by_role("button", name="发送我的位置").click()
    await expect(aunt.page.locator("#hint-text")).to_contain_text("手机没有允许使用位置", timeout=PATIENCE_MS)
    landmarks = [label for label in await aunt.open_labels() if "村" in label]
    assert len(landmarks) >= 4
    await aunt.says("陈家塬村委会")
    assert "陈家塬村" in await aunt.sees("请看对不对")
