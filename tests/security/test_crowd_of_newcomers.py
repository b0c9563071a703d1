"""Two thousand made-up pages want to write: who has written before notices nothing, who is new works for a moment."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.web.visitors.crowd import FREE_PER_NETWORK
from tests.channels.website import HEADERS, Page, Site, done, serving
from tests.fakes.pictures import photo
from tests.security.desk import Desk, desk

MANY, AT_ONCE = 2_000, 40


@pytest.fixture
async def office(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path, sqlite_template) as opened:
        yield opened


async def floods(url: str, source: str, how_many: int) -> Counter[tuple[int, str]]:
    """Made-up pages that all write, each for the first time: what they are answered."""
    answers: Counter[tuple[int, str]] = Counter()
    headers = {**HEADERS, "X-Forwarded-For": source}

    async def writes(http: aiohttp.ClientSession, mine: range) -> None:
        for at in mine:
            async with http.post(f"{url}/api/session", json={}) as opened:
                cookie = opened.cookies["jingxiang"].value
            body = {"id": str(uuid.uuid4()), "kind": "text", "text": f"我要举报 {at}"}
            async with http.post(f"{url}/api/messages", json=body, cookies={"jingxiang": cookie}) as said:
                answers[said.status, (await said.json()).get("error", "")] += 1

    async with aiohttp.ClientSession(headers=headers, cookie_jar=aiohttp.DummyCookieJar()) as http:
        await asyncio.gather(*(writes(http, range(at, how_many, AT_ONCE)) for at in range(AT_ONCE)))
    return answers


async def heard(office: Desk, page: Page, **body: Any) -> tuple[int, Any]:
    """Somebody writes, and the bot answers them."""
    answer = await page.works_and_posts(**body)
    await office.until(lambda: office.says(page, ""))
    return answer


async def test_a_crowd_from_one_network_is_asked_to_work_and_people_are_answered_beside_it(office: Desk) -> None:
    aunt = await office.villager()
    flood = asyncio.create_task(floods(office.url, "203.0.113.7", MANY))
    await asyncio.sleep(0.5)
    await aunt.says("我的积分")
    await office.until(lambda: office.says(aunt, "积分"))
    neighbour, same = await office.page("198.51.100.9"), await office.page("203.0.113.200")
    status, _ = await neighbour.post(kind="start")
    assert status == 202, "a newcomer from elsewhere pays nothing"
    status, answer = await same.post(kind="start")
    assert (status, answer["error"]) == (429, "work_first") and "自动发" in answer["text"]
    status, _ = await heard(office, same, kind="start")
    assert status == 202, "and from among them works for it"
    answers = await flood
    assert answers.total() == MANY
    assert answers[202, ""] <= 3 * FREE_PER_NETWORK, answers
    assert answers[429, "work_first"] == MANY - answers[202, ""]


async def test_a_crowd_that_works_is_held_up_in_the_end_and_nobody_with_a_history_is(
    tmp_path: Path, sqlite_template: Path
) -> None:
    async with desk(tmp_path, sqlite_template, web_new_per_network_hour=12) as office:
        aunt = await office.page("203.0.113.5")  # of the same network
        await office.agrees(aunt)
        for at in range(11):
            status, _ = await (await office.page("203.0.113.9")).works_and_posts(kind="text", text=f"{at}")
            assert status == 202
        late = await office.page("203.0.113.9")
        status, answer = await late.works_and_posts(kind="start")
        assert (status, answer["error"]) == (429, "crowded") and "work" not in answer
        async with late.http.post(
            f"{office.url}/api/messages", json={"id": str(uuid.uuid4()), "kind": "start"}, headers=HEADERS
        ) as said:
            assert said.status == 429 and int(said.headers["Retry-After"]) >= 10
        status, _ = await (await office.page("198.51.100.9")).works_and_posts(kind="start")
        assert status == 202
        await aunt.says("我的积分")
        await office.until(lambda: office.says(aunt, "积分"))


async def test_who_wrote_before_a_restart_is_no_newcomer(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        aunt = Page(site.url)
        await aunt.open()
        await aunt.says("您好")
    async with serving(tmp_path, web_new_per_minute=1) as site:
        aunt.url = site.url
        site.pages.append(aunt)
        await (await site.page()).says("您好")
        status, answer = await (await site.page()).post(kind="text", text="您好")
        assert (status, answer["error"]) == (429, "crowded")
        await aunt.says("我又来了")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path, web_new_per_minute=8) as made:  # two come for nothing
        yield made


async def fill(site: Site) -> None:
    for _ in range(2):
        await (await site.page()).says("您好")


async def test_what_one_page_sends_at_once_is_one_newcomer(site: Site) -> None:
    page = await site.page()
    answers = await asyncio.gather(*(page.post(kind="text", text=f"{at}") for at in range(10)))
    assert {status for status, _ in answers} == {202}
    await (await site.page()).says("您好")
    status, _ = await (await site.page()).post(kind="text", text="您好")
    assert status == 429


async def test_a_photo_before_any_word_is_paid_for_too_and_nothing_is_stored_before(site: Site) -> None:
    await fill(site)
    page = await site.page()
    status, answer = await page.uploads(photo(1))
    assert (status, answer["error"]) == (429, "work_first")
    assert await site.rows("SELECT id FROM media WHERE township_id = :t") == []
    url, headers = f"{site.url}/api/media", {**HEADERS, "X-Jingxiang-Work": done(answer["work"])}
    async with page.http.post(url, params={"name": "a.jpg"}, data=photo(1), headers=headers) as said:
        assert said.status == 201
    await page.says("没有人再问")


async def test_work_done_for_another_page_counts_for_nobody_else(site: Site) -> None:
    await fill(site)
    one, other = await site.page(), await site.page()
    _, asked = await one.post(kind="text", text="您好")
    headers = {**HEADERS, "X-Jingxiang-Work": done(asked["work"])}
    status, answer = await other.post(kind="text", text="您好", headers=headers)
    assert (status, answer["error"]) == (429, "work_first") and answer["work"] != asked["work"]
    status, _ = await one.post(kind="text", text="您好", headers=headers)
    assert status == 202


@pytest.mark.parametrize(
    ("trusted", "passed_on", "pays", "listens"),
    [
        ("127.0.0.1", "203.0.113.{}", True, "127.0.0.1"),
        ("127.0.0.1", "203.0.113.{}", True, "::"),  # where the proxy is seen as ::ffff:127.0.0.1
        ("127.0.0.0/8", "203.0.113.{}", True, "::"),
        ("127.0.0.0/8, ::1", "203.0.113.{}", True, "127.0.0.1"),
        ("127.0.0.1", "198.51.{}.7, 203.0.113.7", True, "127.0.0.1"),  # what they say themselves comes first
        ("127.0.0.1", "203.0.{}.7", False, "127.0.0.1"),
        ("192.0.2.1", "203.0.113.{}", False, "::"),  # whoever says so is no proxy of ours
        ("", "203.0.113.{}", False, "127.0.0.1"),
    ],
)
async def test_only_a_trusted_proxy_says_where_somebody_comes_from(
    tmp_path: Path, trusted: str, passed_on: str, pays: bool, listens: str
) -> None:
    async with serving(tmp_path, web_trusted_proxies=trusted, web_host=listens) as site:
        for at in range(FREE_PER_NETWORK + 1):
            page = Page(site.url, passed_on.format(at))
            site.pages.append(page)
            await page.open()
            status, _ = await page.post(kind="text", text="您好")
            assert status == (429 if pays and at == FREE_PER_NETWORK else 202)
