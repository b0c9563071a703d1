"""The web chat's routes, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from bot.channels.base import Accept
from bot.channels.webchat import WebChat
from bot.clock import Clock, SystemClock
from bot.i18n import Catalogues
from bot.media.stores import MediaStores
from bot.settings import Settings
from bot.troubles import Troubles
from bot.web.api import Api
from bot.web.browsers import Browsers
from bot.web.context import Context, ForPages, MayUpload, OriginalsSince
from bot.web.events import KEEPALIVE_S, Events
from bot.web.guard import SecurityHeaders, answering
from bot.web.server import Serving, serve
from bot.web.static_files import StaticFiles
from bot.web.status import Status
from bot.web.uploads import Uploads
from bot.web.visitors.crowd import Crowd
from bot.web.visitors.doors import Doors
from bot.web.visitors.newcomers import Newcomers
from bot.web.visitors.towns import Towns
from storage.database import Database, Tx


class Web:
    """The web chat, to be started and stopped with the rest. `app` is the ASGI application."""

    def __init__(self, app: ASGIApp, webchat: WebChat, settings: Settings) -> None:
        self.app = app
        self.host = settings.web_host
        self._webchat = webchat
        self._settings = settings
        self._serving: Serving | None = None

    @property
    def port(self) -> int:
        """The port that is listened on (a free one was picked for 0), once started."""
        return self._serving.port if self._serving else self._settings.web_port

    async def start(self) -> None:
        """Take connections. Raises OSError when the port is taken."""
        chosen = self._settings
        self._serving = await serve(
            self.app,
            self.host,
            chosen.web_port,
            per_source=chosen.web_connections_per_source,
            trusted_proxies=chosen.web_trusted_proxies,
        )

    async def stop(self) -> None:
        """Close every page's stream, let requests finish, close."""
        await self._webchat.stop()
        if self._serving is not None:
            await self._serving.stop()
            self._serving = None


async def _from_all(_: Tx, __: str, ___: int) -> bool:
    return True


async def _none_follow(_: Tx, __: int) -> int | None:
    return None


async def _nothing(_: Tx, __: int) -> Mapping[str, int]:
    return {}


def build_web(
    settings: Settings,
    database: Database,
    accept: Accept,
    webchat: WebChat,
    media: MediaStores,
    catalogues: Catalogues,
    clock: Clock | None = None,
    extra_routes: Sequence[BaseRoute] = (),
    *,
    for_pages: ForPages = _nothing,
    may_upload: MayUpload = _from_all,
    originals_since: OriginalsSince = _none_follow,
    counters: Callable[[], Mapping[str, int]] | None = None,
    troubles: Troubles | None = None,
    keepalive_s: float = KEEPALIVE_S,
    push_key: str = "",
) -> Web:
    """The web chat. `accept` returns once updates are durable; `for_pages` is what the product tells every page,
    `may_upload` whose photos it takes, `originals_since` which of their originals may follow,
    `counters` are totals for `/metrics`, `troubles` what `/health` tells,
    `push_key` is what browsers know pushes by.
    """
    clock = clock or SystemClock()
    towns, troubles = Towns(database, clock), troubles or Troubles(clock)
    doors = Doors(database, clock, towns, settings.public_url, webchat.close)
    crowd = Crowd(settings.web_new_per_minute, settings.web_new_per_network_hour)
    parts = Context(
        settings,
        database,
        accept,
        webchat,
        media,
        catalogues,
        clock,
        towns,
        doors,
        Newcomers(database, clock, doors.key, crowd),
        for_pages,
        may_upload,
        originals_since,
        troubles,
        push_key,
    )
    app = Starlette(routes=[*_routes(parts, counters, keepalive_s), *extra_routes])
    guarded = SecurityHeaders(app, wechat=bool(settings.wechat_app_id))
    return Web(guarded, webchat, settings)


def _routes(parts: Context, counters: Callable[[], Mapping[str, int]] | None, keepalive_s: float) -> list[BaseRoute]:
    guarded = answering(parts.catalogues)
    api, uploads, static, status = Api(parts), Uploads(parts), StaticFiles(), Status(parts, counters)
    events, browsers = Events(parts, keepalive_s=keepalive_s), Browsers(parts)
    return [
        Route("/", static.page),
        Route("/sw.js", static.worker),
        Route("/manifest.webmanifest", static.manifest),
        Route("/static/{name}", static.static),
        Route("/api/session", guarded(api.session), methods=["POST"]),
        Route("/api/session/end", guarded(api.end_session), methods=["POST"]),
        Route("/api/messages", guarded(api.messages), methods=["POST"]),
        Route("/api/presence", guarded(api.presence), methods=["POST"]),
        Route("/api/push", guarded(browsers.switch_on), methods=["POST"]),
        Route("/api/push/off", guarded(browsers.switch_off), methods=["POST"]),
        Route("/api/history", guarded(api.history)),
        Route("/api/events", guarded(events.events)),
        Route("/api/media", guarded(uploads.receive), methods=["POST"]),
        Route("/api/media", guarded(uploads.is_wanted), methods=["GET"]),
        Route("/api/media/{id}", guarded(uploads.about)),
        Route("/media/{id}", guarded(uploads.show)),
        Route("/health", guarded(status.health)),
        Route("/metrics", guarded(status.metrics)),
    ]
