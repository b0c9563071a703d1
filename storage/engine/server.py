"""What a PostgreSQL server says of itself, for `doctor`."""

from __future__ import annotations

import time
from dataclasses import dataclass

from storage.engine.postgres import connect


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`clock_ahead_ms`: how far the server's clock is ahead of this machine's."""

    version: str
    size_bytes: int
    fsync: bool
    synchronous_commit: bool
    full_page_writes: bool
    autovacuum: bool
    connections_free: int
    clock_ahead_ms: int


async def server_facts(url: str) -> ServerFacts:
    """Ask the server. Raises OSError or asyncpg.PostgresError when it can't be reached."""
    connection = await connect(url)
    try:
        row = await connection.fetchrow(
            "SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size_bytes,"
            " current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,"
            " current_setting('full_page_writes') AS full_page_writes,"
            " current_setting('autovacuum') AS autovacuum,"
            " current_setting('max_connections')::int - (SELECT count(*) FROM pg_stat_activity)::int AS free"
        )
        began_ms = time.time() * 1000
        server_ms = await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8")
        middle_ms = (began_ms + time.time() * 1000) / 2
    finally:
        await connection.close()
    assert row is not None, "a SELECT without FROM has a row"
    return ServerFacts(
        row["version"],
        row["size_bytes"],
        row["fsync"] == "on",
        row["synchronous_commit"] != "off",
        row["full_page_writes"] == "on",
        row["autovacuum"] == "on",
        row["free"],
        round(server_ms - middle_ms),
    )
