"""A migrated, empty database on each engine: what holds of one has to hold of the other."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from storage.database import Database
from storage.engine.opening import SQLITE, bring_up_to_date, open_database
from tests.example import EXAMPLE
from tests.postgres import PostgresServer
from tests.storage.importing import FILES, Town
from tests.templates import in_a_file, on_a_server

ENGINES = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a migrated database to copy."""
    return on_a_server(partial(bring_up_to_date, now_ms=0), postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    return in_a_file(partial(bring_up_to_date, now_ms=0), tmp_path_factory.mktemp("template"))


@pytest.fixture
async def postgres_url(postgres: PostgresServer, postgres_template: str) -> AsyncIterator[str]:
    """The address of a migrated, empty PostgreSQL database."""
    url = await postgres.fresh(postgres_template)
    yield url
    await postgres.drop(url)


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The address of a migrated, empty SQLite file."""
    shutil.copy(sqlite_template, tmp_path / "town.db")
    return f"{SQLITE}{tmp_path / 'town.db'}"


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated, empty database on one engine and then on the other."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """A migrated, empty database on one engine and then on the other."""
    opened = await open_database(url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    """A migrated, empty SQLite file, for what is SQLite's own."""
    opened = await open_database(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture
async def three(
    postgres: PostgresServer, postgres_template: str, sqlite_template: Path, tmp_path: Path
) -> AsyncIterator[Callable[[str], Awaitable[list[str]]]]:
    """The addresses of three migrated, empty databases on an engine."""
    made: list[str] = []

    async def three(engine: str) -> list[str]:
        if engine == "postgres":
            made.extend([await postgres.fresh(postgres_template) for _ in range(3)])
            return list(made)
        return [f"{SQLITE}{shutil.copy(sqlite_template, tmp_path / f'{at}.db')}" for at in range(3)]

    yield three
    for url in made:
        await postgres.drop(url)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    target = tmp_path / "town"
    target.mkdir()
    for name in FILES:
        shutil.copy(EXAMPLE / name, target / name)
    yield target


@pytest.fixture
def town(database: Database, folder: Path) -> Town:
    return Town(database, folder)
