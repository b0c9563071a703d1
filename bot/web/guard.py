"""Whether a request may be answered: CSRF header, rate, size; and how a refusal looks. Who asks: `visitors`."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import orjson
import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.i18n import Catalogues
from bot.talk.messages import text
from bot.web.visitors.buckets import Buckets
from storage.database import Unavailable

TOWN_COOKIE = "jingxiang_town"
CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
COOKIE_S = 400 * 86_400  # the longest that browsers keep one
CSRF_HEADER = "x-jingxiang"
MINUTE_MS = 60_000
WECHAT_SDK = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; script-src 'self';"
        " connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
log = structlog.get_logger()
Endpoint = Callable[[Request], Awaitable[Response]]


class Json(Response):
    """A JSON answer that nobody keeps."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(orjson.dumps(content), status_code, {"Cache-Control": "no-store", **(headers or {})})


class HttpRefusal(Exception):
    """An answer with an error: `web.error.<code>` (or the text `key`) in the reader's language. `more`: what else the
    page is told.
    """

    def __init__(
        self, status: int, code: str, *, key: str = "", after_s: int = 0, more: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.key = key or f"web.error.{code}"
        self.after_s = after_s
        self.more = more or {}


def language_of(request: Request, catalogues: Catalogues) -> str:
    """The catalogue for what the browser prefers."""
    return catalogues.nearest(language_tag(request) or catalogues.default)


def language_tag(request: Request) -> str:
    """The first language that the browser names, "" when it names none."""
    first = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return first if re.fullmatch(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{1,8})*", first) else ""


def keep_cookie(answer: Response, name: str, value: str, public_url: str) -> None:
    """Let the browser keep a lasting cookie, for https alone where that is how people come."""
    secure = public_url.startswith("https://")
    answer.set_cookie(name, value, max_age=COOKIE_S, httponly=True, samesite="strict", secure=secure)


def town_said(request: Request) -> str:
    """The code of the township that was chosen in this browser, "" when none was."""
    code = request.cookies.get(TOWN_COOKIE, "")
    return code if CODE.fullmatch(code) else ""


def check_origin(request: Request) -> None:
    """Refuse what another site made the browser send: it can't set this header."""
    if request.headers.get(CSRF_HEADER) != "1":
        raise HttpRefusal(403, "csrf")


class Rate:
    """So many requests a minute for each address, spread or at once."""

    def __init__(self, per_minute: int) -> None:
        self._buckets = Buckets(per_minute, MINUTE_MS)

    def check(self, address: str, now_ms: int) -> None:
        """Count a request. Raises HttpRefusal 429 with the seconds to wait."""
        if wait_ms := self._buckets.wait_ms(address, now_ms):
            raise HttpRefusal(429, "too_fast", after_s=max(1, -(-wait_ms // 1000)))
        self._buckets.add(address, now_ms)


async def read_limited(request: Request, max_bytes: int) -> bytes:
    """The whole body. Raises HttpRefusal 413 when it is larger; the rest is read first, so that the answer arrives."""
    body = bytearray()
    too_large = False
    async for chunk in request.stream():
        too_large = too_large or len(body) + len(chunk) > max_bytes
        if too_large:
            body = bytearray()
            continue
        body += chunk
    if too_large:
        raise HttpRefusal(413, "too_long")
    return bytes(body)


def answering(catalogues: Catalogues) -> Callable[[Endpoint], Endpoint]:
    """Wrap endpoints so that refusals become localised answers, and a defect becomes a 500 and a log line.

    Where the visitor's cookie is due for a newer one (`visitors.doors`), the answer brings it.
    """

    def wrap(endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            try:
                found = await endpoint(request)
                if renew := getattr(request.state, "renew", None):
                    renew(found)
                return found
            except HttpRefusal as error:
                refusal = error
            except Unavailable:
                refusal = HttpRefusal(503, "busy", after_s=2)
            except TimeoutError:
                refusal = HttpRefusal(408, "too_slow")
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception:
                log.exception("web.defect")
                refusal = HttpRefusal(500, "internal", after_s=5)
            words = catalogues[language_of(request, catalogues)].render(text(refusal.key))
            headers = {"Retry-After": str(refusal.after_s)} if refusal.after_s else None
            return Json({**refusal.more, "error": refusal.code, "text": words}, refusal.status, headers)

        return answer

    return wrap


class SecurityHeaders:
    """Adds the headers of SECURITY to every answer that does not set its own.

    `wechat`: WeChat's own script may run, and reach the app around the page, which its frames `weixin:` do.
    """

    def __init__(self, app: ASGIApp, *, wechat: bool = False) -> None:
        self._app = app
        policy = SECURITY["Content-Security-Policy"]
        if wechat:
            policy = policy.replace("script-src 'self'", f"script-src 'self' {WECHAT_SDK}; frame-src weixin:")
        self._headers = {**SECURITY, "Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        await self._app(scope, receive, send_with)


async def drop(chunks: AsyncIterator[bytes], max_bytes: int) -> None:
    """Read what is left, so that a browser that still sends hears our answer; at most `max_bytes`."""
    dropped = 0
    async for chunk in chunks:
        dropped += len(chunk)
        if dropped > max_bytes:
            return
