"""`town`: the example township, served on each channel and each engine in turn."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.botapi import FakeBotApi
from tests.fakes.wechat import FakeWeChat
from tests.postgres import PostgresServer, name_of
from tests.stories.template import make_template
from tests.stories.town import Town

CHANNELS = ("web", "telegram", "wechat")
ENGINES = ("sqlite", "postgres")


@asynccontextmanager
async def platforms_of(channel: str) -> AsyncIterator[dict[str, Any]]:
    """The platform that a channel needs, on loopback; at the end it must not have resented anything."""
    if channel == "telegram":
        bot_api = FakeBotApi()
        await bot_api.start()
        yield {"bot_api": bot_api}
        await bot_api.stop()
    elif channel == "wechat":
        async with FakeWeChat() as wechat:
            yield {"wechat": wechat}
            assert wechat.violations == []
    else:
        yield {}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with the example township in it."""
    path = tmp_path_factory.mktemp("template") / "jingxiang.db"
    asyncio.run(make_template(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The same on the server; the database's name."""
    url = asyncio.run(postgres.fresh())
    asyncio.run(make_template(url))
    return name_of(url)


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A file of the story's own."""
    shutil.copy(sqlite_template, tmp_path / "town.db")
    return f"sqlite:///{tmp_path / 'town.db'}"


@pytest.fixture
async def postgres_url(postgres: PostgresServer, postgres_template: str) -> AsyncIterator[str]:
    """A database of the story's own on the server."""
    url = await postgres.fresh(postgres_template)
    yield url
    await postgres.drop(url)


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database of the story's own."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=CHANNELS)
async def town(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> AsyncIterator[Town]:
    """The township on one channel and one engine."""
    async with platforms_of(request.param) as platforms:
        opened = await Town.open(tmp_path / "data", database_url, request.param, **platforms)
        try:
            yield opened
        finally:
            await opened.close()
