"""The README's first ten minutes, read from it and played word for word, in the morning, at noon and at night."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from tests.browser.chat import PATIENCE_MS, Chat
from tests.browser.conftest import PhoneMaker
from tests.browser.program import Program
from tests.example import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
DAY = "2026-11-25"  # a Wednesday: a working day in the year that the README shows
HOURS = ("06:00", "12:00", "23:00")
TEN_MINUTES_S, BACK_S = 600, 12  # by then her page has found the program again


class Readme:
    """What a section tells people to type, to press and to expect, in its order."""

    def __init__(self, page: Path, title: str) -> None:
        section = page.read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
        self.blocks = iter(re.findall(r"```text\n(.*?)\n```", section, re.S))
        prose = re.sub(r"```.*?```", "", section, flags=re.S)
        self.typed = iter(re.findall(r"「(.+?)」", prose))
        self.pressed = iter(re.findall(r"【(.+?)】", prose))
        self.tries = re.findall(r"`([^`]*\d[^`]*|[^`]*斤[^`]*)`", prose.split("再试试")[1].split("\n")[0])


@pytest.fixture(params=HOURS)
def at_that_hour(equipped: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    """The program, fresh, with the example as it is, started at that hour."""
    wanted = datetime.fromisoformat(f"{DAY}T{request.param}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    program = Program(tmp_path, ahead_ms=int((wanted.timestamp() - time.time()) * 1000))
    program.start()
    try:
        yield program
    finally:
        program.kill()
    assert not program.complaints()


async def test_the_first_ten_minutes(at_that_hour: Program, phones: PhoneMaker) -> None:
    program, readme = at_that_hour, Readme(ROOT / "README.md", "头十分钟")
    aunt = await villager_reports(await phones(program.url), readme)
    cleaner = await cleaner_weighs(await phones(program.url), program.join_links()["cleaner"], readme)

    staff = await phones(program.url)
    await staff.opens(program.join_links()["staff"])
    await staff.taps(next(readme.pressed))
    await staff.says(next(readme.typed))
    await staff.sees("2026-0001")
    await staff.taps("2026-0001")
    await staff.sees("桥头有人倒垃圾")
    await staff.taps(next(readme.pressed))
    await staff.sees("已记为「属实」")
    await expect(staff.button(next(readme.pressed))).to_be_visible(timeout=PATIENCE_MS)
    decided_s = time.monotonic()
    result = next(readme.blocks).splitlines()

    await staff.says(next(readme.typed))
    await staff.sees("日报")
    await staff.says(next(readme.typed))
    await staff.sees("邀请他来做什么")
    await staff.says("保洁员")
    await staff.sees("管哪里")
    assert not any(result[1] in told for told in await aunt.bot_texts())

    for chat in (aunt, cleaner, staff):
        chat.forgives = "ERR_|net::|Failed to load"  # the program is away for a moment
    program.kill()
    program.passes(TEN_MINUTES_S - BACK_S - (time.monotonic() - decided_s))
    program.start()
    for line in result:  # at that hour, whatever it is: she is here
        await aunt.sees(line)
    await staff.says("王家沟")
    await staff.sees("请看对不对", "王家沟村")
    await aunt.says(next(readme.typed))
    await aunt.sees("5 分")
    await cleaner.says("今日称重")
    assert "F2026-00001" in await cleaner.sees("今天 ")


async def villager_reports(aunt: Chat, readme: Readme) -> Chat:
    """Everything up to the number of her report, to the letter, and what she is asked then."""
    await aunt.opens()
    await aunt.says(next(readme.blocks))
    await aunt.sees("五件事")
    await aunt.taps(next(readme.pressed))
    await aunt.taps(next(readme.pressed))
    await aunt.sees("请看对不对")
    await aunt.taps(next(readme.pressed))
    assert await aunt.sees("收到了") == next(readme.blocks)
    await aunt.sees("怎么称呼您")
    await aunt.taps(next(readme.pressed))
    return aunt


async def cleaner_weighs(cleaner: Chat, link: str, readme: Readme) -> Chat:
    """A line, a look, the ticket to the letter; then the other lines that the README offers."""
    await cleaner.opens(link)
    await cleaner.taps(next(readme.pressed))
    await cleaner.says(next(readme.blocks))
    await cleaner.sees("请看对不对")
    record = next(readme.pressed)
    await cleaner.taps(record)
    ticket = await cleaner.sees("记好了")
    assert ticket == next(readme.blocks)
    for number, line in enumerate(readme.tries, start=2):
        await cleaner.says(line)
        await expect(cleaner.button(record)).to_be_visible(timeout=PATIENCE_MS)
        await cleaner.taps(record)
        await cleaner.sees(f"F2026-0000{number}")
    return cleaner
