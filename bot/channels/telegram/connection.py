"""One keep-alive connection to an HTTP/1.1 server: a request at a time, its answer read by httptools."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

WRITE_BYTES = 64 * 1024
MOST_WAITING_BYTES = 1 << 20  # of a download that nobody has read yet; more is left with the server
SLACK_S = 0.001
MEASURES = (len(b"content-length"), len(b"transfer-encoding"))


class HttpError(Exception):
    """No usable answer. Neither the text nor the cause tells the address: a token is part of it."""


class HttpTimeout(HttpError):
    """Nothing was heard for too long."""


class TooLarge(HttpError):
    """The answer is above the limit."""


class Connection(asyncio.Protocol):
    """A connection of `HttpPool`. After a failure, or a request that was given up half-way, it is closed."""

    def __init__(self) -> None:
        self.idle_since_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._parser: Any = HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._error: HttpError | None = None
        self._asked = self._sent = self._headed = self._measured = self._complete = self._keep = False
        self._streamed = self._paused = False
        self._status = self._size = self._limit = self._waiting_bytes = 0
        self._read_s: float | None = None
        self._heard_s = 0.0
        self._pieces: deque[bytes] = deque()

    @property
    def usable(self) -> bool:
        """Whether another request may be sent on it."""
        return self._error is None and self._transport is not None and not self._transport.is_closing()

    async def ask(
        self, head: bytes, body: bytes | AsyncIterator[bytes], *, read_s: float | None, limit: int
    ) -> tuple[int, bytes]:
        """Send a request; the answer's status and body. A body that comes in pieces is sent in chunks.

        `read_s` is how long to wait for the next bytes (None: for ever), `limit` how many bytes a body may have.
        Raises HttpError.
        """
        try:
            await self._send(head, body, read_s, limit)
            if not self._complete:
                await self._wait()
            return self._status, b"".join(self._pieces)
        finally:
            self.end()

    async def open(self, head: bytes, *, read_s: float | None, limit: int) -> int:
        """Send a request; the answer's status. Its body follows by `pieces`, and `end` must be called.

        Raises HttpError.
        """
        self._streamed = True
        await self._send(head, b"", read_s, limit)
        while not self._headed:
            await self._wait()
        return self._status

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises HttpError."""
        while self._pieces or not self._complete:
            if not self._pieces:
                await self._wait()
                continue
            piece = self._pieces.popleft()
            self._waiting_bytes -= len(piece)
            if self._paused and self._waiting_bytes < MOST_WAITING_BYTES:
                self._pause(False)
            yield piece

    def end(self) -> None:
        """The request is over: ready for the next one, or closed when it did not come to its end."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not (self._sent and self._complete and self._keep):
            self.close()
        if self._paused:
            self._pause(False)
        self._waiter = None
        self._asked = self._streamed = False
        self._pieces.clear()
        self._waiting_bytes = 0

    def close(self) -> None:
        """Close it; whoever waits for an answer is told."""
        self._fail(HttpError("closed"))

    # -- a request

    async def _send(self, head: bytes, body: bytes | AsyncIterator[bytes], read_s: float | None, limit: int) -> None:
        transport = self._transport
        if transport is None or self._error is not None:
            raise self._error or HttpError("not connected")
        self._asked, self._sent, self._complete = True, False, False
        self._headed = self._measured = False
        self._size, self._limit, self._read_s = 0, limit, read_s
        if isinstance(body, bytes) and len(body) <= WRITE_BYTES:
            transport.write(head + body)
            self._sent = True
        else:
            transport.write(head)
            if isinstance(body, bytes):
                self._sent = await self._write(transport, body)
            else:
                self._sent = await self._write_chunks(transport, body)
        if read_s is not None:
            self._heard_s = self._loop.time()
            self._timer = self._loop.call_later(read_s, self._look)

    async def _write(self, transport: asyncio.Transport, body: bytes) -> bool:
        for at in range(0, len(body), WRITE_BYTES):
            if not await self._may_go_on():
                return False
            transport.write(body[at : at + WRITE_BYTES])
        return await self._may_go_on()

    async def _write_chunks(self, transport: asyncio.Transport, body: AsyncIterator[bytes]) -> bool:
        async for piece in body:
            if not await self._may_go_on():
                return False
            if piece:
                transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        transport.write(b"0\r\n\r\n")
        return await self._may_go_on()

    async def _may_go_on(self) -> bool:
        """Wait while the network is slower than we are. False: the answer is there already."""
        if self._writable is not None:
            await self._writable
        if self._error is not None and not self._complete:
            raise self._error
        return not self._complete

    async def _wait(self) -> None:
        if self._error is None:
            self._waiter = self._loop.create_future()
            await self._waiter
        if self._error is not None and not self._complete:
            raise self._error

    def _look(self) -> None:
        """Whether the server was silent for too long; while we ourselves don't read, that isn't its fault."""
        assert self._read_s is not None
        if self._paused:
            self._heard_s = self._loop.time()
        left_s = self._heard_s + self._read_s - self._loop.time()
        if left_s < SLACK_S:
            self._fail(HttpTimeout("timed out"))
        else:
            self._timer = self._loop.call_later(left_s, self._look)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: HttpError) -> None:
        if self._error is None:
            self._error = error
        self._wake()
        self.resume_writing()
        if self._transport is not None:
            self._transport.abort()

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        if self._transport is not None and not self._transport.is_closing():
            (self._transport.pause_reading if paused else self._transport.resume_reading)()

    # -- what asyncio says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came; those that nobody asked for end the connection."""
        if not self._asked or self._complete:
            self.close()
            return
        self._heard_s = self._loop.time()
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail(HttpError("no HTTP"))

    def connection_lost(self, error: Exception | None) -> None:
        """It was closed: the end of an answer whose length was not given, else a failure of the one in hand."""
        if error is None and self._error is None and self._asked and self._headed and not self._measured:
            self._complete, self._keep = True, False
            self._wake()
        number = error.errno if isinstance(error, OSError) else None
        self._fail(HttpError(os.strerror(number) if number else "disconnected"))
        self._transport = self._parser = None

    def pause_writing(self) -> None:
        """The network is slower than what is sent."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """It can take more."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # -- what httptools says

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header: only how the body is measured matters."""
        if len(name) not in MEASURES:
            return
        name = name.lower()
        if name == b"content-length":
            self._measured = True
            if int(value) > self._limit:
                self._fail(TooLarge(f"above {self._limit} bytes"))
        elif name == b"transfer-encoding":
            self._measured = True

    def on_headers_complete(self) -> None:
        """What follows is the body; an answer of 1xx has none and says that another answer follows."""
        self._status = self._parser.get_status_code()
        if self._status >= 200:
            self._headed = True
            if self._streamed:
                self._wake()

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._size += len(piece)
        if self._size > self._limit:
            self._fail(TooLarge(f"above {self._limit} bytes"))
            return
        self._pieces.append(piece)
        if self._streamed:
            self._waiting_bytes += len(piece)
            if self._waiting_bytes >= MOST_WAITING_BYTES and not self._paused:
                self._pause(True)
            self._wake()

    def on_message_complete(self) -> None:
        """The answer is there."""
        if self._headed and self._error is None:
            self._keep = self._parser.should_keep_alive()
            self._complete = True
            self._wake()
