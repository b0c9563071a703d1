"""Stories that chance tells: a township of its own for each, and how many of them are told."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from tests.stories.town import Town


def told(times: int) -> Callable[[Any], Any]:
    """So many stories; none is told again shorter, for each takes a township."""
    return settings(
        max_examples=times,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )


@asynccontextmanager
async def a_town(template: Path) -> AsyncIterator[Town]:
    """The example township on the page, in a copy of the template's file."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copy(template, folder / "town.db")
        town = await Town.open(folder / "data", f"sqlite:///{folder / 'town.db'}", "web")
        try:
            yield town
        finally:
            await town.close()
