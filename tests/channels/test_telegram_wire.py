"""Reading Telegram's updates: as python-telegram-bot reads them, and nothing where an update is not shaped as one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram.constants import FloodLimit, InlineKeyboardButtonLimit, MessageLimit, PollingLimit

from bot.channels.pacing import SECOND_MS, TELEGRAM
from bot.channels.telegram import channel, wire
from bot.channels.telegram.wire import arrival_of, needed, query_of, sender_of, update_id_of
from bot.talk.messages import In, InKind
from tests.channels.telegram_library import library_arrival

BOT = "jingxiang_test_bot"
KINDS = set(InKind.__args__)  # type: ignore[attr-defined]
USER = {"id": 7, "is_bot": False, "first_name": "王", "last_name": "大娘", "language_code": "zh-hans"}
CHAT = {"id": 7, "type": "private", "first_name": "王"}
GROUP = {"id": -1001234567890, "type": "supergroup", "title": "王家沟村"}
FILE = {"file_id": "AgAC-1", "file_unique_id": "u1", "file_size": 1234}
SIZES = [FILE | {"width": 90, "height": 60}, FILE | {"file_id": "AgAC-2", "width": 1280, "height": 960}]
MEMBER = {"user": {"id": 1, "is_bot": True, "first_name": "净乡"}}
OLD = MEMBER | {"status": "member"}
CONTENTS: dict[str, dict[str, Any]] = {
    "words": {"text": "王家沟桥头有人倒垃圾\u202e", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
    "no words": {"text": ""},
    "a command": {"text": "/report 王家沟"},
    "a start link": {"text": "/START  TOKEN-1 "},
    "a start link for another": {"text": f"/start@{BOT} TOKEN-1"},
    "a command for us": {"text": f"/rollcall@{BOT.upper()} now"},
    "a command for another": {"text": "/rollcall@another_bot"},
    "a mention": {"text": f"@{BOT} 点名"},
    "an answer": {"text": "好", "reply_to_message": {"message_id": 1, "date": 1, "chat": CHAT, "text": "x"}},
    "a photo": {"photo": SIZES, "caption": "路边\r\n"},
    "one of an album": {"photo": SIZES, "media_group_id": "99"},
    "no photo": {"photo": []},
    "a video": {"video": FILE | {"width": 1, "height": 1, "duration": 3}, "caption": "看"},
    "an animation": {
        "animation": FILE | {"width": 1, "height": 1, "duration": 3},
        "document": FILE | {"mime_type": "video/mp4"},
    },
    "a round video": {"video_note": {"file_id": "v", "file_unique_id": "u", "length": 1, "duration": 3}},
    "a picture as a file": {"document": FILE | {"mime_type": "image/jpeg", "file_name": "现场.jpg"}},
    "a video as a file": {"document": FILE | {"mime_type": "video/quicktime"}},
    "a file": {"document": FILE | {"mime_type": "application/zip"}, "caption": "表"},
    "a file of no kind": {"document": FILE},
    "a picture of no kind": {"document": FILE | {"file_name": "IMG.JPG", "mime_type": "application/octet-stream"}},
    "a video under a wrong name": {"document": FILE | {"file_name": "a.MOV", "mime_type": "application/zip"}},
    "a table of no kind": {"document": FILE | {"file_name": "表.xlsx", "mime_type": "application/octet-stream"}},
    "a place": {"location": {"latitude": 35.5, "longitude": 104}},
    "a venue": {
        "location": {"latitude": -35.5, "longitude": 104.6},
        "venue": {"location": {"latitude": 35.5, "longitude": 104.6}, "title": "桥头", "address": "王家沟"},
    },
    "a voice": {"voice": FILE | {"duration": 3}},
    "a sticker": {
        "sticker": FILE | {"width": 1, "height": 1, "is_animated": False, "is_video": False, "type": "regular"}
    },
    "a face": {"text": "👍🏻 😂"},
    "a path": {"text": "/王家沟"},
    "a contact": {"contact": {"phone_number": "1", "first_name": "李"}},
    "a die": {"dice": {"emoji": "🎲", "value": 3}},
    "somebody new": {"new_chat_members": [USER]},
    "somebody gone": {"left_chat_member": USER},
    "something pinned": {"pinned_message": {"message_id": 1, "date": 1, "chat": CHAT, "text": "x"}},
    "a wallpaper": {"chat_background_set": {"type": {"type": "chat_theme", "theme_name": "🏎"}}},
    "a boost": {"boost_added": {"boost_count": 1}},
    "something new of Telegram's": {"gift_of_2031": {"stars": 5}},
}


def message_of(content: dict[str, Any], chat: dict[str, Any] = CHAT, user: dict[str, Any] = USER) -> dict[str, Any]:
    return {"message_id": 5, "date": 1_700_000_000, "chat": chat, "from": user} | content


def tap_of(**more: Any) -> dict[str, Any]:
    return {"callback_query": {"id": "9", "from": USER, "chat_instance": "1"} | more}


def change_of(status: str, chat: dict[str, Any]) -> dict[str, Any]:
    new: dict[str, Any] = MEMBER | {"status": status}
    if status == "kicked":
        new["until_date"] = 0
    return {"my_chat_member": {"chat": chat, "from": USER, "date": 1, "old_chat_member": OLD, "new_chat_member": new}}


def corpus() -> dict[str, dict[str, Any]]:
    """Updates as Telegram writes them."""
    found = {}
    for chat_name, chat in (("", CHAT), (" in a group", GROUP)):
        for name, content in CONTENTS.items():
            found[name + chat_name] = {"message": message_of(content, chat)}
            found[f"edited: {name}{chat_name}"] = {
                "edited_message": message_of(content | {"edit_date": 1_700_000_001}, chat)
            }
        for status in ("kicked", "left", "member"):
            found[f"we are {status}{chat_name}"] = change_of(status, chat)
        under = message_of({"text": "什么事？", "photo": None}, chat)
        found["a tap" + chat_name] = tap_of(data="ab.1.=dumping", message=under)
        gone = {"message_id": 5, "date": 0, "chat": chat}
        found["a tap on something old" + chat_name] = tap_of(data="ab.1.=dumping", message=gone)
        found["a tap without data" + chat_name] = tap_of(game_short_name="x", message=under)
    found["a tap under no message"] = tap_of(data="x", inline_message_id="1")
    found["a short name"] = {"message": message_of({"text": "x"}, user={"id": 8, "is_bot": False, "first_name": "李"})}
    return {name: {"update_id": 5} | update for name, update in found.items()}


@pytest.mark.parametrize("name", corpus())
def test_an_update_means_what_the_library_reads_in_it(name: str) -> None:
    update = corpus()[name]
    stored = orjson.dumps(update)
    assert arrival_of(orjson.loads(stored), BOT) == library_arrival(orjson.loads(stored), BOT)
    assert sender_of(update) in (7, 8) and update_id_of(update) == 5


def test_a_poll_of_an_older_server_is_a_poll() -> None:
    """Only what is read is decoded: python-telegram-bot refuses one without the fields of today."""
    poll = {"id": "1", "question": "好不好", "options": [{"text": "好", "voter_count": 0}], "type": "regular"}
    assert arrival_of({"update_id": 5, "message": message_of({"poll": poll})}, BOT).event == In("other")


# What Telegram says in a message, each with whatever may stand in it: nobody typed it, and it is not read.
SERVICE = ["message_auto_delete_timer_changed", "chat_background_set", "boost_added", "users_shared", "chat_shared"]
SERVICE += ["new_chat_members", "pinned_message", "video_chat_started", "giveaway", "write_access_allowed", "gift"]
SERVICE += ["successful_payment", "forum_topic_created", "proximity_alert_triggered", "of_2031"]

words = st.text(max_size=30)
files = st.fixed_dictionaries(
    {"file_id": st.text(min_size=1, max_size=9), "file_unique_id": words},
    optional={"file_size": st.integers(0, 1 << 40), "mime_type": st.sampled_from(["image/png", "video/mp4", "x/y"])},
)
degrees = st.floats(-90, 90).map(lambda value: value + 0.0)
contents = st.one_of(
    st.builds(lambda said: {"text": said}, words),
    st.builds(lambda name, rest: {"text": f"/{name} {rest}"}, st.sampled_from(["start", "Start", "report"]), words),
    st.builds(
        lambda sizes, caption, album: {
            "photo": [size | {"width": 1, "height": 1} for size in sizes],
            "caption": caption,
            "media_group_id": album,
        },
        st.lists(files, min_size=1, max_size=3),
        words,
        words,
    ),
    st.builds(lambda file, caption: {"document": file, "caption": caption}, files, words),
    st.builds(lambda lat, lng: {"location": {"latitude": lat, "longitude": lng}}, degrees, degrees),
)
users = st.fixed_dictionaries(
    {"id": st.integers(1, 1 << 52), "is_bot": st.just(False), "first_name": st.text(min_size=1)},
    optional={"last_name": words, "language_code": st.sampled_from(["zh-hans", "en"])},
)


@given(content=contents, user=users, chat=st.sampled_from([CHAT, GROUP]))
def test_any_message_means_what_the_library_reads_in_it(
    content: dict[str, Any], user: dict[str, Any], chat: dict[str, Any]
) -> None:
    stored = orjson.dumps({"update_id": 5, "message": message_of(content, chat, user)})
    assert arrival_of(orjson.loads(stored), BOT) == library_arrival(orjson.loads(stored), BOT)


NAMES = ["update_id", "message", "callback_query", "edited_message", "my_chat_member", "from", "id", "chat", "type"]
NAMES += ["text", "photo", "document", "location", "video", "file_id", "latitude", "data", "new_chat_member", "status"]
scalars = st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False) | words
anything = st.recursive(
    scalars | st.sampled_from(["private", "kicked"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | words, inner, max_size=6),
    max_leaves=30,
)


@given(name=st.sampled_from(SERVICE), value=anything)
def test_what_nobody_sent_means_nothing_whatever_stands_in_it(name: str, value: Any) -> None:
    assert arrival_of({"update_id": 5, "message": message_of({name: value})}, BOT).event == In("nothing")
    edited = message_of({name: value, "location": {"latitude": 1.5, "longitude": 2.5}})
    assert arrival_of({"update_id": 5, "edited_message": edited}, BOT).event == In("nothing")


def read_all(update: Any) -> None:
    """Read an update in every way that the channel does; whatever it is, that raises nothing."""
    arrival = arrival_of(update, BOT)
    event = arrival.event
    assert event.kind in KINDS and isinstance(event.text, str) and isinstance(event.data, str)
    assert isinstance(arrival.name, str) and isinstance(arrival.language, str)
    assert abs(event.lat) <= 90 and abs(event.lng) <= 180
    assert all(one.ref and isinstance(one.size_bytes, int) for one in event.media)
    assert type(sender_of(update)) is int and sender_of(update) >= 0
    assert type(update_id_of(update)) is int and isinstance(query_of(update), str)
    assert In.from_json(event.to_json()) == event


@given(content=contents, user=users, chat=st.sampled_from([CHAT, GROUP]), pressed=st.booleans())
def test_what_is_kept_of_an_update_means_the_same_and_repeats_no_other_message(
    content: dict[str, Any], user: dict[str, Any], chat: dict[str, Any], pressed: bool
) -> None:
    under = {"message_id": 3, "date": 1, "chat": chat, "text": "王大娘的举报", "reply_markup": {"inline_keyboard": []}}
    message = {"message_id": 9, "date": 1, "chat": chat, "from": user, "reply_to_message": under, **content}
    query = {"id": "q", "from": user, "chat_instance": "1", "data": "~1:=1", "message": {**message, **under}}
    update = {"update_id": 5, "callback_query": query} if pressed else {"update_id": 5, "message": message}
    kept = needed(update)
    assert arrival_of(kept, BOT) == arrival_of(update, BOT)
    assert (query_of(kept), sender_of(kept), update_id_of(kept)) == (query_of(update), sender_of(update), 5)
    assert "王大娘的举报" not in str(kept)


@given(anything)
def test_whatever_json_comes_nothing_is_raised(update: Any) -> None:
    needed(update if isinstance(update, dict) else {})
    read_all(update)


@given(st.data())
@settings(max_examples=200)
def test_a_real_update_with_a_part_of_another_shape_raises_nothing(data: st.DataObject) -> None:
    update = orjson.loads(orjson.dumps(corpus()[data.draw(st.sampled_from(sorted(corpus())))]))
    at: Any = update
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not (isinstance(at[key], (dict, list)) and at[key]) or data.draw(st.booleans()):
            break
        at = at[key]
    if data.draw(st.booleans()):
        at[key] = data.draw(anything)
    else:
        del at[key]
    read_all(update)


@pytest.mark.parametrize(
    "update",
    [
        None,
        [],
        {"update_id": 5},
        {"update_id": 5, "message": {"from": {"id": "x"}}},
        {"update_id": 5, "message": {"from": {"id": True}, "chat": CHAT, "text": "x"}},
        {"update_id": 5, "callback_query": {"from": "x", "id": "1", "data": "x"}},
        {"update_id": 5, "channel_post": {"chat": GROUP, "text": "x"}},
    ],
)
def test_who_can_not_be_told_is_nobody(update: Any) -> None:
    assert sender_of(update) == 0


@pytest.mark.parametrize(
    "broken",
    [
        {"callback_query": {"from": USER, "data": "x"}},
        {"callback_query": {"id": "1", "from": USER, "data": 5}},
        {"callback_query": {"id": "1", "from": USER, "data": "x", "message": "x"}},
        {"message": message_of({"text": 5})},
        {"message": message_of({"text": "x"}, chat={"id": "x", "type": "group"})},
        {"message": message_of({"text": "x"}, chat={"id": 7})},
        {"message": message_of({"photo": [{"file_id": 5}]})},
        {"message": message_of({"photo": {"file_id": "x"}})},
        {"message": message_of({"location": {"latitude": 91, "longitude": 0}})},
        {"message": message_of({"location": {"latitude": True, "longitude": 0}})},
        {"message": message_of({"document": "x"})},
        {"my_chat_member": {"from": USER, "chat": CHAT, "new_chat_member": "kicked"}},
    ],
)
def test_what_is_not_shaped_as_an_update_is_nothing(broken: dict[str, Any]) -> None:
    assert arrival_of({"update_id": 5} | broken, BOT).event == In("nothing")


def test_our_limits_are_within_telegrams() -> None:
    assert wire.MAX_CHARS <= MessageLimit.MAX_TEXT_LENGTH
    assert InlineKeyboardButtonLimit.MAX_CALLBACK_DATA >= 40  # bot/talk/messages.py: what a button's data may have
    assert channel.BATCH_UPDATES <= PollingLimit.MAX_LIMIT
    assert (TELEGRAM.all_per_s or 0) <= FloodLimit.MESSAGES_PER_SECOND
    assert (TELEGRAM.private_interval_ms or 0) >= SECOND_MS / FloodLimit.MESSAGES_PER_SECOND_PER_CHAT
    assert (TELEGRAM.group_per_min or 0) <= FloodLimit.MESSAGES_PER_MINUTE_PER_GROUP
