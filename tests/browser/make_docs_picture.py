"""Makes docs/chat.png, the picture in the README: `python -m tests.browser.make_docs_picture`."""

from __future__ import annotations

import asyncio
import io
import math
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from tests.browser.chat import Chat, file_of
from tests.browser.conftest import FLAGS, PHONE, chromium
from tests.browser.program import ROOT, Program
from tests.browser.scene import dump_at_the_bridge

TARGET = ROOT / "docs" / "chat.png"
LIMIT_BYTES = 150_000
FIT = """
() => {
  const log = document.getElementById("log");
  const photo = document.querySelector(".message.me .thumb").closest(".message");
  const last = document.getElementById("messages").lastElementChild;
  return innerHeight - log.clientHeight + last.getBoundingClientRect().bottom - photo.getBoundingClientRect().top + 32;
}
"""


async def converse(chat: Chat) -> bytes:
    """A report with a photo, up to the case number → a PNG of the screen."""
    await chat.opens()
    await chat.begins()
    await chat.sends_files(file_of(dump_at_the_bridge()))
    await chat.sees("在哪里")
    await chat.says("王家沟桥头")
    await chat.sees("请看对不对")
    await chat.taps("提交举报")
    await chat.case_number()
    await chat.sees("怎么称呼您")
    await chat.images_are_there()
    await chat.ask("() => { document.activeElement.blur(); }")
    await chat.page.set_viewport_size({"width": 360, "height": math.ceil(await chat.ask(FIT))})
    await chat.ask("() => { document.getElementById('log').scrollTop = 1e9; }")
    return await chat.page.screenshot()


async def make(program: Program) -> None:
    """Start a browser, take the picture, store it with few colours."""
    staff = program.invite("staff")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        await Chat(await (await browser.new_context(**PHONE)).new_page(), program.url).joins(staff)
        context = await browser.new_context(**PHONE, device_scale_factor=2)
        taken = await converse(Chat(await context.new_page(), program.url))
        await browser.close()
    picture = Image.open(io.BytesIO(taken)).convert("RGB").quantize(192, dither=Image.Dither.NONE)
    picture.save(TARGET, optimize=True)
    size = TARGET.stat().st_size
    print(f"{TARGET}: {size} bytes")
    assert size < LIMIT_BYTES


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        shown = Program(Path(scratch))
        shown.start()
        try:
            asyncio.run(make(shown))
        finally:
            shown.kill()
