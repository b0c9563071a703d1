"""The lasting connection: it holds a worker's leases (advisory locks) and hears what other workers say.

A lease is a lock of this connection's session, so it is free again the moment its holder dies, and within seconds
when the holder's machine does (the server probes a silent connection). When the connection breaks, its worker holds no
lease any more from that moment; it connects again by itself and everybody is told to look for what they missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import structlog

from storage.database import Unavailable

BEAT_S = 2.0
ANSWER_S = 3.0
NUMBERS = 64
KINDS = 0x4A58  # the first half of a two-part lock: counts processes of a kind
log = structlog.get_logger()


def key_of(name: str) -> int:
    """A lease's lock: 64 bits of its name's SHA-256."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def kind_of(name: str) -> int:
    """A kind's second half of a two-part lock."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big", signed=True)


class Leases:
    """`Workers` on PostgreSQL."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self.number = 0
        self._connect = connect
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._leases: set[str] = set()
        self._kinds: set[str] = set()
        self._hearers: dict[str, list[Callable[[str], None]]] = {}
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect, take a number, and stay connected."""
        if self._keeper is None:
            try:
                await self._begin()
            except Exception as error:
                raise Unavailable(f"{type(error).__name__}: {error}") from error
            self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Close the connection; every lease is free."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        await self._drop()

    async def take(self, lease: str) -> bool:
        if lease in self._leases:
            return True
        if await self._ask("SELECT pg_try_advisory_lock($1)", key_of(lease)):
            self._leases.add(lease)
            return True
        return False

    async def leave(self, lease: str) -> None:
        if lease in self._leases:
            self._leases.discard(lease)
            await self._ask("SELECT pg_advisory_unlock($1)", key_of(lease))

    def has(self, lease: str) -> bool:
        return lease in self._leases

    async def join(self, kind: str) -> None:
        self._kinds.add(kind)
        await self._ask("SELECT pg_advisory_lock_shared($1, $2)", KINDS, kind_of(kind))

    async def count(self, kind: str) -> int:
        found = await self._ask(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            " AND classid = $1::bigint::oid AND objid = ($2::bigint & 4294967295)::oid"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            KINDS,
            kind_of(kind),
        )
        return max(1, int(found or 0))

    def listen(self, topic: str, hear: Callable[[str], None]) -> None:
        """Must be called before `start`."""
        self._hearers.setdefault(topic, []).append(hear)

    # -- the connection

    async def _ask(self, sql: str, *values: Any) -> Any:
        """One value; None when there is no connection now."""
        async with self._one_at_a_time:
            connection = self._connection
            if connection is None:
                return None
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await connection.fetchval(sql, *values)
            except Exception as error:  # whatever it is, this connection is of no use any more
                log.warning("database.lasting_connection_lost", error=f"{type(error).__name__}: {error}")
                await self._drop()
                return None

    async def _begin(self) -> None:
        connection = await self._connect()
        try:
            for topic in self._hearers:
                await connection.add_listener(topic, self._heard)
            self.number = await self._take_number(connection)
            for kind in self._kinds:
                await connection.fetchval("SELECT pg_advisory_lock_shared($1, $2)", KINDS, kind_of(kind))
        except BaseException:
            connection.terminate()
            raise
        connection.add_termination_listener(self._lost)
        self._connection = connection

    async def _take_number(self, connection: asyncpg.Connection) -> int:
        """The number of before, if nobody has taken it, else the first that is free."""
        numbers: tuple[int, ...] = (self.number, *range(NUMBERS))
        for number in numbers:
            if await connection.fetchval("SELECT pg_try_advisory_lock($1)", key_of(f"number {number}")):
                return number
        raise OSError(f"{NUMBERS} workers run already")

    def _lost(self, connection: object) -> None:
        if connection is self._connection:
            log.warning("database.lasting_connection_lost", error="closed")
            self._connection = None
            self._leases.clear()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._leases.clear()
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()

    async def _keep(self) -> None:
        while self._keeper is not None:  # a driver may swallow the cancellation of `stop`
            await asyncio.sleep(BEAT_S)
            if self._connection is not None:
                await self._ask("SELECT 1")
            if self._connection is None:
                try:
                    async with asyncio.timeout(ANSWER_S):
                        await self._begin()
                except Exception as error:
                    log.debug("database.lasting_connection_not_yet", error=f"{type(error).__name__}: {error}")
                    continue
                log.info("database.lasting_connection_back")
                for hearers in self._hearers.values():
                    for hear in hearers:
                        hear("")

    def _heard(self, connection: object, process: int, topic: str, payload: object) -> None:
        for hear in self._hearers.get(topic, ()):
            hear(str(payload))
