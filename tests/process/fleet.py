"""Several workers of the real program on one PostgreSQL database."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes.botapi import FakeBotApi
from tests.postgres import PostgresServer
from tests.process.program import LookAtServer, Program


class Fleet:
    """As one program to those who use it. `life` counts the incidents after which a message may come once more."""

    def __init__(self, folder: Path, api: FakeBotApi, server: PostgresServer, url: str, size: int) -> None:
        self.server = server
        self.rows = LookAtServer(url)
        self.key_file = folder / "data" / "vault.key"
        self.life = 0
        self.workers = [
            Program(folder / f"worker{number}", api, self.rows, DATABASE_URL=url, DATA_DIR=str(folder / "data"))
            for number in range(size)
        ]
        for worker in self.workers:
            worker.folder.mkdir()

    @property
    def log(self) -> str:
        """Everything that any of them ever logged."""
        return "".join(worker.log for worker in self.workers)

    async def start(self) -> None:
        """All of them, until they serve."""
        for worker in self.workers:
            await worker.start()
        await asyncio.gather(*(worker.serves() for worker in self.workers))

    async def kill(self, number: int) -> None:
        """SIGKILL one; the others go on."""
        self.life += 1
        await self.workers[number].kill()

    async def restart(self, number: int) -> None:
        """Start one again, until it serves."""
        await self.workers[number].start()
        await self.workers[number].serves()

    async def restart_server(self) -> None:
        """The database server crashes and comes back."""
        self.life += 1
        await asyncio.to_thread(self.server.restart)

    async def stop(self) -> int:
        """SIGTERM to all; 0 when all of them ended well."""
        return max(await asyncio.gather(*(worker.stop() for worker in self.workers)))

    async def command(self, *words: str) -> tuple[int, str]:
        """Another command of the program: exit code and what it printed."""
        return await self.workers[0].command(*words)
