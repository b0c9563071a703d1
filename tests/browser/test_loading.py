"""The first load is small, keeps to its own host and policy, and leaves an app behind."""

from __future__ import annotations

import pytest
from playwright.async_api import Response, expect

from tests.browser.chat import PATIENCE_MS
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
FIRST_LOAD_LIMIT_BYTES = 150_000


async def test_the_first_load_is_small_and_clean(phone: PhoneMaker, program: Program) -> None:
    aunt = await phone()
    responses: list[Response] = []
    aunt.page.on("response", lambda response: responses.append(response))
    await aunt.opens()
    await aunt.ask("async () => { await navigator.serviceWorker.ready; }")
    loaded = 0
    for response in responses:
        if "/api/events" in response.url:  # goes on as long as the page is open
            continue
        assert response.ok, response.url
        sizes = await response.request.sizes()
        loaded += sizes["responseBodySize"] + sizes["responseHeadersSize"]
    assert len(responses) > 10
    assert 2 * loaded < FIRST_LOAD_LIMIT_BYTES  # twice: the service worker fetches its own copies
    policy = responses[0].headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


async def test_the_page_can_be_installed_and_opens_without_a_network(phone: PhoneMaker, program: Program) -> None:
    aunt = await phone(agreed=True)
    aunt.forgives = r"Failed to load resource|ERR_INTERNET_DISCONNECTED"
    href = await aunt.page.get_attribute("link[rel=manifest]", "href")
    manifest = await (await aunt.context.request.get(f"{program.url}{href}")).json()
    assert manifest["name"] == "净乡" and manifest["display"] == "standalone" and manifest["start_url"] == "/"
    sizes = set()
    for icon in manifest["icons"]:
        assert (await aunt.context.request.get(f"{program.url}{icon['src']}")).ok
        sizes.add(icon["sizes"])
    assert {"192x192", "512x512"} <= sizes
    await aunt.ask("async () => { await navigator.serviceWorker.ready; }")
    await aunt.page.wait_for_function("navigator.serviceWorker.controller !== null")
    await aunt.context.set_offline(True)
    await aunt.page.reload()
    await expect(aunt.page.locator("#title")).to_have_text("青禾塬镇 · 净乡", timeout=PATIENCE_MS)
    await expect(aunt.page.locator("#link-state")).to_contain_text("没有网络")
    await expect(aunt.page.get_by_role("textbox", name="写消息")).to_be_editable()
