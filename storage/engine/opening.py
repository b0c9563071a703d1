"""Which engine a DATABASE_URL names: `sqlite:///path` or `postgresql://…`.

PostgreSQL's driver is loaded only where it is used: a township's small PC has better use for the memory.
"""

from __future__ import annotations

from pathlib import Path

from storage.database import Database, Unavailable
from storage.engine.migrate import Migration, migrate
from storage.engine.sqlite import SqliteDatabase

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgres://")


def is_known(url: str) -> bool:
    """Whether the address names an engine of ours."""
    return url.startswith((SQLITE, *POSTGRES))


def sqlite_path(url: str) -> Path | None:
    """The file of a `sqlite:///path`; None for a server's address."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


async def open_database(url: str) -> Database:
    """Open the database at `url`; its schema must be up to date. Raises Unavailable."""
    path = sqlite_path(url)
    if path is not None:
        return await SqliteDatabase.open(path)
    from storage.engine.postgres import PostgresDatabase

    return await PostgresDatabase.open(url)


async def bring_up_to_date(url: str, *, now_ms: int, after: bool = False) -> list[Migration]:
    """Apply the missing migrations; those applied now. Raises MigrationError or Unavailable.

    `after`: also those that wait until no worker of the version before runs. A file has one process, so there it
    makes no difference.
    """
    path = sqlite_path(url)
    if path is not None:
        return migrate(path, now_ms=now_ms)  # nothing else runs yet
    from storage.engine.migrate_postgres import migrate_postgres
    from storage.engine.refusals import PASSING, reason_of

    try:
        return await migrate_postgres(url, now_ms=now_ms, after=after)
    except PASSING as error:
        raise Unavailable(f"{type(error).__name__}: {error}", reason_of(error)) from error
