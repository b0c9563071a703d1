"""A real browser, a real program, people with phones. Without Chromium or a Chinese font these tests are skipped by
name; with CI=true that is a failure."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.chat import Chat
from tests.browser.program import Program

FAILURES = Path(__file__).parent / "failures"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "locale": "zh-CN",
    "timezone_id": "Asia/Shanghai",
}
PhoneMaker = Callable[..., Awaitable[Chat]]


def chromium() -> str:
    """Where Debian's Chromium is, or ""."""
    return shutil.which("chromium") or ""


def missing() -> str:
    """What these tests lack on this machine, or ""."""
    if not chromium():
        return "chromium is missing (apt-get install chromium)"
    if shutil.which("fc-list") is None:
        return "fontconfig is missing (apt-get install fontconfig)"
    fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, timeout=60, check=True).stdout
    return "" if fonts.strip() else "a Chinese font is missing (apt-get install fonts-noto-cjk)"


@pytest.fixture(scope="session")
def equipped() -> None:
    """Skip, or fail where nothing may be skipped, when something is missing."""
    lack = missing()
    if lack and os.environ.get("CI") == "true":
        pytest.fail(f"browser tests: {lack}")
    if lack:
        pytest.skip(f"browser tests: {lack}")


@pytest.fixture(scope="session")
def program(equipped: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program that most tests share. It must not complain, and must stop when asked."""
    shared = Program(tmp_path_factory.mktemp("program"))
    shared.start()
    try:
        yield shared
        shared.stop()
    finally:
        shared.kill()
    assert not shared.complaints()


@pytest.fixture
def mortal(equipped: None, tmp_path: Path) -> Iterator[Program]:
    """A program of one's own, to be killed."""
    own = Program(tmp_path)
    own.start()
    try:
        yield own
    finally:
        own.kill()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(equipped: None) -> AsyncIterator[Browser]:
    """One Chromium; each person gets a profile of their own in it."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def phones(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[PhoneMaker]:
    """Makes phones: fresh, or of a villager who has agreed, or of someone with a join link. Whatever a test does, no
    page may ask another host, and none may complain in its console unless the test says why (`forgives`)."""
    chats: list[Chat] = []

    async def make(url: str, *, agreed: bool = False, join: str = "", **options: Any) -> Chat:
        context = await browser.new_context(**{**PHONE, **options})
        chat = Chat(await context.new_page(), url)
        chats.append(chat)
        if agreed:
            await chat.opens()
            await chat.begins()
        if join:
            await chat.joins(join)
        return chat

    yield make
    failed = getattr(request.node, "failed", False)
    for number, chat in enumerate(chats):
        if failed and not chat.page.is_closed():
            FAILURES.mkdir(exist_ok=True)
            name = re.sub(r"\W+", "_", request.node.name)
            await chat.page.screenshot(path=FAILURES / f"{name}_{number}.png")
        await chat.context.close()
    assert [url for chat in chats for url in chat.strangers] == []
    assert [fault for chat in chats for fault in chat.unforgiven()] == []


@pytest_asyncio.fixture(loop_scope="session")
async def phone(phones: PhoneMaker, program: Program) -> PhoneMaker:
    """Phones that open the shared program, unless an address is given."""

    async def make(url: str = program.url, **options: Any) -> Chat:
        return await phones(url, **options)

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Remember that a test failed, so that its screens are kept."""
    report = yield
    if report.when == "call":
        item.failed = report.failed  # type: ignore[attr-defined]
    return report
