"""Our HTTP client against servers that answer in every way the standard allows, and in some it does not."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.channels.telegram import http
from bot.channels.telegram.connection import MOST_WAITING_BYTES, Connection, HttpError, HttpTimeout, TooLarge
from bot.channels.telegram.http import HttpPool, Timeouts

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def request_of(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body of the next request."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name == b"content-length":
            return head, await reader.readexactly(int(value))
        if name == b"transfer-encoding":
            body = b""
            while size := int(await reader.readline(), 16):
                body += await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
            return head, body
    return head, b""


class Server:
    """A server whose answers are written by hand, one after the other; `answers` is repeated on each connection."""

    def __init__(self, *answers: bytes, talk: Talk | None = None) -> None:
        self.answers = answers
        self.talk = talk
        self.connections = 0
        self.requests: list[tuple[bytes, bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.talk is not None:
                await self.talk(reader, writer)
            for answer in self.answers:
                self.requests.append(await request_of(reader))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def served(
    server: Server,
    *,
    limit: int = 1000,
    timeouts: Timeouts | None = None,
    tls: ssl.SSLContext | None = None,
    **more: int,
) -> AsyncIterator[HttpPool]:
    """A pool of connections to it."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    pool = HttpPool(f"{'https' if tls else 'http'}://127.0.0.1:{port}/api/", limit=limit, **more)
    pool.start()
    try:
        yield pool
    finally:
        await pool.stop()
        listening.close()


async def test_a_request_is_written_as_the_standard_says() -> None:
    server = Server(OK)
    async with served(server) as pool:
        assert await pool.post("/bot1:A/send Message\r\nX: y", b'{"a":1}') == (200, b"{}")
    head, body = server.requests[0]
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api/bot1:A/send%20Message%0D%0AX:%20y HTTP/1.1"
    assert lines[1].startswith("Host: 127.0.0.1:") and lines[2:4] == [
        "Content-Type: application/json",
        "Content-Length: 7",
    ]
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfull",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfu\r\n2;x=y\r\nll\r\n0\r\nTrailer: 1\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfull",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull",
        b"HTTP/1.0 200 OK\r\n\r\nfull",
    ],
)
@pytest.mark.parametrize("at_a_time", [1, 7, 1000])
async def test_a_body_of_any_measure_is_read(answer: bytes, at_a_time: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2 if b"1.1 200 OK" in answer and b"close" not in answer else 1):
            await request_of(reader)
            for at in range(0, len(answer), at_a_time):
                writer.write(answer[at : at + at_a_time])
                await asyncio.sleep(0)

    async with served(Server(talk=talk)) as pool:
        assert await pool.post("/x", b"{}") == (200, b"full")
        async with pool.download("/x") as (status, pieces):
            assert (status, b"".join([piece async for piece in pieces])) == (200, b"full")


async def test_a_connection_is_used_again() -> None:
    server = Server(OK, OK, OK)
    async with served(server) as pool:
        for _ in range(3):
            assert await pool.post("/x", b"{}") == (200, b"{}")
    assert server.connections == 1 and len(server.requests) == 3


@pytest.mark.parametrize("closing", [OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK + b"unasked", OK])
async def test_one_that_was_closed_or_talks_out_of_turn_is_not(closing: bytes) -> None:
    server = Server(closing)
    async with served(server) as pool:
        for _ in range(2):
            assert await pool.post("/x", b"{}") == (200, b"{}")
            await asyncio.sleep(0.02)
    assert server.connections == 2


async def test_one_that_was_idle_for_long_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(OK, OK)
    async with served(server) as pool:
        await pool.post("/x", b"{}")
        monkeypatch.setattr(http, "IDLE_S", -1.0)
        await pool.post("/x", b"{}")
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", HttpError),
        (b"SSH-2.0-OpenSSH\r\n", HttpError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", HttpError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", HttpError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", HttpError),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", HttpError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", TooLarge),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, TooLarge),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1001, TooLarge),
    ],
)
async def test_what_is_no_whole_answer_is_an_error_and_the_next_request_works(
    answer: bytes, error: type[HttpError]
) -> None:
    server = Server(answer)
    async with served(server) as pool:
        with pytest.raises(error):
            await pool.post("/x", b"{}")
        with pytest.raises(error):
            async with pool.download("/x") as (_, pieces):
                async for _ in pieces:
                    pass
        server.answers = (OK,)
        assert await pool.post("/x", b"{}") == (200, b"{}")


class Wire(asyncio.Transport):
    """The other end of nothing; `time` is what the connection takes for the time, `ring` its next alarm."""

    def __init__(self) -> None:
        super().__init__()
        self.time_s = 0.0
        self.alarms: list[tuple[float, Callable[[], None]]] = []
        self.aborted = False

    def time(self) -> float:
        return self.time_s

    def create_future(self) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    def call_later(self, after_s: float, call: Callable[[], None]) -> asyncio.Handle:
        self.alarms.append((self.time_s + after_s, call))
        return asyncio.get_running_loop().call_soon(lambda: None)

    def ring(self) -> None:
        self.time_s, call = self.alarms.pop()
        call()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


