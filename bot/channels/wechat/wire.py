"""What WeChat pushes, to the house's events; and the passive reply. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from bot.channels.base import Arrival
from bot.channels.wechat.faces import not_handed_on, without_faces
from bot.channels.wechat.fields import Fields, Value, body_of, fields_of, is_json
from bot.talk.clean import clean
from bot.talk.messages import HIDDEN, VOICE, In, Media, accuracy_of
from bot.talk.typed import face, typed

SCENE = "qrscene_"
MAX_KEY_CHARS = 200
MAX_DATA_CHARS = 200
SUCCESS = b"success"
NEWS = "news"  # a menu's key that only asks for what waits; typed where there is no menu
SENT_UNREAD = ("file", "miniprogrampage", "music", "sticker")  # what people send that can't be read here
NEWS_WORDS = frozenset(("看消息", "新消息", "看新消息", "消息", "news"))
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MEDIA_ID = re.compile(r"[!-~]{1,300}")
Heard = Literal["", "message", "click", "subscribe", "scan"]


@dataclass(frozen=True, slots=True)
class Update:
    """A push: who sent it to which account, `key` by which its repetitions are known, when it was made."""

    sender: str
    account: str
    key: str
    created_ms: int
    kind: str
    event: str
    fields: Fields

    @property
    def address(self) -> str:
        """The sender's address in the house."""
        return f"wechat:{self.sender}"


def update_of(body: bytes) -> Update:
    """Read a push in plain text, XML or JSON; raises ValueError on one without a sender or a time."""
    fields = fields_of(body)
    sender, account, created = (fields.get(name, "") for name in ("FromUserName", "ToUserName", "CreateTime"))
    if not _OPENID.fullmatch(sender):
        raise ValueError("no sender")
    if not (created.isascii() and created.isdigit() and len(created) <= 11):
        raise ValueError("no time")
    kind, event = fields.get("MsgType", "").lower(), fields.get("Event", "").upper()
    return Update(sender, account, _key(fields, kind), int(created) * 1000, kind, event, fields)


def masked_push(body: bytes) -> bytes:
    """A push with nothing of its message but who sent it, when, and by what its repetitions are known."""
    fields = fields_of(body)
    kept = {name: fields[name] for name in ("ToUserName", "FromUserName", "CreateTime", "MsgId") if name in fields}
    return body_of({**kept, "MsgType": "text", "Content": HIDDEN}, json=is_json(body))


