"""The web chat as a channel: what the page posted, and the open pages to which messages are pushed.

A message for somebody without an open page stays in the outbox as `waiting`; the page gets it when it comes back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

import orjson

from bot.channels.base import Accept, Arrival, Letter, Raw
from bot.web.messages import bot_message, event_of, read_body

MAX_QUEUED = 200
MAX_STREAMS_PER_ADDRESS = 5
MAX_STREAMS = 2_000
Event = tuple[int, bytes]  # message id (0 for none) and the bytes of the event


def sse(message: Mapping[str, Any]) -> bytes:
    """A message as a server-sent event."""
    return b"id: %s\nevent: message\ndata: %s\n\n" % (message["id"].encode(), orjson.dumps(message))


class Stream:
    """One open page: a short queue of events. `closed` once it fell behind, or the program stops."""

    def __init__(self) -> None:
        self.closed = False
        self._events: deque[Event] = deque()
        self._wake = asyncio.Event()

    def push(self, event: Event) -> bool:
        """Queue an event; False when the page is gone or too slow (it reconnects and catches up)."""
        if self.closed:
            return False
        if len(self._events) >= MAX_QUEUED:
            self.close()
            return False
        self._events.append(event)
        self._wake.set()
        return True

    def close(self) -> None:
        """End the stream after what is queued was read."""
        self.closed = True
        self._wake.set()

    def take(self) -> list[Event]:
        """Everything queued."""
        events = list(self._events)
        self._events.clear()
        if not self.closed:
            self._wake.clear()
        return events

    async def wait(self, timeout_s: float) -> bool:
        """Whether something happened before the time was over."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True


class WebChat:
    """Every open page of the web chat."""

    name = "web"
    buttons = True

    def __init__(self) -> None:
        self._streams: dict[str, list[Stream]] = {}
        self.stream_count = 0
        self.stopped = False

    def decode(self, raw: Raw) -> Arrival:
        """Read what the page posted. `language` (of the browser) was added when it was stored."""
        read = read_body(raw.body)
        return Arrival(event_of(read), language=read.get("language", ""))

    async def send(self, letter: Letter) -> bool:
        """Push a message to the person's open pages; False when there is none."""
        streams = self._streams.get(letter.address)
        if not streams:
            return False
        event = letter.id, sse(bot_message(letter.id, letter.created_ms, letter.out))
        reached = [stream.push(event) for stream in tuple(streams)]
        return any(reached)

    def is_open(self, address: str) -> bool:
        """Whether that address has a page open."""
        return address in self._streams

    def push(self, address: str, event: Event) -> None:
        """Show something to the person's open pages, if any."""
        for stream in tuple(self._streams.get(address, ())):
            stream.push(event)

    def open(self, address: str) -> Stream | None:
        """A new page of that address; None when the program holds as many as it can.

        The oldest of too many pages of one address is closed: on a weak network it is most likely a dead one.
        """
        if self.stopped or self.stream_count >= MAX_STREAMS:
            return None
        streams = self._streams.setdefault(address, [])
        if len(streams) >= MAX_STREAMS_PER_ADDRESS:
            self.leave(address, streams[0])
            streams = self._streams.setdefault(address, [])
        stream = Stream()
        streams.append(stream)
        self.stream_count += 1
        return stream

    def leave(self, address: str, stream: Stream) -> None:
        """The page is gone."""
        stream.close()
        streams = self._streams.get(address, [])
        if stream in streams:
            streams.remove(stream)
            self.stream_count -= 1
        if not streams:
            self._streams.pop(address, None)

    def admit_ms(self, address: str, now_ms: int) -> int:
        """Our own server has no limits."""
        return now_ms

    def handled(self, raw: Raw) -> None:
        """Nothing to do: the answer itself ends the page's waiting."""

    async def start(self, accept: Accept) -> None:
        """Pages are served by `bot.web`; from now on they may stay."""
        self.stopped = False

    async def stop(self) -> None:
        """Close every page's stream; they reconnect by themselves."""
        self.stopped = True
        for streams in tuple(self._streams.values()):
            for stream in streams:
                stream.close()
