"""Which townships a deployment has, and which of them a browser is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from bot.channels.webchat import Who
from bot.clock import Clock
from bot.web.guard import HttpRefusal, caller, town_said
from storage.database import Database
from storage.machine import townships

FRESH_MS = 5_000
TOWN_HEADER = "x-jingxiang-township"


@dataclass(frozen=True, slots=True)
class TownshipName:
    """A township of the deployment."""

    id: int
    code: str
    name: str
    county: str


class Towns:
    """The townships, read at most once in FRESH_MS."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: Sequence[TownshipName] = ()
        self._read_ms = -FRESH_MS

    async def every(self) -> Sequence[TownshipName]:
        """All of them, in order."""
        now_ms = self._clock.now_ms()
        if not 0 <= now_ms - self._read_ms < FRESH_MS:
            rows = await self._database.read(townships.every_name)
            self._known = [TownshipName(row["township_id"], row["code"], row["name"], row["county"]) for row in rows]
            self._read_ms = now_ms
        return self._known

    async def named(self, code: str) -> TownshipName | None:
        """The township of that code; where there is only one, that one, whatever the code."""
        known = await self.every()
        return known[0] if len(known) == 1 else next((town for town in known if town.code == code), None)

    async def who(self, request: Request) -> Who:
        """The township and the address that ask. Raises HttpRefusal: 401 without a cookie, 409 without a township.

        A page that is open says its township (a picture's address has it as `t`): the cookie may be another page's.
        """
        address = caller(request)
        said = request.headers.get(TOWN_HEADER) or request.query_params.get("t") or town_said(request)
        town = await self.named(said)
        if town is None:
            raise HttpRefusal(409, "which_township")
        return town.id, address
