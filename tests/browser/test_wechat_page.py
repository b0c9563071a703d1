"""The chat inside WeChat: opened from the menu as the same person, and the phone's place through WeChat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from storage.database import Tx
from storage.people import people
from tests.browser.chat import PATIENCE_MS, Chat
from tests.browser.conftest import PhoneMaker
from tests.browser.test_access import DOUBLE_TEXT
from tests.channels.website import Site, serving
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_pages import is_signed
from tests.fakes.wechat_people import User

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SDK = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 13; V2203A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0"
    " Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F35) WeChat/arm64"
    " Weixin NetType/4G Language/zh_CN ABI/arm64"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
    " MicroMessenger/8.0.47(0x18002f2c) NetType/4G Language/zh_CN"
)
PLACE, PLACE_BY_WECHAT = {"latitude": 35.5, "longitude": 104.5, "accuracy": 30}, (35.6442, 104.7323)
# What of WeChat's script the page uses; besides it tells WeChat of the page by a picture.
STAND_IN = """
(() => {
  const heard = { ready: [], error: [] };
  window.wx = {
    config(given) {
      window.weChatChecks({ ...given, page: location.href }).then((fault) => {
        new Image().src = "https://open.weixin.qq.com/sdk/report?v=1&u=" + encodeURIComponent(location.href);
        if (fault) heard.error.forEach((tell) => tell({ errMsg: fault }));
        heard.ready.forEach((tell) => tell());
      });
    },
    ready: (tell) => heard.ready.push(tell),
    error: (tell) => heard.error.push(tell),
    getLocation: ({ type, success, fail, cancel }) => window.weChatLocates(type).then((found) => {
      if (found === "cancel") cancel({ errMsg: "getLocation:cancel" });
      else if (found) success({ latitude: String(found[0]), longitude: String(found[1]), speed: "0", accuracy: "12" });
      else fail({ errMsg: "getLocation:fail" });
    }),
  };
})();
"""
# How the app hears of it on many phones.
FRAME = """
(address) => {
  const frame = document.createElement("iframe");
  frame.src = address;
  document.documentElement.append(frame);
}
"""
NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI.split("?")[0]}`);
});
"""


class InWeChat:
    """A page inside WeChat's app, which gives it `place`, "cancel" or nothing."""

    def __init__(self, chat: Chat, wechat: FakeWeChat) -> None:
        self.chat = chat
        self.place: Any = PLACE_BY_WECHAT
        self.checked: list[str] = []
        self.script: str | None = STAND_IN
        self.takes_signature = True
        self.refused: list[str] = []
        self._wechat = wechat
        self._first_page = ""
        chat.forgives = "open.weixin.qq.com/sdk/report|Failed to launch 'weixin"

    @classmethod
    async def start(cls, chat: Chat, wechat: FakeWeChat) -> InWeChat:
        """Put the app around the page."""
        app = cls(chat, wechat)
        chat.page.on("requestfailed", lambda one: app.refused.append(one.url) if one.failure == "csp" else None)
        await chat.page.add_init_script(NOTE_VIOLATIONS)
        await chat.page.expose_function("weChatChecks", app._checks)
        await chat.page.expose_function("weChatLocates", app._locates)
        await chat.page.route(SDK, app._serves)
        return app

    async def opens(self, url: str) -> None:
        """Open an address, as a link or the menu does."""
        await self.chat.opens(url)
        self._first_page = str(await self.chat.ask("performance.getEntriesByType('navigation')[0].name"))
        await expect(self.chat.page.locator("#title")).to_have_text("试验乡 · 净乡", timeout=PATIENCE_MS)

    async def sends_place(self) -> None:
        """Press «＋» and «send location»."""
        await self.chat.page.click("#more")
        await self.chat.page.get_by_role("button", name="发送位置").click()

    async def _serves(self, route: Route) -> None:
        if self.script is None:
            await route.fulfill(status=404)
        else:
            await route.fulfill(status=200, content_type="application/javascript", body=self.script)

    async def _checks(self, given: dict[str, Any]) -> str:
        """What is wrong with the signature: an iPhone's WeChat knows a page by the address it was opened with."""
        page = self._first_page if "iPhone" in await self.chat.ask("navigator.userAgent") else given["page"]
        self.checked.append(page)
        good = is_signed(self._wechat.world, given, page) and given["jsApiList"] == ["getLocation"]
        return "" if good and self.takes_signature else "config:invalid signature"

    async def _locates(self, kind: str) -> Any:
        assert kind == "wgs84"
        return self.place

    def asked_for_script(self) -> bool:
        """Whether WeChat's script was fetched. What else it would ask elsewhere, the page's policy forbids."""
        others = [url for url in self.chat.strangers if url != SDK]
        assert others == self.refused
        found = SDK in self.chat.strangers
        self.chat.strangers.clear()
        return found


