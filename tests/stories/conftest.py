"""`town`: the example township, served on each channel and each engine in turn.

Which story plays on which of the six is said in `pairwise.py`; with STORIES=all each plays on all of them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.botapi import FakeBotApi
from tests.fakes.wechat import FakeWeChat
from tests.postgres import PostgresServer
from tests.stories.pairwise import Play, chosen
from tests.stories.template import make_template
from tests.stories.town import Town
from tests.templates import in_a_file, on_a_server

CHANNELS = ("web", "telegram", "wechat")
ENGINES = ("sqlite", "postgres")
HERE = Path(__file__).parent
PLAYED = pytest.StashKey[tuple[dict[str, set[Play]], dict[str, set[Play]]]]()  # what each story can play, and plays
ON_CHANNELS = ("town", "county")  # the fixtures that open on a channel; `database_url` is on an engine


def play_of(item: pytest.Item) -> tuple[str, Play] | None:
    """A story's name and what this item plays of it; None for what isn't played on channels and engines."""
    given = getattr(item, "callspec", None)
    if given is None or not item.path.is_relative_to(HERE):
        return None
    channel = next((given.params[name] for name in ON_CHANNELS if name in given.params), None)
    engine = given.params.get("database_url")
    if channel is None or engine is None:
        return None
    others = given.id.split("-")
    others.remove(channel)
    others.remove(engine)
    name = item.nodeid.partition("[")[0]
    return (f"{name}[{'-'.join(others)}]" if others else name), (channel, engine)


@pytest.hookimpl(tryfirst=True)  # before -k, so that it takes nothing from what is played otherwise
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what pairs of story, channel and engine do without."""
    found = {item: play_of(item) for item in items}
    possible: dict[str, set[Play]] = {}
    for story, play in filter(None, found.values()):
        possible.setdefault(story, set()).add(play)
    plays = possible if os.environ.get("STORIES") == "all" else chosen(possible)
    config.stash[PLAYED] = possible, plays
    left_out = [item for item, of in found.items() if of is not None and of[1] not in plays[of[0]]]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item, of in found.items() if of is None or of[1] in plays[of[0]]]


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
    return in_a_file(make_template, tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The same on the server; the database's name."""
    return on_a_server(make_template, postgres)


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
