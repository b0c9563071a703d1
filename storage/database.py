"""The one interface to a database: `transaction(work)` and `read(work)`; nothing else holds a lock.

`work` is an async function of one argument, the open `Tx`. It awaits nothing but that `Tx`: on SQLite it is
run to its end inside the connection's thread in a single hop, so any other await is an error at once
(docs/decisions/0001). All statements use named parameters; `:t`, the township, is supplied by the `Tx`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Params = Mapping[str, Any]


class Row(Protocol):
    """A result row, by column name or position."""

    def __getitem__(self, key: Any, /) -> Any: ...


class Tx(Protocol):
    """An open transaction of one township."""

    township_id: int

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


Work = Callable[[Tx], Awaitable[T]]


class Database(Protocol):
    """An open database."""

    async def transaction(self, work: Work[T], *, township_id: int = 1) -> T:
        """Run `work` in one writing transaction: all of it is durable when this returns, or none of it."""
        ...

    async def read(self, work: Work[T], *, township_id: int = 1) -> T:
        """Run `work` on one consistent snapshot; writing there is an error."""
        ...

    async def close(self) -> None:
        """Finish what is running and close."""
        ...


class Unavailable(Exception):
    """The database can't work now (locked, full, a failing disk): nothing was written, the same may be tried again."""


class ForeignAwait(RuntimeError):
    """A transaction awaited something that is not its own database."""
