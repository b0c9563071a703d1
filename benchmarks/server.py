"""A PostgreSQL server of ours under a benchmark: what it has used of the processor."""

from __future__ import annotations

import asyncpg
import psutil

from tests.postgres import PostgresServer


class ServerCpu:
    """Counts the server and every process it has started, also those that have ended."""

    def __init__(self, server: PostgresServer) -> None:
        self._postmaster = psutil.Process(server.pid)

    @staticmethod
    async def analyze(url: str) -> None:
        """What autovacuum does of a table that has grown, within a minute."""
        connection = await asyncpg.connect(url)
        await connection.execute("ANALYZE")
        await connection.close()

    def seconds(self) -> float:
        """CPU seconds so far."""
        total = 0.0
        for process in (self._postmaster, *self._postmaster.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        ended = self._postmaster.cpu_times()
        return total + ended.children_user + ended.children_system
