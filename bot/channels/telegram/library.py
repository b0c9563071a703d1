"""python-telegram-bot over our transport: for looking at an account, and as the yardstick of tests and benchmarks.

A process that serves never loads it (decision 0012).
"""

from __future__ import annotations

import os
from typing import Any

import orjson
from telegram.error import BadRequest, NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.channels.telegram.connection import HttpError, HttpTimeout, TooLarge
from bot.channels.telegram.http import JSON, HttpPool, Timeouts
from bot.channels.telegram.multipart import Content, File, form_of

# Durations as timedelta, which the library is moving to; without this it warns at each one it reads.
os.environ.setdefault("PTB_TIMEDELTA", "true")


class PoolRequest(BaseRequest):
    """A `BaseRequest` over a pool to `origin`; may serve as `request` and as `get_updates_request` of a `Bot`."""

    __slots__ = ("_origin", "_pool")

    def __init__(self, origin: str, pool: HttpPool | None = None) -> None:
        self._origin = origin
        self._pool = pool or HttpPool(origin)

    @property
    def read_timeout(self) -> float | None:
        """The read timeout in seconds used when a call names none."""
        return self._pool.timeouts.read_s

    async def initialize(self) -> None:
        """Open the pool; a second call does nothing."""
        self._pool.start()

    async def shutdown(self) -> None:
        """Close every connection; a second call does nothing."""
        await self._pool.stop()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One request: (HTTP status, body). Raises the library's own errors, without the address."""
        usual = self._pool.timeouts
        connect_s = _chosen(connect_timeout, usual.connect_s)
        pool_s = _chosen(pool_timeout, connect_s)
        waits = Timeouts(
            None if connect_s is None or pool_s is None else max(connect_s, pool_s),
            _chosen(read_timeout, usual.read_s),
            _chosen(write_timeout, usual.upload_s),
        )
        path = url.removeprefix(self._origin).replace("%3A", ":")  # the same (RFC 3986), as others write the token
        try:
            if method == "GET":
                return await self._pool.get(path, waits)
            body, kind = _body_of(request_data)
            return await self._pool.post(path, body, kind, waits)
        except HttpTimeout as error:
            raise TimedOut(str(error)) from None
        except TooLarge as error:
            raise BadRequest(str(error)) from None
        except HttpError as error:
            raise NetworkError(str(error)) from None

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer as a dict, never logged: it may hold what people wrote. Raises `TelegramError`."""
        try:
            answer = orjson.loads(payload)
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response")
        return answer


def _chosen(timeout: Any, usual: float | None) -> float | None:
    """A timeout as the caller named it, else the usual one."""
    return timeout if timeout is None or isinstance(timeout, (int, float)) else usual


def _body_of(data: RequestData | None) -> tuple[Content, str]:
    if data is None:
        return b"", JSON
    if data.contains_files:
        files = {
            name: File(file_name, kind, content if isinstance(content, bytes) else content.read())
            for name, (file_name, content, kind) in data.multipart_data.items()
        }
        return form_of(data.json_parameters, files)
    try:
        return orjson.dumps(data.parameters), JSON
    except orjson.JSONEncodeError as error:
        raise BadRequest(f"cannot be encoded: {error}") from None
