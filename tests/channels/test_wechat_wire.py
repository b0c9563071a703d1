"""WeChat's pushes in, passive replies out: every kind, every mode of writing, and anything at all."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.channels.base import Arrival, Together, Unclear
from bot.channels.wechat.faces import CODES, NAMES
from bot.channels.wechat.fields import MAX_BODY_BYTES, body_of, fields_of
from bot.channels.wechat.wire import Update, arrival_of, heard_of, image_reply, notice_of, text_reply, update_of
from bot.channels.wechat.words import (
    TEXT_MAX_BYTES,
    Numbered,
    choice_of,
    choices_of,
    opens_question,
    parts_of,
    shown,
)
from bot.i18n import Catalogues
from bot.talk.messages import VOICE, In, Media, Out
from tests.fakes.wechat_seal import read, write

ZH = Catalogues(ZoneInfo("Asia/Shanghai"))["zh_CN"]
BASE = {"ToUserName": "gh_0123456789ab", "FromUserName": "oABC-def_123", "CreateTime": 1_714_112_445}


def pushed(json: Any = False, **fields: Any) -> Update:
    return update_of(write({**BASE, **fields}, bool(json)))


def arrived(**fields: Any) -> Arrival:
    """The arrival, the same from XML and from JSON."""
    arrival = arrival_of(pushed(**fields))
    assert arrival == arrival_of(pushed(json=True, **fields))
    return arrival


# -- what people send


def test_words_and_commands() -> None:
    event = arrived(MsgType="text", Content="王家沟桥头有人倒垃圾", MsgId=1).event
    assert (event.kind, event.text, event.command) == ("text", "王家沟桥头有人倒垃圾", False)
    assert arrived(MsgType="text", Content="/digest", MsgId=2).event.command


def test_control_characters_that_wechat_leaves_in_do_no_harm() -> None:
    for json in (False, True):
        event = arrival_of(pushed(json=json, MsgType="text", Content="桥头\x00\x0b\x1f有垃圾", MsgId=1)).event
        assert event.text.replace(" ", "") == "桥头有垃圾"
    raw = (
        b"<xml><FromUserName>o1</FromUserName><CreateTime>1</CreateTime><Content>a\x08b\xff\xef\xbf\xbe</Content></xml>"
    )
    assert fields_of(raw)["Content"].startswith("ab")


def test_a_photo_brings_its_id_and_its_public_address() -> None:
    event = arrived(MsgType="image", PicUrl="http://mmbiz.qpic.cn/x/0", MediaId="M-1_x", MsgId=3).event
    assert event.kind == "media" and event.media == (Media("image", "M-1_x http://mmbiz.qpic.cn/x/0"),)
    assert arrived(MsgType="image", MediaId="M-1_x", MsgId=3).event.media == (Media("image", "M-1_x"),)


@pytest.mark.parametrize("kind", ["video", "shortvideo"])
def test_videos(kind: str) -> None:
    assert arrived(MsgType=kind, MediaId="V1", ThumbMediaId="T1", MsgId=4).event.media == (Media("video", "V1"),)


def test_a_voice_is_words_only_if_wechat_has_written_them_down() -> None:
    spoken = arrived(MsgType="voice", MediaId="A", Format="amr", Recognition="", MsgId=5).event
    assert spoken == In("other", data=VOICE)
    event = arrived(MsgType="voice", MediaId="A", Format="amr", Recognition="二十公斤。", MsgId=5).event
    assert (event.kind, event.text) == ("text", "二十公斤")


def test_a_place_is_tencents_latitude_first() -> None:
    event = arrived(MsgType="location", Location_X=35.499388, Location_Y="104.602621", Scale=15, Label="桥头").event
    assert (event.kind, event.lat, event.lng, event.datum) == ("place", 35.499388, 104.602621, "GCJ-02")


@pytest.mark.parametrize(
    ("precision", "accuracy_m"),
    [("65.000000", 65), ("119.2", 120), (40, 40), ("", 0), ("0", 0), ("-3", 0), ("nan", 0), ("1e30", 0), ("rough", 0)],
)
def test_how_exact_a_place_is_where_a_client_says_it(precision: object, accuracy_m: int) -> None:
    event = arrived(MsgType="location", Location_X="35.5", Location_Y="104.6", Precision=precision).event
    assert (event.kind, event.accuracy_m) == ("place", accuracy_m)
    assert arrived(MsgType="location", Location_X="35.5", Location_Y="104.6").event.accuracy_m == 0


@pytest.mark.parametrize("lat", ["", "nan", "inf", "91", "x"])
def test_a_place_that_is_none_is_a_value_error(lat: str) -> None:
    with pytest.raises(ValueError):
        arrival_of(pushed(MsgType="location", Location_X=lat, Location_Y="104.6"))


def test_a_link_is_its_words() -> None:
    event = arrived(MsgType="link", Title="垃圾分类", Description="", Url="https://example.org/a", MsgId=6).event
    assert (event.kind, event.text) == ("text", "垃圾分类\nhttps://example.org/a")


@pytest.mark.parametrize(
    ("fields", "kind", "data"),
    [
        ({"Event": "subscribe", "EventKey": ""}, "start", ""),
        ({"Event": "subscribe"}, "start", ""),
        ({"Event": "subscribe", "EventKey": "last_trade_no_1"}, "start", ""),
        ({"Event": "subscribe", "EventKey": "qrscene_station-7", "Ticket": "T"}, "start", "station-7"),
        ({"Event": "SCAN", "EventKey": "station-7", "Ticket": "T"}, "start", "station-7"),
        ({"Event": "unsubscribe"}, "left", ""),
        ({"Event": "CLICK", "EventKey": "/report"}, "tap", "/report"),
        ({"Event": "VIEW", "EventKey": "https://example.org"}, "nothing", ""),
        ({"Event": "TEMPLATESENDJOBFINISH", "MsgID": 2001, "Status": "success"}, "nothing", ""),
        ({"Event": "pic_sysphoto", "EventKey": "k", "SendPicsInfo": {"Count": 1}}, "nothing", ""),
        ({"Event": "something_new"}, "nothing", ""),
        ({}, "nothing", ""),
    ],
)
def test_events(fields: dict[str, Any], kind: str, data: str) -> None:
    event = arrived(MsgType="event", **fields).event
    assert (event.kind, event.data) == (kind, data)


def test_a_position_that_the_phone_reports_is_no_answer() -> None:
    event = arrived(MsgType="event", Event="LOCATION", Latitude="35.5", Longitude="104.6", Precision="65").event
    assert (event.kind, event.lat, event.datum) == ("nothing", 35.5, "WGS-84")
    assert arrived(MsgType="event", Event="LOCATION").event.kind == "nothing"


@pytest.mark.parametrize("kind", ["music", "file", "miniprogrampage"])
def test_what_somebody_sent_and_nobody_can_read_is_answered(kind: str) -> None:
    assert arrived(MsgType=kind, MsgId=7).event == In("other")


@pytest.mark.parametrize("kind", ["", "中文", "of_2031"])
def test_what_nobody_sent_is_met_with_silence(kind: str) -> None:
    assert arrived(MsgType=kind, MsgId=7).event == In("nothing")


def said(words: str) -> In:
    return arrived(MsgType="text", Content=words, MsgId=8).event


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        ("/::@王家沟桥头又有人倒垃圾", "王家沟桥头又有人倒垃圾"),
        ("/:@x王家沟/:,@@桥头/:ok", "王家沟桥头"),
        ("15公斤/:8-)", "15公斤"),
        ("好的[捂脸][OK]", "好的"),
        ("[王家沟]15公斤", "[王家沟]15公斤"),  # no face's name
        ("1/:2", "1/:2"),
    ],
)
def test_faces_are_taken_out_of_words(words: str, heard: str) -> None:
    assert said(words) == In("text", heard)


@given(st.lists(st.sampled_from([*CODES, *(f"[{name}]" for name in NAMES), "🙂", " "]), min_size=1))
def test_faces_alone_are_a_face(faces: list[str]) -> None:
    words = "".join(faces)
    assert said(words).kind == ("face" if words.strip() else "text")


@given(
    st.text(alphabet="王家沟桥头15公斤，。 ", min_size=1),
    st.lists(st.sampled_from(CODES), min_size=1, max_size=4),
    st.data(),
)
def test_no_letter_is_lost_with_a_face(words: str, faces: list[str], data: st.DataObject) -> None:
    whole = words
    for one in faces:
        at = data.draw(st.integers(0, len(words)))
        whole = words[:at] + one + words[at:]
        if words.strip(" "):
            assert said(whole).text == words.strip()


@pytest.mark.parametrize("words", ["【收到不支持的消息类型，暂无法显示】", " [收到不支持的消息类型，暂无法显示]\n"])
def test_a_line_of_wechats_own_is_nobodys_words(words: str) -> None:
    assert said(words) == In("other")
    assert said(f"他说{words}").kind == "text"


def test_inner_fields_are_read() -> None:
    update = pushed(MsgType="event", Event="scancode_waitmsg", ScanCodeInfo={"ScanType": "qrcode", "ScanResult": "x y"})
    assert update.fields["ScanCodeInfo.ScanResult"] == "x y"


def test_what_opens_customer_messages() -> None:
    event: dict[str, Any] = {"MsgType": "event", "EventKey": "k"}
    assert heard_of(pushed(MsgType="text", Content="x", MsgId=1)) == "message"
    assert [heard_of(pushed(**event, Event=name)) for name in ("subscribe", "SCAN", "CLICK")] == [
        "subscribe",
        "scan",
        "click",
    ]
    assert [heard_of(pushed(**event, Event=name)) for name in ("VIEW", "unsubscribe", "LOCATION")] == ["", "", ""]


def test_whether_a_template_arrived() -> None:
    event: dict[str, Any] = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": 2001}
    assert notice_of(pushed(**event, Status="failed:user block")) == ("2001", "failed:user block")
    assert notice_of(pushed(MsgType="text", Content="x", MsgId=1)) is None


# -- repetitions


def test_a_message_is_known_by_its_id() -> None:
    update = pushed(MsgType="text", Content="x", MsgId=24_000_000_000_000_001)
    assert update.key == "24000000000000001" and update.created_ms == 1_714_112_445_000
    assert update.address == "wechat:oABC-def_123"


def test_an_event_is_known_by_who_when_and_what() -> None:
    scan: dict[str, Any] = {"MsgType": "event", "Event": "SCAN", "EventKey": "7"}
    keys = [
        pushed(**scan).key,
        pushed(**{**scan, "EventKey": "8"}).key,
        pushed(**{**scan, "Event": "CLICK"}).key,
        pushed(**scan, CreateTime=1_714_112_446).key,
        pushed(**scan, FromUserName="oOther").key,
        pushed(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID=1).key,
        pushed(MsgType="event", Event="TEMPLATESENDJOBFINISH", MsgID=2).key,
    ]
    assert len(set(keys)) == len(keys) and pushed(**scan).key == pushed(json=True, **scan).key
    assert len(pushed(MsgType="event", Event="CLICK", EventKey="k" * 4_000).key) < 100


# -- anything at all


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><Content>&b;</Content></xml>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Content>&e;</Content></xml>',
        b"<xml><Content>&undefined;</Content></xml>",
        b"<xml>" + b"<a>" * 20_000,
        b"<xml>" + b"<a>" * 15_000 + b"</a>" * 15_000 + b"</xml>",
        b'<?xml version="1.0" encoding="no-such"?><xml/>',
        b"[1]",
        b"{" * 50_000,
        b'{"a":' * 20_000,
        b'{"FromUserName": "o1", "CreateTime": NaN}',
        b'{"FromUserName": "o1", "CreateTime": 1e400}',
        b'{"FromUserName": "o1", "CreateTime": ' + b"9" * 5_000 + b"}",
        b'{"FromUserName": {"a": "b"}, "CreateTime": 1}',
        b"<xml>" + b"".join(b"<f%d/>" % n for n in range(300)) + b"</xml>",
        b"{" + b" " * MAX_BODY_BYTES + b"}",
        b"",
        b"success",
    ],
)
def test_what_is_meant_to_break_it_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        update_of(body)


def test_a_declared_encoding_does_not_decide() -> None:
    raw = '<?xml version="1.0" encoding="gb2312"?><xml><a>净乡</a></xml>'.encode()
    assert fields_of(raw)["a"] == "净乡"


NAMES = st.sampled_from(
    ["ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Event", "EventKey", "Content", "MediaId",
     "PicUrl", "Recognition", "Location_X", "Location_Y", "Latitude", "Longitude", "Title", "Url", "Ticket", "MsgID"]
)  # fmt: skip
WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["text", "image", "voice", "video", "location", "link", "event", "subscribe", "SCAN", "LOCATION"]),
    st.integers(-(10**25), 10**25).map(str),
    st.floats().map(str),
)


def never_breaks(body: bytes) -> None:
    try:
        update = update_of(body)
        arrival = arrival_of(update)
    except ValueError:
        return
    assert arrival.event.kind and len(update.key) < 300
    update.key.encode(), update.address.encode(), arrival.event.text.encode()  # can be stored


@given(st.binary(max_size=500))
@example(b"<xml>\xff</xml>")
def test_any_bytes_are_an_event_or_a_value_error(body: bytes) -> None:
    never_breaks(body)
    never_breaks(b"<xml>" + body + b"</xml>")
    never_breaks(b"{" + body + b"}")


@given(st.dictionaries(NAMES, WORDS), st.booleans())
def test_any_fields_are_an_event_or_a_value_error(fields: dict[str, str], json: bool) -> None:
    usual = {"FromUserName": "o1", "CreateTime": "1714112445"}
    for whole in (fields, {**usual, **fields}, {**fields, **usual}):
        never_breaks(write(whole, json).replace(b"\\ud8", b"") if json else body_of(whole, json=False))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda one: st.lists(one)))
def test_any_json_values_are_an_event_or_a_value_error(value: Any) -> None:
    for name in ("FromUserName", "CreateTime", "MsgType", "Content", "MsgId"):
        never_breaks(dumps({**BASE, "MsgType": "text", name: value}).encode())


# -- replies


@given(st.text(min_size=1), st.booleans())
@example("a]]>b<c>&amp;]]]]>>", False)
def test_a_reply_says_what_was_meant(words: str, json: bool) -> None:
    update = pushed(json=json, MsgType="text", Content="x", MsgId=1)
    found = read(text_reply(update, words, 1_714_112_446_789, json=json), json)
    assert (found["ToUserName"], found["FromUserName"]) == ("oABC-def_123", "gh_0123456789ab")
    assert int(found["CreateTime"]) == 1_714_112_446 and found["MsgType"] == "text"
    if all(one.isprintable() for one in words):
        assert found["Content"] == words


def test_a_reply_with_a_picture() -> None:
    update = pushed(MsgType="text", Content="x", MsgId=1)
    assert read(image_reply(update, "M1", 1_000), False)["Image"] == {"MediaId": "M1"}


# -- numbered choices


def picked(said: str, outs: Sequence[Out]) -> str | Unclear | None:
    """What words stand for after one reply."""
    return choice_of(said, [Together(outs)])


PLAIN = "plain"
CASE = Out(
    "什么事？", ((("倾倒", "t.1.=dumping", PLAIN), ("焚烧", "t.1.=burning", PLAIN)), (("上一步", "t.1.<", PLAIN),))
)
NUMBER = Out("多少公斤？", ((("跳过", "t.2.~", PLAIN), ("取消", "t.2.x", PLAIN)),), ask="number")
NEWS = Out(
    "案件 2026-0001 等核实。",
    ((("属实", "/verify 2026-0001 true", PLAIN), ("不属实", "/verify 2026-0001 false", PLAIN)),),
)


@pytest.mark.parametrize(
    "said", ["2", "２", "二", "②", " 2 ", "2.", "2。", "第二个", "第2个", "选2", "回复2", "(2)", "焚烧"]
)
def test_however_a_choice_is_answered_it_is_found(said: str) -> None:
    assert picked(said, [CASE]) == "t.1.=burning"


@pytest.mark.parametrize(
    "said", ["0", "4", "99", "-2", "2.5", "二十", "两三个", "焚", "倒垃圾", "", "。", "2026", "2斤"]
)
def test_other_words_are_no_choice(said: str) -> None:
    assert picked(said, [CASE]) is None


def test_where_a_number_is_the_answer_choices_have_letters() -> None:
    view = shown([NUMBER], ZH)
    assert [choice.mark for choice in view.choices] == ["A", "B"]
    assert picked("2", [NUMBER]) is None and picked("b", [NUMBER]) == picked("Ｂ", [NUMBER]) == "t.2.x"
    assert picked("跳过", [NUMBER]) == "t.2.~"
    offered = Out("多少？", ((("5公斤", "t.2.=5", PLAIN), ("10公斤", "t.2.=10", PLAIN)),), ask="number")
    assert picked("2", [offered]) == "t.2.=10"  # as the engine counts what a question offers


def test_several_messages_are_one_answer_numbered_through() -> None:
    view = shown([NEWS, CASE], ZH)
    assert view.choices == (
        Numbered("1", "属实", "/verify 2026-0001 true"),
        Numbered("2", "不属实", "/verify 2026-0001 false"),
        Numbered("3", "倾倒", "t.1.=dumping"),
        Numbered("4", "焚烧", "t.1.=burning"),
        Numbered("5", "上一步", "t.1.<"),
    )
    assert view.parts == (
        "案件 2026-0001 等核实。\n【1】属实\n【2】不属实\n————\n什么事？\n【3】倾倒\n【4】焚烧\n【5】上一步\n\n"
        "回复【】里的数字就行。",
    )
    assert picked("4", [NEWS, CASE]) == "t.1.=burning"


def test_a_label_that_two_buttons_share_stands_for_neither() -> None:
    other = Out("案件 2026-0002 等核实。", ((("属实", "/verify 2026-0002 true", PLAIN),),))
    assert picked("属实", [NEWS, other]) is None
    assert picked("3", [NEWS, other]) == "/verify 2026-0002 true"


def test_messages_that_went_by_themselves_have_numbers_of_their_own() -> None:
    other = Out("案件 2026-0002 等核实。", ((("属实", "/verify 2026-0002 true", PLAIN),),))
    assert [choice.mark for choice in shown([NEWS], ZH, series=1).choices] == ["011", "012"]
    last = [Together([other], 2), Together([NEWS], 1), Together([CASE]), Together([NEWS])]
    for said, data in (
        ("011", "/verify 2026-0001 true"),
        ("０１２", "/verify 2026-0001 false"),
        ("021", "/verify 2026-0002 true"),
        ("1", "t.1.=dumping"),  # the newest reply that asks something
        ("属实", Unclear("wechat.which_number")),
        ("不属实", "/verify 2026-0001 false"),
        ("011 属实", "/verify 2026-0001 true"),
        ("012属实", "/verify 2026-0001 false"),
        ("21", "/verify 2026-0002 true"),  # the zero was left out
        ("031", Unclear("wechat.number_gone")),
        ("5", None),
        ("0.5公斤", None),
        ("01234567890", None),
    ):
        assert choice_of(said, last) == data, said
    assert choice_of("1", [Together([Out("收到了。")]), *last]) == "t.1.=dumping", "what asks nothing leaves it open"


def test_a_plain_number_is_enough_when_there_is_one_message_only() -> None:
    told = Together([Out("收到了。")])
    assert choice_of("2", [Together([NEWS], 7), told]) == "/verify 2026-0001 false"
    assert choice_of("2", [Together([NEWS], 8), Together([NEWS], 7), told]) == Unclear("wechat.whole_number")
    assert choice_of("9", [Together([NEWS], 7), told]) == Unclear("wechat.whole_number")


def test_a_label_of_an_older_answer_is_only_good_for_a_command() -> None:
    old = Out("好了。", ((("再称一户", "/weigh", PLAIN), ("取消", "t.1.x", PLAIN)),))
    last = [Together([Out("收到了。")]), Together([CASE]), Together([old])]
    assert choice_of("再称一户", last) == "/weigh" and choice_of("取消", last) is None


def test_where_nothing_can_be_pressed_nothing_says_so() -> None:
    words = shown([Out("点下面的按钮，或者点「跳过」。点「转文字」。")], ZH).parts[0]
    assert words == "回复下面的数字，或者回复「跳过」。点「转文字」。"


def test_case_numbers_as_labels_keep_plain_marks() -> None:
    out = Out("案件", ((("2026-0001", "/case 2026-0001", PLAIN), ("2026-0002", "/case 2026-0002", PLAIN)),))
    assert [choice.mark for choice in choices_of([out])] == ["1", "2"]
    assert picked("2026-0002", [out]) == "/case 2026-0002"


def test_what_the_device_answers_is_said_in_words_and_has_no_number() -> None:
    out = Out("在哪里？", ((("📍发送位置", "#place", "primary"),), (("桥头", "t.1.=3", PLAIN),)), "place")
    view = shown([out], ZH)
    assert "「位置」" in view.parts[0] and "【1】桥头" in view.parts[0] and "#place" not in view.parts[0]
    assert picked("1", [out]) == "t.1.=3"
    unknown = Out("拍照？", ((("📷拍照", "#camera", "primary"),),))
    assert "📷拍照" in shown([unknown], ZH).parts[0] and choices_of([unknown]) == ()


def test_links_and_pictures() -> None:
    out = Out("看这里", media=("m1",), links=(("打开网页", "https://example.org/a"),))
    view = shown([out, Out("", media=("m2",))], ZH)
    assert view.parts == ("看这里\n打开网页：https://example.org/a",) and view.media == ("m1", "m2")
    assert shown([Out("", media=("m",))], ZH).parts == ()


def test_nobody_can_slip_a_link_to_others() -> None:
    assert "<a" not in shown([Out('名字：<a href="http://evil">点我</a> 3<5')], ZH).parts[0]
    assert "3<5" in shown([Out("3<5")], ZH).parts[0]


def test_a_notice_leaves_the_open_question_open() -> None:
    assert not opens_question(Out("收到了。"))
    assert opens_question(CASE) and opens_question(Out("写几个字", ask="text"))


LABELS = st.text(st.characters(min_codepoint=0x4E10, max_codepoint=0x4E60), min_size=1, max_size=4)


@given(
    st.lists(
        st.lists(st.tuples(LABELS, st.text(min_size=1, max_size=8).filter(lambda one: one[0] != "#")), max_size=9)
    ),
    st.sampled_from(["", "choice", "number", "text", "photos"]),
)
def test_every_mark_that_is_shown_is_understood(rows: list[list[tuple[str, str]]], ask: str) -> None:
    out = Out("？", tuple(tuple((label, data, PLAIN) for label, data in row) for row in rows), ask)
    choices = choices_of([out])
    assert [choice.data for choice in choices] == [data for row in rows for _, data in row]
    assert [picked(choice.mark, [out]) for choice in choices] == [choice.data for choice in choices]


def test_labels_that_are_numbers_are_not_mixed_up_with_marks() -> None:
    out = Out("几袋？", ((("3", "t.1.=3", PLAIN), ("2", "t.1.=2", PLAIN), ("1", "t.1.=1", PLAIN)),))
    assert [picked(said, [out]) for said in ("1", "2", "a")] == ["t.1.=1", "t.1.=2", "t.1.=3"]


# -- long texts

EMOJI = ["👨‍👩‍👧‍👦", "🇨🇳", "👍🏽", "❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "é", "字", "a", "😀", "\n", "，"]


@given(st.lists(st.sampled_from(EMOJI), min_size=1, max_size=400), st.integers(64, 300))
def test_long_texts_are_cut_between_characters(pieces: list[str], most_bytes: int) -> None:
    words = "".join(pieces)
    parts = parts_of(words, most_bytes)
    assert all(0 < len(part.encode()) <= most_bytes for part in parts)
    assert "".join(parts).replace("\n", "") == words.replace("\n", "")
    whole = [piece for piece in pieces if piece != "\n"]
    at = 0
    for part in parts:  # each part is made of whole pieces
        rest = part.replace("\n", "")
        while rest:
            assert rest.startswith(whole[at]), (rest[:10], whole[at])
            rest, at = rest[len(whole[at]) :], at + 1


@given(st.text(max_size=3_000))
def test_any_text_is_cut_and_nothing_is_lost(words: str) -> None:
    parts = parts_of(words, 100)
    assert all(part.strip() and len(part.encode()) <= 100 for part in parts)
    assert "".join("".join(parts).split()) == "".join(words.split())


def test_a_cut_is_made_at_a_line_end() -> None:
    words = "\n".join(f"第{at}条 " + "字" * 60 for at in range(40))
    parts = parts_of(words)
    assert len(parts) > 3 and all(part.startswith("第") and part.endswith("字") for part in parts)
    assert all(len(part.encode()) > TEXT_MAX_BYTES // 2 for part in parts[:-1])
