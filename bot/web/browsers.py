"""A page's browser switched on and off for Web Push, and what a session tells of it."""

from __future__ import annotations

import secrets
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from bot.push.browsers import read_browser
from bot.web.context import Context
from bot.web.guard import HttpRefusal, Json, check_origin, read_limited
from storage.database import Tx
from storage.machine import webchat
from storage.people import push

MAX_BODY_BYTES = 4_000
ID_BYTES = 16


async def push_of(parts: Context, tx: Tx, address: str) -> dict[str, Any]:
    """For a session, where pushes can be had: `push` with our public key, and whether this browser is told."""
    if not parts.push_key:
        return {}
    row = await push.subscription_of(tx, address)
    return {"push": {"key": parts.push_key, "on": row is not None and row["server_key"] == parts.push_key}}


class Browsers:
    """`POST /api/push` with the browser's subscription, `POST /api/push/off`."""

    def __init__(self, parts: Context) -> None:
        self._parts = parts

    async def switch_on(self, request: Request) -> Response:
        """Keep the browser. Refused: 404 where there is no push, 422 for what is no known service's, 403 to whoever
        has not said anything yet and so can't be told of anything.
        """
        check_origin(request)
        parts = self._parts
        township_id, address = await parts.doors.who(request)
        now_ms = parts.clock.now_ms()
        parts.posts.check(address, now_ms)
        if not parts.push_key:
            raise HttpRefusal(404, "no_push")
        body = await read_limited(request, MAX_BODY_BYTES)
        try:
            browser = read_browser(orjson.loads(body), parts.settings.push_hosts)
        except ValueError:
            raise HttpRefusal(422, "push_unknown") from None
        browser |= {"id": secrets.token_urlsafe(ID_BYTES), "server_key": parts.push_key}

        async def work(tx: Tx) -> bool:
            if await webchat.language_of(tx, address) is None:
                return False
            await push.subscribe(tx, address, browser, now_ms=now_ms)
            return True

        if not await parts.database.transaction(work, township_id=township_id):
            raise HttpRefusal(403, "push_stranger")
        return Json({})

    async def switch_off(self, request: Request) -> Response:
        """Forget the browser."""
        check_origin(request)
        parts = self._parts
        township_id, address = await parts.doors.who(request)
        parts.posts.check(address, parts.clock.now_ms())
        await parts.database.transaction(lambda tx: push.unsubscribe(tx, address), township_id=township_id)
        return Json({})
