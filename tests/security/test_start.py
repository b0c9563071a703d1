"""The real program starts after a power cut: nothing of the world is up yet, and the desk is open."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from benchmarks.start import AWAY, away_environment, first_answer
from tests.postgres import PostgresServer
from tests.process.program import LookAtServer, Program, look_into
from tests.stories.template import make_template

ANSWERS_S = 30.0  # an outcome, not a time: how fast it is, `make bench` says


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("how", ["refused", "no name", "silent"])
async def test_the_first_answer_does_not_wait_for_any_service(
    tmp_path: Path, sqlite_template: Path, silent: str, how: str
) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(sqlite_template, tmp_path / "data" / "jingxiang.db")
    there = {"refused": AWAY, "no name": "http://nobody.invalid", "silent": silent}[how]
    environment = away_environment(there)
    program = Program(tmp_path, None, look_into(tmp_path / "data" / "jingxiang.db"), **environment)
    await program.start()
    try:
        port = await program.serves_at()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-Jingxiang": "1"}) as client:
            await asyncio.wait_for(first_answer(client), ANSWERS_S)
            async with asyncio.timeout(ANSWERS_S):
                while len(troubles := (await client.get("/health")).json()["troubles"]) < 2:
                    await asyncio.sleep(0.1)
        assert "telegram" in {one["part"] for one in troubles}
        assert all(one["why"] and one["since"] for one in troubles)
        code, said = await program.command("doctor")
        assert code == 1 and "Telegram" in said
    finally:
        await program.end()
    began = [line for line in program.log.splitlines() if '"trouble.began"' in line]
    parts = [orjson.loads(line)["part"] for line in began]
    assert len(parts) == len(set(parts)), "each is said once"


async def test_a_wrong_token_is_said_as_such_and_the_page_is_served(tmp_path: Path, sqlite_template: Path) -> None:
    from tests.fakes.botapi import FakeBotApi

    (tmp_path / "data").mkdir()
    shutil.copy(sqlite_template, tmp_path / "data" / "jingxiang.db")
    async with FakeBotApi() as api:
        environment = {"TELEGRAM_TOKEN": f"{api.token[:-1]}x", "TELEGRAM_API_URL": api.url}
        program = Program(tmp_path, None, look_into(tmp_path / "data" / "jingxiang.db"), **environment)
        await program.start()
        try:
            port = await program.serves_at()
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"X-Jingxiang": "1"}) as client:
                await asyncio.wait_for(first_answer(client), ANSWERS_S)
                async with asyncio.timeout(ANSWERS_S):
                    while (answer := await client.get("/health")).status_code == 200:
                        await asyncio.sleep(0.1)
            [trouble] = answer.json()["troubles"]
            assert trouble["reason"] == "bot_token_refused" and "@BotFather" in trouble["why"]
        finally:
            await program.end()
        assert environment["TELEGRAM_TOKEN"] not in program.log


async def test_a_database_server_that_is_not_up_yet_is_waited_for(tmp_path: Path, postgres: PostgresServer) -> None:
    """After a power cut both machines start together, and the server takes longer."""
    url = await postgres.fresh()
    await make_template(url)
    address, _, folder = url.partition("?host=")
    look = LookAtServer(url)
    program = Program(tmp_path, None, look, DATABASE_URL=f"{address}?host={tmp_path / 'pg'}")
    await program.start()
    try:
        async with asyncio.timeout(ANSWERS_S):
            while not program.log:
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        (tmp_path / "pg").symlink_to(folder)
        port = await program.serves_at()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.get("/health")).status_code == 200
    finally:
        await program.end()
        look.close()
    assert program.log.count("can't be reached yet") == program.log.count("It is there") == 1
