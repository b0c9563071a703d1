"""The stream of messages to an open page: what it missed, then what comes, and a sign of life in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.channels.webchat import Rank, Stream, Who, sse
from bot.web import history
from bot.web.api import number
from bot.web.context import Context
from bot.web.guard import HttpRefusal
from bot.web.visitors.cookies import Cookie
from storage.database import Tx, Unavailable
from storage.machine import outbox, webchat

KEEPALIVE_S = 20.0
SECOND_LOOK_S = 2.0
EARLIER_LOOK_S = 0.02
LOOK_AGAIN_MS = 60_000
POLL_MS = 10_000  # for whom there is no stream
NOBODYS_POLL_MS = 60_000  # for who has never written
PAGE_LINES = 200
MOST_REMEMBERED = 2_000
log = structlog.get_logger()
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Events:
    """`GET /api/events`."""

    def __init__(self, parts: Context, *, keepalive_s: float = KEEPALIVE_S) -> None:
        self._parts = parts
        self._keepalive_s = keepalive_s

    async def events(self, request: Request) -> Response:
        """Open a stream after `Last-Event-ID`, or `?after=`, or with what waits for the person only."""
        parts, who = self._parts, await self._parts.doors.who(request)
        cookie = await parts.doors.cookie_of(request)
        assert cookie is not None
        if request.method != "GET":
            return Response(status_code=405, headers={"Allow": "GET"})
        parts.reads.check(who[1], parts.clock.now_ms())
        said = request.headers.get("last-event-id") or request.query_params.get("after", "")
        if parts.webchat.stopped:
            raise HttpRefusal(503, "busy", after_s=10)
        rank = await parts.database.read(lambda tx: rank_of(tx, who[1]), township_id=who[0])
        stream = parts.webchat.open(who, rank) if rank is not None else None
        poll_ms = 0 if stream is not None else POLL_MS if rank is not None else NOBODYS_POLL_MS
        return EventResponse(parts, who, cookie, stream or Stream(), number(said, -1), self._keepalive_s, poll_ms)


async def rank_of(tx: Tx, address: str) -> Rank | None:
    """Whose page asks for a stream; None when nobody has ever written from there: nothing could come for them."""
    row = await webchat.whose(tx, address)
    if row is None:
        return Rank.STRANGER if await webchat.has_written(tx, address) else None
    return Rank.STAFF if row["roles"] else Rank.KNOWN if row["consent_version"] is not None else Rank.STRANGER


class EventResponse(Response):
    """One stream, until the page or the program ends it, or the cookie that opened it is void.

    With `poll_ms` it is no lasting one: what has come is told, and after how long the page may ask again.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        parts: Context,
        who: Who,
        cookie: Cookie,
        stream: Stream,
        after_id: int,
        keepalive_s: float,
        poll_ms: int,
    ) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._parts = parts
        self._township_id, self._address = who
        self._cookie = cookie
        self._looked_ms = parts.clock.now_ms()
        self._stream = stream
        self._after_id = after_id
        self._keepalive_s = keepalive_s
        self._poll_ms = poll_ms
        self._newest_id = after_id
        self._sent: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._write(send, b": hello\n\n")
            if self._poll_ms:
                await self._write(send, b"retry: %d\n\n" % self._poll_ms)
            if self._poll_ms != NOBODYS_POLL_MS:
                await self._catch_up(send)
            if not self._poll_ms:
                await self._follow(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Unavailable:  # the page reconnects; the database says so itself
            log.debug("web.stream_cut")
        except Exception:  # the page reconnects and catches up
            log.exception("web.stream_failed")
        finally:
            watching.cancel()
            self._parts.webchat.leave((self._township_id, self._address), self._stream)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._stream.close()

    async def _write(self, send: Send, body: bytes) -> None:
        await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _catch_up(self, send: Send) -> None:
        """What was kept for the person while nobody was there, then everything after the last event known."""
        parts, after_id = self._parts, self._after_id
        page: int | None = after_id if after_id >= 0 else None
        if page is None:
            self._newest_id = await parts.database.read(
                lambda tx: webchat.newest_id(tx, self._address), township_id=self._township_id
            )
        await self._send_waiting(send, until_id=history.NEWEST if page is None else page)
        await self._send_after(send, page)

    async def _send_after(self, send: Send, page: int | None) -> None:
        """Everything after an id."""
        parts = self._parts
        while page is not None and not self._stream.closed:

            async def work(tx: Tx, page: int = page) -> tuple[list[history.Line], int | None]:
                now_ms = parts.clock.now_ms()
                return await history.after(
                    tx, self._address, parts.catalogues, after_id=page, limit=PAGE_LINES, now_ms=now_ms
                )

            lines, page = await parts.database.read(work, township_id=self._township_id)
            await self._send_lines(send, lines)

    async def _send_missed(self, send: Send) -> None:
        """What another worker has sent to this person, and what it came after."""
        missed_id, self._stream.missed_id = self._stream.missed_id or 0, None
        await self._send_after(send, min(missed_id - 1, self._newest_id))

    def _remember(self, shown: Iterable[int]) -> None:
        self._sent.update(shown)
        self._newest_id = max(self._newest_id, *self._sent, -1)
        if len(self._sent) > MOST_REMEMBERED:
            self._sent = set(sorted(self._sent)[-MOST_REMEMBERED // 2 :])

    async def _send_waiting(self, send: Send, *, until_id: int = history.NEWEST) -> None:
        parts = self._parts
        lines = await parts.database.read(lambda tx: history.waiting(tx, self._address), township_id=self._township_id)
        await self._send_lines(send, [line for line in lines if line.id <= until_id])

    async def _send_lines(self, send: Send, lines: Sequence[history.Line]) -> None:
        """Write lines, then mark those that had been waiting as sent."""
        fresh = [line for line in lines if line.id not in self._sent]
        if not fresh or self._stream.closed:
            return
        self._remember(line.id for line in fresh)
        await self._write(send, b"".join(sse(line.message) for line in fresh))
        parts = self._parts
        now_ms = parts.clock.now_ms()
        arrived = [{"id": line.id, "sent_ms": now_ms} for line in fresh if line.waiting]
        if arrived and not self._stream.closed:
            await parts.database.transaction(
                lambda tx: outbox.mark(tx, sent=arrived), township_id=self._township_id, exclusive=False
            )

    async def _may_stay(self) -> bool:
        """Whether the cookie still holds, looked at now and then."""
        now_ms = self._parts.clock.now_ms()
        if 0 <= now_ms - self._looked_ms < LOOK_AGAIN_MS:
            return True
        self._looked_ms = now_ms
        return await self._parts.doors.holds(self._cookie, self._township_id)

    async def _send_earlier(self, send: Send, message_id: int) -> None:
        """What was put aside just as the page came stands above what comes now: wait until it lies there."""
        parts = self._parts

        async def work(tx: Tx) -> bool:
            return await webchat.is_coming_before(tx, self._address, message_id, now_ms=parts.clock.now_ms())

        until_s = asyncio.get_running_loop().time() + SECOND_LOOK_S
        while await parts.database.read(work, township_id=self._township_id):
            if asyncio.get_running_loop().time() > until_s:
                break
            await asyncio.sleep(EARLIER_LOOK_S)
        await self._send_waiting(send, until_id=message_id)

    async def _follow(self, send: Send) -> None:
        """Live events. A second look at what waits finds a message that was put aside just as the page came."""
        pause_s, looked = min(SECOND_LOOK_S, self._keepalive_s), False
        while await self._may_stay():
            if self._stream.missed_id is not None:
                await self._send_missed(send)
            events = self._stream.take()
            if not looked and (new := [message_id for message_id, _ in events if message_id]):
                await self._send_earlier(send, min(new))
            body = b"".join(data for message_id, data in events if message_id not in self._sent)
            self._remember(message_id for message_id, _ in events if message_id)
            if body:
                await self._write(send, body)
            elif self._stream.closed:
                return
            elif not events and not await self._stream.wait(pause_s):
                if not looked:
                    looked, pause_s = True, self._keepalive_s
                    await self._send_waiting(send)
                await self._write(send, b":\n\n")
