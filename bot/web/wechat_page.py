"""The page as a button of WeChat's menu opens it: signed in as the person who holds the phone, without asking them.

The phone goes to WeChat and comes back with a code, for which WeChat tells the openid (OAuth, `snsapi_base`). The
browser then gets a cookie of its own for that person. Here is also what the page needs for WeChat's own interfaces
(JS-SDK), and the file by which WeChat knows that the domain is ours.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.channels.webchat import Who
from bot.channels.wechat.api import WeChatApi
from bot.channels.wechat.notices import authorize_url
from bot.clock import Clock
from bot.errors import GiveUp, RetryLater
from bot.i18n import Catalogues
from bot.settings import Settings
from bot.web.guard import (
    CODE,
    TOWN_COOKIE,
    WECHAT_SDK,
    HttpRefusal,
    Json,
    Rate,
    answering,
    keep_cookie,
)
from bot.web.sheets import Sheet
from bot.web.visitors.cookies import Cookie
from bot.web.visitors.doors import Doors, Presented
from bot.web.visitors.towns import Towns
from storage.database import Database, Row, Tx, Unavailable
from storage.people import people
from storage.vault.pseudonyms import PLAIN, Pseudonyms

PATH = "/wechat/page"
OPEN_URL = "https://open.weixin.qq.com"
ENTRY_COOKIE = "jingxiang_entry"
ENTRY_S = 600
ENTRY = re.compile(r"([0-9a-f]{32}r?)\.([0-9a-f]{64})?\.([01])")
AGAIN = "r"  # ends the state of a second attempt; a browser that keeps no cookies must not go round for ever
WECHAT_CODE = re.compile(r"[!-~]{1,512}")
ANSWER_S = 10
ENTERS_PER_MINUTE = 600  # of one client address: behind a proxy that is not trusted all have the same
SIGNS_PER_MINUTE = 30
MAX_URL_CHARS = 2_000
VERIFY_FOLDER = "verify"  # in DATA_DIR
VERIFY_KEY = re.compile(r"[A-Za-z0-9]{1,64}")
MAX_VERIFY_BYTES = 1_000
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

_RETRY, _UNSIGNED = ("web.wechat.retry", PATH), ("web.wechat.unsigned", "/")
SNAPSHOT = Sheet("web.wechat.snapshot", 200)
NOT_IN = Sheet("web.wechat.not_in", 400, (_RETRY, _UNSIGNED))
TOO_FAST = Sheet("web.wechat.too_fast", 429, (_RETRY, _UNSIGNED))
AWAY = Sheet("web.wechat.away", 503, (_RETRY, _UNSIGNED))
OFF = Sheet("web.wechat.off", 403, (_UNSIGNED,))
DEFECT = Sheet("web.wechat.away", 500, (_RETRY, _UNSIGNED))
OTHER = Sheet("web.wechat.other", 200, (("web.wechat.sure", f"{PATH}?sure=1"), ("web.wechat.stay", "/")))
log = structlog.get_logger()
Verdict = Literal["keep", "sign", "swap", "leave", "ask"]


@dataclass(frozen=True, slots=True)
class PageEntry:
    """What the browser remembers while it is at WeChat: the state, whose page it was (an address, or ""), and whether
    its person wants that page to become that of their WeChat.
    """

    state: str
    here: str
    sure: bool


def judge(person_id: int | None, here: Row | None, *, sure: bool) -> Verdict:
    """What becomes of the page, when WeChat says that `person_id` (None: nobody we know) holds the phone.

    `here` is the contact behind the cookie that the browser has. keep: it stays as it is · sign: a new cookie of that
    person · swap: the same, and nothing of the one before remains · leave: a new visitor's cookie · ask first.
    """
    if person_id is None:
        return "leave" if here is not None and here["opened_from"] else "keep"
    if here is None:
        return "sign"
    if here["person_id"] == person_id:
        return "keep"
    # a visitor who never said which WeChat is theirs would lose their page for ever
    return "swap" if here["opened_from"] or sure else "ask"


class WeChatPage:
    """Routes of one account, which belongs to one township."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        catalogues: Catalogues,
        clock: Clock,
        api: WeChatApi,
        *,
        township_id: int,
        close: Callable[[Who], None],
        pseudonyms: Pseudonyms = PLAIN,
    ) -> None:
        self._settings = settings
        self._pseudonyms = pseudonyms
        self._database = database
        self._catalogues = catalogues
        self._clock = clock
        self._api = api
        self._township_id = township_id
        self._towns = Towns(database, clock)
        self._doors = Doors(database, clock, self._towns, settings.public_url, close)
        self._enters = Rate(ENTERS_PER_MINUTE)
        self._signs = Rate(SIGNS_PER_MINUTE)

    def routes(self) -> Sequence[Route]:
        """For `build_web`."""
        return (
            Route(PATH, self.enter),
            Route("/api/wechat/js", answering(self._catalogues)(self.js)),
            Route("/MP_verify_{key}.txt", self.verify),
        )

    # -- signing in

    async def enter(self, request: Request) -> Response:
        """Away to WeChat, or, back with its code, on to the chat."""
        try:
            answer = await self._enter(request)
        except HttpRefusal:
            answer = self._show(TOO_FAST, request)
        except (RetryLater, TimeoutError, Unavailable):
            answer = self._show(AWAY, request)
        except GiveUp as error:
            log.warning("wechat.page_refused", error=error.code)
            answer = self._show(OFF, request)
        except Exception:
            log.exception("web.defect")
            answer = self._show(DEFECT, request)
        answer.headers.update(PRIVATE)
        return answer

    async def _enter(self, request: Request) -> Response:
        query = request.query_params
        code, state = query.get("code", ""), query.get("state", "")
        if request.method != "GET" or not code:
            return await self._begin(request, sure="sure" in query)
        entry = _entry_of(request)
        # a link with somebody else's code must sign nobody in as them
        is_ours = entry is not None and hmac.compare_digest(entry.state.encode(), state.encode())
        if entry is None or not is_ours or not WECHAT_CODE.fullmatch(code):
            return await self._once_more(request, state, entry)
        self._enters.check(request.client.host if request.client else "", self._clock.now_ms())
        try:
            async with asyncio.timeout(ANSWER_S):
                openid = await self._api.openid_of(code)
        except GiveUp as error:
            if error.code == "snapshot_user":
                return self._show(SNAPSHOT, request)
            if error.code in ("code_used", "code_refused"):
                return await self._once_more(request, state, entry)
            raise
        return await self._open(request, self._pseudonyms.of(f"wechat:{openid}"), entry)

    async def _begin(
        self, request: Request, *, sure: bool, before: PageEntry | None = None, again: bool = False
    ) -> Response:
        """To WeChat, with a state that only this browser can bring back."""
        state = secrets.token_hex(16) + (AGAIN if again else "")
        here = await self._here(request) or (before.here if before else "")
        host = urlsplit(self._settings.wechat_api_url).hostname or ""
        base = OPEN_URL if host.endswith(".weixin.qq.com") else self._settings.wechat_api_url
        back_to = f"{self._settings.address}{PATH}"
        answer = RedirectResponse(authorize_url(self._settings.wechat_app_id, back_to, state, base), 302)
        # coming back from WeChat is another site's doing, for which a stricter cookie would be missing
        answer.set_cookie(
            ENTRY_COOKIE,
            f"{state}.{here.removeprefix('web:')}.{int(sure)}",
            max_age=ENTRY_S,
            path=PATH,
            httponly=True,
            samesite="lax",
            secure=self._settings.public_url.startswith("https://"),
        )
        return answer

    async def _once_more(self, request: Request, state: str, entry: PageEntry | None) -> Response:
        """What came back can't be used: the page was loaded again, or the cookie is gone."""
        if state.endswith(AGAIN):
            return self._show(NOT_IN, request)
        return await self._begin(request, sure=entry is not None and entry.sure, before=entry, again=True)

    async def _open(self, request: Request, source: str, entry: PageEntry) -> Response:
        """On to the chat, for the person whose WeChat has the address `source`."""
        cookie = await self._doors.next_of(Presented())
        verdict = await self._verdict(source, await self._here(request) or entry.here, cookie, sure=entry.sure)
        if verdict == "ask":
            answer = self._show(OTHER, request)
        else:
            town = next(town for town in await self._towns.every() if town.id == self._township_id)
            public_url = self._settings.public_url
            # after «#», so that WeChat knows the page by the same address before and after it was tidied
            answer = RedirectResponse(f"/#t={town.code}" if CODE.fullmatch(town.code) else "/", 302)
            if CODE.fullmatch(town.code):
                keep_cookie(answer, TOWN_COOKIE, town.code, public_url)
            if verdict != "keep":
                self._doors.give(answer, cookie)
            if verdict in ("swap", "leave"):
                # what somebody else wrote here and has not sent yet must not go out under this name
                answer.headers["Clear-Site-Data"] = '"storage"'
        answer.delete_cookie(ENTRY_COOKIE, path=PATH)
        return answer

    async def _verdict(self, source: str, here: str, cookie: Cookie, *, sure: bool) -> Verdict:
        """Judge, and let a new cookie's address be the person's. In turn: nobody may be joined with them meanwhile."""

        async def work(tx: Tx) -> Verdict:
            known = await people.contact(tx, source)
            person = await people.person(tx, known["person_id"]) if known is not None else None
            person_id = person["id"] if person is not None and person["state"] == "active" else None
            verdict = judge(person_id, await people.contact(tx, here) if here else None, sure=sure)
            if person_id is not None and verdict in ("sign", "swap"):
                await people.add_contact(
                    tx,
                    channel="web",
                    address=cookie.address,
                    person_id=person_id,
                    now_ms=self._clock.now_ms(),
                    opened_from=source,
                )
            return verdict

        return await self._database.transaction(work, township_id=self._township_id)

    async def _here(self, request: Request) -> str:
        """The address of the page that this browser has, "" when it has none, or does not say so coming from WeChat."""
        cookie = await self._doors.cookie_of(request)
        return cookie.address if cookie is not None and await self._doors.holds(cookie, self._township_id) else ""

    def _show(self, sheet: Sheet, request: Request) -> Response:
        return sheet.answer(request, self._catalogues)

    # -- WeChat's interfaces for the page

    async def js(self, request: Request) -> Response:
        """What `wx.config` needs on the page with the address `url`, and where WeChat's script lies (`sdk`)."""
        here = await self._here(request)
        if not here:
            raise HttpRefusal(401, "no_session")
        self._signs.check(here, self._clock.now_ms())
        url = request.query_params.get("url", "")
        if len(url) > MAX_URL_CHARS or not f"{url}/".lower().startswith(f"{self._settings.address}/".lower()):
            raise HttpRefusal(422, "bad_message")
        try:
            async with asyncio.timeout(ANSWER_S):
                config = await self._api.js_config(url)
        except (RetryLater, GiveUp, TimeoutError):
            raise HttpRefusal(503, "busy", after_s=5) from None
        return Json({"sdk": WECHAT_SDK, **config})

    async def verify(self, request: Request) -> Response:
        """The file that WeChat wants to find before it takes the domain, if the operator has put it there."""
        key = request.path_params["key"]
        content = b""
        if VERIFY_KEY.fullmatch(key):
            content = await asyncio.to_thread(self._verify_file, key)
        if not content:
            return Response("not found", 404, media_type="text/plain")
        return Response(content, media_type="text/plain")

    def _verify_file(self, key: str) -> bytes:
        path = self._settings.data_dir / VERIFY_FOLDER / f"MP_verify_{key}.txt"
        if not path.is_file() or path.stat().st_size > MAX_VERIFY_BYTES:
            return b""
        return path.read_bytes()


def _entry_of(request: Request) -> PageEntry | None:
    found = ENTRY.fullmatch(request.cookies.get(ENTRY_COOKIE, ""))
    if found is None:
        return None
    here = f"web:{found[2]}" if found[2] else ""
    return PageEntry(found[1], here, found[3] == "1")
