"""A town to be moved, a line to the server that breaks or holds, and a look at both sides that is nobody's code."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from bot.console.move import Moved, address_of, move
from bot.console.move_media import Progress
from bot.console.townships import import_township
from bot.settings import Settings
from storage.engine.opening import SQLITE
from tests.example import SECOND
from tests.postgres import name_of
from tests.stories.doings import belongs, cleaner_of, number_of, ticks, weighs
from tests.stories.template import make_template
from tests.stories.town import Someone, Town

NOT_COPIED = {"schema_migrations", "move_progress"}
Contents = dict[str, list[tuple[Any, ...]]]


def settings_of(folder: Path, **more: Any) -> Settings:
    """A deployment in that folder, its database a SQLite file unless told otherwise."""
    return Settings(_env_file=None, data_dir=folder, public_url="https://chat.example", **more)


def quiet(stage: str, done: int, total: int) -> None:
    """Nobody looks at the bars; but what they show has to make sense."""
    assert 0 <= done <= total, stage


async def moved(settings: Settings, url: str, progress: Progress = quiet) -> Moved:
    """Move to that address."""
    return await move(settings, to=address_of(url), progress=progress)


# -- a town


@asynccontextmanager
async def play(folder: Path) -> AsyncIterator[Town]:
    """Some days in a town with a file, and a neighbour township; the program runs, and somebody's form is open."""
    url = f"{SQLITE}{folder / 'jingxiang.db'}"
    folder.mkdir(parents=True)
    await make_template(url)
    report, faults = await import_township(settings_of(folder), SECOND, skip_bad=False, progress=None, new=True)
    assert report is not None, faults
    town = await Town.open(folder, url, "web")
    try:
        await some_days(town)
        yield town
    finally:
        await town.close()


async def some_days(town: Town) -> None:
    """Reports (one of them anonymous, one of them open), film, a clean-up, digests."""
    aunt, neighbour = await town.person("王大娘"), await town.person("")
    keeper = await town.person("赵网格", role="grid_keeper", area="王家沟")
    cleaner, staff = await cleaner_of(town), await town.person("孙干事", role="staff")
    await belongs(town, neighbour)
    await ticks(town, "2026-11-18 18:00")
    await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.sends_photo(2)
    await aunt.taps("发完了")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    await keeper.says(f"/verify {number} true")
    await neighbour.says("王家沟学校门口有人倒垃圾 😀 '\"\\N")
    await neighbour.taps("跳过")
    await neighbour.taps("改留名")
    await neighbour.taps("匿名")
    await neighbour.taps("提交")
    await weighs(cleaner, "张三 15.6公斤")
    await ticks(town, "2026-11-19 18:00", "2026-11-20 10:00")
    await keeper.says("12人 3车 8.5方")
    await keeper.taps("提交")
    await ticks(town, "2026-11-20 18:00")
    await staff.says("/digest 2026-11-20")
    await aunt.says("王家沟桥头河道里有垃圾")
    aunt.sees("照片", "跳过")


def again(someone: Someone, town: Town) -> Someone:
    """The same person on the same phone, after the program has moved."""
    driver = type(someone.driver)(town.app, 0)
    driver.address, driver._next = someone.driver.address, someone.driver._next
    same = Someone(town, someone.name, driver, list(someone.heard), [], someone.photos_sent)
    town.people.append(same)
    return same


# -- both sides, with nothing of the program in between


def in_file(path: Path) -> Contents:
    """Every row of every table of a SQLite file."""
    connection = sqlite3.connect(path)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {
        name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
        for name in names
        if not name.startswith("sqlite_") and name not in NOT_COPIED
    }
    connection.close()
    return found


async def on_server(url: str) -> Contents:
    """Every row of every table of a PostgreSQL database."""
    connection = await asyncpg.connect(url)
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {
        name: sorted((tuple(row) for row in await connection.fetch(f"SELECT * FROM {name}")), key=repr)
        for (name,) in names
        if name not in NOT_COPIED
    }
    await connection.close()
    return found


async def ask(url: str, sql: str, *values: Any) -> Sequence[Any]:
    """What a statement gives on the server."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(sql, *values))
    finally:
        await connection.close()


# -- a line


class Line:
    """A way to the server that is cut, or holds everything up, once `after_bytes` have gone there."""

    def __init__(self, url: str, *, after_bytes: int | None = None, hold: bool = False) -> None:
        self.sent_bytes = 0
        self.held = asyncio.Event()
        self._after_bytes = after_bytes
        self._hold = hold
        self._real = f"{url.partition('?host=')[2]}/.s.PGSQL.5432"
        self._folder = Path(tempfile.mkdtemp(prefix="line-"))
        self.url = f"postgresql://postgres@/{name_of(url)}?host={self._folder}"
        self._open: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_unix_server(self._connected, self._folder / ".s.PGSQL.5432")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self._folder)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_unix_connection(self._real)
        self._open += [writer, there]
        for task in (self._there(reader, there), self._back(there_reader, writer)):
            self._tasks.add(asyncio.create_task(task))

    async def _there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4_096):
            self.sent_bytes += len(data)
            if self._after_bytes is not None and self.sent_bytes >= self._after_bytes:
                self.held.set()
                if not self._hold:
                    self._cut()
                return
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
