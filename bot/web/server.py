"""uvicorn inside our own loop: no signal handlers, no ticking while nobody asks, a graceful end, limits.

How long and how large a request may be before anybody looks at it, and how many connections one source may hold:
uvicorn on httptools limits nothing of that, nginx in front of it would. Somebody who serves a local network without
nginx is as safe with this (docs/decisions/0017).
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BACKLOG = 512
STOP_S = 3
KEEP_ALIVE_S = 30
DEAD_LINE_MS = 60_000
PER_SOURCE = 64  # an office's computers and phones behind one address, each with its stream and some requests
HEAD_S = 10.0  # from the connection, or the first byte of a further request, to the end of its headers
HEAD_BYTES = 16_384
BODY_S, BODY_BYTES = 20.0, 10_240  # a body that brings less in that time is given up: 0.5 KB a second
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Sources:
    """How many connections each source has; `most` 0: nobody counts. This computer itself (a proxy) has no limit."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()

    def take(self, source: str) -> bool:
        """One more connection; False when the source has as many as it may."""
        if not source or not self._most:
            return True
        if self._held[source] >= self._most:
            return False
        self._held[source] += 1
        return True

    def leave(self, source: str) -> None:
        """One less."""
        if source and self._most:
            self._held[source] -= 1
            if not self._held[source]:
                del self._held[source]


def source_of(host: str) -> str:
    """What one household has: an IPv4 address, or an IPv6 network of 64 bits; "" for this computer itself."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return ""
    return str(address) if address.version == 4 else address.exploded[:19]


class LimitedProtocol(HttpToolsProtocol):
    """HTTP with limits and without an access log, whatever the loggers are set to: paths hold join tokens."""

    def __init__(self, *arguments: Any, sources: Sources, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.access_log = False
        self._sources = sources
        self._source: str | None = None  # None: nothing was taken
        self._timer: asyncio.TimerHandle | None = None
        self._in_head = True
        self._in_body = False
        self._bytes = 0  # of the head, or of the body since it was looked at last

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, unless its source has enough."""
        super().connection_made(transport)
        source = source_of(self.client[0]) if self.client else ""
        if not self._sources.take(source):
            transport.abort()
            return
        self._source = source
        self._timer = self.loop.call_later(HEAD_S, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._forget_timer()
        if self._source is not None:
            self._sources.leave(self._source)
            self._source = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and see that there is not too much of it, nor too little."""
        self._bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._bytes > HEAD_BYTES:
            self._refuse(TOO_LARGE)
        elif self._timer is None and ((self._in_head and self._bytes) or self._in_body):
            self._timer = self.loop.call_later(
                *((HEAD_S, self._head_is_late) if self._in_head else (BODY_S, self._look))
            )

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._bytes = True, max(1, self._bytes)

    def on_headers_complete(self) -> None:
        """Its head is whole; uvicorn answers 400 to what is raised here."""
        if sum(len(name) + len(value) + 4 for name, value in self.headers) + len(self.url) > HEAD_BYTES:
            raise ValueError("the head is too large")
        self._in_head, self._in_body, self._bytes = False, True, 0
        self._forget_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is whole."""
        self._in_head, self._in_body, self._bytes = True, False, 0
        self._forget_timer()
        super().on_message_complete()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        self._timer = None
        self._refuse(TOO_SLOW)

    def _look(self) -> None:
        """Whether a body still comes; what we ourselves hold back is nobody's fault."""
        self._timer = None
        if self._bytes < BODY_BYTES and not self.flow.read_paused:
            self._refuse(TOO_SLOW)
        else:
            self._bytes = 0
            self._timer = self.loop.call_later(BODY_S, self._look)

    def _refuse(self, answer: bytes) -> None:
        """Say why, if nothing else is being said, and hang up."""
        if not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(answer)
                self.transport.close()
            else:
                self.transport.abort()


class _Server(uvicorn.Server):
    """Waits for the end without waking ten times a second (that only serves the Date header, which is off)."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.ending = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def main_loop(self) -> None:
        await self.ending.wait()


class Serving:
    """A running server."""

    def __init__(self, server: _Server, task: asyncio.Task[None], host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._server = server
        self._task = task

    async def stop(self) -> None:
        """Take no new connections, let requests finish (a few seconds), close."""
        self._server.ending.set()
        await self._task


async def serve(
    app: ASGIApp, host: str, port: int, *, per_source: int = PER_SOURCE, trusted_proxies: str = ""
) -> Serving:
    """Serve `app`; returns when connections are taken. Port 0 picks a free one. Raises OSError when it is taken.

    `per_source`: how many connections one address may have at a time, 0: any number. `trusted_proxies`: whose
    `X-Forwarded-For` says who asks, addresses and networks with commas between them.
    """
    _allow_files()
    listening = listen(host, port)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        lifespan="off",
        ws="none",
        http=cast(Any, partial(LimitedProtocol, sources=Sources(per_source))),
        loop="none",
        date_header=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=[*_as_connected(trusted_proxies)],
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]))
    up = asyncio.create_task(server.up.wait())
    await asyncio.wait({task, up}, return_when=asyncio.FIRST_COMPLETED)
    if not up.done():
        up.cancel()
        await task
    return Serving(server, task, host, listening.getsockname()[1])


def _as_connected(named: str) -> Iterator[str]:
    """Addresses and networks as uvicorn meets them: where IPv6 is listened to, IPv4 comes as a part of that."""
    for one in filter(None, named.split(",")):
        network = ip_network(one)
        yield str(network)
        if network.version == 4:
            yield f"::ffff:{network.network_address}/{96 + network.prefixlen}"


def _allow_files() -> None:
    """As many open connections as the system lets us have: the usual 1,024 are taken by one crowd."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def listen(host: str, port: int) -> socket.socket:
    """Take an address to listen on. Raises OSError when it can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends without delay only on sockets that name their protocol
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # inherited: a phone out of reach is noticed within a minute
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_LINE_MS)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
