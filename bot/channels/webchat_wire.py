"""Messages as the page reads them, and what the page may send. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import orjson

from bot.i18n import Catalogue
from bot.talk.clean import clean
from bot.talk.messages import FARTHEST_M, HIDDEN, In, Media, Out, text
from bot.talk.typed import typed
from storage.machine.media import is_id, kind_of

MAX_TEXT_CHARS = 20_000
MAX_DATA_BYTES = 64
MAX_TOKEN_CHARS = 200
MAX_MEDIA = 20
MAX_UNDER_CHARS = 20
MAX_LANGUAGE_CHARS = 35
CUT = "…"
DEVICE = "#"  # begins the data of a button that the person's device answers itself
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
KINDS = ("text", "tap", "place", "media", "start")


def read_body(body: bytes) -> dict[str, Any]:
    """A posted message with the known fields only, each of its type; raises ValueError on anything else.

    A text that is too long is cut with a mark, so that the product can say kindly that it is too long.
    """
    found = orjson.loads(body)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    client_id, kind = found.get("id"), found.get("kind")
    if not isinstance(client_id, str) or not CLIENT_ID.fullmatch(client_id):
        raise ValueError("id")
    if kind not in KINDS:
        raise ValueError("kind")
    read: dict[str, Any] = {"id": client_id, "kind": kind}
    if language := _string(found, "language"):
        read["language"] = language[:MAX_LANGUAGE_CHARS]
    if words := _string(found, "text"):
        read["text"] = words if len(words) <= MAX_TEXT_CHARS else words[:MAX_TEXT_CHARS] + CUT
    if found.get("secret") is True:
        read["secret"] = True
    if kind == "tap":
        if under := _string(found, "under"):
            read["under"] = under[:MAX_UNDER_CHARS]
        read["data"] = _string(found, "data")
        if not 0 < len(read["data"].encode()) <= MAX_DATA_BYTES:
            raise ValueError("data")
    if kind == "start" and (token := _string(found, "payload")):
        read["payload"] = token[:MAX_TOKEN_CHARS]
    if kind == "place":
        read.update(lat=_number(found, "lat"), lng=_number(found, "lng"))
        if found.get("accuracy_m") is not None:
            read["accuracy_m"] = _number(found, "accuracy_m")
    if kind == "media":
        read["media"] = _media(found)
    return read


def _string(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(name)
    return value


def _number(found: Mapping[str, Any], name: str) -> float:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(name)
    if abs(value) > 1e9:
        raise ValueError(name)
    return float(value)


def _media(found: Mapping[str, Any]) -> list[str]:
    value = found.get("media")
    if not isinstance(value, list) or not 0 < len(value) <= MAX_MEDIA or not all(map(is_id, value)):
        raise ValueError("media")
    return list(dict.fromkeys(value))


def event_of(read: Mapping[str, Any]) -> In:
    """What the person did, of what `read_body` gave."""
    words = clean(read.get("text", ""))
    match read["kind"]:
        case "tap":
            return In("tap", text=words, data=clean(read["data"]), under=read.get("under", ""))
        case "start":
            return In("start", data=clean(read.get("payload", "")))
        case "place":
            accuracy_m = min(max(0, ceil(read.get("accuracy_m", 0))), FARTHEST_M)
            return In("place", text=words, lat=read["lat"], lng=read["lng"], accuracy_m=accuracy_m)
        case "media":
            media = tuple(Media(kind_of(one), one) for one in read["media"])
            return In("media", text=words, media=media)
        case _:
            return typed(words)


def media_json(media_ids: Sequence[str]) -> list[dict[str, str]]:
    """Photos with their addresses; a video has no small picture."""
    found = []
    for media_id in media_ids:
        kind = kind_of(media_id)
        thumb = f"/media/{media_id}?size=thumb" if kind == "image" else ""
        found.append({"id": media_id, "kind": kind, "url": f"/media/{media_id}?size=view", "thumb": thumb, "alt": ""})
    return found


def choices_json(out: Out) -> list[list[dict[str, str]]]:
    """The buttons; what a device answers itself («send my position») the page offers in its own way."""
    rows = [[button for button in row if not button[1].startswith(DEVICE)] for row in out.rows]
    return [[{"label": label, "data": data, "style": style} for label, data, style in row] for row in rows if row]


def bot_message(message_id: int, at_ms: int, out: Out, changes: str = "") -> dict[str, Any]:
    """A message from the bot; `changes`: the number of the earlier one whose place it takes."""
    message: dict[str, Any] = {
        "id": str(message_id),
        "from": "bot",
        "at_ms": at_ms,
        "text": out.text,
        "choices": choices_json(out),
        "ask": out.ask or None,
        "media": media_json(out.media),
        "links": [{"label": label, "url": url} for label, url in out.links],
    }
    if out.card:
        message["card"] = True
    if changes:
        message["changes"] = changes
    return message


def own_message(message_id: int, at_ms: int, read: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """What the person sent themselves; what answered a secret question is never shown."""
    words = HIDDEN if read.get("secret") else clean(read.get("text", ""))
    if not words and read["kind"] == "place":
        words = catalogue.render(text("web.my_place"))
    if not words and read["kind"] == "start":
        words = catalogue.render(text("web.start"))
    return {
        "id": str(message_id),
        "from": "me",
        "at_ms": at_ms,
        "text": words,
        "choices": [],
        "ask": None,
        "media": media_json(read.get("media", ())),
        "links": [],
        "client_id": read["id"],
    }
