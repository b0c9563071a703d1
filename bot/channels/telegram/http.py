"""A keep-alive pool of connections to one HTTP server, as lean as the Bot API lets it be.

No redirect and no proxy is followed: a redirect would carry the token to another host.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohappyeyeballs

from bot.channels.telegram.connection import WRITE_BYTES, Connection, HttpError, HttpTimeout

IDLE_S = 30.0  # servers close what is idle for a minute or more
RESOLVE_AGAIN_S = 300.0
HAPPY_EYEBALLS_S = 0.25
JSON = "application/json"
UNESCAPED = "/:?&=%+,;@!$'()*~-._"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; None waits for ever. `connect_s` until there is a connection, a free one or a new one; `read_s`
    until the next bytes of an answer; `upload_s` for the sending of a body that is more than one piece.
    """

    connect_s: float | None = 10.0
    read_s: float | None = 15.0
    upload_s: float | None = 60.0


class HttpPool:
    """Connections to the server of `base_url`, whose path stands before that of each request; `limit` is how many
    bytes an answer may have.
    """

    def __init__(
        self, base_url: str, *, connections: int = 64, timeouts: Timeouts | None = None, limit: int = 32 << 20
    ) -> None:
        parts = urlsplit(base_url)
        self.timeouts = timeouts or Timeouts()
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._common = f" HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
        self._limit = limit
        self._free = asyncio.Semaphore(connections)
        self._idle: deque[Connection] = deque()  # the newest last
        self._open: set[Connection] = set()
        self._started = False
        self._context: ssl.SSLContext | None = None
        self._addresses: list[Any] = []
        self._resolved_s = 0.0

    def start(self) -> None:
        """Take requests; a second call does nothing."""
        self._started = True

    async def stop(self) -> None:
        """Close every connection; a second call does nothing."""
        self._started = False
        self._idle.clear()
        for connection in tuple(self._open):
            connection.close()
        self._open.clear()
        await asyncio.sleep(0)  # the sockets are closed in the loop's next round

    async def post(
        self, path: str, body: bytes | AsyncIterator[bytes], kind: str = JSON, timeouts: Timeouts | None = None
    ) -> tuple[int, bytes]:
        """POST a body of that media type; the answer's status and body. A body in pieces is sent in chunks.

        Raises HttpError.
        """
        waits = timeouts or self.timeouts
        length = f"Content-Length: {len(body)}" if isinstance(body, bytes) else "Transfer-Encoding: chunked"
        head = self._head("POST", path, f"Content-Type: {kind}\r\n{length}\r\n")
        if isinstance(body, bytes) and len(body) <= WRITE_BYTES:
            return await self._ask(head, body, waits)
        steps_s = (waits.connect_s, waits.upload_s, waits.read_s)
        try:
            async with asyncio.timeout(None if None in steps_s else sum(step_s or 0 for step_s in steps_s)):
                return await self._ask(head, body, waits)
        except TimeoutError:
            raise HttpTimeout("not sent in time") from None

    async def get(self, path: str, timeouts: Timeouts | None = None) -> tuple[int, bytes]:
        """GET; the answer's status and body. Raises HttpError."""
        return await self._ask(self._head("GET", path), b"", timeouts or self.timeouts)

    @asynccontextmanager
    async def download(self, path: str) -> AsyncGenerator[tuple[int, AsyncIterator[bytes]], None]:
        """GET; the answer's status, and its body in pieces. Raises HttpError."""
        connection = await self._take(self.timeouts.connect_s)
        try:
            status = await connection.open(self._head("GET", path), read_s=self.timeouts.read_s, limit=self._limit)
            async with aclosing(connection.pieces()) as pieces:
                yield status, pieces
        finally:
            connection.end()
            self._give(connection)

    # -- inside

    def _head(self, method: str, path: str, more: str = "") -> bytes:
        return f"{method} {quote(self._prefix + path, UNESCAPED)}{self._common}{more}\r\n".encode("ascii")

    async def _ask(self, head: bytes, body: bytes | AsyncIterator[bytes], waits: Timeouts) -> tuple[int, bytes]:
        connection = await self._take(waits.connect_s)
        try:
            return await connection.ask(head, body, read_s=waits.read_s, limit=self._limit)
        finally:
            self._give(connection)

    async def _take(self, connect_s: float | None) -> Connection:
        """A connection that nobody else uses."""
        if not self._started:
            raise HttpError("not started")
        if self._idle and not self._free.locked():
            await self._free.acquire()
            if connection := self._warm():
                return connection
            self._free.release()
        try:
            async with asyncio.timeout(connect_s):
                await self._free.acquire()
                try:
                    return self._warm() or await self._connect()
                except BaseException:
                    self._free.release()
                    raise
        except TimeoutError:
            raise HttpTimeout("no connection in time") from None
        except OSError as error:
            self._addresses = []
            raise HttpError(_reason(error)) from None

    def _give(self, connection: Connection) -> None:
        """It is not used any more."""
        now_s = asyncio.get_running_loop().time()
        if connection.usable and self._started:
            connection.idle_since_s = now_s
            self._idle.append(connection)
        else:
            self._discard(connection)
        while self._idle and self._idle[0].idle_since_s < now_s - IDLE_S:
            self._discard(self._idle.popleft())
        self._free.release()

    def _warm(self) -> Connection | None:
        """The connection that was used last, if it still is one."""
        oldest_s = asyncio.get_running_loop().time() - IDLE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and connection.idle_since_s >= oldest_s:
                return connection
            self._discard(connection)
        return None

    def _discard(self, connection: Connection) -> None:
        connection.close()
        self._open.discard(connection)

    async def _connect(self) -> Connection:
        """A new connection; an address that does not answer holds up the others for a moment only (RFC 8305)."""
        loop = asyncio.get_running_loop()
        if not self._addresses or loop.time() > self._resolved_s + RESOLVE_AGAIN_S:
            self._addresses = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._resolved_s = loop.time()
        if self._tls and self._context is None:
            self._context = ssl.create_default_context()
        found = await aiohappyeyeballs.start_connection(
            self._addresses, happy_eyeballs_delay=HAPPY_EYEBALLS_S, interleave=1, loop=loop
        )
        try:
            _, connection = await loop.create_connection(
                Connection, sock=found, ssl=self._context, server_hostname=self._host if self._tls else None
            )
        except BaseException:
            found.close()
            raise
        self._open.add(connection)
        return connection


def _reason(error: OSError) -> str:
    """What went wrong, without the texts of others: some tell the address."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or 'refused'}"
    if isinstance(error, socket.gaierror):
        return "the name of the host is not known"
    return os.strerror(error.errno) if error.errno else type(error).__name__
