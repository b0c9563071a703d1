"""A page is damaged while the program serves: nobody's words are to blame, and a monitor hears of it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from bot.channels.base import Raw
from storage.database import Damaged, Tx, Unavailable
from storage.engine.postgres import PostgresDatabase
from storage.product import areas
from tests.channels.website import Site, serving
from tests.cli.test_damaged import noise, overwrite, root_of

SOME_ROUNDS_S = 3.5  # intake, clock and delivery have each looked again by then


async def until_damaged(site: Site) -> None:
    async with asyncio.timeout(10):
        while not site.database.is_damaged():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("table", ["sessions", "contacts"])
async def test_a_damaged_page_sets_no_row_aside(tmp_path: Path, table: str) -> None:
    path = tmp_path / "jingxiang.db"
    async with serving(tmp_path) as site:
        page = await site.page()
        await page.says("您好")
        token = page.token
    overwrite(path, root_of(path, table), noise(3))
    with capture_logs() as logs:
        async with serving(tmp_path) as site:
            page = await site.page(session=False)
            page.http.cookie_jar.update_cookies({"jingxiang": token})
            await site.intake.accept([Raw("web", f"key {at}", page.address, b"{}", 1) for at in range(3)])
            await until_damaged(site)
            await asyncio.sleep(SOME_ROUNDS_S)
            states = await site.rows("SELECT state, COUNT(*) AS n FROM inbox WHERE township_id = :t GROUP BY state")
            assert {row["state"]: row["n"] for row in states} == {"done": 1, "new": 3}
            status, body, _ = await page.get("/health")
            assert status == 503 and json.loads(body) == {"ok": False, "database": "damaged", "troubles": []}
            assert b"jingxiang_up 0\n" in (await page.get("/metrics"))[1]
    [said] = [entry for entry in logs if entry["log_level"] in ("warning", "error", "critical")]
    assert said["event"] == "database.damaged" and said["where"] == str(path)


async def test_a_township_whose_rows_are_whole_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(tmp_path) as site:
        other = lambda tx: areas.set_township(tx, code="2", name="邻乡", county="", province="", now_ms=1)  # noqa: E731
        await site.database.transaction(other, township_id=2)
        handle = site.intake._batches.handle

        async def half_damaged(tx: Tx, limit: int) -> Any:
            if tx.township_id == 1:
                error = sqlite3.DatabaseError("database disk image is malformed")
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT_INDEX
                raise error
            return await handle(tx, limit)

        monkeypatch.setattr(site.intake._batches, "handle", half_damaged)
        with capture_logs():
            await site.intake.accept([Raw("web", "one", "web:" + "a" * 64, b"{}", town) for town in (1, 2)])
            async with asyncio.timeout(10):
                while await left(site, 2):
                    await asyncio.sleep(0.02)
        assert await left(site, 1) == 1


async def left(site: Site, township_id: int) -> int:
    async def work(tx: Tx) -> Any:
        return await tx.one("SELECT COUNT(*) AS n FROM inbox WHERE township_id = :t AND state = 'new'")

    return int((await site.database.read(work, township_id=township_id))["n"])


async def test_a_full_disk_is_no_damage(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:

        async def full(tx: Tx) -> None:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

        with pytest.raises(Unavailable) as found:
            await site.database.transaction(full)
        assert not isinstance(found.value, Damaged) and not site.database.is_damaged()


@pytest.mark.parametrize("kind", [asyncpg.DataCorruptedError, asyncpg.IndexCorruptedError])
async def test_what_a_server_finds_damaged_is_said_once(kind: type[Exception]) -> None:
    database = PostgresDatabase("postgresql://127.0.0.1/town", None)  # type: ignore[arg-type]

    async def act() -> None:
        raise kind("invalid page in block 7 of relation base/5/16384")

    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(Damaged, match="block 7"):
                await database._passing(act, writing=False)
    assert database.is_damaged() and [entry["event"] for entry in logs] == ["database.damaged"]
