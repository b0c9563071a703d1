"""Databases that are made once in a test process and copied for each test, on either engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from storage.engine.opening import SQLITE
from tests.postgres import PostgresServer, name_of

Make = Callable[[str], Awaitable[Any]]  # fills the empty database at an address


def in_a_file(make: Make, folder: Path) -> Path:
    """A SQLite file to copy, with what `make` writes into it."""
    path = folder / "template.db"
    asyncio.run(_made(make, f"{SQLITE}{path}"))
    return path


def on_a_server(make: Make, server: PostgresServer) -> str:
    """The same on the server; the name of the database to copy."""
    url = asyncio.run(server.fresh())
    asyncio.run(_made(make, url))
    return name_of(url)


async def _made(make: Make, url: str) -> None:
    await make(url)
