"""Telegram's payloads to `Arrival`, and `Out` to Telegram's parameters. Pure."""

from __future__ import annotations

from typing import Any

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update, User

from bot.channels.base import Arrival
from bot.talk.clean import clean
from bot.talk.messages import VOICE, In, Media, Out

MAX_CHARS = 4_000
PRIVATE = "private"
NEVER_READ = ("entities", "caption_entities", "reply_to_message", "link_preview_options", "forward_origin", "quote")


def sender_of(update: dict[str, Any]) -> int:
    """The user id behind a raw update; 0 when there is none (a channel's post)."""
    for name in ("message", "callback_query", "edited_message", "my_chat_member"):
        part = update.get(name)
        if isinstance(part, dict):
            return int((part.get("from") or {}).get("id", 0))
    return 0


def lightened(update: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The update without what is never read, and the group's address it came from ("" in a private chat).

    A tap brings the whole message along that the button stood under: making objects of it would cost more than
    everything else that is done for the tap.
    """
    query = update.get("callback_query")
    message = query.pop("message", None) if query is not None else _message_of(update)
    chat = (message or {}).get("chat") or {}
    group = f"telegram:{chat['id']}" if chat.get("type", PRIVATE) != PRIVATE else ""
    if query is None and message is not None:
        for name in NEVER_READ:
            message.pop(name, None)
        if message.get("photo"):
            message["photo"] = message["photo"][-1:]  # the largest
    return update, group


def _message_of(update: dict[str, Any]) -> dict[str, Any] | None:
    return update.get("message") or update.get("edited_message") or update.get("my_chat_member")


def arrival_of(update: Update, username: str, group: str) -> Arrival:
    """What an update means."""
    user = update.effective_user
    if user is None:
        return Arrival(In("nothing"))
    if update.callback_query is not None:
        return _arrival(user, _tap(update.callback_query, bool(group)), group)
    if update.my_chat_member is not None:
        return _arrival(user, _membership(update.my_chat_member), "")
    if update.edited_message is not None:
        return _arrival(user, In("nothing" if group else "edited"), group)
    if update.message is None:
        return _arrival(user, In("nothing"), "")
    event = _in_group(update.message, username) if group else _event(update.message)
    return _arrival(user, event, group)


def _arrival(user: User, event: In, group: str) -> Arrival:
    return Arrival(event, clean(user.full_name or "")[:60], user.language_code or "", group)


def _tap(query: CallbackQuery, group: bool) -> In:
    return In("tap", data=query.data, group=group) if query.data else In("nothing")


def _membership(change: ChatMemberUpdated) -> In:
    gone = change.chat.type == PRIVATE and change.new_chat_member.status in ("kicked", "left")
    return In("left" if gone else "nothing")


def _in_group(message: Message, username: str) -> In:
    """In a group only commands and mentions are for the bot."""
    said = clean(message.text or "")
    mention = f"@{username}".lower()
    if said.startswith("/"):
        command, _, rest = said.partition(" ")
        name, _, target = command.partition("@")
        if target and target.lower() != username.lower():
            return In("nothing")
        return In("text", f"{name} {rest}".strip(), command=True, group=True)
    if username and mention in said.lower():
        at = said.lower().index(mention)
        return In("text", (said[:at] + said[at + len(mention) :]).strip(), group=True)
    return In("nothing")


def _event(message: Message) -> In:
    caption = clean(message.caption or "")
    album = message.media_group_id or ""
    if message.text is not None:
        said = clean(message.text)
        command, _, rest = said.partition(" ")
        if command.lower() == "/start":
            return In("start", data=rest.strip())
        return In("text", said, command=said.startswith("/"))
    if message.photo:
        largest = message.photo[-1]
        return In("media", caption, media=(Media("image", largest.file_id, largest.file_size or 0),), album=album)
    video = message.video or message.animation or message.video_note
    if video is not None:
        return In("media", caption, media=(Media("video", video.file_id, video.file_size or 0),), album=album)
    if message.document is not None:
        return _document(message, caption, album)
    if message.location is not None:
        return In("place", lat=message.location.latitude, lng=message.location.longitude)
    if message.new_chat_members or message.left_chat_member or message.pinned_message:
        return In("nothing")
    return In("other", data=VOICE if message.voice is not None else "")


def _document(message: Message, caption: str, album: str) -> In:
    """A picture or video sent as a file is as good as any; other files are not for us."""
    document = message.document
    assert document is not None
    mime = document.mime_type or ""
    if not mime.startswith(("image/", "video/")):
        return In("file", caption)
    media = Media("video" if mime.startswith("video/") else "image", document.file_id, document.file_size or 0)
    return In("media", caption, media=(media,), album=album)


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
