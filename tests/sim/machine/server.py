"""What several workers share of a PostgreSQL server, in memory: locks of sessions, hints, and each township's turn.

The program's own `Standing` talks to it; a session stands in for asyncpg's connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any, Protocol, cast

import asyncpg

from storage.engine.leases import key_of
from tests.sim.faults import Chaos

NOBODY = Context()  # the platform's and the people's: no worker's life
HINT_S = (0.001, 0.01, 0.05)
TAKEN_LOCK, FREED_LOCK = "SELECT pg_try_advisory_lock($1)", "SELECT pg_advisory_unlock($1)"
SHARED_LOCK, COUNTED = "SELECT pg_advisory_lock_shared($1, $2)", "SELECT count(*) FROM pg_locks"
ALIVE = "SELECT 1"


class Unknown(BaseException):
    """A statement that the simulator does not know; nothing may catch this."""


class Client(Protocol):
    """The life that a session belongs to."""

    context: Context
    dead: bool

    async def hop(self) -> None:
        """The way to the server and back."""
        ...


class Server:
    """The one server of a town."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos
        self._sessions: list[Session] = []
        self._locks: dict[int, Session] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._begun = 0

    def turn(self, township_id: int) -> asyncio.Lock:
        """The township's row of `turns`."""
        return self._turns.setdefault(township_id, asyncio.Lock())

    def give_back(self, turn: asyncio.Lock, client: Client) -> None:
        """Whoever had the turn ends; of one that is dead the server finds out after a while."""
        if client.dead:
            after_s = self._chaos.dice.choice((0, 0, 2, 7))
            asyncio.get_running_loop().call_later(after_s, turn.release, context=NOBODY)
        else:
            turn.release()

    async def connect(self, client: Client) -> asyncpg.Connection:
        """A new session."""
        await client.hop()
        self._begun += 1
        session = Session(self, client, self._begun)
        self._sessions.append(session)
        return cast(asyncpg.Connection, session)

    def drop(self, session: Session) -> None:
        """The session has ended for the server: all its locks are free."""
        if session in self._sessions:
            self._sessions.remove(session)
            self._locks = {key: holder for key, holder in self._locks.items() if holder is not session}

    def holds(self, session: Session | None, lease: str) -> bool:
        """Whether a lease is that session's."""
        return session is not None and self._locks.get(key_of(lease)) is session

    def answer(self, session: Session, sql: str, values: Sequence[Any]) -> Any:
        """One statement."""
        if sql == ALIVE:
            return 1
        if sql == TAKEN_LOCK:
            return self._locks.setdefault(values[0], session) is session
        if sql == FREED_LOCK:
            return self._locks.pop(values[0], None) is session
        if sql == SHARED_LOCK:
            session.kinds.add(values)
            return None
        if sql.startswith(COUNTED):
            return sum(values in one.kinds for one in self._sessions)
        raise Unknown(sql)

    def notify(self, said: Sequence[tuple[str, str]]) -> None:
        """A transaction is committed: every session that listens hears of it in a moment, or never."""
        loop = asyncio.get_running_loop()
        for topic, payload in dict.fromkeys(said):
            for session in self._sessions:
                if not self._chaos.chance(self._chaos.weather.hint_lost):
                    after_s = self._chaos.dice.choice(HINT_S)
                    loop.call_later(after_s, session.hears, topic, payload, context=session.client.context)


class Session:
    """One connection that stands. `gone`: the server has ended it, whether or not its client knows."""

    def __init__(self, server: Server, client: Client, pid: int) -> None:
        self.client = client
        self.kinds: set[Any] = set()
        self.silence_s = 0.0
        self._server = server
        self._pid = pid
        self._hearers: list[tuple[str, Callable[..., None]]] = []
        self._mourners: list[Callable[[Any], None]] = []

    @property
    def gone(self) -> bool:
        """Whether the server has ended it."""
        return self not in self._server._sessions

    def end(self, *, silence_s: float | None) -> None:
        """The server ends it. The client is told at once (None), or finds out when it asks, after so much silence."""
        self._server.drop(self)
        if silence_s is not None:
            self.silence_s = silence_s
            return
        for mourner in self._mourners:
            asyncio.get_running_loop().call_soon(mourner, self, context=self.client.context)

    def hears(self, topic: str, payload: str) -> None:
        """A hint has come."""
        if not (self.gone or self.client.dead):
            for name, hear in self._hearers:
                if name == topic:
                    hear(self, self._pid, topic, payload)

    # -- what asyncpg's connection has

    async def fetchval(self, sql: str, *values: Any) -> Any:
        await self.client.hop()
        if self.gone:
            await asyncio.sleep(self.silence_s)
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        return self._server.answer(self, sql, values)

    async def add_listener(self, topic: str, hear: Callable[..., None]) -> None:
        await self.client.hop()
        self._hearers.append((topic, hear))

    def add_termination_listener(self, mourner: Callable[[Any], None]) -> None:
        self._mourners.append(mourner)

    def get_server_pid(self) -> int:
        return self._pid

    def terminate(self) -> None:
        self._server.drop(self)
