"""The people on the other side of the fake Bot API: a test with them reads like a chat."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.botapi_checks import units
from tests.fakes.botapi_world import Chat, Sound, World

HEARS_S = 5.0


@dataclass(frozen=True, slots=True)
class Button:
    """One button; `data` for inline ones, `url` for links, both empty on a reply keyboard."""

    label: str
    data: str = ""
    url: str = ""
    asks_location: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the bot as a person sees it. `keyboard` is "inline", "reply", "removed" or ""."""

    text: str
    rows: tuple[tuple[Button, ...], ...]
    keyboard: str
    message_id: int
    edited: bool
    files: tuple[bytes, ...]
    links: tuple[str, ...]
    raw: dict[str, Any]

    @property
    def buttons(self) -> tuple[Button, ...]:
        """All buttons, row by row."""
        return tuple(button for row in self.rows for button in row)

    @property
    def labels(self) -> list[str]:
        """The labels, row by row."""
        return [button.label for button in self.buttons]

    def button(self, label: str) -> Button:
        """The button with that label, or the first whose label contains it; AssertionError when there is none."""
        found = _pick(self.buttons, label)
        assert found is not None, f"no button {label!r} among {self.labels} of {self.text!r}"
        return found


def _pick(buttons: Sequence[Button], label: str) -> Button | None:
    exact = (button for button in buttons if button.label == label)
    return next(exact, None) or next((button for button in buttons if label in button.label), None)


def _heard(sound: Sound) -> Heard:
    message = sound.message
    markup = message.get("reply_markup") or {}
    keys = markup.get("inline_keyboard") or markup.get("keyboard") or []
    rows = tuple(
        tuple(
            Button(k["text"], str(k.get("callback_data", "")), k.get("url", ""), bool(k.get("request_location")))
            for k in row
        )
        for row in keys
    )
    keyboard = "inline" if "inline_keyboard" in markup else "reply" if "keyboard" in markup else ""
    keyboard = "removed" if markup.get("remove_keyboard") else keyboard
    text = message.get("text") or message.get("caption") or ""
    links = (*sound.links, *(button.url for row in rows for button in row if button.url))
    return Heard(text, rows, keyboard, message["message_id"], sound.kind != "new", sound.files, links, message)


class Room:
    """A chat as its people hear it."""

    def __init__(self, world: World, chat: Chat) -> None:
        self.world = world
        self.chat = chat
        self.id = chat.id

    async def hears(self, *parts: str, timeout_s: float = HEARS_S) -> Heard:
        """The next message not heard yet (a new one, or one with new words) that holds all `parts`; those
        before it are passed over. AssertionError, with what was passed over, when none comes in time.
        """
        passed: list[str] = []
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                sound = await asyncio.wait_for(self.chat.sounds.get(), max(0.001, end_s - time.monotonic()))
            except TimeoutError:
                raise AssertionError(f"heard no {parts or 'message'} in {timeout_s} s, only {passed}") from None
            if sound.kind == "markup":
                continue
            heard = _heard(sound)
            if all(part in heard.text for part in parts):
                return heard
            passed.append(heard.text)

    async def hears_all(self, quiet_s: float = 0.2, timeout_s: float = HEARS_S) -> list[Heard]:
        """At least one message, and those that follow until nothing came for `quiet_s`."""
        heard = [await self.hears(timeout_s=timeout_s)]
        while True:
            try:
                heard.append(await self.hears(timeout_s=quiet_s))
            except AssertionError:
                return heard

    async def hears_nothing(self, for_s: float = 0.2) -> None:
        """AssertionError when a message comes after all."""
        try:
            heard = await self.hears(timeout_s=for_s)
        except AssertionError:
            return
        raise AssertionError(f"heard {heard.text!r}")

    def shows(self, message_id: int) -> Heard:
        """A message as it stands now, edits included."""
        return _heard(self.chat.messages[message_id])


class Group(Room):
    """A group; people speak in it with `to=group`."""

    async def removes_bot(self) -> None:
        """The bot is thrown out: what it sends is refused."""
        self.chat.refuses = f"bot was kicked from the {self.chat.kind} chat"


