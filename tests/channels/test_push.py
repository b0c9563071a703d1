"""A push over the wire: what a browser decrypts (RFC 8291), who we say that we are (RFC 8292), whom we never call."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography.hazmat.primitives.asymmetric import ec

from bot.clock import SystemClock
from bot.errors import GiveUp, RetryLater
from bot.push import service as pushing
from bot.push.failures import PushKeyDamaged
from bot.push.keys import FILE, load_key
from bot.push.service import Gone, OnlyPublic, PushService
from tests.fakes.push import HOST, Browser, FakePush, Local, decrypt, unb64

CONTENT = json.dumps({"text": "有新消息"}).encode()


@pytest.fixture
async def fake() -> AsyncIterator[FakePush]:
    async with FakePush() as found:
        yield found


@pytest.fixture
def push(fake: FakePush, tmp_path: Path) -> PushService:
    fake.service = PushService(load_key(tmp_path), "https://chat.example", SystemClock(), **fake.reach)
    return fake.service


def told(browser: Browser) -> dict[str, str]:
    found = browser.subscription()
    return {"endpoint": found["endpoint"], **found["keys"]}


async def send(push: PushService, browser: Browser, **other: Any) -> None:
    how: dict[str, Any] = {"ttl_s": 60, "urgent": False, "topic": "t1", **other}
    await push.send(told(browser), CONTENT, **how)


def test_the_browser_s_side_of_the_tests_reads_the_example_of_the_rfc() -> None:
    """RFC 8291, appendix A: the tests' own decryption, against figures that nobody here has made."""
    private = ec.derive_private_key(
        int.from_bytes(unb64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big"), ec.SECP256R1()
    )
    body = unb64(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6"
        "PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert decrypt(body, private, unb64("BTBZMqHH6r4Tts7J_aSIgg")) == b"When I grow up, I want to be a watermelon"


async def test_the_browser_reads_what_was_sent_and_knows_from_whom(fake: FakePush, push: PushService) -> None:
    browser = fake.browser("aunt", push.public_key)
    await send(push, browser, urgent=True, ttl_s=3_600, topic="abc_-9")
    (got,) = browser.got
    assert got.content == {"text": "有新消息"}
    assert got.claims["aud"] == f"https://{HOST}" and got.claims["sub"] == "https://chat.example"
    assert 0 < got.claims["exp"] - SystemClock().now_ms() / 1_000 <= 24 * 3_600
    assert (got.headers["TTL"], got.headers["Urgency"], got.headers["Topic"]) == ("3600", "high", "abc_-9")
    assert got.headers["Content-Encoding"] == "aes128gcm"


async def test_each_push_has_a_key_of_its_own(fake: FakePush, push: PushService) -> None:
    browser = fake.browser("aunt", push.public_key)
    first, other = (pushing.encrypted(told(browser), CONTENT) for _ in range(2))
    assert first[:16] != other[:16] and first[21:86] != other[21:86]
    assert len(first) == len(other) < 4_096


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_no_more(fake: FakePush, push: PushService, status: int) -> None:
    browser = fake.browser("aunt", push.public_key)
    browser.answers.append((status, {}))
    with pytest.raises(Gone):
        await send(push, browser)


@pytest.mark.parametrize(
    ("status", "headers", "at_least_ms"),
    [
        (429, {"Retry-After": "120"}, 120_000),
        (503, {}, 30_000),
        (500, {"Retry-After": "soon"}, 30_000),
        (429, {"Retry-After": "99999999"}, 3_600_000),
        (429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30_000),
    ],
)
async def test_a_service_that_asks_for_patience(
    fake: FakePush, push: PushService, status: int, headers: dict[str, str], at_least_ms: int
) -> None:
    browser = fake.browser("aunt", push.public_key)
    browser.answers.append((status, headers))
    with pytest.raises(RetryLater) as caught:
        await send(push, browser)
    assert caught.value.after_ms == at_least_ms


@pytest.mark.parametrize("status", [400, 401, 403, 413])
async def test_a_refusal_is_not_tried_again(fake: FakePush, push: PushService, status: int) -> None:
    browser = fake.browser("aunt", push.public_key)
    browser.answers.append((status, {}))
    with pytest.raises(GiveUp, match=f"http_{status}"):
        await send(push, browser)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(fake: FakePush, push: PushService, status: int) -> None:
    browser, other = (fake.browser(name, push.public_key) for name in ("aunt", "other"))
    browser.answers.append((status, {"Location": other.endpoint}))
    with pytest.raises(GiveUp):
        await send(push, browser)
    assert other.asked == 0 and fake.strangers == 0


# -- whom we never call


@pytest.mark.parametrize("endpoint", ["https://127.0.0.1/x", f"http://{HOST}/x", "https://intranet.example/x"])
async def test_an_address_that_is_no_service_s_is_not_even_looked_up(
    fake: FakePush, push: PushService, endpoint: str
) -> None:
    browser = told(fake.browser("aunt", push.public_key))
    with pytest.raises(GiveUp, match="no_push_service"):
        await push.send({**browser, "endpoint": endpoint}, CONTENT, ttl_s=1, urgent=False, topic="t")
    assert fake.resolver.asked == [] and fake.strangers == 0


class Names(AbstractResolver):
    """Names that lead where somebody wants."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        known = {"hostname": host, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [{**known, "host": one} for one in self._addresses]  # type: ignore[typeddict-item, misc]

    async def close(self) -> None: ...


PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "2002:7f00:1::",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_into_our_own_net_is_not_followed(fake: FakePush, tmp_path: Path, address: str) -> None:
    push = PushService(load_key(tmp_path), "https://chat.example", SystemClock(), resolver=OnlyPublic(Names(address)))
    with pytest.raises(RetryLater) as caught:
        await push.send(told(fake.browser("aunt", "")), CONTENT, ttl_s=1, urgent=False, topic="t")
    assert HOST not in caught.value.reason
    await push.stop()


async def test_of_several_addresses_only_the_public_are_taken() -> None:
    resolver = OnlyPublic(Names("10.0.0.1", "142.250.1.1", "::1"))
    assert [one["host"] for one in await resolver.resolve("a.example")] == ["142.250.1.1"]


async def test_without_another_resolver_names_are_looked_up_and_sifted(tmp_path: Path) -> None:
    push = PushService(load_key(tmp_path), "https://chat.example", SystemClock())
    resolver = push._opened().connector._resolver  # type: ignore[union-attr]
    assert isinstance(resolver, OnlyPublic) and isinstance(resolver._inner, ThreadedResolver)
    await push.stop()


async def test_a_service_without_the_right_certificate_is_not_told_anything(fake: FakePush, tmp_path: Path) -> None:
    push = PushService(load_key(tmp_path), "https://a.example", SystemClock(), resolver=fake.resolver)
    browser = fake.browser("aunt", push.public_key)
    with pytest.raises(RetryLater):
        await send(push, browser)
    assert browser.asked == 0
    await push.stop()


async def test_a_service_that_never_answers_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "TOTAL_S", 0.2)
    opened: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: opened.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    push = PushService(load_key(tmp_path), "https://a.example", SystemClock(), resolver=Local(port))
    with pytest.raises(RetryLater):
        await send(push, Browser("aunt", push.public_key))
    await push.stop()
    for writer in opened:
        writer.close()
        await writer.wait_closed()
    silent.close()


# -- the key


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = load_key(tmp_path)
    path = tmp_path / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(tmp_path).private_pem() == first.private_pem() and list(tmp_path.iterdir()) == [path]


def test_a_key_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    load_key(tmp_path)
    (tmp_path / FILE).chmod(0o644)
    load_key(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_said_with_its_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(PushKeyDamaged, match=FILE):
        load_key(tmp_path)


async def test_neither_key_nor_address_reaches_a_log(
    fake: FakePush, push: PushService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = fake.browser("aunt-secret", push.public_key)
    browser.answers.append((503, {}))
    with pytest.raises(RetryLater) as caught:
        await send(push, browser)
    await send(push, browser)
    secret = (tmp_path / FILE).read_text().splitlines()[1]
    for said in (caplog.text, str(caught.value)):
        assert "aunt-secret" not in said and secret not in said
