"""One web chat for several townships: which one a page is in, and that it stays in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.database import Tx
from storage.product import areas
from tests.channels.website import HEADERS, Page, Site, serving
from tests.fakes.pictures import photo

EAST, WEST = "629999101", "629999102"


async def add_town(site: Site, township_id: int, code: str, name: str) -> None:
    async def work(tx: Tx) -> None:
        await areas.set_township(tx, code=code, name=name, county="朔禾县", province="甘肃省", now_ms=1)

    await site.database.transaction(work, township_id=township_id)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two townships."""
    async with serving(tmp_path) as served:
        await add_town(served, 1, EAST, "东乡")
        await add_town(served, 2, WEST, "西乡")
        yield served


async def session(page: Page, **body: Any) -> dict[str, Any]:
    """The answer to a session's request."""
    async with page.http.post(f"{page.url}/api/session", json=body, headers=HEADERS) as response:
        assert response.status == 200
        return dict(await response.json())


def towns(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["name"]) for one in answer["townships"]]


async def heard_in(site: Site, township_id: int) -> int:
    """How many updates a township got."""

    async def work(tx: Tx) -> int:
        rows = await tx.all("SELECT 1 FROM inbox WHERE township_id = :t")
        return len(rows)

    return await site.database.read(work, township_id=township_id)


async def test_where_there_are_several_the_session_lists_them(site: Site) -> None:
    page = await site.page(session=False)
    answer = await session(page)
    assert towns(answer) == [(EAST, "东乡"), (WEST, "西乡")]
    assert (answer["township"], answer["code"]) == ("", "")
    status, refusal = await page.post(kind="text", text="你好")
    assert (status, refusal["error"]) == (409, "which_township") and "乡镇" in refusal["text"]
    assert await heard_in(site, 1) == await heard_in(site, 2) == 0


async def test_the_one_that_is_named_is_kept(site: Site) -> None:
    page = await site.page(session=False)
    answer = await session(page, township=WEST)
    assert answer == {"language": "zh_CN", "township": "西乡 · 净乡", "code": WEST, "several": True}
    assert await session(page) == answer
    await page.says("你好")
    assert (await heard_in(site, 1), await heard_in(site, 2)) == (0, 1)
    assert towns(await session(page, choose=True)) == [(EAST, "东乡"), (WEST, "西乡")]
    assert (await session(page))["code"] == WEST
    assert (await session(page, township=EAST))["code"] == EAST


@pytest.mark.parametrize("body", [{"township": "620000000"}, {"township": 7}, {"township": "<x>"}, {"choose": 1}])
async def test_a_code_that_is_none_asks_again(site: Site, body: dict[str, Any]) -> None:
    page = await site.page(session=False)
    await session(page, township=WEST)
    assert len((await session(page, **body))["townships"]) == 2


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"x"', b"null"])
async def test_a_body_that_says_nothing_is_no_harm(site: Site, content: bytes) -> None:
    page = await site.page(session=False)
    async with page.http.post(f"{site.url}/api/session", data=content, headers=HEADERS) as response:
        assert response.status == 200 and len((await response.json())["townships"]) == 2


async def test_an_open_page_stays_in_its_township(site: Site) -> None:
    """Another tab of the browser goes over to the other one."""
    page = await site.page(session=False)
    await session(page, township=EAST)
    status, answer = await page.uploads(photo(3, (300, 200)))
    assert status == 201
    await page.post(kind="media", media=[answer["id"]], text="桥头")
    await session(page, township=WEST)
    east = {**HEADERS, "X-Jingxiang-Township": EAST}
    status, _ = await page.post(kind="text", text="还在东乡", headers=east)
    assert status == 202 and await heard_in(site, 1) == 2 and await heard_in(site, 2) == 0
    assert (await page.history())["messages"] == []
    async with page.http.get(f"{site.url}/api/history", headers=east) as response:
        assert "还在东乡" in [message["text"] for message in (await response.json())["messages"]]
    picture = f"/media/{answer['id']}"
    assert (await page.get(f"{picture}?t={EAST}"))[0] == 200
    assert (await page.get(picture))[0] == (await page.get(f"{picture}?t={WEST}"))[0] == 404
    assert (await page.get("/api/history", **{"X-Jingxiang-Township": "620000000"}))[0] == 409


async def test_with_one_township_no_code_matters(tmp_path: Path) -> None:
    async with serving(tmp_path) as alone:
        await add_town(alone, 1, "东乡的", "东乡")  # a code that can't stand in a cookie
        page = await alone.page(session=False)
        assert (await session(page, township="620000000"))["township"] == "东乡 · 净乡"
        assert not (await session(page))["several"]
        await page.says("你好")
        assert (await page.get("/api/history?t=x", **{"X-Jingxiang-Township": "x"}))[0] == 200
