"""Who asks: only cookies that we made count, and only while they hold.

A browser gets its cookie from `/api/session` and a newer one there every hour; when who they are means more (two chats
were joined, a role was gained) already with the next answer. Once the newer one is used, every copy of the older is
void. What was made up is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from bot.channels.webchat import Who
from bot.clock import Clock
from bot.web.guard import HttpRefusal, keep_cookie, town_said
from bot.web.visitors.cookies import Cookie, CookieSigner, new_cookie, newer
from bot.web.visitors.towns import TOWN_HEADER, Towns, TownshipName
from storage.database import Database, Row
from storage.people import page_sessions
from storage.vault.sealing import kept_key
from storage.vault.vault import Purpose

PLAIN, HOST_ONLY = "jingxiang", "__Host-jingxiang"
RENEW_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Presented:
    """What a browser that wants a session has: a cookie that holds, or none. `ended`: it had one that held once;
    `due`: it is to get a newer one.
    """

    cookie: Cookie | None = None
    ended: bool = False
    due: bool = False


class Doors:
    """The cookies of a deployment's pages. `public_url`: over https they are bound to this very host. `close` ends the
    streams that void cookies have opened; other workers' end within a minute (`bot.web.events`).
    """

    def __init__(
        self, database: Database, clock: Clock, towns: Towns, public_url: str, close: Callable[[Who], None]
    ) -> None:
        self._database = database
        self._clock = clock
        self._towns = towns
        self._public_url = public_url
        self._close = close
        self._kept_key = b""
        self._signer: CookieSigner | None = None

    @property
    def name(self) -> str:
        """What the cookie is called: over https no other host, and nobody on the way, can plant one of this name."""
        return HOST_ONLY if self._public_url.startswith("https://") else PLAIN

    async def who(self, request: Request) -> Who:
        """The township and the address that ask. Raises HttpRefusal: 401 without a cookie that holds, 409 without a
        township.

        A page that is open says its township (a picture's address has it as `t`): the cookie may be another page's.
        """
        cookie = await self.cookie_of(request)
        if cookie is None:
            raise HttpRefusal(401, "no_session")
        said = request.headers.get(TOWN_HEADER) or request.query_params.get("t") or town_said(request)
        town = await self._towns.named(said)
        if town is None:
            raise HttpRefusal(409, "which_township")
        due = await self._due(cookie, town.id)
        if due is None:
            raise HttpRefusal(401, "no_session")
        if due:
            request.state.renew = partial(self.give, cookie=newer(cookie, self._clock.now_ms()))
        return town.id, cookie.address

    async def cookie_of(self, request: Request) -> Cookie | None:
        """The cookie that a browser shows, whether or not it still holds; None for one that we have not made."""
        shown = [request.cookies.get(self.name, "")]
        if self.name != PLAIN:
            shown.append(request.cookies.get(PLAIN, ""))  # of before it was bound to the host, and signed
        if not any(shown):
            return None
        signer = await self._signs()
        first, *before = [signer.read(one) for one in shown]
        if first is not None or not before or before[0] is None:
            return first
        return None if before[0].is_signed else before[0]

    async def presented(self, request: Request, town: TownshipName) -> Presented:
        """What a browser has that wants a session in a township.

        A cookie of before they were signed holds where its address is known, also when that is in another township.
        """
        cookie = await self.cookie_of(request)
        if cookie is None:
            return Presented()
        due = await self._due(cookie, town.id)
        if due is not None:
            return Presented(cookie, due=due or self._clock.now_ms() - cookie.made_ms >= RENEW_MS)
        if cookie.is_signed:
            return Presented(ended=True)
        others = [one.id for one in await self._towns.every() if one.id != town.id]
        known = [one for one in others if await self._due(cookie, one) is not None]
        return Presented(cookie, due=True) if known else Presented()

    async def holds(self, cookie: Cookie, township_id: int) -> bool:
        """Whether a cookie holds in a township."""
        return await self._due(cookie, township_id) is not None

    async def _due(self, cookie: Cookie, township_id: int) -> bool | None:
        """Whether a cookie, noted as used now, is to be exchanged for a newer one; None when it does not hold."""
        row = await self._database.read(
            partial(page_sessions.standing, address=cookie.address), township_id=township_id
        )
        if not _holds(cookie, row):
            return None
        if row is None or not cookie.is_signed:
            return not cookie.is_signed
        from_ms = _voids_before_ms(cookie, row)
        if from_ms > row["cookies_from_ms"]:
            take = partial(page_sessions.take, address=cookie.address, from_ms=from_ms)
            await self._database.transaction(take, township_id=township_id, exclusive=False)
            self._close((township_id, cookie.address))
        return bool(cookie.made_ms < row["renew_ms"])

    async def end(self, request: Request) -> None:
        """Void the cookie that a browser shows, in every township, with all its copies."""
        cookie = await self.cookie_of(request)
        for town in await self._towns.every() if cookie is not None else ():
            assert cookie is not None
            if await self.holds(cookie, town.id):
                end = partial(page_sessions.end, address=cookie.address, now_ms=self._clock.now_ms())
                await self._database.transaction(end, township_id=town.id, exclusive=False)
                self._close((town.id, cookie.address))

    async def key(self) -> bytes:
        """What pages are signed with. It is in the vault of the first township: the same for all workers, and after a
        restore.
        """
        if not self._kept_key:
            first = (await self._towns.every())[0].id
            self._kept_key = await self._database.transaction(
                lambda tx: kept_key(tx, Purpose.COOKIES), township_id=first
            )
        return self._kept_key

    async def next_of(self, had: Presented) -> Cookie:
        """What a browser keeps from its session on: the cookie it had, a newer one if that is due, or a fresh one."""
        await self._signs()
        now_ms = self._clock.now_ms()
        if had.cookie is None:
            return new_cookie(now_ms)
        return newer(had.cookie, now_ms) if had.due else had.cookie

    def give(self, answer: Response, cookie: Cookie) -> None:
        """Let a browser keep a cookie."""
        assert self._signer is not None, "whoever gives one has read one"
        keep_cookie(answer, self.name, self._signer.write(cookie), self._public_url)
        if self.name != PLAIN:
            answer.delete_cookie(PLAIN)

    def take_away(self, answer: Response) -> None:
        """Let a browser forget its cookie."""
        answer.delete_cookie(self.name, secure=self.name != PLAIN, httponly=True, samesite="strict")

    async def _signs(self) -> CookieSigner:
        if self._signer is None:
            self._signer = CookieSigner(await self.key())
        return self._signer


def _holds(cookie: Cookie, row: Row | None) -> bool:
    if row is None:
        return cookie.is_signed
    if not cookie.is_signed:
        return bool(row["cookies_from_ms"] == 0 and row["state"] != "erased")
    return bool(cookie.made_ms >= row["cookies_from_ms"])


def _voids_before_ms(cookie: Cookie, row: Row) -> int:
    """Which older cookies the use of this one voids; what windows of one browser got together holds together."""
    if cookie.is_first:
        return 0
    since_ms = row["renew_ms"] if row["renew_ms"] <= cookie.made_ms else 0
    return max(cookie.made_ms - page_sessions.MARGIN_MS, since_ms)
