"""The one interface to a database: `transaction(work)` and `read(work)`; nothing else holds a lock.

`work` is an async function of one argument, the open `Tx`. It awaits nothing but that `Tx`, on either engine any
other await is an error at once (docs/decisions/0001), and it may be run again from its beginning after a conflict.
All statements use named parameters; `:t`, the township, is supplied by the `Tx`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from storage.vault.vault import Sealing, Vault

T = TypeVar("T")
Params = Mapping[str, Any]


class Row(Protocol):
    """A result row, by column name or position."""

    def __getitem__(self, key: Any, /) -> Any: ...


class Tx(Protocol):
    """An open transaction of one township."""

    township_id: int
    sealing: Sealing | None
    """The way to the keys of what is sealed (`storage.vault`); None where there is no vault: all is stored plain."""

    async def one(self, sql: str, params: Params | None = None) -> Row | None:
        """The first row, or None."""
        ...

    async def all(self, sql: str, params: Params | None = None) -> Sequence[Row]:
        """Every row."""
        ...

    async def run(self, sql: str, params: Params | None = None) -> int:
        """Run a statement; the number of rows it touched."""
        ...

    async def many(self, sql: str, rows: Sequence[Params]) -> None:
        """Run a statement once for each dict in `rows`; each dict carries its own `t`."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Undo what was written inside if an exception leaves the block; the transaction goes on."""
        ...

    def at(self, township_id: int) -> Tx:
        """The same transaction in another township: for what belongs to a county, and for nothing else."""
        ...

    async def notify(self, topic: str, payload: str) -> None:
        """Tell every worker that listens to the topic, once this is committed. A hint: it may get lost."""
        ...


Work = Callable[[Tx], Awaitable[T]]


class Database(Protocol):
    """An open database."""

    vault: Vault | None
    """What seals from now on, set by whoever opens the database."""

    async def transaction(self, work: Work[T], *, township_id: int = 1, exclusive: bool = True, wait: bool = True) -> T:
        """Run `work` in one writing transaction: all of it is durable when this returns, or none of it.

        `exclusive`: it holds the township's lock. No other such transaction of the township runs meanwhile, so it may
        read, decide and write. What only adds or marks rows that nobody else decides about passes False.
        Without `wait` it raises Taken when another worker holds the lock. Raises Unavailable.
        """
        ...

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        """Run `work` on one consistent snapshot; writing there is an error. Raises Unavailable."""
        ...

    def workers(self) -> Workers:
        """What this process and others on the same database know of each other."""
        ...

    def is_damaged(self) -> bool:
        """Whether a damaged part was met since this was opened."""
        ...

    def watch(self, tell: Callable[[Unavailable | None], None]) -> None:
        """Call `tell` with each error by which the database could not work, and with None once it works again."""
        ...

    async def close(self) -> None:
        """Finish what is running and close."""
        ...


class Workers(Protocol):
    """Several processes on one database: who holds which lease, and hints from one to the other."""

    number: int
    """This process among those that run now, 0 to 63: a part of the ids it makes."""

    async def start(self) -> None:
        """Take a number and begin to listen. Raises Unavailable."""
        ...

    async def take(self, lease: str) -> bool:
        """Take a lease if it is free; whether this process holds it now. It lasts until `leave` or the process ends."""
        ...

    async def leave(self, lease: str) -> None:
        """Let another process have it."""
        ...

    def has(self, lease: str) -> bool:
        """Whether the lease is still this process's, as far as it knows."""
        ...

    async def count(self, kind: str) -> int:
        """How many processes of that kind (`join`) run now, this one included."""
        ...

    async def join(self, kind: str) -> None:
        """Be counted as a process of that kind."""
        ...

    def listen(self, topic: str, hear: Callable[[str], None]) -> None:
        """Call `hear(payload)` for every `Tx.notify` of other processes; with "" when some may have been missed."""
        ...

    async def stop(self) -> None:
        """Give everything back."""
        ...


class Unavailable(Exception):
    """The database can't work now (locked, full, out of reach): the same may be tried again.

    Nothing was written, unless the connection broke in the very COMMIT: works are written to be run twice.
    `reason` is the code of what the engine met (`trouble.<reason>`), "" when it was not the engine that raised it.
    """

    def __init__(self, said: str, reason: str = "") -> None:
        super().__init__(said)
        self.reason = reason


class Damaged(Unavailable):
    """What is stored can't be read any more, whoever asks: nothing but a backup helps, and no update is to blame.

    `where` is the database's file, "" on a server. The database says so in the log when it finds it first.
    """

    def __init__(self, said: str, where: str = "") -> None:
        super().__init__(said)
        self.where = where


class Refused(Exception):
    """A constraint or a trigger of the schema forbids the statement; only a savepoint around it lets the work go on."""


class Taken(Exception):
    """Another worker holds the township's lock."""


class ForeignAwait(RuntimeError):
    """A transaction awaited something that is not its own database."""
