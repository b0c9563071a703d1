"""The web chat as a channel: what a posted message means, and what becomes of one for somebody with no page open."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Letter, Raw
from bot.channels.webchat import MAX_QUEUED, WebChat
from bot.channels.webchat_wire import choices_json, media_json
from bot.talk.messages import In, Media, Out

ADDRESS = "web:" + "a" * 64
PHOTO, VIDEO = "i" + "1" * 31, "v" + "2" * 31


def raw(body: bytes) -> Raw:
    return Raw("web", f"{ADDRESS}:1", ADDRESS, body, 1)


def event(**body: Any) -> In:
    return WebChat().decode(raw(json.dumps({"id": "1", **body}).encode())).event


def letter(letter_id: int, words: str = "您好") -> Letter:
    return Letter(letter_id, 1, 7, "web", ADDRESS, Out(words), 1_000, None, 0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"kind": "text", "text": "你好"}, In("text", text="你好")),
        ({"kind": "text"}, In("text")),
        ({"kind": "tap", "data": "a.1.=x", "text": "提交"}, In("tap", text="提交", data="a.1.=x")),
        ({"kind": "start", "payload": "token"}, In("start", data="token")),
        ({"kind": "start"}, In("start")),
        ({"kind": "place", "lat": 35, "lng": 104.5, "accuracy_m": 9}, In("place", lat=35.0, lng=104.5, accuracy_m=9)),
        ({"kind": "place", "lat": 0, "lng": 0}, In("place")),
        (
            {"kind": "media", "media": [PHOTO, VIDEO, PHOTO], "text": "桥头"},
            In("media", text="桥头", media=(Media("image", PHOTO), Media("video", VIDEO))),
        ),
    ],
)
def test_what_a_posted_message_means(body: dict[str, Any], expected: In) -> None:
    assert event(**body) == expected


def test_the_browser_s_language_is_known() -> None:
    arrival = WebChat().decode(raw(b'{"id":"1","kind":"text","text":"x","language":"en-GB"}'))
    assert arrival.language == "en-GB"


@given(st.binary(max_size=200))
def test_any_bytes_are_understood_or_a_value_error(body: bytes) -> None:
    try:
        WebChat().decode(raw(body))
    except ValueError:
        return
    assert isinstance(json.loads(body), dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([PHOTO, "text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("text", "data", "payload", "lat", "lng", "accuracy_m", "media", "language")


@given(
    kind=st.sampled_from(["text", "tap", "place", "media", "start"]) | JSON,
    fields=st.dictionaries(st.sampled_from(FIELDS), JSON),
)
def test_any_json_is_understood_or_a_value_error(kind: Any, fields: dict[str, Any]) -> None:
    body = json.dumps({"id": "1", "kind": kind, **fields}).encode()
    try:
        found = WebChat().decode(raw(body)).event
    except ValueError:
        return
    assert found.kind == kind


@given(st.text(max_size=60))
def test_words_come_without_control_characters_or_marks_that_turn_the_line(words: str) -> None:
    body = json.dumps({"id": "1", "kind": "text", "text": words}).encode()
    try:
        found = WebChat().decode(raw(body)).event.text
    except ValueError:  # half of a surrogate pair is no text
        assert any(unicodedata.category(one) == "Cs" for one in words)
        return
    assert unicodedata.is_normalized("NFC", found)
    assert not any(unicodedata.category(one) == "Cc" and one not in "\n\t" for one in found)
    assert not set(found) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff")


def test_emoji_stay_whole() -> None:
    family = "👨‍👩‍👧 👍🏽"
    assert event(kind="text", text=family).text == family


def test_a_button_that_the_device_answers_itself_is_not_shown_as_a_choice() -> None:
    out = Out("在哪里？", ((("发送位置", "#place", "primary"),), (("桥头", "a.1.=3", "plain"),)))
    assert choices_json(out) == [[{"label": "桥头", "data": "a.1.=3", "style": "plain"}]]


def test_a_video_has_no_small_picture() -> None:
    photo, video = media_json([PHOTO, VIDEO])
    assert photo["thumb"] == f"/media/{PHOTO}?size=thumb" and photo["kind"] == "image"
    assert video["thumb"] == "" and video["kind"] == "video" and video["url"] == f"/media/{VIDEO}?size=view"


async def test_a_message_waits_when_no_page_is_open() -> None:
    chat = WebChat()
    assert not await chat.send(letter(1))
    stream = chat.open((1, ADDRESS))
    assert stream is not None and await chat.send(letter(2))
    [(message_id, event_bytes)] = stream.take()
    assert (
        message_id == 2 and event_bytes.startswith(b"id: 2\nevent: message\ndata: {") and "您好".encode() in event_bytes
    )
    chat.leave((1, ADDRESS), stream)
    assert not await chat.send(letter(3)) and chat.stream_count == 0


async def test_line_ends_in_a_message_can_t_forge_an_event() -> None:
    chat = WebChat()
    stream = chat.open((1, ADDRESS))
    assert stream is not None
    await chat.send(letter(1, "a\n\nid: 9\nevent: message\ndata: {}\n\n"))
    [(_, event_bytes)] = stream.take()
    assert event_bytes.count(b"\n") == 4 and event_bytes.endswith(b"\n\n")


async def test_a_page_that_reads_nothing_is_closed_and_what_follows_waits() -> None:
    chat = WebChat()
    stream = chat.open((1, ADDRESS))
    assert stream is not None
    reached = [await chat.send(letter(number)) for number in range(MAX_QUEUED + 2)]
    assert reached == [True] * MAX_QUEUED + [False] * 2
    assert stream.closed and len(stream.take()) == MAX_QUEUED


async def test_after_the_stop_no_page_is_opened() -> None:
    chat = WebChat()
    stream = chat.open((1, ADDRESS))
    await chat.stop()
    assert stream is not None and stream.closed and chat.open((1, ADDRESS)) is None
    assert not await chat.send(letter(1))
