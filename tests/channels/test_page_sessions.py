"""The page's cookie over real sockets: only what we made is somebody's, copies die, signing out ends it everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from bot.web import events
from bot.web.visitors.cookies import Cookie, CookieSigner, new_cookie, newer
from storage.database import Tx
from storage.people import page_sessions, people
from tests.channels.website import HEADERS, Page, Site, serving
from tests.talk.test_pictures import picture

OLD = "o" * 43  # as a version before made them
HOUR_MS = 3_600_000
AUNT = 41


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as found:
        yield found


async def copy_of(site: Site, page: Page) -> Page:
    """Another browser with the same cookie."""
    copy = await site.page(session=False)
    shows(copy, page.token)
    return copy


def shows(page: Page, value: str, name: str = "jingxiang") -> None:
    page.http.cookie_jar.clear()
    page.http.cookie_jar.update_cookies({name: value}, URL(page.url))


async def status(page: Page) -> int:
    return (await page.get("/api/history"))[0]


async def known(site: Site, address: str, *, ago_ms: int = 0) -> None:
    """Somebody has written from that address, in a version that knew no signed cookies."""
    now_ms = site.clock.now_ms() - ago_ms

    async def work(tx: Tx) -> None:
        await people.add_person(tx, person_id=AUNT, name="王大娘", language="zh_CN", now_ms=now_ms)
        await people.add_contact(tx, channel="web", address=address, person_id=AUNT, now_ms=now_ms)

    await site.database.transaction(work)


async def writes(site: Site, page: Page) -> None:
    async with page.events() as stream:
        await page.says("你好")
        await stream.bot_says()


async def gains_a_role(site: Site, page: Page) -> None:
    async def work(tx: Tx) -> None:
        contact = await people.contact(tx, page.address)
        assert contact is not None
        await people.grant(
            tx,
            role_id=9,
            person_id=contact["person_id"],
            role="staff",
            area_id=1,
            granted_by=None,
            now_ms=site.clock.now_ms(),
        )

    await site.database.transaction(work)


def age(monkeypatch: pytest.MonkeyPatch, site: Site, ms: int) -> None:
    """So much time goes by."""
    later = site.clock.now_ms
    monkeypatch.setattr(site.clock, "now_ms", lambda: later() + ms)


# -- what we have not made


@pytest.mark.parametrize(
    "made_up",
    [
        OLD,
        "A" * 22 + ".1764300000000.f." + "B" * 43,
        "A" * 22 + ".1764300000000.f",
        f"{OLD}.1764300000000.n.",
        "....",
        "é.1.f.x",
    ],
)
async def test_a_made_up_cookie_is_nobody_s_and_gets_a_fresh_one(site: Site, made_up: str) -> None:
    page = await site.page(session=False)
    shows(page, made_up)
    assert await status(page) == 401
    assert (await page.post(kind="text", text="x"))[0] == 401
    assert (await page.uploads(picture()))[0] == 401
    answer = await page.open()
    assert page.token != made_up and not page.token.startswith(made_up[:22]) and "ended" not in answer
    assert await status(page) == 200
    assert await site.rows("SELECT id FROM people WHERE township_id = :t") == []


async def test_what_another_deployment_signed_is_made_up(site: Site, tmp_path: Path) -> None:
    async with serving(tmp_path / "other") as other:
        foreign = (await other.page()).token
    page = await site.page(session=False)
    shows(page, foreign)
    assert await status(page) == 401


@given(st.text(max_size=120))
def test_no_words_are_read_as_a_signed_cookie(said: str) -> None:
    found = CookieSigner(b"k" * 32).read(said)
    assert found is None or not found.is_signed


@given(st.integers(1, 10**15), st.integers(0, 10**15), st.binary(min_size=32, max_size=32), st.integers(0, 200))
def test_what_was_written_is_read_and_no_changed_letter_is(made_ms: int, now_ms: int, key: bytes, at: int) -> None:
    signer, first = CookieSigner(key), new_cookie(made_ms)
    for cookie in (first, newer(first, now_ms)):
        value = signer.write(cookie)
        assert signer.read(value) == cookie
        at %= value.rindex(".")
        changed = value[:at] + ("x" if value[at] != "x" else "y") + value[at + 1 :]
        assert signer.read(changed) is None
    assert newer(first, now_ms).made_ms > first.made_ms, "also when the clock was set back"
    assert newer(first, now_ms).address == first.address


# -- where it goes


async def test_over_https_no_other_host_can_plant_it(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="https://chat.example") as site:
        page = await site.page(session=False)
        async with page.http.post(f"{site.url}/api/session", headers=HEADERS, json={}) as response:
            [cookie] = [one for one in response.headers.getall("Set-Cookie") if one.startswith("__Host-jingxiang=")]
        assert "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie and "HttpOnly" in cookie
        value = cookie.split("=", 1)[1].split(";")[0]
        assert (await page.get("/api/history", Cookie=f"__Host-jingxiang={value}"))[0] == 200
        assert (await page.get("/api/history", Cookie=f"jingxiang={value}"))[0] == 401, "planted under the plain name"


# -- cookies of the version before


async def test_a_cookie_of_the_version_before_is_taken_over_once(site: Site) -> None:
    await known(site, Cookie(OLD, 0).address)
    page = await site.page(session=False)
    shows(page, OLD)
    assert "ended" not in await page.open()
    assert page.token.startswith(f"{OLD}.") and page.address == Cookie(OLD, 0).address
    await writes(site, page)
    assert {row["person_id"] for row in await site.rows("SELECT person_id FROM outbox WHERE township_id = :t")} == {
        AUNT
    }, "the same chat"
    late = await site.page(session=False)
    shows(late, OLD)
    assert await status(late) == 401, "a copy of the old one is worth nothing from now on"
    await late.open()
    assert late.address != page.address


async def test_a_page_that_is_open_during_the_update_gets_it_with_the_next_answer(site: Site) -> None:
    await known(site, Cookie(OLD, 0).address)
    page = await site.page(session=False)
    shows(page, OLD)
    assert await status(page) == 200
    assert page.token.startswith(f"{OLD}.")


async def test_an_old_cookie_over_https_moves_to_the_new_name(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="https://chat.example") as site:
        await known(site, Cookie(OLD, 0).address)
        page = await site.page(session=False)
        async with page.http.post(
            f"{site.url}/api/session", headers={**HEADERS, "Cookie": f"jingxiang={OLD}"}, json={}
        ) as response:
            given = response.headers.getall("Set-Cookie")
        assert any(one.startswith(f"__Host-jingxiang={OLD}.") for one in given)
        assert any(one.startswith('jingxiang=""') and "Max-Age=0" in one for one in given)


async def test_an_old_cookie_that_was_erased_is_nobody_s(site: Site) -> None:
    await known(site, Cookie(OLD, 0).address)
    await site.database.transaction(lambda tx: people.set_contact_state(tx, Cookie(OLD, 0).address, "erased"))
    page = await site.page(session=False)
    shows(page, OLD)
    assert await status(page) == 401


# -- copies


async def test_a_copy_dies_when_the_page_is_opened_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await site.page()
    await writes(site, page)
    copy = await copy_of(site, page)
    assert await status(copy) == 200
    before = page.token
    age(monkeypatch, site, 2 * HOUR_MS)
    await page.open()
    assert page.token != before and page.address == copy.address
    assert await status(copy) == 200, "the answer with the new one may have been lost: until it is used, the old holds"
    assert await status(page) == 200
    assert await status(copy) == 401
    answer = await copy.open()
    assert answer["ended"] and copy.address != page.address


async def test_whoever_gains_a_role_gets_a_new_cookie_and_a_copy_made_before_is_worth_nothing(site: Site) -> None:
    page = await site.page()
    await writes(site, page)
    copy = await copy_of(site, page)
    await gains_a_role(site, page)
    before = page.token
    assert await status(page) == 200
    assert page.token != before and page.address == copy.address
    assert await status(page) == 200
    assert await status(copy) == 401


async def test_two_windows_of_one_browser_that_open_together_both_stay(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await site.page()
    await writes(site, page)
    window = await copy_of(site, page)
    age(monkeypatch, site, 2 * HOUR_MS)
    await asyncio.gather(page.open(), window.open())
    for _ in range(2):
        assert (await status(page), await status(window)) == (200, 200)


async def test_a_clock_that_was_ahead_shuts_nobody_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await site.page()
    await writes(site, page)
    with monkeypatch.context() as ahead:
        age(ahead, site, 400 * 24 * HOUR_MS)
        await page.open()
        assert await status(page) == 200
    assert await status(page) == 200
    await page.open()
    await gains_a_role(site, page)
    before = page.token
    assert await status(page) == 200 and page.token != before, "who they are means more: also then"
    assert await status(page) == 200


async def test_a_new_visitor_s_stream_stays_when_they_write_first(site: Site) -> None:
    page = await site.page()
    async with page.events() as stream:
        for words in ("一", "二"):
            await page.says(words)
            assert words in await stream.bot_says()


# -- the end


async def test_signing_out_ends_every_copy_and_stream_at_once(site: Site) -> None:
    page = await site.page()
    await writes(site, page)
    copy = await copy_of(site, page)
    async with copy.events() as stream:
        async with page.http.post(f"{site.url}/api/session/end", headers=HEADERS) as response:
            assert response.status == 200
            assert response.headers["Clear-Site-Data"] == '"storage"'
        with pytest.raises(EOFError):
            await stream.message()
    assert [cookie.key for cookie in page.http.cookie_jar] == ["jingxiang_town"]
    assert await status(copy) == 401
    [row] = await site.rows("SELECT state FROM contacts WHERE township_id = :t")
    assert row["state"] == "unreachable", "news goes elsewhere"
    answer = await copy.open()
    assert answer["ended"]
    assert "ended" not in await page.open(), "whoever signed out knows it"
    assert await status(page) == 200 and (await page.history())["messages"] == []


async def test_signing_out_is_not_for_other_sites_and_harms_nobody(site: Site) -> None:
    page, other = await site.page(), await site.page()
    await writes(site, other)
    assert (await page.post("/api/session/end", headers={}))[0] == 403
    stranger = await site.page(session=False)
    assert (await stranger.post("/api/session/end"))[0] == 200
    shows(stranger, "A" * 22 + ".1.f.x")
    assert (await stranger.post("/api/session/end"))[0] == 200
    assert (await status(page), await status(other)) == (200, 200)


async def test_a_stream_ends_soon_when_the_cookie_ended_elsewhere(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LOOK_AGAIN_MS", 200)
    page = await site.page()
    await writes(site, page)
    async with page.events() as stream:
        end = partial(page_sessions.end, address=page.address, now_ms=site.clock.now_ms())
        await site.database.transaction(end)
        with pytest.raises(EOFError):
            await stream.message()


async def test_the_key_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        page = await site.page()
        await writes(site, page)
        value: Any = page.token
    async with serving(tmp_path) as site:
        page = await site.page(session=False)
        shows(page, value)
        assert await status(page) == 200
        [key] = await site.rows("SELECT wrapped FROM vault_keys WHERE township_id = :t AND purpose = 5")
        assert len(key["wrapped"]) > 32, "sealed: the database alone signs nothing"
