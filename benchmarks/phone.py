"""A simulated person's phone: what they see of the bot, and what they do as an update of the Bot API."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from benchmarks.script import Action, Person

PHOTO_SIZES = ((90, 67), (320, 240), (800, 600), (1280, 960))


@dataclass(slots=True)
class User:
    """One person: `buttons` and `shown` are of the last message they act on, `sent_at` is when they last wrote."""

    id: int
    person: Person = field(default_factory=Person)
    sent_at: float | None = None
    buttons: list[dict[str, Any]] = field(default_factory=list)
    shown: dict[str, Any] = field(default_factory=dict)
    last_seen: str = ""

    @property
    def chat(self) -> dict[str, Any]:
        """The private chat."""
        return {"id": self.id, "type": "private", "first_name": f"用户{self.id}"}

    @property
    def sender(self) -> dict[str, Any]:
        """The person."""
        return {"id": self.id, "is_bot": False, "first_name": f"用户{self.id}", "language_code": "zh-hans"}

    def button(self, part: str) -> dict[str, Any] | None:
        """The first button whose label has that part."""
        return next((button for button in self.buttons if part in button["text"]), None)


def write(user: User, action: Action, number: int) -> dict[str, Any]:
    """An update without its id; `number` is a new message id and makes file and callback ids unique."""
    button = user.button(action.text) if action.kind == "tap" else None
    if action.kind == "tap" and (button is None or "callback_data" in button):
        query = {"id": f"{user.id}{number}", "from": user.sender, "chat_instance": str(user.id)}
        shown = user.shown or {"message_id": 1, "date": 0, "chat": user.chat}
        data = button["callback_data"] if button else "none"
        return {"callback_query": query | {"message": shown, "data": data}}
    message = {"message_id": number, "from": user.sender, "chat": user.chat, "date": int(time.time())}
    text = button["text"] if button else action.text
    return {"message": message | _content(user, action, text, number)}


def _content(user: User, action: Action, text: str, number: int) -> dict[str, Any]:
    if action.kind == "photo":
        return {"photo": [_photo(f"{user.id}x{number}x{width}", width, height) for width, height in PHOTO_SIZES]}
    if action.kind == "location":
        place = {"latitude": 35.643 + user.id % 97 / 90_000, "longitude": 104.7323, "horizontal_accuracy": 12.0}
        return {"location": place}
    if text.startswith("/"):
        return {"text": text, "entities": [{"type": "bot_command", "offset": 0, "length": len(text)}]}
    return {"text": text}


def _photo(key: str, width: int, height: int) -> dict[str, Any]:
    ids = {"file_id": f"AgACAgUAAxkBAAI{key}".ljust(80, "A"), "file_unique_id": f"AQAD{key}"}
    return ids | {"width": width, "height": height, "file_size": width * 90}
