"""Migrations on PostgreSQL: one worker at a time applies them, each in a transaction, beside workers that serve."""

from __future__ import annotations

import asyncio

import asyncpg

from storage.engine.dialect import REFUSE, to_postgres
from storage.engine.migrate import HISTORY, Migration, load_migrations, pending_of, statements
from storage.engine.postgres import connect as connect_postgres

LOCK = 0x4A_58_4D_49  # one worker migrates at a time
LOCK_WAIT_MS, TRIES, PAUSE_S = 2_000, 30, 0.2
LONG_S = 86_400  # an index of a grown table takes its time


async def migrate_postgres(
    url: str, *, now_ms: int, after: bool = False, migrations: list[Migration] | None = None
) -> list[Migration]:
    """Bring the PostgreSQL database at `url` up to date; the migrations applied now, each in a transaction.

    Those that have to wait for the old workers' end are applied only when `after`. Raises OSError or
    asyncpg.PostgresError when the server can't be reached.
    """
    wanted = await asyncio.to_thread(load_migrations) if migrations is None else migrations
    connection = await connect_postgres(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK, timeout=LONG_S)
        await connection.execute(HISTORY)
        applied = await connection.fetch("SELECT number, name, checksum FROM schema_migrations")
        pending = pending_of(wanted, applied, after=after)
        if pending:
            await connection.execute(REFUSE)
        for migration in pending:
            await apply_when_free(connection, migration, now_ms)
        return pending
    finally:
        await connection.close()


async def apply_when_free(connection: asyncpg.Connection, migration: Migration, now_ms: int) -> None:
    """Run one migration on tables that workers use meanwhile: it asks for them again rather than hold everybody up."""
    for tries_left in reversed(range(TRIES)):
        try:
            await apply_postgres(connection, migration, now_ms)
        except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
            if not tries_left:
                raise
        else:
            return
        await asyncio.sleep(PAUSE_S)


async def apply_postgres(connection: asyncpg.Connection, migration: Migration, now_ms: int) -> None:
    """Run one migration and record it, both or neither."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
        for statement in statements(migration.sql):
            await connection.execute(to_postgres(statement), timeout=LONG_S)
        await connection.execute(
            "INSERT INTO schema_migrations VALUES ($1, $2, $3, $4)",
            migration.number,
            migration.name,
            migration.checksum,
            now_ms,
        )