async def test_silence_times_out_and_slow_bytes_do_not() -> None:
    connection, wire = Connection(), Wire()
    connection._loop = wire  # type: ignore[assignment]
    connection.connection_made(wire)
    asking = asyncio.create_task(connection.ask(b"", b"", read_s=10.0, limit=1000))
    await asyncio.sleep(0)
    for at in range(len(OK) - 1):
        wire.time_s += 9.0
        connection.data_received(OK[at : at + 1])
        wire.ring()
    await asyncio.sleep(0)
    assert not asking.done() and wire.time_s > 90
    wire.ring()
    with pytest.raises(HttpTimeout):
        await asking
    assert wire.aborted and not connection.usable


async def test_a_server_that_says_nothing_is_given_up_and_the_next_request_works() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        await reader.read()

    server = Server(talk=silent)
    async with served(server) as pool:
        with pytest.raises(HttpTimeout):
            await pool.post("/x", b"{}", timeouts=Timeouts(read_s=0.05))
        server.talk, server.answers = None, (OK,)
        assert await pool.post("/x", b"{}") == (200, b"{}")


async def test_a_request_that_is_cancelled_leaves_nothing_behind() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        await reader.read()

    server = Server(talk=never)
    async with served(server, connections=1) as pool:
        task = asyncio.create_task(pool.post("/x", b"{}", timeouts=Timeouts(read_s=None)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.talk, server.answers = None, (OK,)
        assert await pool.post("/x", b"{}") == (200, b"{}")
    assert server.connections == 2


async def test_a_large_body_and_one_in_pieces_arrive_whole() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(40):
            yield bytes([at]) * 50_000
            yield b""

    server = Server(OK, OK)
    async with served(server) as pool:
        whole = bytes(range(256)) * 8_000
        assert (await pool.post("/x", whole))[0] == 200
        assert (await pool.post("/x", pieces()))[0] == 200
    assert server.requests[0][1] == whole
    assert server.requests[1][1] == b"".join(bytes([at]) * 50_000 for at in range(40))
    assert server.connections == 1


async def test_an_upload_nobody_takes_ends() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(60)

    async with served(Server(talk=deaf)) as pool:
        assert await pool.post("/x", b"{}") == (200, b"{}")
        with pytest.raises(HttpTimeout):
            await pool.post("/x", b"x" * (32 << 20), timeouts=Timeouts(0.1, 0.1, 0.1))


async def test_a_refusal_before_the_end_of_an_upload_is_read() -> None:
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        while await reader.read(1 << 20):
            await asyncio.sleep(0.001)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10_000
            await asyncio.sleep(0)

    server = Server(talk=refuses)
    async with served(server) as pool:
        assert await pool.post("/x", endless()) == (413, b"{}")
        assert await pool.post("/x", endless()) == (413, b"{}")
    assert server.connections == 2  # the rest of the first body would have been read as a request


async def test_a_download_waits_for_its_reader() -> None:
    size = 16 << 20
    written = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while written < size:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    server = Server(talk=talk)
    async with served(server, limit=size) as pool, pool.download("/x") as (status, pieces):
        assert status == 200
        first = await anext(pieces)  # type: ignore[call-overload]
        await asyncio.sleep(0.3)
        assert written < size - 4 * MOST_WAITING_BYTES
        read = len(first) + sum([len(piece) async for piece in pieces])
    assert read == size


async def test_a_full_pool_times_out_and_goes_on() -> None:
    server = Server(OK, OK)
    async with served(server, connections=1) as pool:
        async with pool.download("/x"):
            with pytest.raises(HttpTimeout):
                await pool.post("/x", b"{}", timeouts=Timeouts(connect_s=0.05))
        assert await pool.post("/x", b"{}") == (200, b"{}")


async def test_before_the_start_and_after_the_stop_nothing_goes_out() -> None:
    server = Server(OK, OK)
    async with served(server) as pool:
        await pool.stop()
        with pytest.raises(HttpError, match="not started"):
            await pool.post("/x", b"{}")
        pool.start()
        assert await pool.post("/x", b"{}") == (200, b"{}")


async def test_nobody_there() -> None:
    listening = await asyncio.start_server(Server(OK).serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    for address, said in ((f"http://127.0.0.1:{port}", "Connection refused"), ("http://nobody.invalid", "the name")):
        pool = HttpPool(address)
        pool.start()
        with pytest.raises(HttpError, match=said):
            await pool.post("/x", b"{}")


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for 127.0.0.1, and the file by which it is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


async def test_tls_only_with_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, public = certificate(tmp_path)
    server = Server(OK, OK)
    async with served(server, tls=context) as pool:
        with pytest.raises(HttpError, match="TLS: CERTIFICATE_VERIFY_FAILED"):
            await pool.post("/x", b"{}")
    assert server.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    async with served(server, tls=context) as pool:
        assert await pool.post("/x", b"{}") == (200, b"{}")
        async with pool.download("/x") as (status, pieces):
            assert (status, [piece async for piece in pieces]) == (200, [b"{}"])
