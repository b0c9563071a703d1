"""`python -m bot move`: a SQLite deployment, with all its townships, into an empty PostgreSQL database.

The file is read as it is at one moment and not written to. Nothing counts on the server before everything there was
compared with the file and every invariant holds; a move that broke off goes on where it was.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import unquote

from bot.app import AlreadyRunning, lock
from bot.clock import SystemClock
from bot.console.doctor import check_line
from bot.console.move_media import MoveError, Progress, move_media, store_of
from bot.console.townships import check_all, opened
from bot.console.words import say
from bot.media.stores import open_shelf
from bot.settings import Settings
from storage.database import Database, Refused, Unavailable
from storage.engine.copying import LAST, Content, Copied, CopiedTable, Source, TableDigest, Target, reach
from storage.engine.migrate import MigrationError, load_migrations, pending_of
from storage.engine.opening import bring_up_to_date

HOST = r"(?:\[[\w.:]+\]|[\w.%-]*)(?::\d+)?"
ADDRESS = re.compile(
    r"(?P<scheme>postgres(?:ql)?://)(?:(?P<user>[^:@/?#\s]*)(?P<password>:[^@/?#\s]*)?@)?"
    rf"(?P<rest>{HOST}(?:,{HOST})*(?:/[^@/?#\s]*)?(?:\?[^@#\s]*)?)"
)
SECRET_IN_QUERY = re.compile(r"(?<=[?&])((?:ssl)?password=)([^&]*)")
MASK = "***"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to move to; `shown` is without its passwords, which are `secrets`."""

    url: str
    shown: str
    secrets: tuple[str, ...]


