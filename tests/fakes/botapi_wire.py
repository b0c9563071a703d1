"""The Bot API on the wire: reading a call in any encoding clients use, and writing the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import BodyPartReader, web

JSON_TYPE = "application/json"


class BotApiError(Exception):
    """An answer `ok: false`: HTTP status, description, and `parameters` as Telegram has them."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters


@dataclass(slots=True)
class Upload:
    """One file of a multipart call."""

    filename: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class Params:
    """The parameters of one call; a value is a string (form, query) or any JSON value."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The value as text; "" when absent."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        """The value as an integer, or 400."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise BotApiError(400, f"Bad Request: invalid {name} specified") from None

    def number(self, name: str) -> float | None:
        """The value as a number; None when absent; or 400."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            return float(value)
        except (TypeError, ValueError):
            raise BotApiError(400, f"Bad Request: wrong {name} specified") from None

    def flag(self, name: str) -> bool:
        """The value as yes or no."""
        return str(self.values.get(name, "")).lower() in {"true", "1", "yes"}

    def json(self, name: str) -> Any:
        """The value as JSON, whether it came as JSON or as a string of JSON; None when absent; or 400."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise BotApiError(400, f"Bad Request: can't parse {name} JSON object") from None


async def read_params(request: web.BaseRequest) -> Params:
    """The parameters of a call from its query and its body: JSON, urlencoded or multipart."""
    values: dict[str, Any] = dict(request.query) if request.query_string else {}
    content_type = request.headers.get("Content-Type", "")
    if content_type.startswith(JSON_TYPE):
        body = await request.read()
        if body:
            values.update(_json_object(body))
    elif content_type.startswith("multipart/form-data"):
        return await _read_multipart(request, values)
    elif content_type.startswith("application/x-www-form-urlencoded"):
        values.update(parse_qsl((await request.read()).decode(), keep_blank_values=True))
    return Params(values)


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BotApiError(400, "Bad Request: can't parse JSON object") from None
    if not isinstance(value, dict):
        raise BotApiError(400, "Bad Request: object expected")
    return value


async def _read_multipart(request: web.BaseRequest, values: dict[str, Any]) -> Params:
    params = Params(values)
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        name, content = part.name or "", bytes(await part.read())
        if part.filename is None:
            params.values[name] = content.decode()
        else:
            params.files[name] = Upload(part.filename, part.headers.get("Content-Type", ""), content)
    return params


def answer(result: Any) -> web.Response:
    """`{"ok": true, "result": …}`."""
    return web.Response(body=orjson.dumps({"ok": True, "result": result}), content_type=JSON_TYPE)


def refusal(error: BotApiError) -> web.Response:
    """`{"ok": false, …}` with the error's HTTP status."""
    body: dict[str, Any] = {"ok": False, "error_code": error.status, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return web.Response(status=error.status, body=orjson.dumps(body), content_type=JSON_TYPE)
