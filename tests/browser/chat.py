"""The chat page as a person uses it: type, tap, choose a photo, read what is on the screen."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, FilePayload, Locator, Page, Request, expect

PATIENCE_MS = 20_000


def file_of(content: bytes, name: str = "photo.jpg", mime: str = "image/jpeg") -> FilePayload:
    """A file as the phone's album hands it over."""
    return {"name": name, "mimeType": mime, "buffer": content}


@dataclass
class Chat:
    """One person's page. `faults` collects what a browser's console would complain about."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    forgives: str = ""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._note_request)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.text} {message.location.get('url', '')}")

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.strangers.append(request.url)

    def unforgiven(self) -> list[str]:
        """Complaints of the console that the test did not foresee (`forgives` is a pattern)."""
        return [fault for fault in self.faults if not (self.forgives and re.search(self.forgives, fault))]

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    async def opens(self, link: str = "") -> None:
        """Open the address or a join link."""
        await self.page.goto(link or self.url)

    async def says(self, words: str) -> None:
        """Type words and press send."""
        await self.page.fill("#text", words)
        await self.page.click("#send")

    async def sends_files(self, *files: FilePayload) -> None:
        """Choose files in the album."""
        await self.page.set_input_files("#pick-album", list(files))

    def button(self, label: str) -> Locator:
        """The newest button whose words begin so, among those of the open question."""
        words = re.compile(rf"^\s*{re.escape(label)}")
        return self.page.locator(".message.open .choice").filter(has_text=words).last

    async def taps(self, label: str) -> None:
        """Press a button of the open question."""
        await self.button(label).click()

    def bot(self, words: str) -> Locator:
        """The newest message of the bot that contains these words."""
        return self.page.locator(".message.bot .bubble").filter(has_text=words).last

    async def sees(self, *words: str) -> str:
        """Wait until the bot has said each of these; the text of the bubble that has the last of them."""
        for each in words:
            await expect(self.bot(each)).to_be_visible(timeout=PATIENCE_MS)
        return await self.bot(words[-1]).inner_text()

    async def begins(self) -> None:
        """Press «start» on a fresh page, and agree to what is kept."""
        await self.page.click("#begin")
        await self.taps("同意")
        await self.sees("看见乱倒垃圾")

    async def joins(self, link: str, name: str = "李师傅") -> None:
        """Open a join link, agree, and say one's name."""
        await self.opens(link)
        await self.taps("同意")
        await self.sees("您现在是", "怎么称呼您")
        await self.says(name)
        await self.sees(f"以后叫您{name}")

    async def case_number(self) -> str:
        """The number of the report just made."""
        said = re.search(r"编号 (\d{4}-\d{4,})", await self.sees("收到了"))
        assert said is not None
        return said.group(1)

    async def bot_texts(self) -> list[str]:
        """Everything the bot said on this page, in order."""
        return [text.strip() for text in await self.page.locator(".message.bot .bubble:not(.dots)").all_inner_texts()]

    async def own_texts(self) -> list[str]:
        """Everything the person said, in order."""
        return [text.strip() for text in await self.page.locator(".message.me .bubble").all_inner_texts()]

    async def open_labels(self) -> list[str]:
        """The buttons of the open question."""
        return [text.strip() for text in await self.page.locator(".message.open .choice").all_inner_texts()]

    async def images_are_there(self) -> None:
        """Wait until every picture of the page is loaded (the page's security policy forbids Playwright's own way)."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not await self.page.evaluate("[...document.images].every((image) => image.complete)"):
                await asyncio.sleep(0.02)

    async def ask(self, script: str, value: Any = None) -> Any:
        """Evaluate JavaScript in the page."""
        return await self.page.evaluate(script, value)