@pytest_asyncio.fixture(loop_scope="session")
async def wechat() -> AsyncIterator[FakeWeChat]:
    async with FakeWeChat() as fake:
        yield fake
        assert fake.violations == []


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path, wechat: FakeWeChat) -> AsyncIterator[Site]:
    async with serving(tmp_path, wechat=wechat) as served:
        yield served


async def follower(site: Site, wechat: FakeWeChat, name: str, person_id: int) -> User:
    """Somebody known by their WeChat, who holds the phone."""
    user = wechat.user(name)

    async def work(tx: Tx) -> None:
        await people.add_person(tx, person_id=person_id, name=name, language="zh_CN", now_ms=1)
        await people.add_contact(tx, channel="wechat", address=f"wechat:{user.openid}", person_id=person_id, now_ms=1)

    await site.database.transaction(work)
    user.holds_phone()
    return user


async def who_said(site: Site, words: str) -> list[int]:
    """The people behind messages with these words."""
    rows = await site.rows(
        "SELECT c.person_id, i.body FROM inbox i JOIN contacts c ON c.township_id = i.township_id"
        " AND c.address = i.address WHERE i.township_id = :t"
    )
    return [row["person_id"] for row in rows if words.encode() in bytes(row["body"])]


@pytest.mark.parametrize("agent", [ANDROID, IPHONE], ids=["android", "iphone"])
async def test_from_the_menu_to_the_place(site: Site, wechat: FakeWeChat, phones: PhoneMaker, agent: str) -> None:
    await follower(site, wechat, "王大娘", 501)
    chat = await phones(site.url, user_agent=agent)
    app = await InWeChat.start(chat, wechat)
    await app.opens(f"{site.url}/wechat/page")
    assert chat.page.url == f"{site.url}/"
    await app.sends_place()
    await chat.sees("place::35.6442,104.7323")
    assert await chat.own_texts() == ["我的位置（误差约 12 米）"]
    assert await who_said(site, "35.6442") == [501]
    chat.forgives += "|elsewhere.example"
    for address in ("weixin://dispatch_message/", "https://elsewhere.example/"):
        await chat.ask(FRAME, address)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while len(found := await chat.ask("window.violations")) < 2:
            await asyncio.sleep(0.02)
    assert found == ["img-src https://open.weixin.qq.com/sdk/report", "frame-src https://elsewhere.example"], (
        "the script runs and reaches the app; WeChat is told nothing of the page"
    )
    assert len(app.checked) == 1 and app.asked_for_script()


@pytest.mark.parametrize("agent", [ANDROID, IPHONE], ids=["android", "iphone"])
async def test_a_link_whose_address_is_tidied_is_signed_all_the_same(
    site: Site, wechat: FakeWeChat, phones: PhoneMaker, agent: str
) -> None:
    chat = await phones(site.url, user_agent=agent)
    app = await InWeChat.start(chat, wechat)
    await app.opens(f"{site.url}/?t=1")
    assert chat.page.url == f"{site.url}/"
    await app.sends_place()
    await chat.sees("place::35.6442,104.7323")
    assert app.checked == [f"{site.url}/?t=1" if agent == IPHONE else f"{site.url}/"] and app.asked_for_script()


@pytest.mark.parametrize("fault", ["no script", "refused signature", "no position"])
async def test_when_wechat_fails_the_browser_is_asked(
    site: Site, wechat: FakeWeChat, phones: PhoneMaker, fault: str
) -> None:
    chat = await phones(site.url, user_agent=ANDROID, geolocation=PLACE, permissions=["geolocation"])
    app = await InWeChat.start(chat, wechat)
    chat.forgives += "|404"
    app.script = None if fault == "no script" else STAND_IN
    app.place = None if fault == "no position" else PLACE_BY_WECHAT
    app.takes_signature = fault != "refused signature"
    await app.opens(site.url)
    await app.sends_place()
    await chat.sees("place::35.5,104.5")
    assert app.asked_for_script()


