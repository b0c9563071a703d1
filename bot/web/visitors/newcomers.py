"""Whether somebody from whose address nobody has ever written is heard: at once, after some work, or later."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request

from bot.channels.webchat import Who
from bot.clock import Clock
from bot.web.guard import HttpRefusal
from bot.web.visitors.crowd import Crowd, network_of
from bot.web.visitors.work import HEADER, WorkGiver
from storage.database import Database
from storage.machine import webchat

MOST_REMEMBERED = 20_000
PATIENCE_S = 10  # the shortest time after which somebody who has to wait asks again


class Newcomers:
    """The door for who has never written. `key`: what the deployment's pages are signed with. Who has a history passes
    after one look in the database, and from then on without any; each worker counts for itself.
    """

    def __init__(self, database: Database, clock: Clock, key: Callable[[], Awaitable[bytes]], crowd: Crowd) -> None:
        self._database = database
        self._clock = clock
        self._key = key
        self._crowd = crowd
        self._giver: WorkGiver | None = None
        self._known: OrderedDict[Who, None] = OrderedDict()

    async def admit(self, request: Request, who: Who) -> None:
        """Let somebody write. Raises HttpRefusal 429: `work_first` with the work, `crowded` with the seconds to wait.

        Who was let in once is not asked again, whatever becomes of what they sent.
        """
        if who in self._known:
            self._known.move_to_end(who)
            return
        if await self._database.read(partial(webchat.has_history, address=who[1]), township_id=who[0]):
            self._remember(who)
            return
        if self._giver is None:
            self._giver = WorkGiver(await self._key())
        if who not in self._known:  # the same page may have asked twice meanwhile
            self._judge(who, request, self._giver)

    def _judge(self, who: Who, request: Request, giver: WorkGiver) -> None:
        """Count a newcomer, or refuse them. Awaits nothing: what was decided is counted before anybody else comes."""
        now_ms = self._clock.now_ms()
        network = network_of(request.client.host) if request.client else ""
        toll = self._crowd.asks(who[0], network, now_ms)
        if toll.wait_ms:
            raise HttpRefusal(429, "crowded", after_s=max(PATIENCE_S, -(-toll.wait_ms // 1000)))
        if toll.bits and not giver.is_done(who, request.headers.get(HEADER, ""), now_ms):
            work = giver.ask(who, toll.bits, now_ms)
            raise HttpRefusal(429, "work_first", after_s=PATIENCE_S, more={"work": work})
        self._crowd.add(who[0], network, now_ms)
        self._remember(who)

    def _remember(self, who: Who) -> None:
        self._known[who] = None
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
