"""The access token (and the JS-SDK's ticket): kept in one place for all workers, renewed early, renewed once when it
is refused.

`stable_token` gives every caller the same token while it holds, so two workers that renew at once do no harm; a
forced renewal (20 a day, 30 s apart) is asked for only when the token it gives is the one that was refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from bot.clock import Clock
from bot.errors import RetryLater
from storage.database import Database, Tx
from storage.machine import wechat

EARLY_MS = 300_000
LAST_MS = 10_000  # a token that ends this soon is as good as ended
AGAIN_MS = 60_000
FORCE_APART_MS = 30_000
Stored = tuple[str, int]
Fetch = Callable[[bool], Awaitable[Stored]]


class TokenStore(Protocol):
    """Where tokens lie, for all workers. `name`: what it is and of which account (the old one's still holds for hours
    after the settings name another). Tokens have up to 512 characters.
    """

    async def get(self, name: str) -> Stored | None:
        """(token, when it ends in ms), or None."""
        ...

    async def put(self, name: str, token: str, expires_ms: int) -> None:
        """Replace it."""
        ...


class TokenKeeper:
    """One name's. `fetch(force)` asks WeChat: (token, for how many ms); it raises what WeChat's answer means."""

    def __init__(self, name: str, fetch: Fetch, tokens: TokenStore, clock: Clock) -> None:
        self._name = name
        self._fetch = fetch
        self._tokens = tokens
        self._clock = clock
        self._held: Stored = "", 0
        self._asked_ms = 0
        self._forced_ms = 0
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """A token that holds. While WeChat can't give a new one, the old one is used up to its end."""
        if self._holds(EARLY_MS):
            return self._held[0]
        async with self._lock:
            now_ms = self._clock.now_ms()
            if not self._holds(EARLY_MS):
                self._held = await self._tokens.get(self._name) or self._held
            if self._holds(EARLY_MS) or (self._holds(LAST_MS) and now_ms < self._asked_ms + AGAIN_MS):
                return self._held[0]
            self._asked_ms = now_ms
            try:
                await self._renew(force=False)
            except RetryLater:
                if not self._holds(LAST_MS):
                    raise
            return self._held[0]

    async def renewed(self, refused: str) -> str:
        """Another token than the one that was refused: what another worker has renewed, else a new one."""
        async with self._lock:
            if self._held[0] != refused and self._holds(LAST_MS):
                return self._held[0]
            self._held = await self._tokens.get(self._name) or ("", 0)
            if self._held[0] != refused and self._holds(LAST_MS):
                return self._held[0]
            await self._renew(force=False)
            if self._held[0] == refused:
                now_ms = self._clock.now_ms()
                if self._forced_ms and now_ms < self._forced_ms + FORCE_APART_MS:
                    raise RetryLater(FORCE_APART_MS, "token_refused", everyone=True)
                self._forced_ms = now_ms
                await self._renew(force=True)
            return self._held[0]

    def _holds(self, more_ms: int) -> bool:
        return self._clock.now_ms() + more_ms < self._held[1]

    async def _renew(self, *, force: bool) -> None:
        token, for_ms = await self._fetch(force)
        self._held = token, self._clock.now_ms() + for_ms
        await self._tokens.put(self._name, *self._held)


class TokenTable:
    """The tokens of the account that belongs to a township, in the database, where every worker finds them."""

    def __init__(self, database: Database, township_id: int) -> None:
        self._database = database
        self._township_id = township_id

    async def get(self, name: str) -> Stored | None:
        """(token, when it ends in ms), or None."""

        async def load(tx: Tx) -> Stored | None:
            row = await wechat.get_token(tx, name)
            return (row["token"], row["expires_ms"]) if row is not None else None

        return await self._database.read(load, township_id=self._township_id)

    async def put(self, name: str, token: str, expires_ms: int) -> None:
        """Replace it; nobody else's work waits for this."""

        async def store(tx: Tx) -> None:
            await wechat.put_token(tx, name, token, expires_ms=expires_ms)

        await self._database.transaction(store, township_id=self._township_id, exclusive=False)
