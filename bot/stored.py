"""Messages as the outbox keeps them: JSON in, JSON out; one that can't be read hides no other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from bot.talk.messages import Out
from storage.database import Row


def dump_out(out: Out) -> str:
    """The outbox row's body."""
    body: dict[str, Any] = {"text": out.text}
    for name in ("rows", "ask", "media", "links", "mentions", "card", "quiet", "commands", "hides"):
        if value := getattr(out, name):
            body[name] = value
    return orjson.dumps(body).decode()


def load_out(body: str) -> Out:
    """Read what `dump_out` wrote. Raises ValueError on anything else."""
    try:
        found = orjson.loads(body)
        out = Out(
            found.get("text", ""),
            tuple(tuple((label, data, style) for label, data, style in row) for row in found.get("rows", ())),
            found.get("ask", ""),
            tuple(found.get("media", ())),
            tuple((label, url) for label, url in found.get("links", ())),
            tuple(found.get("mentions", ())),
            found.get("card", ""),
            found.get("quiet", False),
            tuple((command, label) for command, label in found.get("commands", ())),
            found.get("hides", ""),
        )
    except (AttributeError, TypeError) as error:
        raise ValueError(f"no message: {error}") from error
    if not isinstance(out.text, str):
        raise ValueError("no message: its text is none")
    return out


def readable(rows: Iterable[Row]) -> list[tuple[Row, Out]]:
    """Stored messages with what they say, without those that can't be read: one of them may not hide the others."""
    found = []
    for row in rows:
        try:
            found.append((row, load_out(row["body"])))
        except ValueError:
            continue
    return found
