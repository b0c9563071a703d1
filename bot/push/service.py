"""One push to one browser's push service: encrypted (RFC 8291), signed (RFC 8292), bounded in time and size.

The address was named by a browser. It is called only when its host is a known service's and is public in the net; no
redirect is followed, no answer is read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp
import http_ece
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from py_vapid import Vapid02

from bot.clock import Clock
from bot.errors import GiveUp, RetryLater
from bot.push.browsers import is_service, raw
from bot.push.keys import public_key

TOTAL_S, CONNECT_S = 20.0, 8.0
CONNECTIONS = 8
SIGNED_S = 12 * 3_600  # the longest that a service accepts is a day
AGAIN_MS = 30_000
LONGEST_AGAIN_MS = 3_600_000
MAX_BODY_BYTES = 3_000
GONE = (404, 410)


class Gone(Exception):
    """The browser has taken its permission back, or is no more."""


class OnlyPublic(AbstractResolver):
    """Resolves names as `inner` does, but to public addresses only."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of a host. Raises OSError when it has none."""
        found = [one for one in await self._inner.resolve(host, port, family) if _is_public(one["host"])]
        if not found:
            raise OSError(None, "no public address")
        return found

    async def close(self) -> None:
        """Close what it resolves with."""
        await self._inner.close()


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return found.is_global and not found.is_multicast and (inner is None or inner.is_global)


class PushService:
    """Sends pushes in the name of the deployment at `contact` (an https address), signed with its key.

    `hosts`: what an operator trusts beside the known services. `resolver` and `tls` are the net's own unless given.
    """

    def __init__(
        self,
        key: Vapid02,
        contact: str,
        clock: Clock,
        hosts: Sequence[str] = (),
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | bool = True,
    ) -> None:
        self.public_key = public_key(key)
        self._key = key
        self._contact = contact
        self._clock = clock
        self._hosts = tuple(hosts)
        self._resolver = resolver
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def send(self, browser: Mapping[str, str], content: bytes, *, ttl_s: int, urgent: bool, topic: str) -> None:
        """Have a browser (endpoint, p256dh, auth) told. `topic`: a later push of it takes the place of this one.

        Raises Gone, RetryLater, GiveUp.
        """
        endpoint = browser["endpoint"]
        if not is_service(endpoint, self._hosts):
            raise GiveUp("no_push_service")
        headers = {
            **self._signed(endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(max(0, ttl_s)),
            "Urgency": "high" if urgent else "normal",
            "Topic": topic,
        }
        try:
            async with (
                asyncio.timeout(TOTAL_S),
                self._opened().post(
                    endpoint, data=encrypted(browser, content), headers=headers, allow_redirects=False
                ) as response,
            ):
                status, after = response.status, response.headers.get("Retry-After", "")
        except (aiohttp.ClientError, OSError, ValueError) as error:  # a timeout is an OSError
            raise RetryLater(AGAIN_MS, type(error).__name__) from None  # without the address, which is a secret
        if status in GONE:
            raise Gone
        if status == 429 or status >= 500:
            raise RetryLater(self._after_ms(after), f"http {status}")
        if not 200 <= status < 300:
            raise GiveUp(f"http_{status}")

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = self._resolver or OnlyPublic(aiohttp.ThreadedResolver())
            connector = aiohttp.TCPConnector(limit=CONNECTIONS, resolver=resolver, use_dns_cache=False, ssl=self._tls)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=TOTAL_S, connect=CONNECT_S),
                auto_decompress=False,
            )
        return self._session

    def _signed(self, endpoint: str) -> Mapping[str, str]:
        url = urlsplit(endpoint)
        until_s = self._clock.now_ms() // 1_000 + SIGNED_S
        signed: Mapping[str, str] = self._key.sign(
            {"aud": f"https://{url.hostname}", "exp": until_s, "sub": self._contact}
        )
        return signed

    def _after_ms(self, said: str) -> int:
        """How long a service asks to wait: seconds, or a date."""
        try:
            wait_ms = int(said) * 1_000
        except ValueError:
            try:
                wait_ms = int(parsedate_to_datetime(said).timestamp() * 1_000) - self._clock.now_ms()
            except (ValueError, TypeError, OverflowError):
                wait_ms = AGAIN_MS
        return min(max(wait_ms, AGAIN_MS), LONGEST_AGAIN_MS)

    async def stop(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def encrypted(browser: Mapping[str, str], content: bytes) -> bytes:
    """What only that browser can read (RFC 8291), with a key of its own each time. Raises GiveUp for keys that are
    no point of the curve.
    """
    if len(content) > MAX_BODY_BYTES:
        raise GiveUp("push_too_large")
    try:
        body: bytes = http_ece.encrypt(
            content,
            salt=os.urandom(16),
            private_key=generate_private_key(SECP256R1()),
            dh=raw(browser["p256dh"]),
            auth_secret=raw(browser["auth"]),
            version="aes128gcm",
        )
    except ValueError:
        raise GiveUp("bad_push_key") from None
    return body
