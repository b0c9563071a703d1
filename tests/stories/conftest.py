"""`town`: the example township, served on each channel in turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.template import make_template
from tests.stories.town import Town

CHANNELS = ("web", "telegram")


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with the example township in it."""
    path = tmp_path_factory.mktemp("template") / "jingxiang.db"
    asyncio.run(make_template(path))
    return path


@pytest.fixture(params=CHANNELS)
async def town(request: pytest.FixtureRequest, tmp_path: Path, template_database: Path) -> AsyncIterator[Town]:
    """The township on one channel."""
    bot_api = None
    if request.param == "telegram":
        from tests.fakes.botapi import FakeBotApi

        bot_api = FakeBotApi()
        await bot_api.start()
    opened = await Town.open(tmp_path / "data", template_database, request.param, bot_api)
    try:
        yield opened
    finally:
        await opened.close()
        if bot_api is not None:
            await bot_api.stop()
