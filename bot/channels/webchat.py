"""The web chat as a channel: what the page posted, and the open pages to which messages are pushed.

A message for somebody without an open page stays in the outbox as `waiting`; the page gets it when it comes back.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any

import orjson

from bot.channels.base import Accept, Arrival, Letter, Raw, Together
from bot.channels.webchat_wire import bot_message, event_of, read_body
from bot.talk.messages import HIDDEN

MAX_QUEUED = 200
MAX_STREAMS_PER_ADDRESS = 5
MAX_STREAMS = 2_000
KEPT_FOR_STAFF = 200  # of them
ANY = 1 << 60  # later than every id
Who = tuple[int, str]  # township, address
Event = tuple[int, bytes]  # message id (0 for none) and the bytes of the event


class Rank(IntEnum):
    """Whose page it is, and so which keeps its stream when there are too many."""

    STRANGER = 1  # somebody who has written, and not agreed to anything yet
    KNOWN = 2
    STAFF = 3


def sse(message: Mapping[str, Any]) -> bytes:
    """A message as a server-sent event."""
    return b"id: %s\nevent: message\ndata: %s\n\n" % (message["id"].encode(), orjson.dumps(message))


class Stream:
    """One open page: a short queue of events. `closed` once it fell behind, or the program stops."""

    def __init__(self) -> None:
        self.closed = False
        self.missed_id: int | None = None  # an event that another worker has shown
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

    def missed(self, message_id: int) -> None:
        """Another worker has sent this: look for it in the database, and for what came before it."""
        self.missed_id = message_id if self.missed_id is None else min(self.missed_id, message_id)
        self._wake.set()

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
    """Every open page of the web chat that this worker serves. `worker` is its number when there may be others."""

    name = "web"
    buttons = True
    reply_ms = 0
    native_menu = False
    forgets_media = False

    def __init__(self, worker: Callable[[], int] | None = None) -> None:
        self._worker = worker
        self._streams: dict[Who, list[Stream]] = {}
        self._whose: dict[Rank, dict[Stream, Who]] = {rank: {} for rank in Rank}  # the oldest first
        self.stream_count = 0
        self.stopped = False

    def decode(self, raw: Raw) -> Arrival:
        """Read what the page posted. `language` (of the browser) was added when it was stored."""
        read = read_body(raw.body)
        return Arrival(event_of(read), language=read.get("language", ""))

    def masked(self, raw: Raw) -> bytes:
        """What the page posted, without the words."""
        return orjson.dumps({**read_body(raw.body), "text": HIDDEN})

    def pick(self, said: str, shown: Sequence[Together]) -> str | None:
        """Buttons are pressed."""
        return None

    async def send(self, letter: Letter) -> bool:
        """Push a message to the person's open pages; False when there is none."""
        streams = self._streams.get((letter.township_id, letter.address))
        if not streams:
            return False
        event = letter.id, sse(bot_message(letter.id, letter.created_ms, letter.out, letter.changes))
        reached = [stream.push(event) for stream in tuple(streams)]
        return any(reached)

    def busy(self, address: str) -> None:
        """The page shows by itself that it waits."""

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        """For pages that other workers serve: `<worker> <township> <id> <address>`."""
        return "" if self._worker is None else f"{self._worker()} {township_id} {message_id} {address}"

    def hear(self, hint: str) -> None:
        """Another worker has something for a person who may have a page here; "": for anybody."""
        if not hint:
            for stream in [one for streams in self._streams.values() for one in streams]:
                stream.missed(ANY)
            return
        worker, township_id, message_id, address = hint.split(" ", 3)
        if self._worker is None or int(worker) != self._worker():
            for stream in self._streams.get((int(township_id), address), ()):
                stream.missed(int(message_id))

    def close(self, who: Who) -> None:
        """End the streams of that person's pages here: those that may, open them again."""
        for stream in tuple(self._streams.get(who, ())):
            stream.close()

    def is_open(self, who: Who) -> bool:
        """Whether that person has a page open."""
        return who in self._streams

    def push(self, who: Who, event: Event) -> None:
        """Show something to the person's open pages, if any."""
        for stream in tuple(self._streams.get(who, ())):
            stream.push(event)

    def open(self, who: Who, rank: Rank = Rank.KNOWN) -> Stream | None:
        """A new page of that address; None when the program holds as many as it can, and nobody of a lower rank has one
        that could give way: the newest of them does. Some are kept for staff.

        The oldest of too many pages of one address is closed: on a weak network it is most likely a dead one.
        """
        streams = self._streams.get(who, [])
        if self.stopped:
            return None
        if len(streams) >= MAX_STREAMS_PER_ADDRESS:
            self.leave(who, streams[0])
        if self.stream_count >= MAX_STREAMS - (0 if rank is Rank.STAFF else KEPT_FOR_STAFF):
            lower = (whose for of_rank, whose in self._whose.items() if of_rank < rank and whose)
            given = next(lower, None)
            if given is None:
                return None
            stream = next(reversed(given))
            self.leave(given[stream], stream)
        stream = Stream()
        self._streams.setdefault(who, []).append(stream)
        self._whose[rank][stream] = who
        self.stream_count += 1
        return stream

    def leave(self, who: Who, stream: Stream) -> None:
        """The page is gone."""
        stream.close()
        streams = self._streams.get(who, [])
        if stream in streams:
            streams.remove(stream)
            self.stream_count -= 1
            for whose in self._whose.values():
                whose.pop(stream, None)
        if not streams:
            self._streams.pop(who, None)

    def ref_of(self, message_id: int) -> str | None:
        """The page knows a message by our own number."""
        return str(message_id)

    def admit_ms(self, address: str, now_ms: int) -> int:
        """Our own server has no limits."""
        return now_ms

    def handled(self, raw: Raw) -> None:
        """Nothing to do: the answer itself ends the page's waiting."""

    async def start(self, accept: Accept) -> None:
        """Pages are served by `bot.web`; from now on they may stay."""
        self.stopped = False

    async def fetch_updates(self) -> None:
        """Pages post by themselves."""

    async def stop(self) -> None:
        """Close every page's stream; they reconnect by themselves."""
        self.stopped = True
        for streams in tuple(self._streams.values()):
            for stream in streams:
                stream.close()
