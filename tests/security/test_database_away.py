"""The disk is full, or somebody holds the database: said once when it begins, once when it is over, and in /health."""

from __future__ import annotations

import asyncio
import errno
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from storage.engine import sqlite
from tests.channels.website import Page, Site, serving
from tests.cli.console import Console
from tests.example import EXAMPLE


@asynccontextmanager
async def full(site: Site) -> AsyncIterator[None]:
    """The file may not grow any more."""
    connection: Any = site.database._writer  # type: ignore[attr-defined]
    [pages] = [row[0] for row in await connection.execute_fetchall("PRAGMA page_count")]
    await connection.execute(f"PRAGMA max_page_count={pages}")
    yield
    await connection.execute("PRAGMA max_page_count=1000000")


@asynccontextmanager
async def held(site: Site) -> AsyncIterator[None]:
    """Another program holds the file."""
    other = sqlite3.connect(site.folder / "jingxiang.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


async def health(page: Page) -> tuple[int, Any]:
    status, body, _ = await page.get("/health")
    return status, json.loads(body)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(("away", "reason"), [(full, "disk_full"), (held, "database_busy")])
async def test_it_is_said_once_and_so_is_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: Any, reason: str
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 100)
    monkeypatch.setattr("bot.web.status.ALIVE_MS", 0)
    monkeypatch.setattr("bot.web.status.FRESH_MS", 0)
    with capture_logs() as logs:
        async with serving(tmp_path) as site:
            page = await site.page()
            await page.says("之前")
            async with away(site):

                async def refused() -> bool:
                    status, _ = await page.post(kind="text", text="停电" * 2_000)
                    return bool(status == 503)

                await until(refused)
                for _ in range(3):
                    await page.post(kind="text", text="停电" * 2_000)
                status, found = await health(page)
                assert status == 503 and found["ok"] is False
                [trouble] = found["troubles"]
                assert (trouble["part"], trouble["reason"]) == ("database", reason)
            await page.says("之后")

            async def well() -> bool:
                return (await health(page))[0] == 200

            await until(well)
    said = [line["event"] for line in logs if line["log_level"] in ("warning", "error", "critical")]
    assert said == ["trouble.began", "trouble.over"]


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    console = Console(tmp_path / "data", WEB_PORT="0")
    console.done("import", EXAMPLE)
    usual = Path.open

    def refusing(path: Path, *arguments: Any, **named: Any) -> Any:
        if path.name == "jingxiang.lock":
            raise OSError(code, "not here", str(path))
        return usual(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refusing)
    assert "jingxiang.lock" in console.refused("run")
