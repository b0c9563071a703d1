"""uvicorn inside our own loop: no signal handlers, no ticking while nobody asks, a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from bot.web.wire_limits import LimitedProtocol, Sources

BACKLOG = 512
STOP_S = 3
KEEP_ALIVE_S = 30
DEAD_LINE_MS = 60_000
PER_SOURCE = 64  # an office's computers and phones behind one address, each with its stream and some requests


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


async def serve(app: ASGIApp, host: str, port: int, *, per_source: int = PER_SOURCE) -> Serving:
    """Serve `app`; returns when connections are taken. Port 0 picks a free one. Raises OSError when it is taken.

    `per_source`: how many connections one address may have at a time, 0: any number.
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
        proxy_headers=False,
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
