"""«有消息时提醒我» on a phone: switching it on, where it can't be had, what the lock screen shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Worker, expect

from tests.browser import looks
from tests.browser.chat import PATIENCE_MS, Chat
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program
from tests.fakes.push import Browser

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
ROWS = "SELECT address, endpoint FROM push_subscriptions"
CONTROLLED = """async () => {
  while (!navigator.serviceWorker.controller) await new Promise((done) => setTimeout(done, 20));
}"""
# What Chromium would get from its service, which is not on this machine: it is kept with the page, as the browser does.
SERVICE = """(subscription) => {
  const kept = () => JSON.parse(localStorage.getItem("of the browser"));
  const shown = (found) => found && { ...found, toJSON: () => found, options: {}, unsubscribe: async () => {
    localStorage.removeItem("of the browser");
    return true;
  } };
  PushManager.prototype.getSubscription = async () => shown(kept());
  PushManager.prototype.subscribe = async (options) => {
    window.asked = { visible: options.userVisibleOnly, bytes: options.applicationServerKey.length };
    localStorage.setItem("of the browser", JSON.stringify(subscription));
    return shown(kept());
  };
}"""


@pytest.fixture(scope="module")
def known(equipped: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program that people reach by https: its proxy is not played, the browser trusts this computer anyhow."""
    own = Program(tmp_path_factory.mktemp("known"), PUBLIC_URL="https://chat.example")
    own.start()
    try:
        yield own
    finally:
        own.kill()
    assert not own.complaints()


@pytest_asyncio.fixture(loop_scope="session")
async def aunt(phones: PhoneMaker, known: Program) -> AsyncIterator[Chat]:
    found = await phones(known.url, agreed=True, permissions=["notifications"])
    found.forgives = "Push API in incognito"  # only where the browser itself is asked
    yield found


async def with_a_service(chat: Chat, name: str = "aunt") -> None:
    """Let the browser have a push service, also after a reload."""
    script = f"({SERVICE})({json.dumps(Browser(name, '').subscription())})"
    await chat.context.add_init_script(script)
    await chat.page.reload()
    await chat.ask(CONTROLLED)


async def settings_of(chat: Chat) -> Locator:
    await chat.page.click("#more")
    await chat.page.click("[data-act=settings]")
    return chat.page.get_by_role("checkbox", name="有消息时提醒我")


def browsers(program: Program) -> list[dict[str, Any]]:
    return [dict(row) for row in program.rows(ROWS)]


async def test_it_is_switched_on_kept_and_switched_off(aunt: Chat, known: Program) -> None:
    await with_a_service(aunt)
    box = await settings_of(aunt)
    await expect(box).not_to_be_checked()
    await box.check()
    await expect(aunt.page.locator("#remind-said")).to_contain_text("只写“有新消息”", timeout=PATIENCE_MS)
    assert await aunt.ask("window.asked") == {"visible": True, "bytes": 65}
    assert await looks.nameless(aunt) == [] and await looks.layout_faults(aunt) == []
    assert [row["endpoint"].rpartition("/")[2] for row in browsers(known)] == ["aunt"]
    await aunt.page.get_by_role("button", name="好了").click()
    await aunt.page.reload()
    await aunt.sees("看见乱倒垃圾")
    box = await settings_of(aunt)
    await expect(box).to_be_checked()
    await box.uncheck()
    await expect(box).to_be_enabled()
    assert browsers(known) == []
    assert await aunt.ask("localStorage.getItem('of the browser')") is None


async def test_a_page_that_is_put_away_lets_go_of_its_line_and_comes_back_whole(aunt: Chat, known: Program) -> None:
    await with_a_service(aunt)
    await (await settings_of(aunt)).check()
    await expect(aunt.page.locator("#remind-said")).to_contain_text("有新消息", timeout=PATIENCE_MS)
    await aunt.page.get_by_role("button", name="好了").click()
    await put_away(aunt, True)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while known.open_pages():
            await asyncio.sleep(0.05)
    await aunt.ask(
        "fetch('/api/messages', {method: 'POST', headers: {'X-Jingxiang': '1', 'Content-Type':"
        " 'application/json'}, body: JSON.stringify({id: 'x1', kind: 'text', text: '我的举报'})})"
    )
    address = browsers(known)[0]["address"]
    waiting = "SELECT id FROM outbox WHERE address = :address AND state = 'waiting'"
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not known.rows(waiting, address=address):
            await asyncio.sleep(0.05)
    assert known.rows("SELECT id FROM timers WHERE kind = 'push.wanted'")
    assert not await aunt.bot("还没有举报").count()
    await put_away(aunt, False)
    await aunt.sees("举报")
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while known.rows(waiting, address=address):
            await asyncio.sleep(0.05)
    await (await settings_of(aunt)).uncheck()


async def put_away(chat: Chat, hidden: bool) -> None:
    """Another app is opened before the browser, or the browser is opened again."""
    await chat.ask(
        """(hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }""",
        hidden,
    )


# -- where it can't be had


async def test_a_browser_that_does_not_reach_its_service_is_told_so(aunt: Chat, known: Program) -> None:
    """This Chromium has no way to the net: it is what phones without Google's services do."""
    box = await settings_of(aunt)
    others = browsers(known)
    await box.click()
    await expect(aunt.page.locator("#remind-said")).to_contain_text("连不上它的提醒服务", timeout=PATIENCE_MS)
    await expect(box).not_to_be_checked()
    assert browsers(known) == others


