"""The Bot API as this program calls it: plain JSON in, plain JSON out, one photo or video at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from bot.channels.telegram.connection import HttpError, TooLarge
from bot.channels.telegram.http import HttpPool, Timeouts
from bot.channels.telegram.multipart import File, form_of
from bot.errors import NoAnswer, RetryLater

AGAIN_MS, REFUSED_MS = 1_000, 60_000
OK, BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT = 200, 400, 401, 403, 404, 409
TOKEN_REFUSED = (UNAUTHORIZED, NOT_FOUND)
SERVER_ERROR = 500


class BotApiError(Exception):
    """Telegram said no, or (`code` 0) nothing that could be understood. `retry_after_s` is 0 unless it was given."""

    def __init__(self, code: int, description: str, *, retry_after_s: float = 0) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after_s = retry_after_s


def later_of(error: BotApiError) -> RetryLater:
    """When to try again what was refused for now, and whether that holds for everything."""
    if error.retry_after_s:
        return RetryLater(int(error.retry_after_s * 1000), "retry_after")
    if error.code in TOKEN_REFUSED:
        return RetryLater(REFUSED_MS, "the token was refused", everyone=True, fault="bot_token_refused")
    if error.code == 0 or error.code >= SERVER_ERROR:
        return NoAnswer(AGAIN_MS, error.description)
    return RetryLater(AGAIN_MS, error.description)


def fault_of(error: Exception) -> str:
    """Which fault kept updates from being fetched."""
    if not isinstance(error, BotApiError):
        return "defect"
    return "another_poller" if error.code == CONFLICT else later_of(error).fault or "no_answer"


class BotApi:
    """One bot's account at a Bot API server. No error tells the token."""

    def __init__(self, base_url: str, token: str, pool: HttpPool | None = None) -> None:
        self._pool = pool or HttpPool(base_url)
        self._path = f"/bot{token}/"
        self._file_path = f"/file/bot{token}/"

    def start(self) -> None:
        """Take calls."""
        self._pool.start()

    async def stop(self) -> None:
        """Close the connections."""
        await self._pool.stop()

    async def call(self, method: str, parameters: Mapping[str, Any], *, read_s: float | None = None) -> Any:
        """Call a method; its `result`. `read_s` is for one that takes longer than others to answer.

        Raises BotApiError.
        """
        usual = self._pool.timeouts
        timeouts = usual if read_s is None else Timeouts(usual.connect_s, read_s, usual.upload_s)
        try:
            status, answer = await self._pool.post(self._path + method, _json_body(parameters), timeouts=timeouts)
        except HttpError as error:
            raise _not_answered(error) from None
        return _result_of(status, answer)

    async def upload(self, method: str, parameters: Mapping[str, str], field: str, file: File) -> Any:
        """Call a method that takes a file; its `result`. Raises BotApiError."""
        body, kind = form_of(parameters, {field: file})
        try:
            status, answer = await self._pool.post(self._path + method, body, kind)
        except HttpError as error:
            raise _not_answered(error) from None
        return _result_of(status, answer)

    async def download(self, file_path: str) -> AsyncIterator[bytes]:
        """A file's bytes in pieces, by what `getFile` says of it. Raises BotApiError."""
        try:
            async with self._pool.download(self._file_path + file_path) as (status, pieces):
                if status != OK:
                    gone = status in (BAD_REQUEST, NOT_FOUND)
                    raise BotApiError(BAD_REQUEST if gone else status, f"file not given ({status})")
                async for piece in pieces:
                    yield piece
        except HttpError as error:
            raise _not_answered(error) from None


def _json_body(parameters: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(parameters)
    except orjson.JSONEncodeError as error:
        raise BotApiError(BAD_REQUEST, f"cannot be encoded: {error}") from None


def read_json(body: bytes) -> Any:
    """Telegram's JSON; half a character in somebody's words spoils those words and no more. Raises ValueError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            lenient = json.dumps(json.loads(body), ensure_ascii=False)
        except RecursionError:
            raise ValueError("too deep") from None
        return orjson.loads(lenient.encode("utf-8", "replace"))


def _not_answered(error: HttpError) -> BotApiError:
    """What is above the limit now will be the next time."""
    return BotApiError(BAD_REQUEST if isinstance(error, TooLarge) else 0, str(error))


def _result_of(status: int, body: bytes) -> Any:
    """The `result` of an answer. Raises BotApiError: one that is not Telegram's own JSON decides nothing (a proxy on
    the way may say 403, too).
    """
    try:
        answer = read_json(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise BotApiError(0, f"no usable answer ({status})")
    if status == OK and answer.get("ok") is True:
        return answer.get("result")
    parameters = answer.get("parameters")
    after_s = parameters.get("retry_after") if isinstance(parameters, dict) else None
    raise BotApiError(
        status if status != OK else 0,
        str(answer.get("description") or f"refused ({status})"),
        retry_after_s=after_s if isinstance(after_s, (int, float)) and after_s > 0 else 0,
    )
