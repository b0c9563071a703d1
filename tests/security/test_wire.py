"""Half requests, endless ones and crowds of connections from one address: an honest page is still answered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.web import server
from bot.web.server import Sources, source_of
from tests.channels.website import Site, serving

SLOW = 200
Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(server, "HEAD_S", 1.0)
    monkeypatch.setattr(server, "BODY_S", 0.5)
    async with serving(tmp_path) as made:
        yield made


async def connect(site: Site, said: bytes = b"", source: str = "127.0.0.1") -> Pipe:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.web.port, local_addr=(source, 0))
    writer.write(said)
    return reader, writer


async def hung_up(pipe: Pipe) -> bytes:
    """What was said before the server hung up."""
    try:
        return await asyncio.wait_for(pipe[0].read(), 20)
    except ConnectionError:
        return b""
    finally:
        pipe[1].close()


@pytest.mark.parametrize(
    "said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n", b"POST /api/media HTTP/1.1\r\n"]
)
async def test_two_hundred_half_requests_are_given_up_and_an_honest_page_is_answered(site: Site, said: bytes) -> None:
    slow = [await connect(site, said) for _ in range(SLOW)]
    page = await site.page()
    await page.says("您好")
    answers = await asyncio.gather(*map(hung_up, slow))
    assert all(answer in (b"", server.TOO_SLOW) for answer in answers)
    assert len(site.web._serving._server.server_state.connections) < SLOW // 2  # type: ignore[union-attr]
    await page.says("再来一句")


async def test_a_head_that_drips_is_given_up_too(site: Site) -> None:
    pipe = await connect(site, b"GET / HTTP/1.1\r\n")

    async def drips() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                pipe[1].write(b"X-A: b\r\n")
                await pipe[1].drain()
                await asyncio.sleep(0.1)

    dripping = asyncio.create_task(drips())
    assert await hung_up(pipe) in (b"", server.TOO_SLOW)
    dripping.cancel()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\nX-A: ", b"GET /", b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 100])
async def test_a_head_without_an_end_is_cut(site: Site, said: bytes) -> None:
    pipe = await connect(site, said)
    with contextlib.suppress(ConnectionError):
        for _ in range(64):
            pipe[1].write(b"a" * 1_024 if b"b" not in said else b"X-A: b\r\n" * 128)
            await pipe[1].drain()
    assert (await hung_up(pipe)).partition(b"\r\n")[0] in (
        b"",
        b"HTTP/1.1 431 Request Header Fields Too Large",
        b"HTTP/1.1 400 Bad Request",
    )


@pytest.mark.parametrize("size", [20_000, 60_000])
async def test_a_large_head_in_one_piece_is_refused(site: Site, size: int) -> None:
    pipe = await connect(site, b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * size + b"\r\n\r\n")
    assert (await hung_up(pipe)).split(b" ")[1] in (b"400", b"431")


async def test_a_body_that_stops_coming_is_given_up(site: Site) -> None:
    page = await site.page()
    cookie = f"Cookie: jingxiang={page.token}\r\n".encode()
    head = b"POST /api/media HTTP/1.1\r\nHost: x\r\nX-Jingxiang: 1\r\nContent-Length: 100000\r\n" + cookie + b"\r\n"
    pipe = await connect(site, head + b"a" * 100)
    await hung_up(pipe)
    await page.says("您好")


async def test_what_comes_slowly_but_comes_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_BYTES", 10)
    body = json.dumps({"id": str(uuid.uuid4()), "kind": "text", "text": "慢" * 300}).encode()
    page = await site.page()
    cookie = f"Cookie: jingxiang={page.token}\r\n".encode()
    head = b"POST /api/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Jingxiang: 1\r\n"
    head += b"Content-Type: application/json\r\n" + cookie
    pipe = await connect(site, head + f"Content-Length: {len(body)}\r\n\r\n".encode())
    for at in range(0, len(body), 60):
        pipe[1].write(body[at : at + 60])
        await asyncio.sleep(0.05)
    assert (await hung_up(pipe)).startswith(b"HTTP/1.1 2")


async def test_one_address_takes_no_more_than_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "source_of", lambda host: "" if host == "127.0.0.1" else host)
    async with serving(tmp_path, web_connections_per_source=5) as site:
        greedy = [await connect(site, source="127.0.0.2") for _ in range(20)]
        refused = asyncio.gather(*map(hung_up, greedy[5:]))
        assert await asyncio.wait_for(refused, 5) == [b""] * 15
        page = await site.page()
        await page.says("您好")  # another address is answered
        for pipe in greedy[:5]:
            pipe[1].close()
            await pipe[1].wait_closed()
        page = await site.page()  # this computer itself, where a proxy may be, is not counted
        several = [await connect(site) for _ in range(20)]
        await page.says("您好")
        reader, writer = await connect(site, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "127.0.0.2")
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 200")
        for _, one in (*several, (reader, writer)):
            one.close()


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("192.168.1.20", "192.168.1.20"),
        ("::ffff:192.168.1.20", "192.168.1.20"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2:ffff::1", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
    ],
)
def test_who_is_one_source(host: str, source: str) -> None:
    assert source_of(host) == source


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=80), st.integers(0, 4))
def test_what_is_given_back_may_be_taken_again(steps: list[tuple[str, bool]], most: int) -> None:
    sources, held = Sources(most), dict.fromkeys("abc", 0)
    for source, takes in steps:
        if takes:
            assert sources.take(source) == (not most or held[source] < most)
            held[source] += not most or held[source] < most
        elif held[source]:
            sources.leave(source)
            held[source] -= 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "chat.example.org"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Real-IP": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
    ],
)
async def test_what_a_proxy_lets_through_learns_nothing(site: Site, headers: dict[str, str]) -> None:
    page = await site.page()
    async with page.http.get(f"{page.url}/metrics", headers=headers) as answer:
        assert answer.status == 403
    async with page.http.get(f"{page.url}/health", headers=headers) as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True})
    assert (await page.get("/metrics"))[0] == 200


async def test_with_a_token_whoever_has_it(tmp_path: Path) -> None:
    async with serving(tmp_path, metrics_token="a-long-secret") as site:
        page = await site.page()
        for said, status in (("", 403), ("Bearer wrong", 403), ("Bearer a-long-secret", 200)):
            async with page.http.get(f"{page.url}/metrics", headers={"Authorization": said}) as answer:
                assert answer.status == status