def address_of(url: str) -> Address:
    """The address of a PostgreSQL database. Raises MoveError, which quotes nothing of it."""
    found = ADDRESS.fullmatch(url)
    if found is None:
        raise MoveError("move_address")
    password = (found["password"] or "")[1:]
    hidden = [password, *(one[1] for one in SECRET_IN_QUERY.findall(found["rest"]))]
    user = f"{found['user']}{f':{MASK}' if password else ''}@" if found["user"] is not None else ""
    rest = SECRET_IN_QUERY.sub(rf"\g<1>{MASK}", found["rest"])
    return Address(
        url, f"{found['scheme']}{user}{rest}", tuple({form for one in hidden if one for form in (one, unquote(one))})
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """How much is where it was to go."""

    tables: int = 0
    rows: int = 0
    photos: int = 0


async def move(settings: Settings, *, to: Address | None, media_to: str = "", progress: Progress) -> Moved:
    """Copy the files, then the database; the program must be stopped. Raises MoveError."""
    if to is not None and settings.database_path is None:
        raise MoveError("move_is_server")
    new = store_of(settings, media_to) if media_to else None
    async with _stopped(settings) as database:
        photos = await move_media(database, open_shelf(settings), new, progress) if new is not None else 0
        if to is None or not isinstance(database, Source):
            return Moved(photos=photos)
        moving = _Move(settings, database, to, progress)
        try:
            rows = await moving.run()
        except Unavailable as error:
            raise MoveError("move_again", said=f"{to.shown}: {error}") from None
        except (Refused, MigrationError) as error:
            raise MoveError("move_refused", to=to.shown, said=error) from None
        return Moved(len(moving.tables), rows, photos)


@asynccontextmanager
async def _stopped(settings: Settings) -> AsyncIterator[Database]:
    """The database, while no worker serves it."""
    if settings.database_path is not None:
        with _file(settings) as source:
            yield source
        return
    async with opened(settings) as (database, _):
        if database.workers().number:
            raise MoveError("move_others")
        yield database


@contextmanager
def _file(settings: Settings) -> Iterator[Source]:
    """The SQLite file at one moment, with DATA_DIR held."""
    path = settings.database_path
    if path is None or not path.exists():
        raise MoveError("no_database", path=path)
    try:
        held = lock(settings.data_dir)
    except AlreadyRunning as error:
        raise MoveError("move_running", pid=error.pid, folder=error.folder) from None
    with held:
        try:
            source = Source(path)
            try:
                yield source
            finally:
                source.end()
        except sqlite3.Error as error:
            raise MoveError("database_file", path=path, said=error) from None


class _Move:
    """One run of `move --to`."""

    def __init__(self, settings: Settings, source: Source, to: Address, progress: Progress) -> None:
        self.tables: list[CopiedTable] = []
        self._settings = settings
        self._source = source
        self._to = to
        self._progress = progress

    async def run(self) -> int:
        """How many rows are there now."""
        self._is_current()
        self.tables = self._source.tables()
        async with reach(self._to.url) as target:
            earlier = await self._may_be_used(target)
            await self._is_sound(self._source, say("move.not_sound_here", path=self._settings.database_path))
            contents = await self._contents()
            self._is_the_same(contents, earlier)
            await bring_up_to_date(self._to.url, now_ms=SystemClock().now_ms(), after=True)
            if not earlier:
                await target.begin(contents)
            for table in self.tables:
                if table.name not in LAST:
                    await self._copy(target, table, contents, earlier.get(table.name))
            await target.analyze(self.tables)
            async with target.ending():
                for table in self.tables:
                    if table.name in LAST:
                        await self._copy(target, table, contents, None)
                await self._compare(target, contents)
                await self._is_sound(target, self._not_done("sound"))
        return sum(content.rows for content in contents.values())

    def _is_current(self) -> None:
        """Whether the file has this program's schema."""
        path, applied, wanted = self._settings.database_path, self._source.migrations(), load_migrations()
        if pending_of(wanted, applied, after=True):
            raise MoveError("move_older", path=path)
        if len(applied) != len(wanted):
            raise MoveError("move_newer", path=path)

    async def _may_be_used(self, target: Target) -> Mapping[str, Copied]:
        """How far an earlier run has come in a database that is fit and has nothing of anybody else's."""
        if reason := await target.unfit():
            raise MoveError("move_unfit", to=self._to.shown, said=reason)
        earlier = await target.progress()
        filled = [] if earlier else await target.filled(self.tables)
        if filled:
            raise MoveError("move_not_empty", to=self._to.shown, tables=", ".join(filled))
        ours = self._source.migrations()
        if any(one not in ours for one in await target.migrations()):
            raise MoveError("move_other_version", to=self._to.shown)
        return earlier

    async def _is_sound(self, database: Database, otherwise: str) -> None:
        """Whether every invariant holds there."""
        checks = await check_all(self._settings, database)
        broken = [check_line(check) for check in checks if not check.ok and not check.warning]
        if broken:
            raise MoveError("lines", lines="\n".join([otherwise, *broken]))

    async def _contents(self) -> dict[str, Content]:
        """What there is to copy."""
        total = sum(self._source.count(table) for table in self.tables)
        found, done = {}, 0
        for table in self.tables:
            digest, pages = TableDigest(), self._source.pages(table)
            while page := await asyncio.to_thread(next, pages, None):
                digest.add(page)
                done += len(page)
                self._progress("reading", done, total)
            found[table.name] = digest.content
        return found

    def _is_the_same(self, contents: Mapping[str, Content], earlier: Mapping[str, Copied]) -> None:
        """Whether what an earlier run has copied still is what there is to copy."""
        changed = [name for name, content in contents.items() if name in earlier and earlier[name].content != content]
        changed += sorted(set(contents) ^ set(earlier))
        if earlier and changed:
            raise MoveError(
                "move_changed", path=self._settings.database_path, to=self._to.shown, tables=", ".join(changed)
            )

    async def _copy(
        self, target: Target, table: CopiedTable, contents: Mapping[str, Content], earlier: Copied | None
    ) -> None:
        """Copy what of a table isn't there yet."""
        done, after = (earlier.rows, earlier.last_key) if earlier else (0, None)
        pages = self._source.pages(table, after)
        while page := await asyncio.to_thread(next, pages, None):
            await target.write(table, page)
            done += len(page)
            self._progress(table.name, done, contents[table.name].rows)

    async def _compare(self, target: Target, contents: Mapping[str, Content]) -> None:
        """Whether the server gives back what the file has."""
        total, done, faults = sum(content.rows for content in contents.values()), 0, []
        for table in self.tables:
            digest, wanted = TableDigest(), contents[table.name]
            async for page in target.pages(table):
                digest.add(page)
                done += len(page)
                self._progress("comparing", min(done, total), total)
            found = digest.content
            if found.rows != wanted.rows:
                faults.append(say("move.rows_differ", table=table.name, here=wanted.rows, there=found.rows))
            elif found != wanted:
                faults.append(say("move.row_differs", table=table.name))
        if await target.migrations() != self._source.migrations():
            faults.append(say("move.migrations_differ"))
        if faults:
            raise MoveError("lines", lines="\n".join([self._not_done("same"), *faults]))

    def _not_done(self, what: str) -> str:
        return say("move.not_done", to=self._to.shown, why=say(f"move.not_{what}_there"))
