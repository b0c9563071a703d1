"""What attacks and outages need: an imported township."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.stories.template import make_template


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file with the example township."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    asyncio.run(make_template(f"sqlite:///{path}"))
    return path
