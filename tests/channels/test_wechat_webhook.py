"""The webhook against anybody on the net: whatever is posted, the answer is 200 or 403, and never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.channels.base import Raw
from bot.channels.wechat.channel import PATH, WeChat
from bot.channels.wechat.gate import Gate, Mode
from tests.fakes.wechat_seal import encrypt, sign, write

TOKEN, APP_ID, KEY = "a-token", "wx0123456789abcdef", "A" * 43
NOW_MS = 1_800_000_000_000


class StoppedClock:
    """It is always the same moment."""

    def now_ms(self) -> int:
        return NOW_MS


class Answers:
    """Handles everything at once, and says the same to everybody."""

    async def is_handled(self, update_key: str) -> bool:
        return True

    async def take(self, update_key: str, otherwise: str = "") -> str:
        return "收到了"


class Door:
    """A webhook and what it stored."""

    def __init__(self, mode: Mode) -> None:
        keys = [] if mode == "plain" else [KEY]
        unused: Any = None
        answers: Any = Answers()
        outgoing: Any = self
        self.stored: list[Raw] = []
        self.notes: list[tuple[str, str]] = []
        self.wechat = WeChat(Gate(TOKEN, APP_ID, mode, keys), unused, answers, outgoing, StoppedClock(), township_id=1)
        self.wechat._accept = self._accept
        app = Starlette(routes=list(self.wechat.routes()))
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=True)

    def note(self, part: str, fault: str) -> None:
        self.notes.append((part, fault))

    async def _accept(self, raws: Sequence[Raw]) -> None:
        self.stored += raws
        for raw in raws:
            self.wechat.handled(raw)

    def post(self, query: dict[str, str], body: bytes) -> httpx.Response:
        async def work() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://town") as client:
                return await client.post(PATH, params=query, content=body)

        return asyncio.run(work())

    def get(self, query: dict[str, str]) -> httpx.Response:
        async def work() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://town") as client:
                return await client.get(PATH, params=query)

        return asyncio.run(work())


def signed(body: bytes, nonce: str) -> tuple[dict[str, str], bytes]:
    """A body as WeChat would post it in safe mode."""
    encrypted = encrypt(KEY, APP_ID, body)
    timestamp = str(NOW_MS // 1000)
    query = {"timestamp": timestamp, "nonce": nonce, "encrypt_type": "aes"}
    query["msg_signature"] = sign(TOKEN, timestamp, nonce, encrypted)
    return query, write({"ToUserName": "gh_1", "Encrypt": encrypted}, False)


QUERIES = st.dictionaries(
    st.sampled_from(["signature", "timestamp", "nonce", "echostr", "encrypt_type", "msg_signature", "openid"]),
    st.one_of(st.sampled_from(["aes", "1800000000", ""]), st.text(max_size=40)),
)
NAMES = st.sampled_from(
    ["FromUserName", "ToUserName", "CreateTime", "MsgType", "Event", "EventKey", "Content", "MsgId", "MediaId", "x"]
)
VALUES = st.one_of(
    st.sampled_from(["text", "event", "image", "location", "unsubscribe", "CLICK", "oABC", "1800000000", "news"]),
    st.text(max_size=60),
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=8)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(["plain", "compatible", "safe"]), QUERIES, st.binary(max_size=400))
def test_any_bytes(mode: Mode, query: dict[str, str], body: bytes) -> None:
    door = Door(mode)
    assert door.post(query, body).status_code in (200, 403)
    assert door.get(query).status_code in (200, 403)
    assert not door.stored, "nothing comes in without a signature"


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(FIELDS, st.booleans(), st.text("0123456789", min_size=1, max_size=10))
def test_any_fields_that_are_signed(fields: dict[str, str], as_json: bool, nonce: str) -> None:
    door = Door("safe")
    plain = write(fields, as_json)
    answer = door.post(*signed(plain, nonce))
    assert answer.status_code in (200, 403)
    for raw in door.stored:
        door.wechat.decode(raw)  # what was stored can be read


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_that_are_signed(plain: bytes) -> None:
    assert Door("safe").post(*signed(plain, "7")).status_code in (200, 403)


@pytest.mark.parametrize("size", [128 * 1024 + 1, 1 << 20])
def test_what_is_too_large_is_refused(size: int) -> None:
    assert Door("safe").post({}, b"x" * size).status_code == 403


@pytest.mark.parametrize(
    "bomb",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><FromUserName>&b;</FromUserName></xml>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml><FromUserName>a</FromUserName></xml>',
    ],
)
def test_no_entities_are_read(bomb: bytes) -> None:
    door = Door("safe")
    assert door.post(*signed(bomb, "7")).status_code == 403 and not door.stored


def test_a_person_is_answered() -> None:
    door = Door("safe")
    fields = {
        "ToUserName": "gh_1",
        "FromUserName": "oABC",
        "CreateTime": "1800000000",
        "MsgType": "text",
        "Content": "你好",
        "MsgId": "1",
    }
    answer = door.post(*signed(write(fields, False), "7"))
    assert answer.status_code == 200 and b"Encrypt" in answer.content
    assert [raw.address for raw in door.stored] == ["wechat:oABC"]


def test_a_wrong_key_is_told_to_the_operator_until_it_fits() -> None:
    door = Door("safe")
    sealed = encrypt("B" * 43, APP_ID, b"<xml></xml>")
    timestamp = str(NOW_MS // 1000)
    query = {"timestamp": timestamp, "nonce": "7", "encrypt_type": "aes"}
    query["msg_signature"] = sign(TOKEN, timestamp, "7", sealed)
    assert door.post(query, write({"Encrypt": sealed}, False)).status_code == 403
    assert door.notes == [("wechat_webhook", "aes_key")]
    door.post(*signed(b"<xml><x>1</x></xml>", "8"))
    assert door.notes[-1] == ("wechat_webhook", "")