async def test_a_phone_that_does_not_allow_it_is_told_where(phones: PhoneMaker, known: Program) -> None:
    aunt = await phones(known.url, agreed=True)
    await aunt.context.grant_permissions([])
    await aunt.ask("() => { Object.defineProperty(Notification, 'permission', { get: () => 'denied' }); }")
    box = await settings_of(aunt)
    await expect(box).to_be_disabled()
    await expect(aunt.page.locator("#remind-said")).to_contain_text("没有允许提醒")


async def test_a_browser_without_it_says_so_kindly(phones: PhoneMaker, known: Program) -> None:
    aunt = await phones(known.url, agreed=True)
    await aunt.ask("delete window.PushManager")
    box = await settings_of(aunt)
    await expect(box).to_be_disabled()
    await expect(aunt.page.locator("#remind-said")).to_contain_text("请常打开本页看看")


async def test_an_iphone_is_told_of_its_home_screen(phones: PhoneMaker, known: Program) -> None:
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
    aunt = await phones(known.url, agreed=True, user_agent=agent)
    await aunt.ask("delete window.PushManager")
    await settings_of(aunt)
    await expect(aunt.page.locator("#remind-said")).to_contain_text("添加到主屏幕")


async def test_inside_wechat_another_browser_is_named(phones: PhoneMaker, known: Program) -> None:
    aunt = await phones(known.url, agreed=True, user_agent="Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50")
    await settings_of(aunt)
    await expect(aunt.page.locator("#remind-said")).to_contain_text("手机自带的浏览器")


async def test_without_https_nothing_is_offered(phone: PhoneMaker) -> None:
    aunt = await phone(agreed=True, permissions=["notifications"])
    await expect(await settings_of(aunt)).to_be_disabled()


# -- what a push does


async def deliver(chat: Chat, said: dict[str, Any] | None, program: Program) -> None:
    """A push arrives from the browser's service."""
    session = await chat.context.new_cdp_session(chat.page)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def note(event: dict[str, Any]) -> None:
        for one in event["registrations"]:
            if not found.done() and one["scopeURL"].startswith(program.url) and not one["isDeleted"]:
                found.set_result(one["registrationId"])

    session.on("ServiceWorker.workerRegistrationUpdated", note)
    await session.send("ServiceWorker.enable")
    registration = await asyncio.wait_for(found, PATIENCE_MS / 1000)
    data = json.dumps(said) if said is not None else ""
    await session.send(
        "ServiceWorker.deliverPushMessage", {"origin": program.url, "registrationId": registration, "data": data}
    )
    await session.detach()


async def worker_of(chat: Chat) -> Worker:
    await chat.ask(CONTROLLED)
    return chat.context.service_workers[0]


async def shown(worker: Worker, count: int) -> list[dict[str, Any]]:
    script = (
        "async () => (await self.registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }))"
    )
    found: list[dict[str, Any]] = []
    for _ in range(60):
        found = await worker.evaluate(script)
        if len(found) >= count:
            break
        await asyncio.sleep(0.05)
    return found


async def hides_all_pages(worker: Worker, hidden: bool) -> None:
    """Headless Chromium shows every page; the worker sees them as on a phone whose browser is closed."""
    await worker.evaluate(
        """(hidden) => {
      const all = Clients.prototype.all ??= Clients.prototype.matchAll;
      Clients.prototype.matchAll = hidden ? async () => [] : all;
    }""",
        hidden,
    )


async def test_a_push_shows_that_there_is_news_once(aunt: Chat, known: Program) -> None:
    worker = await worker_of(aunt)
    await hides_all_pages(worker, True)
    news = {"title": "青禾塬镇 · 净乡", "text": "有新消息"}
    await deliver(aunt, news, known)
    assert await shown(worker, 1) == [{"title": news["title"], "body": news["text"], "tag": "news "}]
    await deliver(aunt, news, known)
    await asyncio.sleep(0.3)
    assert len(await shown(worker, 1)) == 1, "a later push takes the place of the earlier one"


@pytest.mark.parametrize("said", [None, {}])
async def test_a_push_without_words_still_says_something(
    aunt: Chat, known: Program, said: dict[str, Any] | None
) -> None:
    worker = await worker_of(aunt)
    await hides_all_pages(worker, True)
    await deliver(aunt, said, known)
    assert [one["body"] for one in await shown(worker, 1)] == ["有新消息"]


async def test_whoever_looks_at_the_page_is_not_rung(aunt: Chat, known: Program) -> None:
    worker = await worker_of(aunt)
    await deliver(aunt, {"title": "青禾塬镇 · 净乡", "text": "有新消息"}, known)
    await asyncio.sleep(0.3)
    assert await shown(worker, 0) == []


@pytest.mark.parametrize(
    ("town", "closed", "opened"), [("", True, "/"), ("629999101", True, "/?t=629999101"), ("", False, "")]
)
async def test_a_tap_opens_the_page_or_goes_back_to_it(aunt: Chat, town: str, closed: bool, opened: str) -> None:
    worker = await worker_of(aunt)
    await hides_all_pages(worker, closed)
    done = await worker.evaluate(
        """async (town) => {
      const seen = [];
      Clients.prototype.openWindow = async (path) => { seen.push(path); };
      WindowClient.prototype.focus = async function () { seen.push("focus " + new URL(this.url).pathname); };
      const waits = [];
      const event = new Event("notificationclick");
      event.notification = { data: { t: town }, close: () => seen.push("closed") };
      event.waitUntil = (promise) => waits.push(promise);
      self.dispatchEvent(event);
      await Promise.all(waits);
      return seen;
    }""",
        town,
    )
    assert done == ["closed", opened or "focus /"]
