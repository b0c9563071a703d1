"""WeChat's signatures and seals: the official vectors, and that nothing else gets in."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wechat.crypto import Forged, Seal, aes_key, check_signature, signature
from bot.channels.wechat.fields import body_of, fields_of
from bot.channels.wechat.gate import Gate, Post
from tests.fakes.wechat_seal import decrypt, encrypt, sign

APP = "wxba5fad812f8e6fb9"
TOKEN = "AAAAA"
KEY = "A" * 43
OTHER_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
V3 = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8"
    "XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32I"
    "Ijdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
V4 = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
NOW_MS = 1_714_112_445_000
QUERY = {
    "timestamp": "1714112445",
    "nonce": "415670741",
    "encrypt_type": "aes",
    "signature": "6c5c811b55cc85e0e1b54100749188c20beb3f5d",
    "msg_signature": "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
}
BODY = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": V3}).encode()


def gate(mode: str = "safe", *, keys: tuple[str, ...] = (KEY,)) -> Gate:
    return Gate(TOKEN, APP, mode, keys)  # type: ignore[arg-type]


# -- the four official vectors


def test_the_first_two_vectors_plain_signatures() -> None:
    assert signature(TOKEN, "1714036504", "1514711492") == "f464b24fc39322e44b38aa78f5edd27bd1441696"
    assert signature(TOKEN, "1714037059", "486452656") == "899cf89e464efb63f54ddac96b0a0a235f53aa78"


def test_the_third_vector_is_opened_at_the_gate() -> None:
    assert signature(TOKEN, QUERY["timestamp"], QUERY["nonce"]) == QUERY["signature"]
    post = gate().open(QUERY, BODY, NOW_MS)
    found = json.loads(post.body)
    assert len(post.body) == 167 and post.json and post.key == 0
    assert (found["Event"], found["debug_str"], found["ToUserName"]) == ("debug_demo", "hello world", "gh_97417a04a28d")


def test_the_fourth_vector_is_what_we_answer() -> None:
    message = b'{"demo_resp":"good luck"}'
    assert Seal(APP, [KEY]).close(message, prefix=b"707722b803182950") == V4
    assert signature(TOKEN, "1713424427", "415670741", V4) == "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
    sealed = json.loads(gate().close(Post(b"{}", True, 0), message, 1_713_424_427_999, lambda: "415670741"))
    assert (sealed["TimeStamp"], sealed["Nonce"]) == (1713424427, "415670741")
    assert sealed["MsgSignature"] == sign(TOKEN, "1713424427", "415670741", sealed["Encrypt"])
    assert decrypt(KEY, APP, sealed["Encrypt"]) == message


# -- any text, both keys


@given(st.text(), st.sampled_from([0, 1]))
def test_what_was_sealed_opens_again_with_either_key(words: str, key: int) -> None:
    seal = Seal(APP, [KEY, OTHER_KEY])
    assert seal.open(seal.close(words.encode("utf-8", "surrogatepass"), key)) == (
        words.encode("utf-8", "surrogatepass"),
        key,
    )


@given(st.binary(max_size=300), st.sampled_from([KEY, OTHER_KEY]), st.sampled_from([APP, "ww-corp", ""]))
def test_wechats_own_seal_and_ours_are_the_same(message: bytes, key: str, recipient: str) -> None:
    assert Seal(recipient, [key]).open(encrypt(key, recipient, message)) == (message, 0)
    assert decrypt(key, recipient, Seal(recipient, [key]).close(message)) == message


@given(st.data())
def test_any_wrong_byte_is_refused(data: st.DataObject) -> None:
    raw = base64.b64decode(V3)
    at = data.draw(st.integers(0, len(raw) - 1))
    wrong = base64.b64encode(raw[:at] + bytes([raw[at] ^ data.draw(st.integers(1, 255))]) + raw[at + 1 :]).decode()
    with pytest.raises(Forged):
        gate().open(QUERY, json.dumps({"Encrypt": wrong}).encode(), NOW_MS)


@given(st.sampled_from(["timestamp", "nonce", "msg_signature"]), st.data())
def test_any_wrong_character_of_the_query_is_refused(name: str, data: st.DataObject) -> None:
    right = QUERY[name]
    at = data.draw(st.integers(0, len(right) - 1))
    wrong = right[:at] + data.draw(st.characters(exclude_characters=right[at])) + right[at + 1 :]
    with pytest.raises(Forged):
        gate().open({**QUERY, name: wrong}, BODY, NOW_MS)


@given(st.binary(max_size=400))
def test_anything_else_is_refused_and_nothing_breaks(junk: bytes) -> None:
    seal = Seal(APP, [KEY, OTHER_KEY])
    for text in (junk.decode("latin-1"), base64.b64encode(junk).decode()):
        with pytest.raises(Forged):
            seal.open(text)


def test_a_message_for_another_account_or_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(Forged) as refused:
        Seal(APP, [KEY]).open(encrypt(KEY, "wx-another", b"hello"))
    assert refused.value.code == "recipient"
    with pytest.raises(Forged):
        Seal(APP, [KEY]).open(encrypt(OTHER_KEY, APP, b"hello"))


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "中"])
def test_a_malformed_key_is_said_at_the_start(key: str) -> None:
    with pytest.raises(ValueError):
        aes_key(key)
    with pytest.raises(ValueError):
        gate(keys=(key,))


def test_a_signature_with_strange_characters_is_just_wrong() -> None:
    with pytest.raises(Forged):
        check_signature("é\ud800", TOKEN, "1", "2")


# -- the gate


def pushed(
    words: str, *, key: str = KEY, timestamp: int = NOW_MS // 1000, nonce: str = "1", plain: bool = False
) -> tuple[dict[str, str], bytes]:
    inner = body_of({"FromUserName": "o1", "Content": words}, json=False)
    query = {"timestamp": str(timestamp), "nonce": nonce, "signature": sign(TOKEN, str(timestamp), nonce)}
    if plain:
        return query, inner
    sealed = encrypt(key, APP, inner)
    query |= {"encrypt_type": "aes", "msg_signature": sign(TOKEN, str(timestamp), nonce, sealed)}
    return query, body_of({"ToUserName": "gh", "Encrypt": sealed}, json=False)


def test_the_answer_is_sealed_with_the_key_that_opened_the_post() -> None:
    both = gate(keys=(OTHER_KEY, KEY))
    for key, nonce in ((KEY, "1"), (OTHER_KEY, "2")):
        post = both.open(*pushed("你好", key=key, nonce=nonce), NOW_MS)
        found = fields_of(both.close(post, b"<xml>hi</xml>", NOW_MS))
        assert decrypt(key, APP, found["Encrypt"]) == b"<xml>hi</xml>"
        assert found["MsgSignature"] == sign(TOKEN, found["TimeStamp"], found["Nonce"], found["Encrypt"])


@pytest.mark.parametrize("late_s", [-601, 601, 10**6])
def test_an_old_timestamp_is_refused(late_s: int) -> None:
    query, body = pushed("你好")
    with pytest.raises(Forged, match="expired"):
        gate().open(query, body, NOW_MS + late_s * 1000)
    gate().open(query, body, NOW_MS + 600_000)


def test_wechats_three_tries_pass_and_a_replay_does_not() -> None:
    guard = gate()
    query, body = pushed("你好")
    for seconds in (0, 5, 10):
        assert fields_of(guard.open(query, body, NOW_MS + seconds * 1000).body)["Content"] == "你好"
    with pytest.raises(Forged, match="repeated"):
        guard.open(query, body, NOW_MS + 31_000)
    again = pushed("你好", nonce="2", timestamp=NOW_MS // 1000 + 5)  # a try with a nonce of its own
    assert guard.open(*again, NOW_MS + 31_000)


def test_in_plain_mode_a_nonce_goes_with_one_body() -> None:
    guard = gate("plain", keys=())
    query, body = pushed("你好", plain=True)
    post = guard.open(query, body, NOW_MS)
    assert post.key is None and guard.close(post, b"<xml/>", NOW_MS) == b"<xml/>"
    with pytest.raises(Forged, match="repeated"):
        guard.open(query, body.replace("你好".encode(), "转账".encode()), NOW_MS)


@pytest.mark.parametrize("mode", ["compatible", "safe"])
def test_what_is_not_sealed_does_not_get_into_a_sealed_account(mode: str) -> None:
    with pytest.raises(Forged, match="not_encrypted"):
        gate(mode).open(*pushed("你好", plain=True), NOW_MS)


def test_compatible_bodies_are_read_from_their_sealed_part() -> None:
    query, body = pushed("真的")
    body = body.replace(b"</xml>", b"<Content>forged</Content></xml>")
    assert fields_of(gate("compatible").open(query, body, NOW_MS).body)["Content"] == "真的"


def test_a_mode_that_needs_a_key_says_so() -> None:
    with pytest.raises(ValueError, match="no AES key"):
        gate("safe", keys=("",))


def test_the_address_is_verified() -> None:
    query = {"signature": signature(TOKEN, "1714036504", "1514711492"), "timestamp": "1714036504"}
    query |= {"nonce": "1514711492", "echostr": "4375120948345356249"}
    assert gate().hello(query, 1_714_036_504_000) == "4375120948345356249"
    with pytest.raises(Forged):
        gate().hello({**query, "nonce": "1"}, 1_714_036_504_000)
    with pytest.raises(Forged):
        gate().hello({}, 1_714_036_504_000)


@given(st.dictionaries(st.sampled_from([*QUERY, "echostr"]), st.text(max_size=50)), st.binary(max_size=300))
def test_any_request_is_refused_or_a_value_error(query: dict[str, str], body: bytes) -> None:
    for guard in (gate(), gate("plain", keys=())):
        with pytest.raises(ValueError):
            guard.open(query, body, NOW_MS)
