"""Several townships behind one address: links that name one, the choice, going over to another."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Locator, expect

from tests.browser import looks
from tests.browser.chat import PATIENCE_MS, Chat, file_of
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program
from tests.browser.test_access import DOUBLE_TEXT
from tests.browser.test_network import NO_NETWORK
from tests.fakes.pictures import photo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
QINGHE, SHAJING = "629999101", "629999102"
CHOICE_PX = 56


@pytest.fixture(scope="session")
def county(equipped: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program with both example townships."""
    own = Program(tmp_path_factory.mktemp("county"))
    own.start()
    try:
        own.console("import", "examples/township-2", "--new")
        yield own
        own.stop()
    finally:
        own.kill()
    assert not own.complaints()


def choice(chat: Chat, name: str) -> Locator:
    """A township among those offered."""
    return chat.page.locator("#towns").get_by_role("button", name=name)


def people_in(county: Program, code: str) -> int:
    """How many have written in a township."""
    found = county.rows(
        "SELECT COUNT(*) AS n FROM people p JOIN townships t ON t.township_id = p.township_id WHERE t.code = :code",
        code=code,
    )
    return int(found[0]["n"])


async def is_in(chat: Chat, name: str) -> None:
    await expect(chat.page.locator("#title")).to_have_text(f"{name} · 净乡", timeout=PATIENCE_MS)


async def test_who_comes_without_a_township_is_asked_once(phone: PhoneMaker, county: Program) -> None:
    aunt = await phone(county.url)
    await aunt.opens()
    await expect(aunt.page.get_by_role("heading", name="您是哪个乡镇的")).to_be_visible(timeout=PATIENCE_MS)
    assert await aunt.page.locator("#towns .big").all_inner_texts() == ["青禾塬镇", "沙井乡"]
    for name in ("青禾塬镇", "沙井乡"):
        box = await choice(aunt, name).bounding_box()
        assert box is not None and box["height"] >= CHOICE_PX and box["width"] > 300
    await expect(aunt.page.locator("#composer")).to_be_hidden()
    await expect(aunt.page.locator("#begin")).to_be_hidden()
    assert await looks.nameless(aunt) == []
    await choice(aunt, "沙井乡").click()
    await is_in(aunt, "沙井乡")
    await aunt.begins()
    assert "沙井乡" in (await aunt.bot_texts())[0]
    await aunt.page.reload()
    await is_in(aunt, "沙井乡")
    await aunt.sees("看见乱倒垃圾")
    await expect(aunt.page.locator("#towns")).to_be_hidden()
    assert await looks.layout_faults(aunt) == []


async def test_a_link_names_the_township_and_the_address_bar_is_tidied(phone: PhoneMaker, county: Program) -> None:
    aunt = await phone(county.url)
    await aunt.opens(f"{county.url}/?t={SHAJING}")
    await is_in(aunt, "沙井乡")
    assert aunt.page.url == f"{county.url}/"
    await aunt.begins()
    assert "沙井乡" in (await aunt.bot_texts())[0]
    await aunt.opens(county.url)  # from the home screen
    await is_in(aunt, "沙井乡")
    await aunt.sees("看见乱倒垃圾")


async def test_an_invitation_leads_into_its_own_township(phone: PhoneMaker, county: Program) -> None:
    link = county.invite("cleaner", "王家沟村", SHAJING)
    assert link.endswith(f"&t={SHAJING}")
    cleaner = await phone(county.url)
    await cleaner.joins(link)
    assert cleaner.page.url == f"{county.url}/"
    await is_in(cleaner, "沙井乡")
    await cleaner.says("刘三 15公斤")
    said = await cleaner.sees("请看对不对")
    assert "刘三 · 王家沟村东社" in said  # 张三 has that card in the other township


async def test_a_link_to_no_township_asks_and_what_it_brought_arrives(phone: PhoneMaker, county: Program) -> None:
    link = county.invite("cleaner", "红柳滩村", SHAJING).replace(SHAJING, "620000000")
    cleaner = await phone(county.url)
    await cleaner.opens(link)
    await choice(cleaner, "沙井乡").click()
    await cleaner.taps("同意")
    await cleaner.sees("红柳滩村 保洁员")


