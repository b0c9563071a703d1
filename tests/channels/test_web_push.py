"""A page switches «有消息时提醒我» on and off: whose browser it is, which addresses are taken, what begins to wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.channels.website import Page, Site, serving
from tests.fakes.push import Browser

KEY = "the key of our pushes"
ROWS = "SELECT address, endpoint, server_key FROM push_subscriptions WHERE township_id = :t ORDER BY id"
WANTED = "SELECT id, timer_key, payload FROM timers WHERE township_id = :t AND kind = 'push.wanted' ORDER BY id"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path, push_key=KEY, push_hosts='["push.example.cn"]') as found:
        yield found


async def somebody(site: Site) -> Page:
    """A page whose reader has said something."""
    page = await site.page()
    async with page.events() as events:
        await page.says("您好")
        await events.bot_says()
    return page


async def switches_on(page: Page, browser: Browser, **other: Any) -> tuple[int, Any]:
    return await page.post("/api/push", **{**browser.subscription(), **other})


async def test_a_page_is_told_the_key_and_switches_on_and_off(site: Site) -> None:
    page, browser = await somebody(site), Browser("aunt", KEY)
    assert (await page.open())["push"] == {"key": KEY, "on": False}
    assert (await switches_on(page, browser))[0] == 200
    assert (await page.open())["push"] == {"key": KEY, "on": True}
    rows = [dict(row) for row in await site.rows(ROWS)]
    assert rows == [{"address": page.address, "endpoint": browser.endpoint, "server_key": KEY}]
    assert (await page.post("/api/push/off"))[0] == 200
    assert (await page.open())["push"]["on"] is False and await site.rows(ROWS) == []
    assert (await page.post("/api/push/off"))[0] == 200


async def test_a_browser_switched_on_again_is_one_browser(site: Site) -> None:
    page = await somebody(site)
    for name in ("first", "second", "second"):
        assert (await switches_on(page, Browser(name, KEY)))[0] == 200
    assert [row["endpoint"].rpartition("/")[2] for row in await site.rows(ROWS)] == ["second"]


async def test_one_who_has_said_nothing_yet_is_asked_to_begin(site: Site) -> None:
    page = await site.page()
    status, answer = await switches_on(page, Browser("aunt", KEY))
    assert (status, answer["error"]) == (403, "push_stranger") and await site.rows(ROWS) == []


async def test_without_https_there_is_no_push(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        page = await somebody(site)
        assert "push" not in await page.open()
        assert (await switches_on(page, Browser("aunt", KEY)))[0] == 404


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://user@fcm.googleapis.com/x",
        5,
        None,
    ],
)
async def test_an_address_of_no_known_service_is_not_kept(site: Site, endpoint: object) -> None:
    page = await somebody(site)
    status, answer = await switches_on(page, Browser("aunt", KEY), endpoint=endpoint)
    assert (status, answer["error"]) == (422, "push_unknown") and await site.rows(ROWS) == []


async def test_an_operator_s_own_service_is_taken(site: Site) -> None:
    page = await somebody(site)
    assert (await switches_on(page, Browser("aunt", KEY), endpoint="https://a.push.example.cn/x"))[0] == 200


async def test_another_site_and_a_page_without_a_cookie_switch_nothing(site: Site) -> None:
    page, stranger = await somebody(site), await site.page(session=False)
    for path in ("/api/push", "/api/push/off"):
        assert (await page.post(path, headers={}, **Browser("aunt", KEY).subscription()))[0] == 403
        assert (await stranger.post(path, **Browser("aunt", KEY).subscription()))[0] == 401
    assert await site.rows(ROWS) == []


async def test_a_body_that_is_too_large_or_no_json_is_refused(site: Site) -> None:
    page = await somebody(site)
    assert (await switches_on(page, Browser("aunt", KEY), padding="x" * 5_000))[0] == 413
    async with page.http.post(f"{site.url}/api/push", data="{", headers={"X-Jingxiang": "1"}) as response:
        assert response.status == 422


# -- what waits for a closed page begins to be told


async def wanted(site: Site, count: int) -> list[Any]:
    for _ in range(100):
        rows = list(await site.rows(WANTED))
        if len(rows) >= count:
            return rows
        await asyncio.sleep(0.05)
    return rows


async def test_a_message_to_a_closed_page_is_to_be_told_with_it_and_one_to_an_open_page_is_not(site: Site) -> None:
    page = await somebody(site)
    await switches_on(page, Browser("aunt", KEY))
    async with page.events() as events:
        await site.tell(page, "开着的")
        assert await events.bot_says() == "开着的"
    assert await site.rows(WANTED) == []
    message_id = await site.tell(page, "关了的")
    (row,) = await wanted(site, 1)
    waits = await site.rows("SELECT id FROM outbox WHERE township_id = :t AND state = 'waiting'")
    assert [one["id"] for one in waits] == [message_id] == [row["id"]]
    assert page.address not in row["timer_key"] + row["payload"], "a timer names nobody"
    assert json.loads(row["payload"]).keys() == {"subscription"}


async def test_nothing_is_to_be_told_where_nobody_asked(site: Site) -> None:
    page, other = await somebody(site), await somebody(site)
    await switches_on(other, Browser("other", KEY))
    await site.tell(page, "关了的")
    await site.tell(other, "也关了的")
    assert len(await wanted(site, 1)) == 1