class User(Room):
    """A person with a private chat. What they send is an update for the bot; `to` says it in a group."""

    def __init__(self, world: World, chat: Chat, fields: dict[str, Any]) -> None:
        super().__init__(world, chat)
        self.fields = fields
        self.position = (36.0, 107.0)
        self._last_message: dict[str, Any] = {}

    async def says(self, text: str, *, to: Group | None = None, reply_to: Heard | None = None) -> int:
        """Send words; their message id."""
        return await self._sends({"text": text, **_entities(text)}, to, reply_to)

    async def taps(self, label: str, *, on: Heard | None = None, to: Group | None = None) -> str:
        """Press a button: on `on` as it was seen (it may be long gone), else on the newest message that has it,
        else on the reply keyboard. The callback's id, "" for a reply key. AssertionError when nobody has it.
        """
        room = to or self
        shown = [on] if on is not None else [_heard(s) for s in reversed(room.chat.messages.values())]
        for heard in shown:
            found = _pick([button for button in heard.buttons if button.data], label)
            if found is not None:
                return await self._calls_back(room, heard, found)
        keyboard = {"message_id": 0, "reply_markup": room.chat.keyboard or {}}
        key = _pick(_heard(Sound(keyboard, "new")).buttons, label)
        if key is None:
            offered = [heard.labels for heard in shown if heard.buttons][:5]
            raise AssertionError(f"no button {label!r}; offered: {offered}, keys: {room.chat.keyboard}")
        if key.asks_location:
            await self.sends_location(*self.position, to=to)
        else:
            await self.says(key.label, to=to)
        return ""

    async def sends_photo(self, content: bytes, caption: str = "", *, to: Group | None = None) -> int:
        """Send a photo; its message id."""
        return await self._sends({"photo": self.world.photo_sizes(content), **_caption(caption)}, to)

    async def sends_album(self, contents: Sequence[bytes], caption: str = "", *, to: Group | None = None) -> list[int]:
        """Send photos together: one update each, with one `media_group_id`."""
        album = secrets.token_hex(8)
        ids = []
        for n, content in enumerate(contents):
            body = {
                "media_group_id": album,
                "photo": self.world.photo_sizes(content),
                **_caption("" if n else caption),
            }
            ids.append(await self._sends(body, to))
        return ids

    async def sends_document(
        self,
        content: bytes,
        name: str,
        mime: str = "application/octet-stream",
        caption: str = "",
        *,
        to: Group | None = None,
    ) -> int:
        """Send a file; its message id."""
        facts = self._file(content, "documents", mime) | {"file_name": name}
        return await self._sends({"document": facts, **_caption(caption)}, to)

    async def sends_video(self, content: bytes, caption: str = "", seconds: int = 5, *, to: Group | None = None) -> int:
        """Send a video; its message id."""
        facts = self._file(content, "videos", "video/mp4") | {
            "width": 640,
            "height": 480,
            "duration": seconds,
        }
        return await self._sends({"video": facts, **_caption(caption)}, to)

    async def sends_voice(self, content: bytes, seconds: int = 5, *, to: Group | None = None) -> int:
        """Send a voice message; its message id."""
        return await self._sends({"voice": self._file(content, "voice", "audio/ogg") | {"duration": seconds}}, to)

    async def sends_location(
        self, lat: float, lng: float, accuracy_m: float | None = None, *, to: Group | None = None
    ) -> int:
        """Send a place (WGS-84); its message id."""
        place = {"latitude": lat, "longitude": lng}
        return await self._sends({"location": place | ({"horizontal_accuracy": accuracy_m} if accuracy_m else {})}, to)

    async def sends(self, content: dict[str, Any], *, to: Group | None = None) -> int:
        """Send a message with these fields of the Bot API (a sticker, a contact…); its message id."""
        return await self._sends(content, to)

    async def edits(self, text: str, message_id: int | None = None) -> None:
        """Change the words of an own message: the last one, or that one."""
        old = self._last_message
        message = old | {
            "message_id": message_id or old["message_id"],
            "edit_date": int(time.time()),
            "text": text,
        }
        await self.world.tell_bot("edited_message", message | _entities(text))

    async def blocks(self) -> None:
        """Block the bot."""
        self.chat.refuses = "bot was blocked by the user"
        await self._membership("member", "kicked")

    async def unblocks(self) -> None:
        """Let the bot write again."""
        self.chat.refuses = ""
        await self._membership("kicked", "member")

    def deletes_account(self) -> None:
        """The account is gone: what the bot sends is refused."""
        self.chat.refuses = "user is deactivated"

    async def sees_answer(self, timeout_s: float = HEARS_S, to: Group | None = None) -> str:
        """The text with which the next tap is answered ("" when the button only stops spinning)."""
        toast = await asyncio.wait_for((to or self).chat.toasts.get(), timeout_s)
        return str(toast["text"])

    async def _sends(self, content: dict[str, Any], to: Group | None, reply_to: Heard | None = None) -> int:
        chat = (to or self).chat
        if to is None:
            chat.known = True
        message_id = self.world.next_message_id()
        message: dict[str, Any] = {"message_id": message_id, "from": self.fields, "chat": chat.json()}
        message |= {"date": int(time.time())} | content
        if reply_to is not None:
            message["reply_to_message"] = reply_to.raw
        chat.messages[message_id] = Sound(message, "new")
        self._last_message = message
        await self.world.tell_bot("message", message)
        return message_id

    async def _calls_back(self, room: Room, heard: Heard, button: Button) -> str:
        query_id = str(secrets.randbelow(10**18))
        self.world.new_query(room.chat, query_id)
        query = {"id": query_id, "from": self.fields, "chat_instance": str(room.id), "data": button.data}
        await self.world.tell_bot("callback_query", query | {"message": heard.raw})
        return query_id

    async def _membership(self, old: str, new: str) -> None:
        def status(value: str) -> dict[str, Any]:
            return {"user": self.world.bot, "status": value} | ({"until_date": 0} if value == "kicked" else {})

        change = {"chat": self.chat.json(), "from": self.fields, "date": int(time.time())}
        change |= {"old_chat_member": status(old), "new_chat_member": status(new)}
        await self.world.tell_bot("my_chat_member", change)

    def _file(self, content: bytes, folder: str, mime: str) -> dict[str, Any]:
        return self.world.facts(self.world.keep_file(content, folder, "", mime))


def _caption(text: str) -> dict[str, Any]:
    return {"caption": text} if text else {}


def _entities(text: str) -> dict[str, Any]:
    """Commands and mentions, as Telegram marks them."""
    found = [
        {"type": kind, "offset": units(text[: match.start()]), "length": units(match.group())}
        for kind, pattern in (
            ("bot_command", r"(?<!\S)/[A-Za-z0-9_]{1,32}(?:@\w{3,32})?"),
            ("mention", r"(?<!\S)@\w{3,32}"),
        )
        for match in re.finditer(pattern, text, re.ASCII)
    ]
    return {"entities": found} if found else {}
