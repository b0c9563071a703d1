"""Whatever is stored and can't be handled is set aside, and the one behind it is answered, on either engine."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.app import App
from bot.web import history
from storage.database import Tx
from storage.machine import inbox
from tests.fakes.wechat import FakeWeChat
from tests.postgres import PostgresServer
from tests.stories.drivers import TOWN
from tests.stories.town import Town

AUNT = "web:" + "a" * 64
EXAMPLES, STANDS_STILL_S = 15, 60

words = st.text(max_size=20) | st.sampled_from(["/case \x00", "\x00", "/report", "🙂", "/help " + "x" * 300])
posted = st.fixed_dictionaries(
    {
        "id": st.text(max_size=5),
        "kind": st.sampled_from(["text", "tap", "place", "media", "start", "face", "edited", ""]),
    },
    optional={
        "text": words,
        "data": words | st.sampled_from(["1.=x", "/verify 2026-0001 true", "zz.9.!", "/todo x"]),
        "lat": st.floats(allow_nan=False) | words,
        "lng": st.floats(allow_nan=False),
        "media": st.lists(words, max_size=3),
        "payload": words,
        "under": words,
    },
)
bodies = st.binary(max_size=40) | posted.map(lambda one: json.dumps(one).encode("utf-8", "replace"))
poisons = st.lists(st.tuples(st.sampled_from(["web", "gone", "telegram"]), bodies), min_size=1, max_size=6)


async def store(app: App, rows: list[tuple[str, bytes]]) -> None:
    """Store updates of one person as they are, whether there is such a channel or not."""

    async def work(tx: Tx) -> None:
        now_ms = app.clock.now_ms()
        await inbox.put(
            tx,
            [
                {"id": app.ids.next(), "channel": channel, "update_key": str(at), "address": AUNT, "body": body}
                | {"received_ms": now_ms}
                for at, (channel, body) in enumerate(rows)
            ],
        )

    await app.database.transaction(work, township_id=TOWN)


async def play(url: str, rows: list[tuple[str, bytes]]) -> None:
    """The rows, then somebody who is well."""
    with tempfile.TemporaryDirectory() as folder, capture_logs():  # each row's traceback costs more than the row
        town = await Town.open(Path(folder) / "data", url, "web")
        try:
            await store(town.app, rows)
            async with asyncio.timeout(STANDS_STILL_S):
                good = await town.person("李师傅")
                await good.says("王家沟桥头有人倒垃圾")
                good.sees("照片")
                left = await town.rows("SELECT COUNT(*) AS n FROM inbox WHERE township_id = :t AND state = 'new'")
                assert left[0]["n"] == 0
                await good.says("取消")
                assert good.news
        finally:
            await town.close()


@settings(max_examples=EXAMPLES, deadline=None)
@given(rows=poisons)
def test_a_poison_row_never_stops_its_township_in_a_file(sqlite_template: Path, rows: list[tuple[str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "town.db"
        shutil.copy(sqlite_template, path)
        asyncio.run(play(f"sqlite:///{path}", rows))


@settings(max_examples=EXAMPLES, deadline=None)
@given(rows=poisons)
def test_a_poison_row_never_stops_its_township_on_a_server(
    postgres: PostgresServer, postgres_template: str, rows: list[tuple[str, bytes]]
) -> None:
    async def whole() -> None:
        url = await postgres.fresh(postgres_template)
        try:
            await play(url, rows)
        finally:
            await postgres.drop(url)

    asyncio.run(whole())


class Broken:
    """A channel whose last word fails, after everything is committed."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def handled(self, raw: object) -> None:
        raise RuntimeError("after the commit")


async def test_what_fails_after_the_commit_undoes_nothing(tmp_path: Path, sqlite_url: str) -> None:
    town = await Town.open(tmp_path / "data", sqlite_url, "web")
    try:
        shared = town.app.channels._shared
        shared["web"] = Broken(shared["web"])  # type: ignore[assignment]
        town.app.channels._own.clear()
        aunt = await town.person("王大娘")
        await aunt.says("王家沟桥头有人倒垃圾")
        aunt.sees("照片")
    finally:
        await town.close()


spoilt = st.sampled_from(["", "{", "null", "[1]", '{"text": 5}', '{"rows": 5}', '{"rows": [["x"]]}', '"x"', "{}"])
spoilt_sessions = st.sampled_from(
    ["", "{", "null", "[1]", '{"rev": 1, "frames": ["x"]}', '{"rev": 1, "frames": [5]}', '{"rev": "x", "frames": []}']
)


async def spoil(url: str, folder: Path, channel: str, body: str, session: str, wechat: Any = None) -> None:
    """Somebody's stored messages and their conversation become unreadable, all of them; they write on."""
    town = await Town.open(folder / "data", url, channel, wechat=wechat)
    try:
        with capture_logs():
            aunt, other = await town.person("王大娘"), await town.person("李师傅")
            await aunt.says("王家沟桥头有人倒垃圾")
            await other.says("王家沟桥头有人倒垃圾")
            await town.write("UPDATE outbox SET body = :body WHERE township_id = :t", body=body)
            await town.write(
                "UPDATE sessions SET body = :session WHERE township_id = :t AND person_id = :person_id",
                session=session,
                person_id=await aunt.person_id(),
            )
            for someone in (aunt, other):
                await someone.says("我的信息")
                assert someone.news, "whoever writes is answered"
            await other.says("取消")
            assert other.news
            if channel == "web":
                lines, _ = await town.app.database.read(
                    lambda tx: history.before(
                        tx, aunt.driver.address, town.app.catalogues, before_id=1 << 60, limit=50, now_ms=1 << 60
                    )
                )
                assert [line.message["from"] for line in lines].count("me") >= 3
    finally:
        await town.close()


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=spoilt, session=spoilt_sessions)
def test_what_was_stored_and_cannot_be_read_hides_nothing_else(sqlite_template: Path, body: str, session: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "town.db"
        shutil.copy(sqlite_template, path)
        asyncio.run(spoil(f"sqlite:///{path}", Path(folder), "web", body, session))


@pytest.mark.parametrize("body", ["{", "null", '{"text": 5}'])
async def test_in_wechat_too(tmp_path: Path, sqlite_url: str, body: str) -> None:
    async with FakeWeChat() as wechat:
        await spoil(sqlite_url, tmp_path, "wechat", body, "{", wechat)
