"""This version's code on a database that a version to come has migrated already: a rolling restart loses nothing.

The contract of the other files of this folder runs once more, with the additive migration of `next_schema/` applied.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

from storage.database import Database, Tx
from storage.engine.migrate import Migration, load_migrations, migrate
from storage.engine.migrate_postgres import migrate_postgres
from storage.engine.opening import bring_up_to_date, open_database, sqlite_path
from storage.machine import inbox, outbox, sessions, timers
from storage.people import people
from storage.product import case_vault, cases, duties, film, ledger, policies
from tests.storage import rows, test_cases, test_database, test_import, test_ledger, test_retention
from tests.storage.test_retention import world

CONTRACT = (test_cases, test_database, test_import, test_ledger, test_retention)
SQL = (Path(__file__).parent / "next_schema" / "additive.sql").read_text("utf-8")
__all__ = ["world"]


async def migrate_ahead(url: str) -> None:
    """What the first worker of the version to come does."""
    wanted = load_migrations()
    wanted.append(Migration(len(wanted) + 1, "additive", SQL))
    path = sqlite_path(url)
    if path is None:
        await migrate_postgres(url, now_ms=1, migrations=wanted)
    else:
        migrate(path, now_ms=1, migrations=wanted)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An empty database that is ahead of the program, opened by the program as it always does."""
    await migrate_ahead(url)
    assert await bring_up_to_date(url, now_ms=2) == []
    opened = await open_database(url)
    yield opened
    await opened.close()


def contract(module: ModuleType) -> dict[str, object]:
    """The tests of a module that need a database."""
    return {
        f"{name}_on_the_next_schema": function
        for name, function in vars(module).items()
        if name.startswith("test_") and {"database", "town", "world"} & set(inspect.signature(function).parameters)
    }


for one in CONTRACT:
    globals().update(contract(one))


def test_the_contract_is_run_whole() -> None:
    assert all(len(contract(one)) >= 3 for one in CONTRACT)
    assert sum(len(contract(one)) for one in CONTRACT) > 55


async def look(tx: Tx) -> tuple[object, ...]:
    """A little of everything that is read all the time."""
    return (
        [tuple(row) for row in await inbox.oldest_new(tx, now_ms=10_000, limit=9)],
        [tuple(row) for row in await outbox.due(tx, now_ms=10_000, limit=9)],
        [tuple(row) for row in await timers.due(tx, now_ms=10_000, limit=9)],
        [tuple(row) for row in await sessions.by_address(tx, ["web:1", "web:2"])],
        [tuple(row) for row in await ledger.entries(tx, "household:1", "fen", limit=9)],
        [tuple(row) for row in await policies.all_policies(tx)],
        [tuple(row) for row in await duties.reports(tx, "2026-01-01")],
        await film.ticket(tx, 1),
        [tuple(row) for row in await cases.events(tx, 1)],
        [tuple(row) for row in await case_vault.reports_of(tx, 1, limit=9)],
    )


async def test_workers_that_run_while_it_is_migrated_go_on(url: str) -> None:
    """Their statements are prepared, their connections open; nothing of what they read or write changes."""
    database = await open_database(url)

    async def write(tx: Tx, number: int) -> None:
        await people.add_person(tx, person_id=number, name="张三", language="zh_CN", now_ms=number)
        await inbox.done(tx, [number])
        await sessions.save(tx, [{"person_id": number, "body": "{}", "updated_ms": number}])

    await database.transaction(lambda tx: rows.fill(tx, 1))
    before = await database.read(look)
    await database.transaction(lambda tx: write(tx, 100))
    working = [asyncio.create_task(database.transaction(lambda tx, at=at: write(tx, at))) for at in range(101, 140)]
    await migrate_ahead(url)
    await asyncio.gather(*working)
    assert await database.read(look) == before
    for at in range(140, 160):
        await database.transaction(lambda tx, at=at: write(tx, at))
    assert await database.read(look) == before
    assert all([await database.read(lambda tx, at=at: people.person(tx, at)) for at in range(100, 160)])
    await database.close()
