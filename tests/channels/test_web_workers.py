"""Two workers serve the web chat on one PostgreSQL database: whichever a browser reaches, nothing is missing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.channels.website import PATIENCE_S, Page, Site, serving
from tests.postgres import PostgresServer

Pair = tuple[Site, Site]


@asynccontextmanager
async def two_workers(server: PostgresServer, folder: Path) -> AsyncIterator[Pair]:
    """The first one delivers, for it came first."""
    url = await server.fresh()
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serving(folder / "first", url=url))
        second = await stack.enter_async_context(serving(folder / "second", url=url))
        yield first, second
    await server.drop(url)


@pytest.fixture
async def pair(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Pair]:
    """Two workers on a quick server."""
    async with two_workers(postgres, tmp_path) as made:
        yield made


async def at(site: Site, page: Page) -> Page:
    """The same browser, at another worker."""
    other = await site.page(session=False)
    other.http.cookie_jar.update_cookies({"jingxiang": page.token})
    return other


@pytest.mark.parametrize("reader", [0, 1])
async def test_an_answer_reaches_a_page_that_another_worker_serves(pair: Pair, reader: int) -> None:
    page = await pair[reader].page()
    writer = await at(pair[1 - reader], page)
    async with page.events() as events:
        await writer.says("王家沟桥头有人倒垃圾")
        seen = [await events.message(), await events.message()]
        assert [one["from"] for one in sorted(seen, key=lambda one: int(one["id"]))] == ["me", "bot"]
        assert any(one["text"].startswith("text:王家沟桥头有人倒垃圾") for one in seen)


async def test_two_pages_at_two_workers_show_everything_once(pair: Pair) -> None:
    here = await pair[0].page()
    there = await at(pair[1], here)
    async with here.events() as first, there.events() as second:
        for number in range(5):
            await (here, there)[number % 2].says(f"第{number}句")
        for events in (first, second):
            seen = [await events.message() for _ in range(10)]
            ids = [one["id"] for one in seen]
            assert len(set(ids)) == 10, "something was shown twice"
            said = {one["text"].partition(":0.0")[0] for one in seen if one["from"] == "bot"}
            assert said == {f"text:第{number}句" for number in range(5)}


async def test_one_persons_messages_are_answered_in_order_by_whichever_worker(pair: Pair) -> None:
    page = await pair[0].page()
    other = await at(pair[1], page)
    async with page.events() as events:
        for number in range(12):
            await (page, other)[number % 2].says(f"{number}")
        seen = sorted([await events.message() for _ in range(24)], key=lambda one: int(one["id"]))
    said = [one["text"].split(":")[1] for one in seen if one["from"] == "bot"]
    assert said == [str(number) for number in range(12)]


async def test_a_worker_that_ends_leaves_its_pages_to_the_other(postgres: PostgresServer, tmp_path: Path) -> None:
    url = await postgres.fresh()
    async with serving(tmp_path / "second", url=url) as second:
        async with serving(tmp_path / "first", url=url) as first:
            page = await first.page()
            await page.says("我还在")
        there = await at(second, page)
        async with there.events(after="0") as events:
            await there.says("换了一个")
            seen = [await events.message() for _ in range(4)]
    assert {one["text"].partition(":0.0")[0] for one in seen if one["from"] == "bot"} == {
        "text:我还在",
        "text:换了一个",
    }
    await postgres.drop(url)


async def test_while_the_database_is_away_health_says_so_and_everything_goes_on_afterwards(
    durable_postgres: PostgresServer, tmp_path: Path
) -> None:
    async with two_workers(durable_postgres, tmp_path) as (first, second):
        page = await first.page()
        other = await at(second, page)
        await page.says("之前")
        await asyncio.to_thread(durable_postgres.halt)
        answer = await health(page, 503)
        found = json.loads(answer)
        assert (found["ok"], found["database"]) == (False, "error")
        assert [(one["part"], one["reason"]) for one in found["troubles"]] == [("database", "no_answer")]
        status, refused = await page.post(kind="text", text="停电")
        assert status == 503 and refused["error"] == "busy"
        await asyncio.to_thread(durable_postgres.start)
        await health(page, 200)
        async with other.events(after="0") as events:
            await page.says("之后")
            seen = [await events.message() for _ in range(4)]
        said = {one["text"].partition(":0.0")[0] for one in seen if one["from"] == "bot"}
        assert said == {"text:之前", "text:之后"}


async def health(page: Page, wanted: int) -> bytes:
    """Wait until `/health` answers with that status; what it says."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            status, answer, _ = await page.get("/health")
            if status == wanted:
                return answer
            await asyncio.sleep(0.05)
