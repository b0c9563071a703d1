"""What an update means, read from python-telegram-bot's objects: the yardstick for our own decoder."""

from __future__ import annotations

from math import ceil
from typing import Any

from telegram import CallbackQuery, Message, Update, User

from bot.channels.base import Arrival
from bot.talk.clean import clean
from bot.talk.messages import VOICE, In, Media
from bot.talk.typed import face, is_command, typed

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
        edited = update.edited_message
        group = _group_of(edited.chat)
        words = clean(edited.text or edited.caption or "")
        event = In("edited", words) if words and not group else NOTHING
        return _arrival(user, event, group, str(edited.message_id))
    message = update.message
    assert message is not None
    group = _group_of(message.chat)
    event = _in_group(message, username) if group else _event(message)
    return _arrival(user, event, group, str(message.message_id))


def _arrival(user: User, event: In, group: str, ref: str = "") -> Arrival:
    return Arrival(event, clean(user.full_name)[:60], user.language_code or "", group, ref=ref)


def _group_of(chat: Any) -> str:
    return "" if chat.type == "private" else f"telegram:{chat.id}"


def _tap(query: CallbackQuery, group: str) -> In:
    under = str(query.message.message_id) if query.message is not None else ""
    return In("tap", data=query.data, group=bool(group), under=under) if query.data else NOTHING


def _in_group(message: Message, username: str) -> In:
    said = clean(message.text or "")
    mention = f"@{username}".lower()
    if is_command(said):
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
        return typed(said)
    caption, album = clean(message.caption or ""), message.media_group_id or ""
    if message.photo:
        return In("media", caption, media=(_media("image", message.photo[-1]),), album=album)
    video = message.video or message.animation or message.video_note
    if video is not None:
        return In("media", caption, media=(_media("video", video),), album=album)
    if message.document is not None:
        kind = expected_kind(message.document.mime_type or "", message.document.file_name or "")
        return (
            In("media", caption, media=(_media(kind, message.document),), album=album) if kind else In("file", caption)
        )
    if message.location is not None:
        there = message.location
        return In("place", lat=there.latitude, lng=there.longitude, accuracy_m=ceil(there.horizontal_accuracy or 0))
    if message.voice is not None:
        return In("other", data=VOICE)
    if message.sticker is not None or message.dice is not None:
        return face()
    unread = (message.audio, message.contact, message.poll, message.story, message.game, message.paid_media)
    return NOTHING if all(one is None for one in unread) else In("other")


def expected_kind(mime: str, name: str) -> str:
    """What a file may be before its content is seen; "" for what it can't be."""
    ending = name.lower().rpartition(".")[2]
    if ending in ("jpg", "jpeg", "jpe", "png", "webp", "heic", "heif") or mime.startswith("image/"):
        return "image"
    if ending in ("mp4", "m4v", "mov", "3gp", "webm") or mime.startswith("video/"):
        return "video"
    return "image" if mime in ("", "application/octet-stream") and "." not in name else ""


def _media(kind: Any, file: Any) -> Media:
    return Media(kind, file.file_id, file.file_size or 0)
