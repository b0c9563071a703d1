"""The fake Telegram without its wires: chats, messages, files, and the queue of updates for the bot."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

BOT_ID = 123456789
QUERY_LIFE_S = 60.0


@dataclass(slots=True)
class File:
    """A stored file: what `getFile` names and `/file/` serves."""

    file_id: str
    unique_id: str
    path: str
    content: bytes
    mime: str


@dataclass(frozen=True, slots=True)
class Sound:
    """Something that reached a chat: a message as the Bot API writes it, and what the chat's people need to know."""

    message: dict[str, Any]
    kind: Literal["new", "edited", "markup"]
    files: tuple[bytes, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(slots=True)
class Chat:
    """A private chat or a group; `refuses` is the description of a 403."""

    id: int
    kind: Literal["private", "group", "supergroup"]
    fields: dict[str, Any]
    known: bool = False
    refuses: str = ""
    messages: dict[int, Sound] = field(default_factory=dict)
    sounds: asyncio.Queue[Sound] = field(default_factory=asyncio.Queue)
    keyboard: dict[str, Any] | None = None
    toasts: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    def json(self) -> dict[str, Any]:
        """As the Bot API writes a chat."""
        return {"id": self.id, "type": self.kind} | self.fields


class World:
    """Everything the fake remembers. Update ids grow by one; message ids are unique over all chats."""

    def __init__(self, name: str, username: str) -> None:
        self.bot = {"id": BOT_ID, "is_bot": True, "first_name": name, "username": username}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self.paths: dict[str, File] = {}
        self.queries: dict[str, tuple[Chat, float]] = {}
        self.menus: dict[tuple[str, int, str], list[dict[str, str]]] = {}  # by scope, chat and language
        self.queue: deque[dict[str, Any]] = deque()
        self.allowed: set[str] | None = None
        self.changed = asyncio.Condition()
        self._update_id = 700_000_000
        self._message_id = 0
        self._file_number = 0

    def next_message_id(self) -> int:
        """A new message id."""
        self._message_id += 1
        return self._message_id

    def chat(self, chat_id: int) -> Chat | None:
        """The chat, if the bot ever met it."""
        chat = self.chats.get(chat_id)
        return chat if chat is not None and chat.known else None

    async def tell_bot(self, kind: str, body: dict[str, Any]) -> int | None:
        """Queue an update; its id, or None when the bot doesn't want this kind."""
        if self.allowed is not None and kind not in self.allowed:
            return None
        self._update_id += 1
        async with self.changed:
            self.queue.append({"update_id": self._update_id, kind: body})
            self.changed.notify_all()
        return self._update_id

    async def confirm(self, offset: int) -> None:
        """Forget the updates below `offset`; a negative one keeps only that many of the newest."""
        async with self.changed:
            if offset < 0:
                while len(self.queue) > -offset:
                    self.queue.popleft()
            while offset > 0 and self.queue and self.queue[0]["update_id"] < offset:
                self.queue.popleft()
            self.changed.notify_all()

    def say(
        self, chat: Chat, content: dict[str, Any], files: tuple[bytes, ...] = (), links: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Put a message of the bot into a chat; the message as the API answers it."""
        markup = content.pop("reply_markup", None)
        message: dict[str, Any] = {
            "message_id": self.next_message_id(),
            "from": self.bot,
            "chat": chat.json(),
            "date": int(time.time()),
        }
        message |= content
        if markup and "inline_keyboard" in markup:
            message["reply_markup"] = markup
        elif markup and "keyboard" in markup:
            chat.keyboard = markup
        elif markup and markup.get("remove_keyboard"):
            chat.keyboard = None
        sound = Sound(message | ({"reply_markup": markup} if markup else {}), "new", files, links)
        chat.messages[message["message_id"]] = sound
        chat.sounds.put_nowait(sound)
        return message

    def change(
        self, chat: Chat, message_id: int, content: dict[str, Any], kind: Literal["edited", "markup"]
    ) -> dict[str, Any]:
        """Replace text or buttons of a message of the bot."""
        old = chat.messages[message_id]
        message = {k: v for k, v in old.message.items() if k not in {"reply_markup", *content}}
        message |= {"edit_date": int(time.time())} | {k: v for k, v in content.items() if v}
        sound = Sound(message, kind, old.files, old.links)
        chat.messages[message_id] = sound
        chat.sounds.put_nowait(sound)
        return message

    def keep_file(self, content: bytes, folder: str, extension: str, mime: str) -> File:
        """Store a file under a new id."""
        self._file_number += 1
        file_id = f"AgACAgUAAxkBAAI{self._file_number:08d}".ljust(83, "Q")
        path = f"{folder}/file_{self._file_number}{extension}"
        file = File(file_id, f"AQAD{self._file_number:08d}", path, content, mime)
        self.files[file_id] = self.paths[path] = file
        return file

    def facts(self, file: File) -> dict[str, Any]:
        """What the Bot API says of a file that is no photo."""
        size = len(file.content)
        return {"file_id": file.file_id, "file_unique_id": file.unique_id, "file_size": size, "mime_type": file.mime}

    def photo_sizes(self, content: bytes) -> list[dict[str, Any]]:
        """The sizes under which a photo is offered, the largest last. Each holds the same bytes here."""
        width, height = _measure(content)
        sizes = []
        for most in (90, 320, 1280):
            scale = min(1.0, most / max(width, height))
            file = self.keep_file(content, "photos", ".jpg", "image/jpeg")
            sizes.append({
                "file_id": file.file_id, "file_unique_id": file.unique_id, "file_size": len(content),
                "width": max(1, round(width * scale)), "height": max(1, round(height * scale)),
            })  # fmt: skip
        return sizes

    def new_query(self, chat: Chat, query_id: str) -> None:
        """Remember a tap, so that only it can be answered, once and in time."""
        self.queries[query_id] = (chat, time.monotonic() + QUERY_LIFE_S)


def _measure(content: bytes) -> tuple[int, int]:
    import io

    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return 1280, 960
