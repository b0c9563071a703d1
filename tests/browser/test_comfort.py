"""What makes the page kind to those who use it: the keyboard's place, margins, large letters, a word of what is new."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser import looks
from tests.browser.chat import PATIENCE_MS, Chat
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program
from tests.browser.test_access import DOUBLE_TEXT, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ON_SIDE = {"width": 740, "height": 360}
WHERE_FOCUS = "() => document.activeElement.closest('#log, #bar, #top')?.id ?? document.activeElement.tagName"
COVERED = """
() => {
  const pill = document.getElementById("newest").getBoundingClientRect();
  const log = document.getElementById("log").getBoundingClientRect();
  return pill.height > 0 && pill.top >= log.bottom - 0.5 && pill.bottom <= innerHeight;
}
"""
MARGINS = """
() => [...document.querySelectorAll("#log .bubble, #log .choice, #composer > *")]
  .filter((node) => node.checkVisibility())
  .map((node) => node.getBoundingClientRect()).map((box) => Math.min(box.left, innerWidth - box.right))
  .reduce((least, gap) => Math.min(least, gap))
"""
PUT_AWAY = """
() => {
  Object.defineProperty(document, "hidden", { get: () => window.putAway, configurable: true });
  window.turn = (away) => { window.putAway = away; document.dispatchEvent(new Event("visibilitychange")); };
  window.rung = 0;
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) { window.rung += 1; return start.call(this, at); };
}
"""


def at_clock(clock: str) -> str:
    """A page whose wall clock stands still at a time of day."""
    return f"Date.prototype.toTimeString = () => '{clock}:00 GMT+0800';"


@pytest.mark.parametrize("by", ["tap", "keyboard"])
async def test_begin_and_agree_keep_the_focus_in_the_chat(phone: PhoneMaker, by: str) -> None:
    aunt = await phone()
    await aunt.opens()
    if by == "tap":
        await aunt.page.click("#begin")
    else:
        await tab_to(aunt, "开始")
        await aunt.page.keyboard.press("Enter")
    await aunt.sees("您同意吗")
    assert await aunt.ask(WHERE_FOCUS) == "log"
    if by == "tap":
        await aunt.taps("同意")
    else:
        await tab_to(aunt, "同意")
        await aunt.page.keyboard.press("Enter")
    await aunt.sees("看见乱倒垃圾")
    assert await aunt.ask(WHERE_FOCUS) == "log"
    await aunt.page.keyboard.press("Tab")  # and the next stop is in the answer, not at the top of the page
    await expect(aunt.button("我要举报")).to_be_focused()


async def test_what_closes_itself_hands_the_focus_on(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await aunt.page.fill("#text", "我的积分")
    await aunt.page.focus("#send")
    await aunt.page.keyboard.press("Enter")
    await aunt.sees("积分")
    assert await aunt.ask(WHERE_FOCUS) == "bar"
    await aunt.page.click("#more")
    await aunt.page.click("[data-act=settings]")
    await aunt.page.get_by_role("button", name="好了").click()
    await expect(aunt.page.locator("#more")).to_be_focused()


async def test_a_tap_beside_everything_is_no_wish_to_be_led_back(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    await aunt.button("我的积分").focus()
    await aunt.ask("() => document.activeElement.blur()")
    await aunt.page.focus("#text")
    await aunt.says("我的积分")
    await aunt.sees("积分")
    assert await aunt.ask(WHERE_FOCUS) != "log"


@pytest.mark.parametrize("size", [None, ON_SIDE])
async def test_more_below_covers_no_text_of_twice_the_size(phone: PhoneMaker, size: dict[str, int] | None) -> None:
    aunt = await phone(**({"viewport": size} if size else {}))
    await aunt.page.add_init_script(f"addEventListener('DOMContentLoaded', {DOUBLE_TEXT})")
    await aunt.opens()
    await aunt.page.click("#begin")
    await aunt.sees("您同意吗")
    await expect(aunt.page.get_by_role("button", name="往下看")).to_be_visible()
    assert await aunt.ask(COVERED)
    await aunt.page.get_by_role("button", name="往下看").click()
    await expect(aunt.page.locator("#newest")).to_be_hidden()
    await expect(aunt.button("同意")).to_be_in_viewport()
    assert await aunt.ask(WHERE_FOCUS) == "log"


async def test_a_phone_on_its_side_has_margins_and_nothing_holds_it_upright(
    phone: PhoneMaker, program: Program
) -> None:
    aunt = await phone(agreed=True, viewport=ON_SIDE)
    assert await aunt.ask(MARGINS) >= 20
    assert await looks.layout_faults(aunt) == []
    manifest = await (await aunt.context.request.get(f"{program.url}/static/manifest.webmanifest")).json()
    assert manifest.get("orientation", "any") == "any"


async def test_larger_letters_are_kept_in_the_browser(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True)
    size = "() => parseFloat(getComputedStyle(document.querySelector('.bubble')).fontSize)"
    before = await aunt.ask(size)
    await aunt.page.click("#more")
    await aunt.page.click("[data-act=settings]")
    await aunt.page.get_by_role("button", name="特大").click()
    await expect(aunt.page.get_by_role("button", name="特大")).to_have_attribute("aria-pressed", "true")
    assert await looks.nameless(aunt) == []
    await aunt.page.get_by_role("button", name="好了").click()
    assert await aunt.ask(size) >= 1.4 * before
    assert await looks.layout_faults(aunt) == []
    await aunt.page.reload()
    await aunt.sees("看见乱倒垃圾")
    assert await aunt.ask(size) >= 1.4 * before


async def gets_news(aunt: Chat, staff: Chat) -> None:
    """Something comes by itself: the result of a report."""
    await aunt.says("红土坡桥头有人倒垃圾")
    await aunt.taps("跳过")
    await aunt.taps("提交举报")
    number = await aunt.case_number()
    await aunt.ask("() => turn(true)")
    await staff.sees(number)
    await staff.says(f"/case {number}")
    await staff.sees(f"{number} 乱倒垃圾", "登记，待核实")
    await staff.taps("属实")
    await staff.taps("确定属实")  # neither photo nor position: asked once more
    await aunt.sees("有结果了")


async def test_news_is_counted_in_the_title_of_a_page_put_away(phone: PhoneMaker, program: Program) -> None:
    staff = await phone(join=program.invite("staff"))
    aunt = await phone()
    await aunt.page.add_init_script(f"({PUT_AWAY})(); {at_clock('10:00')}")
    await aunt.opens()
    await aunt.begins()
    assert await aunt.page.title() == "青禾塬镇 · 净乡"
    await gets_news(aunt, staff)
    assert await aunt.page.title() == "(1) 青禾塬镇 · 净乡"
    assert await aunt.ask("rung") == 2  # two notes, and none for the answers that were waited for
    await aunt.ask("() => turn(false)")
    assert await aunt.page.title() == "青禾塬镇 · 净乡"


async def test_only_a_page_that_is_looked_at_says_so(phone: PhoneMaker, program: Program) -> None:
    aunt = await phone()
    told: list[str] = []
    aunt.page.on("request", lambda request: told.append(request.url) if "/api/presence" in request.url else None)
    await aunt.page.add_init_script(f"({PUT_AWAY})()")
    await aunt.opens()
    await aunt.begins()
    assert told, "it says so when it is opened"
    before = len(told)
    await aunt.ask("() => turn(true)")
    await aunt.says("我的积分")
    await aunt.sees("0 分")
    assert len(told) == before
    async with aunt.page.expect_request("**/api/presence"):
        await aunt.ask("() => turn(false)")


@pytest.mark.parametrize("why", ["night", "setting"])
async def test_no_sound_at_night_nor_when_it_is_off(phone: PhoneMaker, program: Program, why: str) -> None:
    staff = await phone(join=program.invite("staff"))
    aunt = await phone()
    await aunt.page.add_init_script(f"({PUT_AWAY})(); {at_clock('23:30' if why == 'night' else '10:00')}")
    session = {"quiet": ["21:30", "07:00"]}

    async def with_quiet_hours(route: object) -> None:
        answer = await route.fetch()  # type: ignore[attr-defined]
        await route.fulfill(response=answer, json=await answer.json() | session)  # type: ignore[attr-defined]

    await aunt.page.route("**/api/session", with_quiet_hours)
    await aunt.opens()
    await aunt.begins()
    if why == "setting":
        await aunt.page.click("#more")
        await aunt.page.click("[data-act=settings]")
        await aunt.page.get_by_label("来了新消息响一声").uncheck()
        await aunt.page.get_by_role("button", name="好了").click()
    await gets_news(aunt, staff)
    await expect(aunt.page).to_have_title("(1) 青禾塬镇 · 净乡", timeout=PATIENCE_MS)
    assert await aunt.ask("rung") == 0
