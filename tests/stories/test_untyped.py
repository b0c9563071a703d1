"""What a platform sends that nobody typed: faces, edits, timers, files under a wrong name. Nobody is bothered by it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.pictures import mp4, photo
from tests.stories.doings import number_of, the_case
from tests.stories.town import Town

only_telegram = pytest.mark.parametrize("town", ["telegram"], indirect=True)
only_wechat = pytest.mark.parametrize("town", ["wechat"], indirect=True)
PLACE = {"latitude": 35.65, "longitude": 104.73}


async def sends(someone: Any, **content: Any) -> None:
    """Send a message with any fields of the Bot API."""
    someone.town.begin()
    await someone.driver._arrives(someone.driver.user.sends(content))
    await someone.town.work()


async def edited(someone: Any, message: dict[str, Any]) -> None:
    """Telegram tells that a message was edited."""
    someone.town.begin()
    await someone.driver._arrives(someone.town.bot_api.world.tell_bot("edited_message", message))
    await someone.town.work()


# ── faces


@pytest.mark.parametrize("face", ["🙂", "👍🏻", "😂 😂❤️"])
async def test_a_lone_face_is_a_small_friendly_nothing(town: Town, face: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(face)
    assert aunt.sees("😊").buttons == () and len(aunt.news) == 1
    await aunt.says("王家沟桥头有人倒垃圾")
    question = aunt.sees("照片")
    await aunt.says(face)
    assert [heard.text for heard in aunt.news] == ["😊 上面那句还等您回。"]
    await aunt.taps("跳过", on=question)
    aunt.sees("乱倒垃圾", "王家沟村 桥头")


@only_wechat
@pytest.mark.parametrize(
    "words", ["/::@王家沟桥头又有人倒垃圾", "王家沟桥头又有人倒垃圾[捂脸]/:weak", "[发怒]王家沟桥头又有人倒垃圾"]
)
async def test_a_tip_off_is_not_lost_to_a_face(town: Town, words: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(words)
    await aunt.taps("跳过")
    await aunt.taps("提交")
    number = number_of(aunt.sees("收到了"))
    case = await the_case(town, number)
    assert (case["kind"], case["area"], case["statement"]) == ("dumping", "王家沟村", "王家沟桥头又有人倒垃圾")


@only_wechat
@pytest.mark.parametrize("face", ["/::)", "[微笑][微笑]", "/:rose/:8-)🙂"])
async def test_a_face_of_wechats_says_as_little(town: Town, face: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says(face)
    aunt.sees("😊")


@only_telegram
@pytest.mark.parametrize("sent", [{"sticker": {"file_id": "s", "emoji": "👍"}}, {"dice": {"emoji": "🎲", "value": 3}}])
async def test_a_sticker_is_a_face(town: Town, sent: dict[str, Any]) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    await sends(aunt, **sent)
    assert [heard.text for heard in aunt.news] == ["😊 上面那句还等您回。"]


async def test_a_slash_without_a_letter_is_no_command(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("/王家沟桥头有人倒垃圾")
    aunt.sees_not("这个功能")
    await aunt.taps("跳过")
    aunt.sees("乱倒垃圾", "王家沟村 桥头")
    await aunt.taps("取消")
    await aunt.says("/我的积分")
    aunt.sees("积分")


# ── what can't be read


@only_wechat
@pytest.mark.parametrize("words", ["【收到不支持的消息类型，暂无法显示】", "[收到不支持的消息类型，暂无法显示]"])
async def test_what_wechat_does_not_hand_on_answers_nothing(town: Town, words: str) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    await aunt.taps("河道垃圾")
    await aunt.taps("跳过")
    aunt.sees("在哪里")
    await aunt.says(words)
    aunt.sees("这个我看不了")
    aunt.sees("在哪里")
    await aunt.says("王家沟桥头")
    aunt.sees("河道垃圾", "王家沟村 桥头")
    aunt.sees_not("不支持")


@only_telegram
@pytest.mark.parametrize(
    "sent",
    [
        {"contact": {"phone_number": "1", "first_name": "李"}},
        {"poll": {"id": "1", "question": "好不好", "options": [{"text": "好", "voter_count": 0}]}},  # an older server's
        {"audio": {"file_id": "a", "duration": 3}},
    ],
)
async def test_what_somebody_sent_and_nobody_can_read_is_told(town: Town, sent: dict[str, Any]) -> None:
    aunt = await town.person("王大娘")
    await sends(aunt, **sent)
    aunt.sees("这个我看不了")
    await aunt.says("我要举报")
    await sends(aunt, **sent)
    aunt.sees("这个我看不了")
    aunt.sees("什么问题")


@only_telegram
@pytest.mark.parametrize(
    "sent",
    [
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 86_400}},
        {"chat_background_set": {"type": {"type": "wallpaper"}}},
        {"boost_added": {"boost_count": 1}},
        {"users_shared": {"request_id": 1, "users": []}},
        {"gift_of_2031": {"stars": 5}},
    ],
)
async def test_what_nobody_sent_is_met_with_silence(town: Town, sent: dict[str, Any]) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("我要举报")
    await sends(aunt, **sent)
    assert aunt.news == []
    await aunt.taps("河道垃圾")
    aunt.sees("照片")


# ── edits


@only_telegram
async def test_a_place_that_goes_on_being_shared_is_one_place(town: Town) -> None:
    aunt = await town.person("王大娘")
    await sends(aunt, location=PLACE | {"live_period": 900})
    aunt.sees("什么问题")
    for step in range(90):
        moved = aunt.driver.user._last_message | {"edit_date": 1, "location": PLACE | {"latitude": 35.65 + step / 9999}}
        town.clock.advance(seconds=10)
        await edited(aunt, moved)
        assert aunt.news == []


@only_telegram
async def test_an_edit_deserves_words_when_the_words_changed_once_a_day(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.says("王家沟桥头有人倒垃圾")
    message = aunt.driver.user._last_message
    await edited(
        aunt, message | {"edit_date": 1, "link_preview_options": {"is_disabled": True}}
    )  # a preview, a reaction
    assert aunt.news == []
    await edited(aunt, message | {"edit_date": 2, "text": "三岔村桥头有人倒垃圾"})
    aunt.sees("改过的消息我看不到")
    await edited(aunt, message | {"edit_date": 2, "text": "三岔村桥头有人倒垃圾"})
    await edited(aunt, message | {"edit_date": 3, "text": "三岔村"})
    assert aunt.news == []
    town.clock.advance(days=1)
    await edited(aunt, message | {"edit_date": 3, "text": "三岔村"})
    assert aunt.news == []
    await edited(aunt, message | {"edit_date": 4, "text": "还是王家沟"})
    aunt.sees("改过的消息我看不到")


@only_telegram
async def test_another_caption_is_other_words_and_a_strange_message_is_nobodys(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(caption="王家沟桥头")
    message = aunt.driver.user._last_message
    await edited(aunt, message | {"edit_date": 1})
    await edited(aunt, message | {"edit_date": 1, "message_id": 987_654, "caption": "别的"})
    assert aunt.news == []
    await edited(aunt, message | {"edit_date": 1, "caption": "三岔村"})
    aunt.sees("改过的消息我看不到")


# ── files


@only_telegram
@pytest.mark.parametrize(
    ("name", "mime"),
    [("IMG.JPG", "application/octet-stream"), ("现场", ""), ("a.heic", "application/zip"), ("x.bin", "image/jpeg")],
)
async def test_the_content_decides_what_a_file_is(town: Town, name: str, mime: str) -> None:
    aunt = await town.person("王大娘")
    await aunt._act(aunt.driver._arrives(aunt.driver.user.sends_document(photo(), name, mime)))
    aunt.sees("在哪里")
    await aunt.says("王家沟桥头")
    await aunt.taps("提交")
    await town.tick()
    aunt.sees_not("不能用")
    assert [row["state"] for row in await town.rows("SELECT state FROM media WHERE township_id = :t")] == ["ready"]


@only_telegram
async def test_a_video_that_was_called_a_picture_is_a_video(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt._act(aunt.driver._arrives(aunt.driver.user.sends_document(mp4(), "DCIM_0001")))
    await aunt.says("王家沟桥头")
    await aunt.taps("提交")
    await town.tick()
    rows = await town.rows("SELECT state, kind, mime FROM media WHERE township_id = :t")
    assert [(row["state"], row["kind"], row["mime"]) for row in rows] == [("ready", "video", "video/mp4")]


@only_telegram
@pytest.mark.parametrize(
    ("name", "mime"), [("表.xlsx", ""), ("表.zip", "application/zip"), ("x.pdf", "application/pdf")]
)
async def test_what_is_plainly_no_picture_is_said_at_once(town: Town, name: str, mime: str) -> None:
    aunt = await town.person("王大娘")
    await aunt._act(aunt.driver._arrives(aunt.driver.user.sends_document(b"PK", name, mime)))
    aunt.sees("打不开")


@pytest.mark.parametrize("opens", ["photos", "words"])
async def test_of_ten_photos_the_first_nine_are_taken_and_that_is_said(town: Town, opens: str) -> None:
    aunt = await town.person("王大娘")
    if opens == "words":
        await aunt.says("王家沟桥头有人倒垃圾")
    await aunt.sends_photo(10, album=True)
    aunt.sees("只收前 9 张")
    await (aunt.says("王家沟桥头") if opens == "photos" else aunt.taps("发完了"))
    aunt.sees("照片：9 张")


async def test_nine_photos_are_no_word_too_many(town: Town) -> None:
    aunt = await town.person("王大娘")
    await aunt.sends_photo(9, album=True)
    aunt.sees_not("只收前")
    await aunt.says("王家沟桥头")
    aunt.sees("照片：9 张")


# ── groups


@only_telegram
@pytest.mark.parametrize("said", ["/help", "/start@jingxiang_test_bot", "/nosuch", "/more", "@jingxiang_test_bot 帮助"])
async def test_in_a_group_everybody_is_shown_the_groups_commands(town: Town, said: str) -> None:
    staff = await town.person("赵主任", role="staff")
    group = town.bot_api.group("青禾塬镇")
    await staff.driver._arrives(staff.driver.user.says(said, to=group))
    await town.work()
    heard = await group.hears()
    assert "/rollcall" in heard.text and "/who" in heard.text and not heard.buttons
    assert staff.news == []
