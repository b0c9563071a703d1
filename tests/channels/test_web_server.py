"""The web chat over real sockets: what is acknowledged counts once, what was missed comes again, and who may what."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import logging
import random
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from PIL import Image

from bot.channels.base import Letter
from bot.channels.webchat import MAX_STREAMS_PER_ADDRESS
from bot.channels.webchat_wire import MAX_TEXT_CHARS
from bot.media.sealed import SealedFiles
from bot.media.shelf import key_of
from bot.media.stores import open_shelf
from bot.talk.messages import Out
from tests.channels.website import HEADERS, Page, Site, serving
from tests.talk.test_pictures import HERE, bomb, exif, movie, picture, zip_bytes

INBOX = "SELECT id, update_key, body, state FROM inbox WHERE township_id = :t ORDER BY id"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with serving(tmp_path) as found:
        yield found


# -- the page


async def test_the_page_and_its_files_are_served_with_strict_headers(site: Site) -> None:
    page = await site.page(session=False)
    for path, kind in {
        "/": "text/html",
        "/static/chat.js": "text/javascript",
        "/sw.js": "text/javascript",
        "/manifest.webmanifest": "application/manifest+json",
        "/static/icon.svg": "image/svg+xml",
    }.items():
        status, content, headers = await page.get(path)
        assert (status, headers["Content-Type"].split(";")[0]) == (200, kind) and content
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Permissions-Policy"] == "geolocation=(self), camera=(self)"


async def test_an_unchanged_file_is_not_sent_again_and_text_is_compressed(site: Site) -> None:
    page = await site.page(session=False)
    status, content, headers = await page.get("/static/chat.js")
    assert headers["Content-Encoding"] == "gzip"
    page.http._auto_decompress = False
    _, packed, _ = await page.get("/static/chat.js", **{"Accept-Encoding": "gzip"})
    _, plain, _ = await page.get("/static/chat.js", **{"Accept-Encoding": "identity"})
    assert gzip.decompress(packed) == plain == content and len(packed) < len(plain)
    status, content, _ = await page.get("/static/chat.js", **{"If-None-Match": headers["ETag"]})
    assert (status, content) == (304, b"")


@pytest.mark.parametrize("path", ["/static/..%2fapp.py", "/static/../app.py", "/static/%2e%2e/app.py", "/static/x"])
async def test_only_the_page_s_own_files_are_served(site: Site, path: str) -> None:
    page = await site.page(session=False)
    assert (await page.get(path))[0] == 404


# -- cookie and CSRF


async def test_the_session_makes_a_cookie_that_scripts_and_other_sites_can_t_use(site: Site) -> None:
    page = await site.page(session=False)
    async with page.http.post(f"{site.url}/api/session", headers=HEADERS, json={}) as response:
        cookie = response.headers["Set-Cookie"]
        assert (await response.json())["language"] == "zh_CN"
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Secure" not in cookie
    before = page.token
    await page.open()
    assert page.token == before


async def test_behind_https_the_cookie_never_travels_in_the_open(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="https://chat.example") as site:
        page = await site.page(session=False)
        async with page.http.post(f"{site.url}/api/session", headers=HEADERS, json={}) as response:
            assert "Secure" in response.headers["Set-Cookie"]


async def test_the_language_of_the_browser_counts_until_the_person_is_known(site: Site) -> None:
    page = await site.page(session=False)
    assert (await page.open(**{"Accept-Language": "en-GB,en;q=0.9,zh;q=0.8"}))["language"] == "en"
    async with page.events() as events:
        await page.post(kind="text", text="hello", headers={**HEADERS, "Accept-Language": "en-GB"})
        await events.bot_says()
    assert (await page.open(**{"Accept-Language": "zh-CN"}))["language"] == "en"


async def test_the_township_s_name_is_the_title(site: Site) -> None:
    from storage.product import areas

    await site.database.transaction(
        lambda tx: areas.set_township(tx, code="620000", name="净水镇", county="", province="", now_ms=1)
    )
    assert (await (await site.page()).open())["township"] == "净水镇 · 净乡"


@pytest.mark.parametrize("path", ["/api/session", "/api/messages", "/api/media"])
async def test_a_post_from_another_site_is_refused(site: Site, path: str) -> None:
    page = await site.page()
    status, answer = await page.post(path, kind="text", text="x", headers={})
    assert (status, answer["error"]) == (403, "csrf") and answer["text"]
    assert not await site.rows(INBOX)


async def test_nothing_is_taken_or_shown_without_a_cookie(site: Site) -> None:
    page = await site.page(session=False)
    assert (await page.post(kind="text", text="x"))[0] == 401
    assert (await page.uploads(picture()))[0] == 401
    for path in ("/api/history", "/api/events", "/media/i" + "0" * 31):
        assert (await page.get(path))[0] == 401
    for odd in ("", "short", "x" * 44, "x" * 42 + "é", '"; DROP TABLE inbox; --'):
        assert (await page.get("/api/history", Cookie=f"jingxiang={odd}"))[0] == 401


# -- messages


async def test_who_looks_is_noted_and_where_news_goes_stays(site: Site) -> None:
    page = await site.page()
    await page.says("一")
    sql = "SELECT last_in_ms, looked_ms FROM contacts WHERE township_id = :t AND address = :address"
    while not (known := await site.rows(sql, address=page.address)):
        await asyncio.sleep(0.01)
    assert known[0]["looked_ms"] == 0
    assert await page.post("/api/presence") == (200, {})
    [row] = await site.rows(sql, address=page.address)
    assert row["looked_ms"] > 0 and row["last_in_ms"] == known[0]["last_in_ms"]
    status, answer = await page.post("/api/presence", headers={})
    assert (status, answer["error"]) == (403, "csrf")


async def test_a_message_is_answered_in_the_open_stream(site: Site) -> None:
    page = await site.page()
    async with page.events() as events:
        answer = await page.says("王家沟桥头有人倒垃圾")
        assert (await events.next()).name == "typing"
        # the page puts them in the order of their ids, whichever comes first
        own, said = sorted([await events.message(), await events.message()], key=lambda message: int(message["id"]))
        assert (own["from"], own["text"], own["client_id"]) == ("me", "王家沟桥头有人倒垃圾", answer["id"])
        assert said["from"] == "bot" and said["text"].startswith("text:王家沟桥头有人倒垃圾")
        assert int(said["id"]) > int(own["id"]) and own["at_ms"] == answer["at_ms"]
        assert said["choices"] == [] and said["ask"] is None and said["links"] == []


async def test_every_kind_of_message_arrives_as_what_it_is(site: Site) -> None:
    page = await site.page()
    async with page.events() as events:
        await page.post(kind="tap", data="abc.1.=x", text="提交")
        assert await events.bot_says() == "tap:提交:0.0,0.0"
        await page.post(kind="place", lat=35.51, lng=104.62, accuracy_m=12)
        assert await events.bot_says() == "place::35.51,104.62"
        await page.post(kind="start", payload="join-token")
        assert await events.bot_says() == "start:join-token:0.0,0.0"
    shown = [message["text"] for message in (await page.history())["messages"] if message["from"] == "me"]
    assert shown == ["提交", "我的位置", "开始"]


async def test_the_same_message_sent_ten_times_counts_once(site: Site) -> None:
    page = await site.page()
    async with page.events() as events:
        same = "0b1e3c1e-1111-4222-8333-123456789abc"
        answers = await asyncio.gather(*(page.post(id=same, kind="text", text="一次") for _ in range(10)))
        assert {status for status, _ in answers} == {202}
        assert len({json.dumps(answer) for _, answer in answers}) == 1
        assert answers[0][1]["id"] == same
        assert await events.bot_says() == "text:一次:0.0,0.0"
        await page.says("二次")
        assert await events.bot_says() == "text:二次:0.0,0.0"
    assert len([row for row in await site.rows(INBOX) if row["body"]]) == 2
    assert len((await page.history())["messages"]) == 4


async def test_two_people_may_use_the_same_message_id(site: Site) -> None:
    one, two = await site.page(), await site.page()
    for page in (one, two):
        assert (await page.post(id="1", kind="text", text="同号"))[0] == 202
    assert len(await site.rows(INBOX)) == 2


async def test_what_was_acknowledged_is_there_after_the_program_died(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        page = await site.page()
        token = page.token
        site.intake.stop()
        await page.says("还没有处理")
    async with serving(tmp_path) as site:
        page = await site.page(session=False)
        page.http.cookie_jar.update_cookies({"jingxiang": token})
        async with page.events() as events:
            assert await events.bot_says() == "text:还没有处理:0.0,0.0"


async def test_when_storing_fails_nothing_is_acknowledged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await site.page()

    async def failing(*_: Any, **__: Any) -> Any:
        raise OSError("disk")

    with monkeypatch.context() as broken:
        broken.setattr(site.database, "transaction", failing)
        status, answer = await page.post(id="1", kind="text", text="x")
        assert (status, answer["error"]) == (500, "internal") and "disk" not in json.dumps(answer)
    assert (await page.post(id="1", kind="text", text="x"))[0] == 202
    assert len(await site.rows(INBOX)) == 1


async def test_control_characters_and_turned_lines_are_cleaned(site: Site) -> None:
    page = await site.page()
    async with page.events() as events:
        await page.says("a\x00b\u202egnp.exe\u202c\r\nnext e\u0301\x1b[31m")
        assert await events.bot_says() == "text:abgnp.exe\nnext é[31m:0.0,0.0"


async def test_a_text_of_a_hundred_thousand_characters_is_cut_and_not_lost(site: Site) -> None:
    page = await site.page()
    assert (await page.post(kind="text", text="字" * 100_000))[0] == 202
    [row] = await site.rows(INBOX)
    stored = json.loads(row["body"])
    assert stored["text"] == "字" * MAX_TEXT_CHARS + "…" and len(row["body"]) < 65_536


async def test_a_body_beyond_all_measure_is_refused_in_words(site: Site) -> None:
    page = await site.page()
    status, answer = await page.raw(b'{"text":"' + b"x" * 3_000_000 + b'"}')
    assert (status, answer["error"]) == (413, "too_long") and answer["text"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"{",
        b"[" * 5000,
        b'{"id":1,"kind":"text"}',
        b'{"id":"../x","kind":"text"}',
        b'{"id":"","kind":"text"}',
        b'{"id":"1"}',
        b'{"id":"1","kind":"edited"}',
        b'{"id":"1","kind":["text"]}',
        b'{"id":"1","kind":"text","text":{"a":1}}',
        b'{"id":"1","kind":"text","text":"\\ud800"}',
        b'{"id":"1","kind":"tap"}',
        b'{"id":"1","kind":"tap","data":"' + b"x" * 65 + b'"}',
        b'{"id":"1","kind":"place","lat":"35","lng":104}',
        b'{"id":"1","kind":"place","lat":true,"lng":104}',
        b'{"id":"1","kind":"place","lat":1e308,"lng":104}',
        b'{"id":"1","kind":"place","lat":NaN,"lng":104}',
        b'{"id":"1","kind":"place"}',
        b'{"id":"1","kind":"media"}',
        b'{"id":"1","kind":"media","media":[]}',
        b'{"id":"1","kind":"media","media":"abc"}',
        b'{"id":"1","kind":"media","media":[1]}',
        b'{"id":"1","kind":"media","media":["i0000000000000000000000000000000"]}',
    ],
)
async def test_garbage_is_refused_in_words(site: Site, body: bytes) -> None:
    page = await site.page()
    status, answer = await page.raw(body)
    assert status == 422 and answer["error"] in ("bad_message", "media_gone") and answer["text"]
    assert not await site.rows(INBOX)


async def test_damaged_bodies_never_break_the_server(site: Site) -> None:
    page, dice = await site.page(), random.Random(4)
    good = b'{"id":"1","kind":"place","lat":35.5,"lng":104.6,"text":"hi","media":["i"],"data":"x","payload":"y"}'
    for _ in range(110):
        body = bytearray(good)
        for _ in range(dice.randint(1, 6)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        status, _ = await page.raw(bytes(body))
        assert status in (202, 422)


async def test_only_json_is_read(site: Site) -> None:
    page = await site.page()
    status, answer = await page.raw(b"<xml/>", **{"Content-Type": "text/xml"})
    assert (status, answer["error"]) == (415, "bad_message")


async def test_who_sends_too_fast_is_asked_to_wait_and_others_are_not(site: Site) -> None:
    page, other = await site.page(), await site.page()
    answers = await asyncio.gather(*(page.post(kind="text", text="x") for _ in range(140)))
    refused = [answer for status, answer in answers if status == 429]
    assert len(refused) in range(15, 21) and refused[0]["error"] == "too_fast" and refused[0]["text"]
    for _ in range(20):  # on a slow machine a few more are let through meanwhile
        async with page.http.post(f"{site.url}/api/messages", json={}, headers=HEADERS) as response:
            if response.status == 429:
                assert int(response.headers["Retry-After"]) >= 1
                break
    else:
        raise AssertionError("never refused")
    assert (await other.post(kind="text", text="x"))[0] == 202


# -- the stream


async def test_a_reconnecting_page_gets_what_came_after_its_last_event_and_nothing_twice(site: Site) -> None:
    page = await site.page()
    async with page.events() as events:
        await page.says("一")
        first = min([await events.message(), await events.message()], key=lambda message: int(message["id"]))
    await page.says("二")
    while (await page.history())["messages"][-1]["from"] == "me":  # until it is answered
        await asyncio.sleep(0.01)
    await site.tell(page, "三")
    async with page.events(first["id"]) as events:
        texts = []
        while "三" not in texts:
            texts.append((await events.message())["text"])
    assert texts == ["text:一:0.0,0.0", "二", "text:二:0.0,0.0", "三"]
    async with page.http.get(f"{site.url}/api/events", params={"after": first["id"]}) as response:
        body = b""
        while "三".encode() not in body:
            body += await response.content.readany()
        assert body.count(b"event: message") == 4


async def test_what_waited_for_someone_away_is_pushed_once_and_marked(site: Site) -> None:
    page = await site.page()
    message_id = await site.tell(page, "周五大扫除")
    await site.state_of(message_id, "waiting")
    newer = await site.tell(page, "第二条")
    await site.state_of(newer, "waiting")
    async with page.events(str(newer)) as events:
        assert [await events.bot_says(), await events.bot_says()] == ["周五大扫除", "第二条"]
        await site.state_of(message_id, "sent")
        await site.tell(page, "还在")
        assert await events.bot_says() == "还在"


async def test_a_message_set_aside_just_as_the_page_came_is_found_by_a_second_look(site: Site) -> None:
    page = await site.page()
    async with page.events() as events:
        message_id = await site.tell(page, "差一点", due_in_ms=3_600_000)

        async def set_aside(tx: Any) -> None:
            await tx.run(
                "UPDATE outbox SET state = 'waiting', due_ms = created_ms WHERE township_id = :t AND id = :id",
                {"id": message_id},
            )

        await site.database.transaction(set_aside)
        assert await events.bot_says() == "差一点"
        await site.state_of(message_id, "sent")


async def test_what_is_put_aside_just_as_the_page_comes_stands_above_what_follows(site: Site) -> None:
    page = await site.page()
    async with page.events() as events:
        first = await site.tell(page, "先说的", due_in_ms=3_600_000)

        async def becomes(tx: Any, state: str) -> None:
            await tx.run(
                "UPDATE outbox SET state = :state, due_ms = created_ms WHERE township_id = :t AND id = :id",
                {"id": first, "state": state},
            )

        await site.database.transaction(partial(becomes, state="due"))  # it found no page, and is on its way back
        out = Out("后说的")
        assert await site.webchat.send(Letter(first + 1, 1, 7, "web", page.address, out, 1_000, None, 0))
        await asyncio.sleep(0.1)
        await site.database.transaction(partial(becomes, state="waiting"))
        assert [await events.bot_says(), await events.bot_says()] == ["先说的", "后说的"]


async def test_every_open_page_of_a_person_gets_the_message_and_nobody_else(site: Site) -> None:
    page, other = await site.page(), await site.page()
    async with page.events() as first, page.events() as second, other.events() as third:
        await site.tell(page, "给您")
        assert await first.bot_says() == "给您" and await second.bot_says() == "给您"
        await site.tell(other, "给别人")
        assert await third.bot_says() == "给别人"


async def test_a_quiet_stream_shows_that_it_lives(site: Site) -> None:
    page = await site.page()
    async with page.events() as events, asyncio.timeout(10):
        assert await events.response.content.readline() == b":\n"


async def test_pages_that_go_away_are_forgotten(site: Site) -> None:
    page = await site.page()
    async with page.events():
        assert site.webchat.stream_count == 1
    async with asyncio.timeout(10):
        while site.webchat.stream_count:
            await asyncio.sleep(0.02)
    message_id = await site.tell(page, "不在了")
    await site.state_of(message_id, "waiting")


async def test_a_sixth_page_closes_the_oldest(site: Site) -> None:
    page = await site.page()
    async with page.events() as oldest:
        streams = [page.events() for _ in range(MAX_STREAMS_PER_ADDRESS)]
        readers = [await stream.__aenter__() for stream in streams]
        with pytest.raises(EOFError):
            await oldest.next()
        await site.tell(page, "都在")
        assert [await reader.bot_says() for reader in readers] == ["都在"] * MAX_STREAMS_PER_ADDRESS
        assert site.webchat.stream_count == MAX_STREAMS_PER_ADDRESS
        for stream in streams:
            await stream.__aexit__(None, None, None)


async def test_beyond_all_pages_the_next_hears_what_has_come_and_asks_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.webchat.MAX_STREAMS", 0)
    page = await site.page()
    await page.says("您好")
    await site.state_of(await site.tell(page, "等一等"), "waiting")
    status, body, _ = await page.get("/api/events")
    assert status == 200 and b"retry: 10000\n" in body and "等一等".encode() in body
    status, body, _ = await page.get("/api/events")
    assert status == 200 and "等一等".encode() not in body, "it was told, and is marked as sent"


async def test_stopping_ends_streams_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        page = await site.page()
        async with page.events() as events:
            async with asyncio.timeout(2.5):
                await site.web.stop()
            with pytest.raises((EOFError, OSError)):
                await events.next()


# -- history


async def test_history_goes_back_page_by_page(site: Site) -> None:
    page = await site.page()
    async with page.events() as events:
        for number in range(7):
            await page.says(f"第{number}条")
            await events.bot_says()
    found: list[Any] = []
    before, more = "", True
    while more:
        part = await page.history(limit=3, **({"before": before} if before else {}))
        found, more = [*part["messages"], *found], part["more"]
        before = found[0]["id"]
    assert [message["text"] for message in found if message["from"] == "me"] == [f"第{n}条" for n in range(7)]
    ids = [int(message["id"]) for message in found]
    assert ids == sorted(set(ids)) and len(ids) == 14


async def test_history_leaves_out_what_is_to_come_what_was_erased_and_what_is_another_s(site: Site) -> None:
    page, other = await site.page(), await site.page()
    async with page.events() as events:
        await page.says("擦掉我")
        await events.bot_says()
    await site.tell(page, "明天的", due_in_ms=86_400_000)
    await other.says("别人的")
    await site.database.transaction(lambda tx: _forget(tx, page.address))
    assert await page.history() == {"messages": [], "more": False}


async def _forget(tx: Any, address: str) -> None:
    for blank in ("UPDATE inbox SET body = x''", "UPDATE outbox SET body = '{}'"):
        await tx.run(f"{blank} WHERE township_id = :t AND address = :address", {"address": address})


@pytest.mark.parametrize("query", [{"before": "x"}, {"before": "-1"}, {"limit": "9" * 20}, {"limit": "0"}])
async def test_odd_questions_about_history_are_answered(site: Site, query: dict[str, str]) -> None:
    page = await site.page()
    await page.says("在")
    assert "messages" in await page.history(**query)


# -- photos


async def upload(page: Page, content: Any) -> str:
    status, answer = await page.uploads(content)
    assert status == 201, answer
    return str(answer["id"])


async def test_a_photo_is_sent_and_comes_back_without_its_place(site: Site) -> None:
    page = await site.page()
    content = picture((2400, 1200), exif=exif(gps=HERE))
    media_id = await upload(page, content)
    async with page.events() as events:
        await page.post(kind="media", media=[media_id], text="桥头")
        both = [await events.message(), await events.message()]  # in any order: the page shows them by their ids
        own, said = sorted(both, key=lambda one: int(one["id"]))
        assert own["text"] == "桥头" and own["media"] == said["media"]
        assert said["text"] == "1 photos"
        [item] = said["media"]
        assert (item["id"], item["kind"]) == (media_id, "image")
    for url, longest in ((item["url"], 1600), (item["thumb"], 320)):
        status, copy, headers = await page.get(url)
        assert (status, headers["Content-Type"]) == (200, "image/jpeg")
        assert "private" in headers["Cache-Control"] and "sandbox" in headers["Content-Security-Policy"]
        with Image.open(io.BytesIO(copy)) as image:
            assert max(image.size) == longest and not image.getexif()
        assert b"Exif" not in copy
    [row] = await site.rows("SELECT lat, lng, datum, sha256, person_id FROM media WHERE township_id = :t")
    assert (row["lat"], row["lng"], row["datum"]) == (35.51, 104.62, "WGS-84")
    assert row["sha256"] == hashlib.sha256(content).hexdigest() and row["person_id"]
    original = await SealedFiles(open_shelf(site.settings), site.database, 1).open(key_of(row["sha256"]))
    assert original is not None
    assert b"".join([piece async for piece in original.read(0, original.size_bytes)]) == content


async def test_another_person_s_photo_does_not_exist_until_they_are_shown_it(site: Site) -> None:
    page, other = await site.page(), await site.page()
    media_id = await upload(page, picture())
    assert (await other.get(f"/media/{media_id}"))[0] == 404
    assert (await page.get(f"/media/{media_id}"))[0] == 200
    status, answer = await other.post(kind="media", media=[media_id])
    assert (status, answer["error"]) == (422, "media_gone")
    await other.says("在")
    await site.tell(other, "请核实", media_ids=(media_id,))
    assert (await other.get(f"/media/{media_id}"))[0] == 200


@pytest.mark.parametrize("media_id", ["x", "..%2f..%2fjingxiang.db", "i" + "g" * 31, "i" + "0" * 31, "%00"])
async def test_guessed_photos_do_not_exist(site: Site, media_id: str) -> None:
    page = await site.page()
    assert (await page.get(f"/media/{media_id}"))[0] == 404


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (zip_bytes(), "not_a_picture", "不是照片"),
        (b"", "not_a_picture", "不是照片"),
        (bomb(30_000, 30_000), "picture_too_big", "尺寸太大"),
        (picture((900, 900))[:-300], "broken_picture", "打不开"),
        (movie(cut=700), "broken_video", "打不开"),
    ],
)
async def test_files_that_can_t_be_used_are_refused_in_words(site: Site, content: bytes, code: str, words: str) -> None:
    page = await site.page()
    status, answer = await page.uploads(content, "photo.jpg")
    assert (status, answer["error"]) == (415, code) and words in answer["text"]
    assert not await site.rows("SELECT id FROM media WHERE township_id = :t")
    assert not [path for path in (site.folder / "media").rglob("*") if path.is_file()]


@pytest.mark.parametrize(("head", "code"), [(b"\xff\xd8\xff", "too_large"), (movie()[:40], "video_too_large")])
async def test_thirty_megabytes_get_a_kind_answer(site: Site, head: bytes, code: str) -> None:
    page = await site.page()

    async def slowly() -> AsyncIterator[bytes]:
        yield head
        for _ in range(30):
            yield bytes(1_000_000)

    for content in (head + bytes(30_000_000), slowly()):
        status, answer = await page.uploads(content)
        assert (status, answer["error"]) == (413, code) and "20 MB" in answer["text"]
    assert not [path for path in (site.folder / "media").rglob("*") if path.is_file()]


async def test_a_video_plays_from_any_point_and_shows_no_place(site: Site) -> None:
    page = await site.page()
    media_id = await upload(page, movie())
    assert media_id.startswith("v")
    status, content, headers = await page.get(f"/media/{media_id}")
    assert (status, headers["Content-Type"]) == (200, "video/mp4") and b"35.51" not in content
    status, part, headers = await page.get(f"/media/{media_id}", Range="bytes=24-99")
    assert (status, part) == (206, content[24:100])


async def test_an_upload_that_breaks_off_leaves_nothing(site: Site) -> None:
    page = await site.page()
    _, writer = await asyncio.open_connection("127.0.0.1", site.web.port)
    writer.write(
        f"POST /api/media HTTP/1.1\r\nHost: x\r\nX-Jingxiang: 1\r\nCookie: jingxiang={page.token}\r\n"
        "Content-Length: 100000\r\n\r\n".encode()
        + picture()[:500]
    )
    await writer.drain()
    await asyncio.sleep(0.2)
    assert [path for path in (site.folder / "media").rglob("*") if path.is_file()]
    writer.close()
    async with asyncio.timeout(10):
        while [path for path in (site.folder / "media").rglob("*") if path.is_file()]:
            await asyncio.sleep(0.02)
    assert (await page.history())["messages"] == []


# -- monitoring and secrets


async def test_health_and_metrics_tell_what_waits(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = await site.page()
    message_id = await site.tell(page, "等着")
    await site.state_of(message_id, "waiting")
    status, body, _ = await page.get("/health")
    health = json.loads(body)
    assert status == 200 and health["ok"] and health["outbox"]["waiting"] == 1 and health["inbox"]["quarantined"] == 0
    _, body, headers = await page.get("/metrics")
    assert headers["Content-Type"].startswith("text/plain") and b'jingxiang_outbox{state="waiting"} 1\n' in body

    async def silent(*_: Any, **__: Any) -> Any:
        raise OSError("disk")

    monkeypatch.setattr(site.database, "read", silent)
    monkeypatch.setattr("bot.web.status.ALIVE_MS", 0)
    status, body, _ = await page.get("/health")
    assert status == 503 and json.loads(body) == {"ok": False, "database": "error", "troubles": []}
    assert b"jingxiang_up 0" in (await page.get("/metrics"))[1]


async def test_no_secret_reaches_a_log(
    site: Site, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    page = await site.page()
    with structlog.testing.capture_logs() as logs:
        await page.get("/?join=secret-join-token")
        await page.says("秘密的话")
        await page.raw(b"garbage")
        await page.uploads(zip_bytes(), "secret-name.jpg")
        media_id = await upload(page, picture())
        await page.get(f"/media/{media_id}")

        async def failing(*_: Any, **__: Any) -> Any:
            raise OSError("disk")

        with monkeypatch.context() as broken:
            broken.setattr(site.database, "transaction", failing)
            assert (await page.post(kind="text", text="秘密的话"))[0] == 500
    written = caplog.text + json.dumps(logs, default=str, ensure_ascii=False) + "".join(capsys.readouterr())
    assert "web.defect" in written
    secrets = (page.token, "secret-join-token", "秘密的话", "secret-name", media_id)
    assert not [secret for secret in secrets if secret in written]


async def test_a_second_server_on_the_same_port_is_an_error_and_not_a_surprise(site: Site, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        async with serving(tmp_path / "second", web_port=site.web.port):
            pass
