"""What a PostgreSQL server refuses or does not answer, by what it means."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,  # a migration has just changed a table
    asyncpg.OutdatedSchemaCacheError,
)
REFUSALS = (asyncpg.IntegrityConstraintViolationError, asyncpg.InFailedSQLTransactionError)
PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InternalClientError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    OSError,
    TimeoutError,
)
REASONS: Sequence[tuple[type[Exception], str]] = (  # which trouble it is; the first that fits
    (asyncpg.DiskFullError, "disk_full"),
    (asyncpg.InsufficientResourcesError, "server_busy"),
    (asyncpg.ReadOnlySQLTransactionError, "read_only"),
    (asyncpg.InvalidCatalogNameError, "server_refuses"),
    (asyncpg.InvalidAuthorizationSpecificationError, "server_refuses"),
)
DAMAGE = (asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError)


def reason_of(error: BaseException) -> str:
    """Which trouble something that passes is."""
    return next((reason for kind, reason in REASONS if isinstance(error, kind)), "no_answer")
