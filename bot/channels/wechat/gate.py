"""Who may come in at the webhook: signatures, age, replays, the mode of encryption. Answers leave by the same gate."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.channels.wechat.crypto import Forged, Seal, check_signature, signature
from bot.channels.wechat.fields import Value, body_of, fields_of, is_json

Mode = Literal["plain", "compatible", "safe"]
LIFE_S = 600
TRIES_MS = 30_000  # WeChat's three tries of one message take 15 s
MOST_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class Post:
    """What was posted, in plain text; `key` opened it (None: it was not encrypted), the answer goes out with it."""

    body: bytes
    json: bool
    key: int | None = None


class Gate:
    """One account's. `keys` are the present AES key and the previous one ("" for none); see `Seal`.

    `plain` takes what is not encrypted; `compatible` and `safe` take only what is. Raises ValueError when a mode
    that needs a key has none, or a key is malformed.
    """

    def __init__(self, token: str, receive_id: str, mode: Mode = "safe", keys: Sequence[str] = ()) -> None:
        self._token = token
        self._mode = mode
        self._seal = Seal(receive_id, keys) if any(keys) else None
        if self._seal is None and mode != "plain":
            raise ValueError("no AES key")
        self._seen: dict[tuple[str, str], tuple[int, bytes]] = {}  # (timestamp, nonce) → (when, what); oldest first

    def hello(self, query: Mapping[str, str], now_ms: int) -> str:
        """The answer to WeChat's check of the address (GET). Raises Forged."""
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        check_signature(query.get("signature", ""), self._token, timestamp, nonce)
        self._check_age(timestamp, now_ms)
        return query.get("echostr", "")

    def open(self, query: Mapping[str, str], body: bytes, now_ms: int) -> Post:
        """What was posted. Raises Forged, and ValueError for a body that is neither XML nor JSON.

        The same request may come again for half a minute (WeChat tries three times); later it is a replay.
        """
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        sealed = self._seal is not None and query.get("encrypt_type", "") == "aes"
        if not sealed and self._mode != "plain":
            raise Forged("not_encrypted")
        encrypted = fields_of(body).get("Encrypt", "") if sealed else ""
        given = query.get("msg_signature" if sealed else "signature", "")
        check_signature(given, self._token, timestamp, nonce, *([encrypted] if sealed else []))
        self._check_age(timestamp, now_ms)
        # The signature of a sealed post binds its content; of a plain one it does not, so a nonce goes with one body.
        self._check_replay((timestamp, nonce), b"" if sealed else hashlib.sha256(body).digest(), now_ms)
        if not sealed or self._seal is None:
            fields_of(body)
            return Post(body, is_json(body))
        plain, key = self._seal.open(encrypted)
        fields_of(plain)
        return Post(plain, is_json(body), key)

    def close(self, post: Post, reply: bytes, now_ms: int, nonce: Callable[[], str] | None = None) -> bytes:
        """A passive reply as WeChat wants it: sealed with the key that opened the post, or plain as the post was."""
        if post.key is None or self._seal is None:
            return reply
        encrypted = self._seal.close(reply, post.key)
        timestamp, once = now_ms // 1000, (nonce or _nonce)()
        signed = signature(self._token, str(timestamp), once, encrypted)
        sealed: dict[str, Value] = {"Encrypt": encrypted, "MsgSignature": signed, "TimeStamp": timestamp, "Nonce": once}
        return body_of(sealed, json=post.json)

    def _check_age(self, timestamp: str, now_ms: int) -> None:
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise Forged("expired")
        if abs(now_ms // 1000 - int(timestamp)) > LIFE_S:
            raise Forged("expired")

    def _check_replay(self, once: tuple[str, str], what: bytes, now_ms: int) -> None:
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < MOST_REMEMBERED and self._seen[oldest][0] > now_ms - 2 * LIFE_S * 1000:
                break
            del self._seen[oldest]
        first_ms, known = self._seen.setdefault(once, (now_ms, what))
        if known != what or now_ms - first_ms > TRIES_MS:
            raise Forged("repeated")


def _nonce() -> str:
    return str(secrets.randbelow(10**10))
