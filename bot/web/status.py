"""What a monitor asks: is it well (`/health`), and how much is there (`/metrics`, Prometheus text)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.web.guard import Json
from bot.web.parts import Parts
from storage import inbox, media, outbox, timers
from storage.database import Tx

ANSWER_S = 3
FRESH_MS = 5_000
STATES = {
    "inbox": ("new", "quarantined"),
    "outbox": ("due", "waiting", "failed", "expired"),
    "timers": ("due", "failed"),
    "media": ("fetching", "refused"),
}
Counts = dict[str, dict[str, int]]
log = structlog.get_logger()


class Status:
    """Counts of the queues, read at most once in FRESH_MS. `counters` adds the program's own totals."""

    def __init__(self, parts: Parts, counters: Callable[[], Mapping[str, int]] | None = None) -> None:
        self._parts = parts
        self._counters = counters or dict
        self._counts: Counts = {}
        self._read_ms = -FRESH_MS

    async def health(self, request: Request) -> Response:
        """200 with the counts, or 503 when the database does not answer."""
        counts = await self._fresh()
        if counts is None:
            return Json({"ok": False, "database": "error"}, 503, {"Retry-After": "5"})
        return Json({"ok": True, "database": "ok", **counts})

    async def metrics(self, request: Request) -> Response:
        """Everything countable."""
        counts = await self._fresh()
        lines = ["# TYPE jingxiang_up gauge", f"jingxiang_up {0 if counts is None else 1}"]
        for family, states in (counts or {}).items():
            lines.append(f"# TYPE jingxiang_{family} gauge")
            lines += [f'jingxiang_{family}{{state="{state}"}} {count}' for state, count in states.items()]
        lines += ["# TYPE jingxiang_pages_open gauge", f"jingxiang_pages_open {self._parts.webchat.stream_count}"]
        for name, total in self._counters().items():
            lines += [f"# TYPE jingxiang_{name} counter", f"jingxiang_{name} {total}"]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    async def _fresh(self) -> Counts | None:
        now_ms = self._parts.clock.now_ms()
        if 0 <= now_ms - self._read_ms < FRESH_MS:
            return self._counts
        try:
            async with asyncio.timeout(ANSWER_S):
                self._counts = await self._parts.database.read(_counts, township_id=self._parts.township_id)
        except Exception as error:
            log.error("web.database_silent", error=type(error).__name__)
            return None
        self._read_ms = now_ms
        return self._counts


async def _counts(tx: Tx) -> Counts:
    found = {
        "inbox": await inbox.counts(tx),
        "outbox": await outbox.counts(tx),
        "timers": await timers.counts(tx),
        "media": await media.counts(tx),
    }
    return {family: {state: found[family].get(state, 0) for state in states} for family, states in STATES.items()}
