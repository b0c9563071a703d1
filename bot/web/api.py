"""The page's API: session, messages, history, and whether somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from bot.channels.base import Raw
from bot.channels.webchat import Who, sse
from bot.channels.webchat_wire import own_message, read_body
from bot.talk.messages import text
from bot.web import history
from bot.web.browsers import push_of
from bot.web.context import Context
from bot.web.guard import (
    CODE,
    TOWN_COOKIE,
    HttpRefusal,
    Json,
    check_origin,
    keep_cookie,
    language_of,
    language_tag,
    read_limited,
    town_said,
)
from bot.web.visitors.doors import Presented
from bot.web.visitors.towns import TownshipName
from storage.database import Row, Tx
from storage.machine import holding, media, webchat
from storage.people import people

MAX_POST_BYTES = 1_000_000  # a text of 100,000 characters arrives, and is cut
MAX_READ_S = 60
MAX_SESSION_BYTES = 1_000
DEFAULT_LIMIT, MAX_LIMIT = 50, 100
MAX_ID_DIGITS = 17
# what somebody else wrote here and has not sent must not go out under another name
FORGET_PAGE = {"Clear-Site-Data": '"storage"'}
TYPING = (0, b"event: typing\ndata: {}\n\n")


class Api:
    """Endpoints that take and give JSON."""

    def __init__(self, parts: Context) -> None:
        self._parts = parts

    async def session(self, request: Request) -> Response:
        """Give the cookie (a fresh one where none holds), and say the language and the township.

        The body may name a township's `township` code (a link's `?t=`), else the one chosen before holds. Where none
        of several is known, or the body asks to `choose`, the answer lists them. `ended`: the browser had a cookie
        that holds no more, and is a stranger's now.
        """
        check_origin(request)
        parts = self._parts
        body = await _session_body(request)
        every = await parts.towns.every()
        said = body.get("township")
        town = None if body.get("choose") else await parts.towns.named(str(said) if said else town_said(request))
        if town is None:
            found = [{"code": one.code, "name": one.name, "county": one.county} for one in every]
            language = language_of(request, parts.catalogues)
            answer = Json({"language": language, "township": "", "code": "", "townships": found})
            if every and await parts.doors.cookie_of(request) is None:
                parts.doors.give(answer, await parts.doors.next_of(Presented()))
            return answer
        had = await parts.doors.presented(request, town)
        cookie = await parts.doors.next_of(had)
        here = {**await self._here(request, town, cookie.address), "several": len(every) > 1}
        answer = Json({**here, "ended": True}, headers=FORGET_PAGE) if had.ended else Json(here)
        parts.doors.give(answer, cookie)
        if CODE.fullmatch(town.code):
            keep_cookie(answer, TOWN_COOKIE, town.code, parts.settings.public_url)
        return answer

    async def _here(self, request: Request, town: TownshipName, address: str) -> dict[str, Any]:
        """What a page is told that is in a township."""
        parts, now_ms = self._parts, self._parts.clock.now_ms()

        async def work(tx: Tx) -> tuple[str | None, Mapping[str, Any]]:
            told = {**await parts.for_pages(tx, now_ms), **await push_of(parts, tx, address)}
            return await webchat.language_of(tx, address), told

        known, told = await parts.database.read(work, township_id=town.id)
        language = known or language_of(request, parts.catalogues)
        name = parts.catalogues[language].render(text("web.title", township=town.name))
        here = {"language": language, "township": name, "code": town.code, **told}
        return here | ({"wechat": True} if parts.settings.wechat_app_id else {})

    async def end_session(self, request: Request) -> Response:
        """Sign out: the browser's cookie and every copy of it are void, and the browser keeps nothing."""
        check_origin(request)
        await self._parts.doors.end(request)
        answer = Json({}, headers=FORGET_PAGE)
        self._parts.doors.take_away(answer)
        return answer

    async def messages(self, request: Request) -> Response:
        """Store one message; acknowledged only when it is durable. The same id again is the same message."""
        check_origin(request)
        parts = self._parts
        township_id, address = who = await parts.doors.who(request)
        started_ms = parts.clock.now_ms()
        parts.posts.check(address, started_ms)
        await parts.newcomers.admit(request, who)
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise HttpRefusal(415, "bad_message")
        async with asyncio.timeout(MAX_READ_S):
            body = await read_limited(request, MAX_POST_BYTES)
        try:
            read = read_body(body)
        except ValueError:
            raise HttpRefusal(422, "bad_message") from None
        await self._check_media(who, read.get("media", ()))
        read["language"] = language_tag(request)
        key = f"{address}:{read['id']}"
        await parts.accept([Raw(parts.webchat.name, key, address, orjson.dumps(read), township_id)])
        reading = parts.webchat.is_open(who)
        if reading:
            parts.webchat.push(who, TYPING)

        async def work(tx: Tx) -> tuple[Row | None, str | None]:
            return await webchat.received(tx, key), await webchat.language_of(tx, address) if reading else None

        row, language = await parts.database.read(work, township_id=township_id)
        assert row is not None, "an accepted update is in the inbox"
        if reading and row["received_ms"] >= started_ms and not read.get("under"):
            catalogue = parts.catalogues[language or language_of(request, parts.catalogues)]
            echo = sse(own_message(row["id"], row["received_ms"], read, catalogue))
            parts.webchat.push(who, (row["id"], echo))
        return Json({"id": read["id"], "at_ms": row["received_ms"]}, 202)

    async def _check_media(self, who: Who, media_ids: list[str]) -> None:
        if not media_ids:
            return
        township_id, address = who
        owned = await self._parts.database.read(lambda tx: media.owned(tx, address, media_ids), township_id=township_id)
        if not owned.issuperset(media_ids):
            raise HttpRefusal(422, "media_gone")

    async def presence(self, request: Request) -> Response:
        """Note that somebody has this page before them just now: what was held only so as not to wake them goes."""
        check_origin(request)
        parts = self._parts
        township_id, address = await parts.doors.who(request)
        now_ms = parts.clock.now_ms()
        parts.reads.check(address, now_ms)

        async def work(tx: Tx) -> None:
            person_id = await people.looks(tx, address, now_ms=now_ms)
            if person_id is not None:
                await holding.release_for(tx, [person_id], now_ms=now_ms)

        await parts.database.transaction(work, township_id=township_id, exclusive=False)
        return Json({})

    async def history(self, request: Request) -> Response:
        """Messages before an id (or the newest ones), oldest first."""
        parts = self._parts
        township_id, address = await parts.doors.who(request)
        now_ms = parts.clock.now_ms()
        parts.reads.check(address, now_ms)
        before_id = number(request.query_params.get("before", ""), history.NEWEST)
        limit = min(max(number(request.query_params.get("limit", ""), DEFAULT_LIMIT), 1), MAX_LIMIT)

        async def work(tx: Tx) -> tuple[list[history.Line], bool]:
            return await history.before(tx, address, parts.catalogues, before_id=before_id, limit=limit, now_ms=now_ms)

        lines, more = await parts.database.read(work, township_id=township_id)
        return Json({"messages": [line.message for line in lines], "more": more})


async def _session_body(request: Request) -> dict[str, Any]:
    """What a session's body says; nothing when it is no JSON object."""
    body = await read_limited(request, MAX_SESSION_BYTES)
    try:
        found = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def number(said: str, otherwise: int) -> int:
    """A decimal id or count from outside; `otherwise` when it is none."""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= MAX_ID_DIGITS else otherwise
