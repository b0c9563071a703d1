"""One letter to Telegram: sent, put in the place of an earlier one, or a message of the person's own taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.channels.base import Letter, Pictures
from bot.channels.telegram.api import BAD_REQUEST, BotApi, BotApiError
from bot.channels.telegram.multipart import upload_of
from bot.channels.telegram.wire import changed_message, commands_in, messages_of

NOT_MODIFIED = "message is not modified"


async def deliver(api: BotApi, pictures: Pictures, chat_id: int, letter: Letter) -> Any:
    """Send a letter: its pictures first, then its words with the buttons; or change the message it `changes`.

    What Telegram answers to the last message, None where none was sent. Raises BotApiError.
    """
    sent: Any = None
    if letter.out.commands:
        await api.call("setMyCommands", commands_in(chat_id, letter.out.commands))
        return None
    if letter.out.hides:
        await _take_away(api, chat_id, letter.out.hides)
        return None
    if letter.changes and await _changed(api, chat_id, letter):
        return None
    if letter.out.media:
        await _send_pictures(api, pictures, chat_id, letter.out.media)
    for message in messages_of(chat_id, letter.out):
        sent = await api.call("sendMessage", message)
    return sent


async def _take_away(api: BotApi, chat_id: int, name: str) -> None:
    """Delete a message of the person's; one that is gone, or too old for that, stays as it is."""
    try:
        await api.call("deleteMessage", {"chat_id": chat_id, "message_id": int(name)})
    except BotApiError as error:
        if error.code != BAD_REQUEST:
            raise


async def _changed(api: BotApi, chat_id: int, letter: Letter) -> bool:
    """Change an earlier message; False when it is gone or too long, and the letter is to be sent like any other."""
    message = changed_message(chat_id, letter.changes, letter.out)
    if message is None:
        return letter.out.quiet
    try:
        await api.call("editMessageText", message)
    except BotApiError as error:
        if error.code != BAD_REQUEST:
            raise
        return letter.out.quiet or NOT_MODIFIED in error.description.lower()
    return True


async def _send_pictures(api: BotApi, pictures: Pictures, chat_id: int, media_ids: Sequence[str]) -> None:
    found = [copy for media_id in media_ids if (copy := await pictures.viewing_copy(media_id)) is not None]
    for method, field, file in (upload_of(content, kind) for content, kind in found):
        await api.upload(method, {"chat_id": str(chat_id)}, field, file)
