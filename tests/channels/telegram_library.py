"""What an update means, read from python-telegram-bot's objects: the yardstick for our own decoder."""

from __future__ import annotations

from typing import Any

from telegram import CallbackQuery, Message, Update, User

from bot.channels.base import Arrival
from bot.talk.clean import clean
from bot.talk.messages import VOICE, In, Media

NOTHING = In("nothing")


def library_arrival(raw: dict[str, Any], username: str) -> Arrival:
    """The update as the library understands it."""
    update = Update.de_json(raw, None)
    assert update is not None
    user, query = update.effective_user, update.callback_query
    if user is None:
        return Arrival(NOTHING)
    if query is not None:
        group = _group_of(query.message.chat) if query.message is not None else ""
        return _arrival(user, _tap(query, group), group)
    if update.my_chat_member is not None:
        change = update.my_chat_member
        gone = change.chat.type == "private" and change.new_chat_member.status in ("kicked", "left")
        return _arrival(user, In("left") if gone else NOTHING, "")
    if update.edited_message is not None:
        group = _group_of(update.edited_message.chat)
        return _arrival(user, NOTHING if group else In("edited"), group)
    assert update.message is not None
    group = _group_of(update.message.chat)
    return _arrival(user, _in_group(update.message, username) if group else _event(update.message), group)


def _arrival(user: User, event: In, group: str) -> Arrival:
    return Arrival(event, clean(user.full_name)[:60], user.language_code or "", group)


def _group_of(chat: Any) -> str:
    return "" if chat.type == "private" else f"telegram:{chat.id}"


def _tap(query: CallbackQuery, group: str) -> In:
    under = str(query.message.message_id) if query.message is not None else ""
    return In("tap", data=query.data, group=bool(group), under=under) if query.data else NOTHING


def _in_group(message: Message, username: str) -> In:
    said = clean(message.text or "")
    mention = f"@{username}".lower()
    if said.startswith("/"):
        command, _, rest = said.partition(" ")
        name, _, target = command.partition("@")
        if target and target.lower() != username.lower():
            return NOTHING
        return In("text", f"{name} {rest}".strip(), command=True, group=True)
    if mention in said.lower():
        at = said.lower().index(mention)
        return In("text", (said[:at] + said[at + len(mention) :]).strip(), group=True)
    return NOTHING


def _event(message: Message) -> In:
    if message.text is not None:
        said = clean(message.text)
        command, _, rest = said.partition(" ")
        if command.lower() == "/start":
            return In("start", data=rest.strip())
        return In("text", said, command=said.startswith("/"))
    caption, album = clean(message.caption or ""), message.media_group_id or ""
    if message.photo:
        return In("media", caption, media=(_media("image", message.photo[-1]),), album=album)
    video = message.video or message.animation or message.video_note
    if video is not None:
        return In("media", caption, media=(_media("video", video),), album=album)
    if message.document is not None:
        mime = message.document.mime_type or ""
        if not mime.startswith(("image/", "video/")):
            return In("file", caption)
        kind = "video" if mime.startswith("video/") else "image"
        return In("media", caption, media=(_media(kind, message.document),), album=album)
    if message.location is not None:
        return In("place", lat=message.location.latitude, lng=message.location.longitude)
    if message.new_chat_members or message.left_chat_member or message.pinned_message:
        return NOTHING
    return In("other", data=VOICE if message.voice is not None else "")


def _media(kind: Any, file: Any) -> Media:
    return Media(kind, file.file_id, file.file_size or 0)