def _key(fields: Fields, kind: str) -> str:
    """MsgId, else FromUserName + CreateTime + Event + EventKey (a template's result: its MsgID, too)."""
    message_id = fields.get("MsgId", "")
    if message_id.isascii() and message_id.isdigit() and kind != "event" and len(message_id) <= 20:
        return message_id
    names = ("FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "MsgID")
    key = "+".join(clean(fields.get(name, "")) for name in names)
    return key if len(key) <= MAX_KEY_CHARS else "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def arrival_of(update: Update) -> Arrival:
    """What a push means; of the person WeChat tells no name and no language."""
    return Arrival(_event(update) if update.kind == "event" else _message(update))


def heard_of(update: Update) -> Heard:
    """What a push is for the count of customer messages (see `Quota`); "" when it opens none."""
    if update.kind != "event":
        return "message"
    if update.event == "SUBSCRIBE":
        return "subscribe"
    if update.event == "SCAN":
        return "scan"
    return "click" if update.event in ("CLICK", "SCANCODE_PUSH", "SCANCODE_WAITMSG") else ""


def notice_of(update: Update) -> tuple[str, str] | None:
    """(message id, status) of a template message that was delivered or not: `success`, `failed:user block`, …"""
    if update.event != "TEMPLATESENDJOBFINISH":
        return None
    return clean(update.fields.get("MsgID", ""))[:40], clean(update.fields.get("Status", ""))[:80]


def _event(update: Update) -> In:
    """Only what a person did on purpose is answered; of all others the push is acknowledged and that is all."""
    fields = update.fields
    key = clean(fields.get("EventKey", ""))[:MAX_DATA_CHARS]
    match update.event:
        case "SUBSCRIBE":
            return In("start", data=key.removeprefix(SCENE) if key.startswith(SCENE) else "")
        case "SCAN":
            return In("start", data=key)
        case "CLICK" if key == NEWS:
            return In("nothing", data=NEWS)
        case "CLICK" if key:
            return In("tap", data=key)
        case "UNSUBSCRIBE":
            return In("left")
        case "LOCATION":  # the phone reports it by itself, raw GPS: nobody has answered a question with it
            with suppress(ValueError):
                lat, lng = _position(fields, "Latitude", "Longitude")
                return In("nothing", lat=lat, lng=lng, datum="WGS-84")
    return In("nothing")


def _message(update: Update) -> In:
    fields = update.fields
    match update.kind:
        case "text":
            return _words(fields.get("Content", ""))
        case "image":
            return _media("image", fields)
        case "video" | "shortvideo":
            return _media("video", fields)
        case "voice":
            heard = clean(fields.get("Recognition", "")).strip().rstrip("。")
            return In("text", heard) if heard else In("other", data=VOICE)
        case "location":
            lat, lng = _position(fields, "Location_X", "Location_Y")
            return In("place", lat=lat, lng=lng, datum="GCJ-02", accuracy_m=_accuracy_m(fields))
        case "link":
            parts = (clean(fields.get(name, "")).strip() for name in ("Title", "Description", "Url"))
            return In("text", "\n".join(part for part in parts if part))
        case kind if kind in SENT_UNREAD:
            return In("other")
    return In("nothing")


def _words(content: str) -> In:
    whole = clean(content)
    if not_handed_on(whole):
        return In("other")
    said = without_faces(whole)
    if whole.strip() and not said:
        return face(whole)
    if said.strip("。.！! ").lower() in NEWS_WORDS:
        return In("nothing", data=NEWS)
    return typed(said)


def _media(kind: Literal["image", "video"], fields: Fields) -> In:
    """`ref` is the media id, for a picture followed by its public address: an unverified account has only that."""
    media_id, address = fields.get("MediaId", ""), fields.get("PicUrl", "")
    if not _MEDIA_ID.fullmatch(media_id):
        return In("other")
    ref = f"{media_id} {address}" if kind == "image" and _MEDIA_ID.fullmatch(address) else media_id
    return In("media", media=(Media(kind, ref),))


def _position(fields: Fields, lat_name: str, lng_name: str) -> tuple[float, float]:
    lat, lng = float(fields.get(lat_name, "")), float(fields.get(lng_name, ""))
    if not (isfinite(lat) and isfinite(lng) and abs(lat) <= 90 and abs(lng) <= 180):
        raise ValueError("no position")
    return lat, lng


def _accuracy_m(fields: Fields) -> int:
    """`Precision`, in metres: documented for the event, read wherever a client says it; 0 where it does not."""
    with suppress(ValueError):
        return accuracy_of(float(fields.get("Precision", "")))
    return 0


def text_reply(update: Update, words: str, now_ms: int, *, json: bool = False) -> bytes:
    """A passive reply in words (at most `TEXT_MAX_BYTES` of them), before it is sealed."""
    return _reply(update, "text", {"Content": words}, now_ms, json)


def image_reply(update: Update, media_id: str, now_ms: int, *, json: bool = False) -> bytes:
    """A passive reply with a picture that was uploaded to WeChat, before it is sealed."""
    return _reply(update, "image", {"Image": {"MediaId": media_id}}, now_ms, json)


def _reply(update: Update, kind: str, content: Mapping[str, Value], now_ms: int, json: bool) -> bytes:
    head: dict[str, Value] = {
        "ToUserName": update.sender,
        "FromUserName": update.account,
        "CreateTime": now_ms // 1000,
        "MsgType": kind,
    }
    return body_of({**head, **content}, json=json)
