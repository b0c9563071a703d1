"""What a monitor asks: is it well (`/health`), and how much is there (`/metrics`, Prometheus text)."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.talk.messages import text
from bot.troubles import EVERYWHERE, Trouble
from bot.web.context import Context
from bot.web.guard import Json
from storage.database import Tx
from storage.machine import inbox, media, outbox, timers, townships

ANSWER_S = 3
ALIVE_MS = 1_000
FRESH_MS = 5_000
TOWNSHIP_MS = 50  # so that counting a thousand townships is a small part of the time
STATES = {
    "inbox": ("new", "quarantined"),
    "outbox": ("due", "waiting", "failed", "expired"),
    "timers": ("due", "failed"),
    "media": ("fetching", "refused"),
}
COUNTS = {"inbox": inbox.counts, "outbox": outbox.counts, "timers": timers.counts, "media": media.counts}
Counts = dict[str, dict[str, int]]
PASSED_ON = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")
log = structlog.get_logger()


def is_loopback(host: str) -> bool:
    """Whether an address is this computer's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Status:
    """Counts of the queues, read at most once in FRESH_MS. `counters` adds the program's own totals."""

    def __init__(self, parts: Context, counters: Callable[[], Mapping[str, int]] | None = None) -> None:
        self._parts = parts
        self._counters = counters or dict
        self._counts: Counts = {}
        self._read_ms, self._fresh_ms = -FRESH_MS, FRESH_MS
        self._asked_ms, self._is_alive = -ALIVE_MS, True

    async def health(self, request: Request) -> Response:
        """200 with the counts; 503 when the database does not answer, or answers although a part is damaged, and when
        there is a trouble: which, since when and why. Pages are served all the same as far as they can be. Who may not
        know more is told whether it is well.
        """
        answer = await self._health()
        return (
            answer if self._may_know(request) else Json({"ok": answer.status_code == HTTPStatus.OK}, answer.status_code)
        )

    async def _health(self) -> Response:
        troubles = [self._shown(one) for one in self._parts.troubles.now()]
        if self._parts.database.is_damaged():
            return Json({"ok": False, "database": "damaged", "troubles": troubles}, 503)
        counts = await self._fresh()
        if counts is None:
            return Json({"ok": False, "database": "error", "troubles": troubles}, 503, {"Retry-After": "5"})
        return Json({"ok": not troubles, "database": "ok", "troubles": troubles, **counts}, 503 if troubles else 200)

    def _may_know(self, request: Request) -> bool:
        """With a token whoever has it, else this computer alone: not somebody whom a proxy here lets through."""
        if token := self._parts.settings.metrics_token:
            said = request.headers.get("Authorization", "")
            return hmac.compare_digest(said.encode(), f"Bearer {token}".encode())
        asked = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        host = request.client.host if request.client else ""
        passed_on = any(name in request.headers for name in PASSED_ON)
        return is_loopback(host) and (asked == "localhost" or is_loopback(asked)) and not passed_on

    def _shown(self, trouble: Trouble) -> dict[str, object]:
        """A trouble with a line in the operator's language."""
        what = text(f"trouble.{trouble.reason}|trouble.other", fault=trouble.reason)
        why = self._parts.catalogues[self._parts.catalogues.default].render(what)
        since = datetime.fromtimestamp(trouble.since_ms / 1000, UTC).isoformat(timespec="seconds")
        shown: dict[str, object] = {"part": trouble.part, "since": since, "reason": trouble.reason, "why": why}
        return {**shown, "township": trouble.township_id} if trouble.township_id != EVERYWHERE else shown

    async def metrics(self, request: Request) -> Response:
        """Everything countable, for whoever may know."""
        if not self._may_know(request):
            return PlainTextResponse("closed", HTTPStatus.FORBIDDEN)
        counts = None if self._parts.database.is_damaged() else await self._fresh()
        lines = ["# TYPE jingxiang_up gauge", f"jingxiang_up {0 if counts is None else 1}"]
        for family, states in (counts or {}).items():
            lines.append(f"# TYPE jingxiang_{family} gauge")
            lines += [f'jingxiang_{family}{{state="{state}"}} {count}' for state, count in states.items()]
        lines += ["# TYPE jingxiang_pages_open gauge", f"jingxiang_pages_open {self._parts.webchat.stream_count}"]
        lines.append("# TYPE jingxiang_trouble gauge")
        lines += [
            f'jingxiang_trouble{{part="{one.part}",reason="{one.reason}"}} 1' for one in self._parts.troubles.now()
        ]
        for name, total in self._counters().items():
            lines += [f"# TYPE jingxiang_{name} counter", f"jingxiang_{name} {total}"]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    async def _alive(self) -> bool:
        """Whether the database answers, asked at most once in ALIVE_MS."""
        now_ms = self._parts.clock.now_ms()
        if not 0 <= now_ms - self._asked_ms < ALIVE_MS:
            self._asked_ms = now_ms
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self._parts.database.read(townships.every_id)
                self._is_alive = True
            except Exception as error:
                log.debug("web.database_silent", error=type(error).__name__)
                self._is_alive = False
        return self._is_alive

    async def _fresh(self) -> Counts | None:
        """The counts; None when the database does not answer."""
        if not await self._alive():
            return None
        now_ms = self._parts.clock.now_ms()
        if 0 <= now_ms - self._read_ms < self._fresh_ms:
            return self._counts
        try:
            async with asyncio.timeout(ANSWER_S):
                every_id, self._counts = await self._parts.database.read(_counts)
        except Exception as error:
            log.debug("web.database_silent", error=type(error).__name__)
            return None
        self._read_ms, self._fresh_ms = now_ms, max(FRESH_MS, TOWNSHIP_MS * len(every_id))
        return self._counts


async def _counts(tx: Tx) -> tuple[Sequence[int], Counts]:
    """Over all townships."""
    total = {family: dict.fromkeys(states, 0) for family, states in STATES.items()}
    every_id = await townships.every_id(tx)
    for township_id in every_id:
        town = tx.at(township_id)
        for family, count in COUNTS.items():
            for state, number in (await count(town)).items():
                if state in total[family]:
                    total[family][state] += number
    return every_id, total
