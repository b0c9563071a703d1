"""A real S3 server (moto's) in a process of its own on loopback, and a line to it that can be cut."""

from __future__ import annotations

import asyncio
import atexit
import functools
import itertools
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from bot.settings import Settings

HOST = "127.0.0.1"
ACCESS_KEY, SECRET_KEY = "a-key", "a-secret-of-the-store"
# moto tells the service and the region by this; it checks no signature unless told to
SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


class S3Server:
    """The server; it ends with this process, however that ends: it waits for the end of its standard input."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.s3"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self._count = itertools.count(1)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def bucket(self) -> str:
        """A new bucket's name."""
        name = f"photos-{next(self._count)}"
        self._ask("PUT", name)
        return name

    def settings(self, folder: Path, **more: Any) -> Settings:
        """Settings for a new bucket (or those given), with DATA_DIR `folder`."""
        chosen: dict[str, Any] = {
            "data_dir": folder,
            "media_s3_endpoint": self.url,
            "media_s3_access_key": ACCESS_KEY,
            "media_s3_secret_key": SECRET_KEY,
            **more,
        }
        if "media_url" not in chosen:
            chosen["media_url"] = f"s3://{self.bucket()}/the/town"
        return Settings(_env_file=None, **chosen)

    def check_keys(self, check: bool) -> None:
        """From now on only keys of users count (there are none), or any."""
        self._ask("POST", "moto-api/reset-auth", b"0" if check else b"inf")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Content-Type": "text/plain"} if path.startswith("moto-api") else {"Authorization": SIGNED}
        request = urllib.request.Request(f"{self.url}/{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@functools.cache
def s3_server() -> S3Server:
    """The one server of this test process."""
    server = S3Server()
    atexit.register(server.stop)
    return server


class Line:
    """A port that leads to another one until `cut_after_bytes` went in; then nothing gets through until `mend`."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.cut_after_bytes: int | None = None
        self._to_port = port
        self._in_bytes = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Line:
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._cut()
        await self._server.wait_closed()

    def mend(self) -> None:
        """Let everything through again."""
        self.cut_after_bytes, self._in_bytes = None, 0

    @property
    def is_cut(self) -> bool:
        return self.cut_after_bytes is not None and self._in_bytes >= self.cut_after_bytes

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        there_reader, there = await asyncio.open_connection(HOST, self._to_port)
        self._open |= {writer, there}
        await asyncio.gather(self._pass(reader, there, count=True), self._pass(there_reader, writer, count=False))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool) -> None:
        try:
            while data := await reader.read(65_536):
                self._in_bytes += len(data) * count
                if self.is_cut:
                    self._cut()
                    return
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _cut(self) -> None:
        for writer in self._open:
            if not writer.is_closing():  # one that its client closed has no loop any more
                writer.transport.abort()
        self._open.clear()


def main() -> None:
    """Serve on a free port, which is printed, until standard input ends."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
