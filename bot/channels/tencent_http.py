"""HTTP to WeChat and WeCom on aiohttp: JSON calls, uploads, streamed downloads.

Secrets stand in the addresses (token, app secret, robot key), so no error tells an address, and no redirect of a
call is followed.
"""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from yarl import URL

from bot.channels.tencent_errors import check_answer
from bot.errors import GiveUp, NoAnswer, RetryLater

CONNECT_S, READ_S, UPLOAD_S = 5.0, 10.0, 60.0
MAX_ANSWER_BYTES = 1 << 20
MAX_FILE_BYTES = 64 << 20
CHUNK_BYTES = 256 * 1024
AGAIN_MS = 1_000
_JSON_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a call."""

    name: str
    mime: str
    content: bytes


class Http:
    """A keep-alive pool. Timeouts are seconds."""

    def __init__(self, *, read_s: float = READ_S, connections: int = 32) -> None:
        self._read_s = read_s
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool; a second call does nothing."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=self._read_s),
            )

    async def stop(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self, url: str, query: Mapping[str, str], body: Mapping[str, Any] | None = None, upload: Upload | None = None
    ) -> dict[str, Any]:
        """GET, or POST with a JSON body or a file as `media`; the answer as a JSON object.

        Raises Refusal for an `errcode`, RetryLater when there is no usable answer, GiveUp for a body that is no JSON.
        """
        data: io.BytesIO | aiohttp.FormData | None = None
        total_s: float | None = CONNECT_S + 2 * self._read_s
        if upload is not None:
            data = aiohttp.FormData()
            data.add_field("media", io.BytesIO(upload.content), filename=upload.name, content_type=upload.mime)
            total_s = UPLOAD_S
        elif body is not None:
            data = io.BytesIO(_json_body(body))  # a picture of WeCom's stands in it
        headers = _JSON_HEADERS if isinstance(data, io.BytesIO) else None
        limits = aiohttp.ClientTimeout(total=total_s, connect=CONNECT_S, sock_read=self._read_s)
        async with self._answer("GET" if data is None else "POST", url, query, data, headers, limits) as response:
            return check_answer(_answer_of(await _read(response)))

    async def download(
        self, url: str, query: Mapping[str, str], *, outside: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """A file's bytes in pieces. When the answer is JSON instead, it is looked into: `video_url` leads on, an
        `errcode` raises Refusal. `outside`: an address without secrets, whose redirects may be followed.

        Raises RetryLater and GiveUp.
        """
        async with self._answer("GET", url, query, redirects=outside) as response:
            if _is_json(response):
                found = check_answer(_answer_of(await _read(response)))
                following = found.get("video_url", "")
            else:
                following = ""
                size_bytes = 0
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    size_bytes += len(chunk)
                    if size_bytes > MAX_FILE_BYTES:
                        raise GiveUp("file_too_large")
                    yield chunk
                return
        if not isinstance(following, str) or not following.startswith(("http://", "https://")) or outside:
            raise GiveUp("no_file")
        async with aclosing(self.download(following, {}, outside=True)) as chunks:
            async for chunk in chunks:
                yield chunk

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        url: str,
        query: Mapping[str, str],
        data: io.BytesIO | aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
        limits: aiohttp.ClientTimeout | None = None,
        *,
        redirects: bool = False,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A response with status 200; every failure of the network as RetryLater without the address."""
        session = self._session
        if session is None:
            raise RuntimeError("Http is not started")
        try:
            async with session.request(
                method,
                URL(url).update_query(query),
                data=data,
                headers=headers,
                timeout=limits or aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=self._read_s),
                allow_redirects=redirects,
                max_redirects=3,
            ) as response:
                if response.status != 200:
                    raise NoAnswer(AGAIN_MS, f"http {response.status}")
                yield response
        except (aiohttp.ClientError, OSError, ValueError) as error:  # a timeout is an OSError
            raise NoAnswer(AGAIN_MS, type(error).__name__) from None


def _json_body(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        raise GiveUp("not_text") from None


def _is_json(response: aiohttp.ClientResponse) -> bool:
    """WeChat names its JSON text/plain, too; no file has that type."""
    return response.content_type in ("application/json", "text/plain", "text/json")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise RetryLater(AGAIN_MS, "answer too large")
    return bytes(body)


def _answer_of(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NoAnswer(AGAIN_MS, "no JSON") from None
    if not isinstance(answer, dict):
        raise NoAnswer(AGAIN_MS, "no JSON object")
    return answer
