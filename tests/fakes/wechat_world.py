"""The fake WeChat without its wires: who follows, what may be sent to them, tokens, media, and what WeChat resents."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OPENS = {"message": (5, 48 * HOUR_MS), "click": (3, 60_000), "subscribe": (3, 60_000), "scan": (3, 60_000)}
TOKEN_MS = 7_200_000
OLD_TOKEN_MS = 300_000
MEDIA_MS = 3 * DAY_MS
Kind = Literal["passive", "customer", "template", "notice"]
Deliver = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]
_CHOICE = re.compile(r"【(\d{1,4}|[A-Z]{1,2})】(\S.*)")
_LINK = re.compile(r"(?:(.*)：)?(https?://\S+)")


class WeChatError(Exception):
    """An answer with an `errcode`."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the account as a person sees it. `values` are a template's, by the names of its fields."""

    kind: Kind
    text: str = ""
    picture: bytes | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    message_id: str = ""

    @property
    def choices(self) -> dict[str, str]:
        """What can be answered, in reading order: label → number or letter."""
        found = (_CHOICE.fullmatch(line) for line in self.text.splitlines())
        return {match[2]: match[1] for match in found if match}

    @property
    def labels(self) -> list[str]:
        """The labels of the choices."""
        return list(self.choices)

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Addresses and what stands before them."""
        found = (_LINK.fullmatch(line) for line in self.text.splitlines())
        return tuple((match[1] or "", match[2]) for match in found if match)


@dataclass(slots=True)
class Contact:
    """A person towards the account. `windows`: what they did → [customer messages left, until when]."""

    openid: str
    name: str
    following: bool = True
    windows: dict[str, list[int]] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    sounds: asyncio.Queue[Heard] = field(default_factory=asyncio.Queue)
    seen: list[Heard] = field(default_factory=list)
    broken: int = 0  # how often «该公众号暂时无法提供服务» was shown

    def hear(self, heard: Heard) -> None:
        """Something is shown to them."""
        self.seen.append(heard)
        self.sounds.put_nowait(heard)


@dataclass(frozen=True, slots=True)
class File:
    """Something uploaded or sent by a person."""

    kind: str
    content: bytes
    made_ms: int


class World:
    """Everything the fake remembers. `now_ms` is its clock, `cut_s` how long it waits for a passive reply."""

    def __init__(self, now_ms: Callable[[], int] | None = None) -> None:
        self.now_ms = now_ms or (lambda: int(time.time() * 1000))
        self.app_id, self.secret, self.token = "wx0123456789abcdef", secrets.token_hex(16), "a-token-for-tests"
        self.account = "gh_0123456789ab"
        self.aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
        self.mode: Literal["plain", "compatible", "safe"] = "safe"
        self.json = False
        self.verified = True
        self.cut_s = 5.0
        self.webhook_url = ""
        self.deliver: Deliver | None = None
        self.violations: list[str] = []
        self.contacts: dict[str, Contact] = {}
        self.files: dict[str, File] = {}
        self.templates: dict[str, tuple[str, ...]] = {}
        self.menu: list[dict[str, Any]] = []
        self.scenes: dict[str, str] = {}  # ticket → scene
        self.codes: dict[str, tuple[str, bool, int]] = {}  # OAuth code → (openid, snapshot, when made)
        self.tokens: dict[str, int] = {}  # token → until when; the newest last
        self.void: set[str] = set()
        self.forced_ms: list[int] = []
        self.ticket = secrets.token_hex(32)
        self.holder: tuple[str, bool] | None = None  # whose phone it is that opens pages: (openid, snapshot)
        self.page_hosts: set[str] = {"127.0.0.1"}  # 网页授权域名
        self._number = 24_000_000_000_000_000

    def resent(self, what: str) -> None:
        """The program did what WeChat refuses."""
        self.violations.append(what)

    def next_id(self) -> int:
        """A new message id."""
        self._number += 1
        return self._number

    def contact(self, openid: str) -> Contact:
        """Who has that openid, or 40003."""
        if openid not in self.contacts:
            self.resent(f"no such openid: {openid!r}")
            raise WeChatError(40003, "invalid openid")
        return self.contacts[openid]

    # -- tokens

    def stable_token(self, force: bool) -> tuple[str, int]:
        """(token, for how many seconds): the present one, or a new one when it is near its end or `force`."""
        now_ms = self.now_ms()
        if force:
            if self.forced_ms and now_ms - self.forced_ms[-1] < 30_000:
                self.resent("force_refresh twice in 30 s")
                raise WeChatError(45009, "reach max api daily quota limit")
            self.forced_ms.append(now_ms)
            if sum(at > now_ms - DAY_MS for at in self.forced_ms) > 20:
                self.resent("force_refresh more than 20 times a day")
        newest, until_ms = next(reversed(self.tokens.items()), ("", 0))
        if force or until_ms - OLD_TOKEN_MS <= now_ms:
            if newest:
                self.tokens[newest] = min(until_ms, now_ms + (0 if force else OLD_TOKEN_MS))
            newest, until_ms = secrets.token_urlsafe(384), now_ms + TOKEN_MS
            self.tokens[newest] = until_ms
        return newest, (until_ms - now_ms) // 1000

    def check_token(self, token: str) -> None:
        """40001 for an unknown token, 42001 for one that has ended."""
        if token not in self.tokens or token in self.void:
            raise WeChatError(40001, "invalid credential, access_token is invalid or not latest")
        if self.tokens[token] <= self.now_ms():
            raise WeChatError(42001, "access_token expired")

    def revoke_tokens(self) -> None:
        """The token is void, and stable_token does not know it: only a forced renewal helps."""
        self.void |= set(self.tokens)

    # -- messages

    def opened(self, contact: Contact, what: str) -> None:
        """A person did something after which customer messages may come."""
        count, span_ms = OPENS[what]
        contact.windows[what] = [count, self.now_ms() + span_ms]

    def take_window(self, contact: Contact) -> None:
        """Count a customer message in the window that ends first; 45015 or 45047 when there is none."""
        windows = [one for one in contact.windows.values() if one[1] > self.now_ms()]
        if not contact.following or not windows:
            self.resent(f"a customer message outside 48 h, or unsubscribed: {contact.name}")
            raise WeChatError(45015, "response out of time limit or subscription is canceled")
        left = sorted((one for one in windows if one[0] > 0), key=lambda one: one[1])
        if not left:
            self.resent(f"more customer messages than allowed: {contact.name}")
            raise WeChatError(45047, "out of response count limit")
        left[0][0] -= 1

    # -- media

    def keep(self, kind: str, content: bytes) -> str:
        """A new media id for a file."""
        media_id = secrets.token_urlsafe(48)
        self.files[media_id] = File(kind, content, self.now_ms())
        return media_id

    def file(self, media_id: str) -> File:
        """The file, or 40007 when there is none or it is older than three days."""
        file = self.files.get(media_id)
        if file is None or self.now_ms() - file.made_ms > MEDIA_MS:
            raise WeChatError(40007, "invalid media_id")
        return file