async def test_a_script_that_does_not_come_holds_nobody_up(site: Site, wechat: FakeWeChat, phones: PhoneMaker) -> None:
    chat = await phones(site.url, user_agent=ANDROID, geolocation=PLACE, permissions=["geolocation"])
    app = await InWeChat.start(chat, wechat)
    app.script = "window.wx = { config() {}, ready() {}, error() {} };"
    await app.opens(site.url)
    await app.sends_place()
    await chat.sees("place::35.5,104.5")
    assert app.asked_for_script()


async def test_who_does_not_want_to_tell_is_not_asked_twice(site: Site, wechat: FakeWeChat, phones: PhoneMaker) -> None:
    chat = await phones(site.url, user_agent=ANDROID, geolocation=PLACE, permissions=["geolocation"])
    app = await InWeChat.start(chat, wechat)
    app.place = "cancel"
    await app.opens(site.url)
    await app.sends_place()
    await expect(chat.page.locator("#hint-text")).to_contain_text("没有允许使用位置", timeout=PATIENCE_MS)
    await chat.says("好了")
    await chat.sees("text:好了")
    assert await chat.own_texts() == ["好了"] and app.asked_for_script()


async def test_outside_wechat_its_script_is_not_fetched(site: Site, wechat: FakeWeChat, phones: PhoneMaker) -> None:
    chat = await phones(site.url, geolocation=PLACE, permissions=["geolocation"])
    app = await InWeChat.start(chat, wechat)
    await app.opens(site.url)
    await app.sends_place()
    await chat.sees("place::35.5,104.5")
    assert not app.asked_for_script() and wechat.called("getticket") == []


async def test_what_one_person_left_unsent_does_not_go_out_as_another(
    site: Site, wechat: FakeWeChat, phones: PhoneMaker
) -> None:
    await follower(site, wechat, "王大娘", 501)
    chat = await phones(site.url, user_agent=ANDROID)
    app = await InWeChat.start(chat, wechat)
    chat.forgives += "|ERR_FAILED"
    await app.opens(f"{site.url}/wechat/page")
    await chat.page.route("**/api/messages", lambda route: route.abort())
    await chat.says("大娘写的，没有信号")
    await expect(chat.page.locator(".message.me").last).to_contain_text("自动发出", timeout=PATIENCE_MS)
    await follower(site, wechat, "李大爷", 502)
    await app.opens(f"{site.url}/wechat/page")
    await chat.page.unroute("**/api/messages")
    await chat.says("大爷写的")
    await chat.sees("text:大爷写的")
    assert await chat.own_texts() == ["大爷写的"]
    await app.sends_place()
    await chat.sees("place::35.6442,104.7323")
    assert (await who_said(site, "大爷写的"), await who_said(site, "大娘写的")) == ([502], [])
    app.asked_for_script()


async def test_the_pages_on_the_way_can_be_read_and_hit(site: Site, wechat: FakeWeChat, phones: PhoneMaker) -> None:
    wechat.user("王大娘").holds_phone(snapshot=True)
    for scheme in ("light", "dark"):
        chat = await phones(site.url, color_scheme=scheme)
        chat.forgives = "400"
        await chat.opens(f"{site.url}/wechat/page")
        await expect(chat.page.get_by_role("heading", name="现在只能看一看")).to_be_visible()
        await chat.opens(f"{site.url}/wechat/page?code=x&state=r")
        await expect(chat.page.get_by_role("heading", name="没有登录上")).to_be_visible()
        await chat.ask(DOUBLE_TEXT)
        assert await chat.ask("document.documentElement.scrollWidth") <= 360
        for name in ("重试", "不登录，直接打开"):
            box = await chat.page.get_by_role("link", name=name).bounding_box()
            assert box is not None and box["height"] >= 56 and box["width"] > 300
        await chat.page.get_by_role("link", name="不登录，直接打开").click()
        await expect(chat.page.locator("#title")).to_have_text("试验乡 · 净乡", timeout=PATIENCE_MS)
