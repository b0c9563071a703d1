"""Telegram's payloads to `Arrival`, and `Out` to Telegram's parameters. Pure."""

from __future__ import annotations

from typing import Any, Literal

from bot.channels.base import Arrival
from bot.talk.clean import clean
from bot.talk.menu import Commands, NativeMenu
from bot.talk.messages import HIDDEN, VOICE, In, Media, Out, accuracy_of
from bot.talk.typed import face, is_command, typed

MAX_CHARS = 4_000
MAX_ID = 1 << 53  # Telegram promises 52 bits
PRIVATE = "private"
PARTS = ("message", "callback_query", "edited_message", "my_chat_member")
VIDEOS = ("video", "animation", "video_note")
FACES = ("sticker", "dice")
SENT_UNREAD = ("audio", "contact", "poll", "story", "game", "paid_media", "checklist")  # sent by people, not read here
NAMED = {
    "image": (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif"),
    "video": (".mp4", ".m4v", ".mov", ".3gp", ".webm"),
}
OF_NO_KIND = ("", "application/octet-stream", "binary/octet-stream")  # what a phone says of a file it knows nothing of
NOTHING = In("nothing")


class Malformed(ValueError):
    """An update that is not shaped as the Bot API says."""


def update_id_of(update: Any) -> int:
    """A raw update's own number; 0 when it has none."""
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if type(number) is int and 0 < number < MAX_ID else 0


def sender_of(update: Any) -> int:
    """The user id behind a raw update; 0 when there is none (a channel's post)."""
    _, part = _part_of(update)
    user = part.get("from")
    number = user.get("id") if isinstance(user, dict) else None
    return number if type(number) is int and 0 < number < MAX_ID else 0


def query_of(update: Any) -> str:
    """The id by which a press of a button is answered; "" if it is none."""
    query = update.get("callback_query") if isinstance(update, dict) else None
    number = query.get("id") if isinstance(query, dict) else None
    return number if isinstance(number, str) else ""


def needed(update: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an update: without what stands in the message that was answered, or under which was pressed. That
    is in the outbox already, or it is somebody else's.
    """
    name, part = _part_of(update)
    under = {"callback_query": "message", "message": "reply_to_message"}.get(name, "")
    message = part.get(under)
    if not isinstance(message, dict):
        return update
    kept = {field: message[field] for field in ("message_id", "chat") if field in message}
    return {**update, name: {**part, under: kept}}


def arrival_of(update: Any, username: str) -> Arrival:
    """What a raw update means to the bot of that name. Nothing, if it is not shaped as the Bot API says."""
    try:
        return _arrival(update, username)
    except Malformed:
        return Arrival(NOTHING)


def _arrival(update: Any, username: str) -> Arrival:
    name, part = _part_of(update)
    user = _object(part, "from")
    group = ref = ""
    if name == "callback_query":
        message = part.get("message")  # not there under an old button
        group = _group_of(_object(part, "message")) if message is not None else ""
        data = _text(part, "data")
        tap = In("tap", data=data, group=bool(group), under=name_of(message))
        event = tap if data and _text(part, "id") else NOTHING
    elif name == "my_chat_member":
        event = _membership(part)
    else:
        group, ref = _group_of(part), name_of(part)
        if name == "edited_message":
            event = NOTHING if group else _edited(part)
        else:
            event = _in_group(part, username) if group else _event(part)
    names = filter(None, (_text(user, "first_name"), _text(user, "last_name")))
    return Arrival(event, clean(" ".join(names))[:60], _text(user, "language_code"), group, ref=ref)


def name_of(message: Any) -> str:
    """What Telegram calls a message in its chat; "" when that isn't known."""
    number = message.get("message_id") if isinstance(message, dict) else None
    return str(number) if type(number) is int else ""


def masked_update(update: dict[str, Any]) -> dict[str, Any]:
    """A raw update with nothing of its message but who sent it where and what it is called."""
    name, part = _part_of(update)
    kept = {key: part[key] for key in ("message_id", "from", "chat", "date") if key in part}
    return {"update_id": update_id_of(update), name: {**kept, "text": HIDDEN}}


def _part_of(update: Any) -> tuple[str, dict[str, Any]]:
    """What kind of update it is, and the object that says what happened; an empty one when there is none."""
    if isinstance(update, dict):
        for name in PARTS:
            part = update.get(name)
            if isinstance(part, dict):
                return name, part
    return "", {}


def _object(found: dict[str, Any], name: str) -> dict[str, Any]:
    value = found.get(name)
    if isinstance(value, dict):
        return value
    raise Malformed(name)


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise Malformed(name)


def _group_of(message: dict[str, Any]) -> str:
    """The address of the group a message stands in; "" in a private chat."""
    chat = _object(message, "chat")
    kind, number = _text(chat, "type"), chat.get("id")
    if kind and type(number) is int and -MAX_ID < number < MAX_ID:
        return "" if kind == PRIVATE else f"telegram:{number}"
    raise Malformed("chat")


def _membership(change: dict[str, Any]) -> In:
    status = _text(_object(change, "new_chat_member"), "status")
    gone = _text(_object(change, "chat"), "type") == PRIVATE and status in ("kicked", "left")
    return In("left") if gone else NOTHING


def _in_group(message: dict[str, Any], username: str) -> In:
    """In a group only commands and mentions are for the bot."""
    said = clean(_text(message, "text"))
    mention = f"@{username}".lower()
    if is_command(said):
        command, _, rest = said.partition(" ")
        name, _, target = command.partition("@")
        if target and username and target.lower() != username.lower():  # before we know our name, it is ours
            return NOTHING
        return In("text", f"{name} {rest}".strip(), command=True, group=True)
    if username and mention in said.lower():
        at = said.lower().index(mention)
        return In("text", (said[:at] + said[at + len(mention) :]).strip(), group=True)
    return NOTHING


def _edited(message: dict[str, Any]) -> In:
    """The words as they are now. A message without any (a place that goes on being shared) was edited by nobody."""
    words = clean(_text(message, "text") or _text(message, "caption"))
    return In("edited", words) if words else NOTHING


def _event(message: dict[str, Any]) -> In:
    """What somebody sent. What is not listed here was sent by nobody: Telegram tells of a chat's life in messages, too
    (somebody joined, a timer was set, a wallpaper), and of more of it each year.
    """
    if message.get("text") is not None:
        said = clean(_text(message, "text"))
        command, _, rest = said.partition(" ")
        if command.lower() == "/start":
            return In("start", data=rest.strip())
        return typed(said)
    if message.get("location") is not None:
        return _place(_object(message, "location"))
    if message.get("voice") is not None:
        return In("other", data=VOICE)
    if any(message.get(name) is not None for name in FACES):
        return face()
    if any(message.get(name) is not None for name in SENT_UNREAD):
        return In("other")
    return _file(message)


def _file(message: dict[str, Any]) -> In:
    caption = clean(_text(message, "caption"))
    album = _text(message, "media_group_id")
    if sizes := message.get("photo"):
        if not isinstance(sizes, list) or not isinstance(sizes[-1], dict):
            raise Malformed("photo")
        return In("media", caption, media=(_media("image", sizes[-1]),), album=album)  # the largest
    for name in VIDEOS:
        if message.get(name) is not None:
            return In("media", caption, media=(_media("video", _object(message, name)),), album=album)
    if message.get("document") is not None:
        return _document(_object(message, "document"), caption, album)
    return NOTHING


def _media(kind: Literal["image", "video"], file: dict[str, Any]) -> Media:
    ref, size_bytes = _text(file, "file_id"), file.get("file_size") or 0
    if ref and type(size_bytes) is int:
        return Media(kind, ref, size_bytes)
    raise Malformed("file")


def _document(document: dict[str, Any], caption: str, album: str) -> In:
    """A picture or video sent as a file is as good as any. What it is, its content tells once it is fetched; here only
    what can't be one is left out.
    """
    mime, name = _text(document, "mime_type").lower(), _text(document, "file_name").lower()
    kind = _kind_of(mime, name)
    if kind is None:
        return In("file", caption)
    return In("media", caption, media=(_media(kind, document),), album=album)


def _kind_of(mime: str, name: str) -> Literal["image", "video"] | None:
    """The kind that a file's name or type lets one expect; None for one that says clearly to be something else."""
    for kind, endings in NAMED.items():
        if name.endswith(endings) or mime.startswith(f"{kind}/"):
            return "video" if kind == "video" else "image"
    return "image" if mime in OF_NO_KIND and "." not in name.rpartition("/")[2][-5:] else None


def _place(location: dict[str, Any]) -> In:
    return In(
        "place",
        lat=_degrees(location, "latitude", 90),
        lng=_degrees(location, "longitude", 180),
        accuracy_m=accuracy_of(location.get("horizontal_accuracy")),
    )


def _degrees(location: dict[str, Any], name: str, most: int) -> float:
    value = location.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= most:
        return float(value)
    raise Malformed(name)


def messages_of(chat_id: int, out: Out) -> list[dict[str, Any]]:
    """The `sendMessage` calls for a letter: long texts in parts, the buttons under the last."""
    links = [(label, url) for label, url in out.links if url.startswith("https://")]
    words = "\n".join([out.text, *(f"{label}: {url}" for label, url in out.links if not url.startswith("https://"))])
    messages: list[dict[str, Any]] = [
        {"chat_id": chat_id, "text": part, "link_preview_options": {"is_disabled": True}} for part in parts_of(words)
    ]
    markup = _markup(chat_id, out, links)
    if markup:
        messages[-1]["reply_markup"] = markup
    return messages


def changed_message(chat_id: int, ref: str, out: Out) -> dict[str, Any] | None:
    """The `editMessageText` call that gives an earlier message these words; None when they don't fit into one."""
    messages = messages_of(chat_id, out)
    if len(messages) > 1 or not ref.isdigit():
        return None
    return {"reply_markup": {"inline_keyboard": []}, **messages[0], "message_id": int(ref)}


def commands_of(menu: NativeMenu) -> dict[str, Any]:
    """The `setMyCommands` call for every private chat, or every group."""
    scope = "all_private_chats" if menu.scope == "private" else "all_group_chats"
    return {"commands": _listed(menu.commands), "scope": {"type": scope}, "language_code": menu.language}


def commands_in(chat_id: int, commands: Commands) -> dict[str, Any]:
    """The `setMyCommands` call for one chat, in whatever language its person's phone is."""
    return {"commands": _listed(commands), "scope": {"type": "chat", "chat_id": chat_id}}


def _listed(commands: Commands) -> list[dict[str, str]]:
    return [{"command": command, "description": label} for command, label in commands]


def parts_of(words: str) -> list[str]:
    """Text cut at line ends into pieces that Telegram takes."""
    parts = []
    while len(words) > MAX_CHARS:
        cut = words.rfind("\n", 1, MAX_CHARS)
        cut = MAX_CHARS if cut < MAX_CHARS // 2 else cut
        parts.append(words[:cut])
        words = words[cut:].lstrip("\n")
    return [*parts, words or "…"]


def _markup(chat_id: int, out: Out, links: list[tuple[str, str]]) -> dict[str, Any] | None:
    wants_place = any(data == "#place" for row in out.rows for _, data, _ in row)
    if wants_place and chat_id > 0:
        keys = [
            [
                {"text": label, "request_location": True} if data == "#place" else {"text": label}
                for label, data, _ in row
            ]
            for row in out.rows
        ]
        return {"keyboard": keys, "resize_keyboard": True, "one_time_keyboard": True}
    rows: list[list[dict[str, str]]] = [
        [{"text": label, "callback_data": data} for label, data, _ in row if data != "#place"] for row in out.rows
    ]
    rows += [[{"text": label, "url": url}] for label, url in links]
    return {"inline_keyboard": [row for row in rows if row]} if any(rows) else None