async def test_one_browser_in_two_townships_is_two_people(phone: PhoneMaker, county: Program) -> None:
    aunt = await phone(county.url)
    await aunt.opens(f"{county.url}/?t={QINGHE}")
    await aunt.begins()
    before = people_in(county, QINGHE), people_in(county, SHAJING)
    await aunt.sends_files(file_of(photo(31, (640, 480))))
    await aunt.sees("在哪里")
    await aunt.says("王家沟桥头")
    await aunt.taps("提交举报")
    await aunt.case_number()

    await aunt.page.get_by_role("button", name=re.compile(r"换一个\s*乡镇")).click()
    await expect(choice(aunt, "青禾塬镇")).to_have_attribute("aria-current", "true")
    await aunt.page.get_by_role("button", name="返回").click()
    await aunt.sees("收到了")
    await aunt.page.click("#switch")
    await choice(aunt, "沙井乡").click()
    await is_in(aunt, "沙井乡")
    await expect(aunt.page.locator("#begin")).to_be_visible(timeout=PATIENCE_MS)
    assert await aunt.bot_texts() == []
    await aunt.begins()
    await aunt.says("我的举报")
    await aunt.sees("还没有")
    assert (people_in(county, QINGHE), people_in(county, SHAJING)) == (before[0], before[1] + 1)

    other = await aunt.context.new_page()  # the first township in another tab: this one stays where it is
    await other.goto(f"{county.url}/?t={QINGHE}")
    await expect(other.locator(".message.me .thumb img").last).to_have_js_property("naturalWidth", 320)
    await aunt.says("我的信息")
    await aunt.sees("您的信息")
    await expect(other.locator(".message.bot").filter(has_text="您的信息")).to_have_count(0)
    await aunt.page.reload()
    await is_in(aunt, "青禾塬镇")
    await aunt.sees("收到了")


async def test_a_printed_code_s_link_leads_to_its_place(phone: PhoneMaker, county: Program) -> None:
    aunt = await phone(county.url)
    await aunt.opens(f"{county.url}/?t={SHAJING}&start=station-S01")
    await aunt.taps("同意")
    await aunt.sees("沙井回收站（沙井村）")
    assert aunt.page.url == f"{county.url}/"


async def test_what_waits_for_the_network_goes_where_it_was_written(phone: PhoneMaker, county: Program) -> None:
    aunt = await phone(county.url)
    aunt.forgives = NO_NETWORK
    await aunt.opens(f"{county.url}/?t={QINGHE}")
    await aunt.begins()
    await aunt.page.route("**/api/messages", lambda route: route.abort())
    await aunt.says("柳树湾小学有人倒垃圾，写的时候没有信号")
    await expect(aunt.page.locator(".message.me").last).to_contain_text("自动发出", timeout=PATIENCE_MS)
    await aunt.page.unroute("**/api/messages")
    await aunt.opens(f"{county.url}/?t={SHAJING}")
    await aunt.begins()
    assert "写的时候没有信号" not in " ".join(await aunt.own_texts())
    await aunt.opens(f"{county.url}/?t={QINGHE}")
    await aunt.taps("跳过")
    await aunt.taps("提交举报")
    number = await aunt.case_number()
    found = county.rows(
        "SELECT t.code, c.number FROM cases c JOIN townships t ON t.township_id = c.township_id"
        " WHERE c.statement LIKE '%写的时候没有信号%'"
    )
    assert found == [{"code": QINGHE, "number": number}]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_choice_can_be_read_and_hit_by_everybody(phone: PhoneMaker, county: Program, scheme: str) -> None:
    aunt = await phone(county.url, color_scheme=scheme)
    await aunt.opens()
    await choice(aunt, "沙井乡").wait_for()
    assert await looks.contrast_faults(aunt) == []
    await aunt.ask(DOUBLE_TEXT)
    assert await aunt.ask("document.documentElement.scrollWidth") <= 360
    await choice(aunt, "沙井乡").click()
    await is_in(aunt, "沙井乡")
    await aunt.ask(DOUBLE_TEXT)
    assert await looks.layout_faults(aunt) == []
    assert await aunt.ask("document.getElementById('switch').getBoundingClientRect().height") >= 44


async def test_with_one_township_nobody_is_asked(phone: PhoneMaker, program: Program) -> None:
    aunt = await phone(agreed=True)
    await expect(aunt.page.locator("#switch")).to_be_hidden()
    await expect(aunt.page.locator("#towns")).to_be_hidden()
    await aunt.opens(f"{program.url}/?t=620000000")  # a link from before the township's code was changed
    await aunt.sees("看见乱倒垃圾")
    assert aunt.page.url == f"{program.url}/"
