"""WeCom's group robots: what they were made to say, and what WeCom refuses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.wechat_world import WeChatError

LIMITS = {"text": 2_048, "markdown": 4_096}
IMAGE_MAX_BYTES = 2 * 1024 * 1024
FILE_MAX_BYTES = 20 * 1024 * 1024
MINUTE_MS = 60_000
PER_MINUTE = 20


@dataclass(frozen=True, slots=True)
class Posted:
    """A message in the group."""

    kind: str
    text: str = ""
    content: bytes = b""
    users: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()
    at_ms: int = 0


@dataclass(slots=True)
class Robot:
    """A robot of a group."""

    key: str
    posted: list[Posted] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    gone: bool = False

    def texts(self) -> list[str]:
        """What was said in words."""
        return [one.text for one in self.posted if one.text]

    def refuse(self, code: int, what: str) -> WeChatError:
        """The error for something WeCom resents."""
        self.violations.append(what)
        return WeChatError(code, what)

    def send(self, body: dict[str, Any], now_ms: int) -> None:
        """Put a message into the group; raises WeChatError."""
        if sum(one.at_ms > now_ms - MINUTE_MS for one in self.posted) >= PER_MINUTE:
            raise self.refuse(45009, "api freq out of limit")
        kind = str(body.get("msgtype", ""))
        take: Callable[[dict[str, Any], int], Posted] | None = getattr(self, f"_{kind}", None)
        if kind.startswith("_") or take is None or not isinstance(body.get(kind), dict):
            raise self.refuse(40008, "invalid message type")
        self.posted.append(take(body[kind], now_ms))

    def upload(self, name: str, content: bytes) -> str:
        """Keep a file for this robot; its media id."""
        if not 5 < len(content) <= FILE_MAX_BYTES:
            raise self.refuse(40006, "invalid file size")
        media_id = secrets.token_urlsafe(32)
        self.files[media_id] = (name, content)
        return media_id

    def _words(self, kind: str, content: Any) -> str:
        if not isinstance(content, str) or not content.strip():
            raise self.refuse(44004, "empty content")
        if len(content.encode()) > LIMITS[kind]:
            raise self.refuse(40058, f"{kind}.content exceed max length {LIMITS[kind]}")
        return content

    def _text(self, part: dict[str, Any], now_ms: int) -> Posted:
        users, mobiles = (tuple(part.get(name, ())) for name in ("mentioned_list", "mentioned_mobile_list"))
        return Posted("text", self._words("text", part.get("content")), users=users, mobiles=mobiles, at_ms=now_ms)

    def _markdown(self, part: dict[str, Any], now_ms: int) -> Posted:
        return Posted("markdown", self._words("markdown", part.get("content")), at_ms=now_ms)

    def _image(self, part: dict[str, Any], now_ms: int) -> Posted:
        try:
            content = base64.b64decode(str(part.get("base64")), validate=True)
        except binascii.Error:
            raise self.refuse(40058, "image.base64") from None
        if hashlib.md5(content).hexdigest() != part.get("md5"):
            raise self.refuse(301019, "media md5 not match")
        if len(content) > IMAGE_MAX_BYTES or not content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n")):
            raise self.refuse(40009, "invalid image size")
        return Posted("image", content=content, at_ms=now_ms)

    def _file(self, part: dict[str, Any], now_ms: int) -> Posted:
        if part.get("media_id") not in self.files:
            raise self.refuse(40007, "invalid media_id")
        name, content = self.files[part["media_id"]]
        return Posted("file", content=content, text=name, at_ms=now_ms)
