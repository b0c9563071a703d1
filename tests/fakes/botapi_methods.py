"""The methods of the fake Bot API. Each takes the world and the parameters, and returns the `result`."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import Any

from tests.fakes import botapi_checks as checks
from tests.fakes.botapi_checks import bad
from tests.fakes.botapi_wire import BotApiError, Params
from tests.fakes.botapi_world import Chat, File, Sound, World

Method = Callable[[World, Params], Awaitable[Any]]
MEDIA = {"photo": ("photos", ".jpg", "image/jpeg"), "video": ("videos", ".mp4", "video/mp4")}
DOCUMENT = ("documents", "", "application/octet-stream")


def _chat(world: World, params: Params) -> Chat:
    if not params.text("chat_id"):
        raise bad("chat_id is empty")
    chat = world.chat(params.integer("chat_id"))
    if chat is None:
        raise bad("chat not found")
    if chat.refuses:
        raise BotApiError(403, f"Forbidden: {chat.refuses}")
    return chat


def _reply(chat: Chat, params: Params) -> dict[str, Any]:
    wanted = params.json("reply_parameters")
    if not wanted:
        return {}
    sound = chat.messages.get(int(wanted.get("message_id", 0)))
    if sound is None:
        if wanted.get("allow_sending_without_reply"):
            return {}
        raise bad("message to be replied not found")
    return {"reply_to_message": sound.message}


async def get_me(world: World, params: Params) -> Any:
    return world.bot | {
        "can_join_groups": True, "can_read_all_group_messages": True, "supports_inline_queries": False,
        "can_connect_to_business": False, "has_main_web_app": False,
    }  # fmt: skip


async def send_message(world: World, params: Params) -> Any:
    chat = _chat(world, params)
    text, links = checks.read_text(params, "text", checks.TEXT_MAX)
    if not text:
        raise bad("message text is empty")
    content = {"text": text, "reply_markup": checks.read_markup(params)} | _reply(chat, params)
    return world.say(chat, content, links=tuple(links))


def _take_file(world: World, params: Params, value: Any, kind: str) -> File:
    """The file a parameter means: an upload beside it, `attach://name`, or the id of a file known here."""
    name = str(value or "")
    upload = (
        params.files.get(name.removeprefix("attach://")) if name.startswith("attach://") else params.files.get(kind)
    )
    if upload is None:
        file = world.files.get(name)
        if file is None:
            raise bad("wrong file identifier/HTTP URL specified" if name else f"there is no {kind} in the request")
        return file
    if len(upload.content) > checks.UPLOAD_MAX_BYTES:
        raise BotApiError(413, "Request Entity Too Large")
    if not upload.content:
        raise bad("file must be non-empty")
    if kind == "photo":
        checks.check_photo(upload.content)
    folder, extension, mime = MEDIA.get(kind, DOCUMENT)
    extension = extension or PurePosixPath(upload.filename).suffix
    return world.keep_file(upload.content, folder, extension, upload.content_type or mime)


def _media(world: World, file: File, kind: str, filename: str = "") -> dict[str, Any]:
    if kind == "photo":
        return {"photo": world.photo_sizes(file.content)}
    facts = world.facts(file)
    if kind == "video":
        return {kind: facts | {"width": 640, "height": 480, "duration": 3}}
    return {kind: facts | {"file_name": filename or PurePosixPath(file.path).name}}


def _send_one(kind: str) -> Method:
    async def send(world: World, params: Params) -> Any:
        chat = _chat(world, params)
        caption, links = checks.read_text(params, "caption", checks.CAPTION_MAX)
        markup = checks.read_markup(params)
        file = _take_file(world, params, params.values.get(kind), kind)
        upload = params.files.get(kind)
        content = _media(world, file, kind, upload.filename if upload else "") | _reply(chat, params)
        content |= {"reply_markup": markup} | ({"caption": caption} if caption else {})
        return world.say(chat, content, (file.content,), tuple(links))

    return send


async def send_media_group(world: World, params: Params) -> Any:
    chat = _chat(world, params)
    items = params.json("media")
    if not isinstance(items, list) or not 2 <= len(items) <= 10:
        raise bad("there must be 2-10 media in an album")
    ready = []
    for item in items:
        kind = item.get("type")
        if kind not in {"photo", "video", "document"}:
            raise bad("wrong media type in an album")
        caption, links = checks.read_text(Params(item), "caption", checks.CAPTION_MAX)
        ready.append((kind, _take_file(world, params, item.get("media"), kind), caption, links))
    album = str(world.next_message_id())
    return [
        world.say(
            chat,
            {"media_group_id": album} | _media(world, file, kind) | ({"caption": caption} if caption else {}),
            (file.content,),
            tuple(links),
        )
        for kind, file, caption, links in ready
    ]


async def send_location(world: World, params: Params) -> Any:
    chat = _chat(world, params)
    content = {"location": checks.check_place(params), "reply_markup": checks.read_markup(params)}
    return world.say(chat, content | _reply(chat, params))


def _own(world: World, chat: Chat, params: Params) -> Sound:
    sound = chat.messages.get(params.integer("message_id"))
    if sound is None:
        raise bad("message to edit not found")
    if sound.message.get("from") != world.bot:
        raise bad("message can't be edited")
    return sound


async def edit_text(world: World, params: Params) -> Any:
    chat = _chat(world, params)
    old = _own(world, chat, params).message
    text, _ = checks.read_text(params, "text", checks.TEXT_MAX)
    if not text:
        raise bad("message text is empty")
    if "text" not in old:
        raise bad("there is no text in the message to edit")
    markup = checks.read_markup(params)
    _must_differ(old, text == old["text"], markup)
    return world.change(chat, old["message_id"], {"text": text, "reply_markup": markup}, "edited")


async def edit_caption(world: World, params: Params) -> Any:
    chat = _chat(world, params)
    old = _own(world, chat, params).message
    caption, _ = checks.read_text(params, "caption", checks.CAPTION_MAX)
    markup = checks.read_markup(params)
    _must_differ(old, caption == old.get("caption", ""), markup)
    return world.change(chat, old["message_id"], {"caption": caption, "reply_markup": markup}, "edited")


async def edit_markup(world: World, params: Params) -> Any:
    chat = _chat(world, params)
    old = _own(world, chat, params).message
    markup = checks.read_markup(params)
    _must_differ(old, True, markup)
    return world.change(chat, old["message_id"], {"reply_markup": markup}, "markup")


def _must_differ(old: dict[str, Any], same_words: bool, markup: dict[str, Any] | None) -> None:
    keys = (markup or {}).get("inline_keyboard") or []
    if same_words and keys == (old.get("reply_markup") or {}).get("inline_keyboard", []):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a "
            "current content and reply markup of the message"
        )


async def delete_message(world: World, params: Params) -> Any:
    chat = _chat(world, params)
    if chat.messages.pop(params.integer("message_id"), None) is None:
        raise bad("message to delete not found")
    return True


async def answer_query(world: World, params: Params) -> Any:
    text = params.text("text")
    if checks.units(text) > checks.TOAST_MAX:
        raise bad("MESSAGE_TOO_LONG")
    chat, until_s = world.queries.pop(params.text("callback_query_id"), (None, 0.0))
    if chat is None or time.monotonic() > until_s:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    chat.toasts.put_nowait({"text": text, "alert": params.flag("show_alert")})
    return True


async def get_file(world: World, params: Params) -> Any:
    file = world.files.get(params.text("file_id"))
    if file is None:
        raise bad("invalid file_id")
    if len(file.content) > checks.DOWNLOAD_MAX_BYTES:
        raise bad("file is too big")
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.content),
        "file_path": file.path,
    }


async def set_commands(world: World, params: Params) -> Any:
    scope = params.json("scope") or {"type": "default"}
    where = scope["type"], int(scope.get("chat_id", 0)), params.text("language_code")
    world.menus[where] = checks.check_commands(params.json("commands"))
    return True


async def get_commands(world: World, params: Params) -> Any:
    return world.menus.get(("default", 0, ""), [])


async def delete_commands(world: World, params: Params) -> Any:
    world.menus.clear()
    return True


async def send_action(world: World, params: Params) -> Any:
    _chat(world, params)
    if params.text("action") not in checks.ACTIONS:
        raise bad("wrong parameter action in request")
    return True


async def get_chat(world: World, params: Params) -> Any:
    chat = _chat(world, params)
    return chat.json() | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}


_NO_GIFTS = dict.fromkeys(
    ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
)

METHODS: dict[str, Method] = {
    "getme": get_me, "sendmessage": send_message, "sendphoto": _send_one("photo"), "sendvideo": _send_one("video"),
    "senddocument": _send_one("document"), "sendmediagroup": send_media_group, "sendlocation": send_location,
    "editmessagetext": edit_text, "editmessagecaption": edit_caption, "editmessagereplymarkup": edit_markup,
    "deletemessage": delete_message, "answercallbackquery": answer_query, "getfile": get_file,
    "setmycommands": set_commands, "getmycommands": get_commands, "deletemycommands": delete_commands,
    "sendchataction": send_action, "getchat": get_chat,
}  # fmt: skip
