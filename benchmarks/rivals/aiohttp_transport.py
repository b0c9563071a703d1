"""python-telegram-bot over aiohttp, several times faster than its default: the rivals' transport, once ours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import orjson
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import JSONDict, ODVInput
from telegram.error import BadRequest, NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

# Durations as timedelta, which the library is moving to; without this it warns at each one it reads.
os.environ.setdefault("PTB_TIMEDELTA", "true")

_DEFAULT: Final = BaseRequest.DEFAULT_NONE
_JSON_HEADERS: Final = {"Content-Type": "application/json"}
_CHUNK_BYTES: Final = 256 * 1024


class AiohttpRequest(BaseRequest):
    """A `BaseRequest` over one keep-alive pool of aiohttp. The same object may serve as `request` and as
    `get_updates_request` of a `Bot`: `initialize` and `shutdown` may be called any number of times.

    Timeouts are seconds; `None` waits for ever. `media_write_timeout_s` bounds the whole upload of a
    request with files. `max_response_bytes` bounds an answer or a downloaded file.
    No proxy and no redirect is followed: a redirect would carry the token to another host.
    """

    __slots__ = (
        "_connect_s",
        "_default_timeout",
        "_max_response_bytes",
        "_media_write_s",
        "_pool_size",
        "_read_s",
        "_session",
    )

    def __init__(
        self,
        *,
        connection_pool_size: int = 64,
        read_timeout_s: float | None = 15.0,
        connect_timeout_s: float | None = 10.0,
        media_write_timeout_s: float | None = 60.0,
        max_response_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self._pool_size = connection_pool_size
        self._read_s = read_timeout_s
        self._connect_s = connect_timeout_s
        self._media_write_s = media_write_timeout_s
        self._max_response_bytes = max_response_bytes
        self._default_timeout = aiohttp.ClientTimeout(
            total=None, connect=connect_timeout_s, sock_connect=connect_timeout_s, sock_read=read_timeout_s
        )
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """The read timeout in seconds used when a call names none."""
        return self._read_s

    async def initialize(self) -> None:
        """Open the pool; a second call does nothing."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._pool_size, keepalive_timeout=30, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
                timeout=self._default_timeout,
            )

    async def shutdown(self) -> None:
        """Close every connection; a second call does nothing."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @staticmethod
    def parse_json_payload(payload: bytes) -> JSONDict:
        """The answer as a dict. Raises `TelegramError` when it is not a JSON object.

        The payload itself is never logged: it may hold what people wrote.
        """
        try:
            answer = orjson.loads(payload)
        except orjson.JSONDecodeError:
            raise TelegramError("Invalid server response") from None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response")
        return answer

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = _DEFAULT,
        write_timeout: ODVInput[float] = _DEFAULT,
        connect_timeout: ODVInput[float] = _DEFAULT,
        pool_timeout: ODVInput[float] = _DEFAULT,
    ) -> tuple[int, bytes]:
        """One request: (HTTP status, body).

        Raises `TimedOut`, `NetworkError` (worth another try), or `BadRequest` for a text that cannot be
        encoded and an answer above the limit (never worth another try). No message or cause carries the
        URL: the token is part of it.
        """
        session = self._session
        if session is None:
            raise RuntimeError("AiohttpRequest is not initialized")
        headers: dict[str, str] | None = None
        body: bytes | aiohttp.FormData | None = None
        if request_data is not None:
            if request_data.contains_files:
                body = _multipart(request_data)
            else:
                headers, body = _JSON_HEADERS, _json_body(request_data.parameters)
        timeout = self._timeout(body, read_timeout, write_timeout, connect_timeout, pool_timeout)
        try:
            async with session.request(
                method, URL(url), data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return response.status, await self._read(response)
        except TimeoutError as error:
            raise TimedOut(f"Timed out ({type(error).__name__})") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NetworkError(f"{type(error).__name__} ({_reason(error)})") from None

    def _timeout(
        self,
        body: bytes | aiohttp.FormData | None,
        read: ODVInput[float],
        write: ODVInput[float],
        connect: ODVInput[float],
        pool: ODVInput[float],
    ) -> aiohttp.ClientTimeout:
        """aiohttp has no write timeout of its own: an upload gets a total of connect, write and read."""
        files = isinstance(body, aiohttp.FormData)
        if read is _DEFAULT and connect is _DEFAULT and pool is _DEFAULT and not files:
            return self._default_timeout
        read_s = self._read_s if isinstance(read, DefaultValue) else read
        connect_s = self._connect_s if isinstance(connect, DefaultValue) else connect
        pool_s = connect_s if isinstance(pool, DefaultValue) else pool
        write_s = self._media_write_s if isinstance(write, DefaultValue) else write
        wait_s = None if connect_s is None or pool_s is None else max(connect_s, pool_s)
        total_s: float | None = None
        if files and wait_s is not None and write_s is not None and read_s is not None:
            total_s = wait_s + write_s + read_s
        return aiohttp.ClientTimeout(total=total_s, connect=wait_s, sock_connect=connect_s, sock_read=read_s)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self._max_response_bytes
        declared = response.content_length
        if declared is not None and declared <= limit and "Content-Encoding" not in response.headers:
            return await response.read()
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > limit:
                response.close()
                raise BadRequest(f"answer is above {limit} bytes")
        return bytes(body)


def _json_body(parameters: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(parameters)
    except orjson.JSONEncodeError as error:
        raise BadRequest(f"request cannot be encoded: {error}") from None


def _multipart(request_data: RequestData) -> aiohttp.FormData:
    # quote_fields=False sends file names as UTF-8; percent-encoded ones would be shown to people as they are.
    form = aiohttp.FormData(quote_fields=False)
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, content_type) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=content_type)
    return form


def _reason(error: Exception) -> str:
    """What may be said of an error: its number's meaning. Texts of aiohttp are not repeated: some hold the URL."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number else "no usable answer"
