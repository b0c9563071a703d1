"""What the real Bot API refuses, in its own words. Lengths are UTF-16 units, as Telegram counts them."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.botapi_wire import BotApiError, Params

TEXT_MAX = 4096
CAPTION_MAX = 1024
CALLBACK_DATA_MAX_BYTES = 64
TOAST_MAX = 200
PHOTO_MAX_BYTES = 10 * 1024 * 1024
UPLOAD_MAX_BYTES = 50 * 1024 * 1024
DOWNLOAD_MAX_BYTES = 20 * 1024 * 1024
BUTTONS_MAX = 100
TAGS = {
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "span",
    "tg-spoiler",
    "a",
    "code",
    "pre",
    "blockquote",
    "tg-emoji",
}
ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}
BUTTON_KINDS = (
    "callback_data", "url", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
    "copy_text", "pay", "callback_game",
)  # fmt: skip


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def bad(description: str) -> BotApiError:
    """400 with Telegram's prefix."""
    return BotApiError(400, f"Bad Request: {description}")


class _Markup(HTMLParser):
    """Telegram's HTML: known tags only, each closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.plain: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise bad(f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset {self.getpos()[1]}')
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if tag == "a" and name == "href"]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise bad("can't parse entities: Unmatched end tag")

    def handle_data(self, data: str) -> None:
        self.plain.append(data)


def read_text(params: Params, name: str, most: int) -> tuple[str, list[str]]:
    """Plain text and the links in it, after entities; or 400."""
    raw, mode = params.text(name), params.text("parse_mode")
    links: list[str] = []
    if mode.lower() == "html":
        if re.search(r"<(?![a-z/])", raw):
            raise bad('can\'t parse entities: Unsupported start tag "" at byte offset 0')
        parser = _Markup()
        parser.feed(raw)
        parser.close()
        if parser.open:
            raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{parser.open[-1]}\"")
        raw, links = "".join(parser.plain), parser.links
    elif mode:
        raise bad("unsupported parse_mode")
    if "\x00" in raw or any("\ud800" <= char <= "\udfff" for char in raw):
        raise bad("strings must be encoded in UTF-8")
    text = raw.strip()
    if units(text) > most:
        raise bad("message is too long" if name == "text" else "message caption is too long")
    return text, [html.unescape(link) for link in links]


def read_markup(params: Params) -> dict[str, Any] | None:
    """A checked `reply_markup`, or None; or 400."""
    markup = params.json("reply_markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = _rows(markup["inline_keyboard"])
        for button in (one for row in rows for one in row):
            _check_inline(button)
        return {"inline_keyboard": rows}
    if "keyboard" in markup:
        rows = _rows(markup["keyboard"])
        keys = [[key if isinstance(key, dict) else {"text": key} for key in row] for row in rows]
        if any(not str(key.get("text", "")) for row in keys for key in row):
            raise bad("keyboard button text must be non-empty")
        return markup | {"keyboard": keys}
    return markup


def _rows(value: Any) -> list[list[Any]]:
    if not isinstance(value, list) or any(not isinstance(row, list) for row in value):
        raise bad("field of the keyboard must be an Array of Arrays")
    if sum(len(row) for row in value) > BUTTONS_MAX:
        raise bad("reply markup is too long")
    return value


def _check_inline(button: Any) -> None:
    if not isinstance(button, dict):
        raise bad("inline keyboard button must be an Object")
    if not str(button.get("text", "")).strip():
        raise bad("inline keyboard button text must be non-empty")
    if not any(kind in button for kind in BUTTON_KINDS):
        raise bad("Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(str(button["callback_data"]).encode()) <= CALLBACK_DATA_MAX_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in button:
        parts = urlsplit(str(button["url"]))
        if parts.scheme not in {"http", "https", "tg"} or (parts.scheme != "tg" and "." not in (parts.hostname or "")):
            raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")


def check_commands(commands: Any) -> list[dict[str, str]]:
    """Checked bot commands, or 400."""
    if not isinstance(commands, list) or len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", "")).lstrip("/")):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= units(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


def check_place(params: Params) -> dict[str, float]:
    """A checked location, or 400."""
    place = {}
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        value = params.number(name)
        if value is None or not -most <= value <= most:
            raise bad(f"wrong {name} specified")
        place[name] = value
    return place


def check_photo(content: bytes) -> None:
    """400 when the bytes are no picture that Telegram takes."""
    if len(content) > PHOTO_MAX_BYTES:
        raise bad(
            f"file of size {len(content)} bytes is too big for a photo; the maximum size is {PHOTO_MAX_BYTES} bytes"
        )
    if not content.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8")) and content[8:12] != b"WEBP":
        raise bad("IMAGE_PROCESS_FAILED")
