"""What the Bot API's answers become, beside what python-telegram-bot makes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from telegram import Bot
from telegram.error import RetryAfter, TelegramError

from bot.channels.telegram.api import BotApi, BotApiError
from bot.channels.telegram.http import HttpPool
from bot.channels.telegram.library import PoolRequest
from bot.channels.telegram.multipart import File
from tests.fakes.botapi import FakeBotApi
from tests.fakes.botapi_people import User
from tests.fakes.pictures import photo


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def calls(api: FakeBotApi) -> AsyncIterator[BotApi]:
    made = BotApi(api.url, api.token, HttpPool(api.url, limit=100_000))
    made.start()
    yield made
    await made.stop()


@pytest.fixture
async def wang(api: FakeBotApi) -> User:
    user = api.user("王大娘")
    await user.says("/start")
    return user


async def test_a_call_gives_its_result(calls: BotApi, wang: User) -> None:
    keys = {"inline_keyboard": [[{"text": "好", "callback_data": "1"}]]}
    sent = await calls.call("sendMessage", {"chat_id": wang.id, "text": "你好", "reply_markup": keys})
    heard = await wang.hears("你好")
    assert heard.message_id == sent["message_id"] and heard.labels == ["好"]


@pytest.mark.parametrize(
    ("trouble", "code", "after_s"),
    [
        ({"status": 400, "description": "Bad Request: chat not found"}, 400, 0),
        ({"status": 401, "description": "Unauthorized"}, 401, 0),
        ({"status": 403, "description": "Forbidden: bot was blocked by the user"}, 403, 0),
        ({"status": 409, "description": "Conflict: x"}, 409, 0),
        ({"status": 502, "description": "Bad Gateway"}, 502, 0),
        ({"retry_after_s": 7}, 429, 7),
        ({"drop": "before"}, 0, 0),
        ({"drop": "after"}, 0, 0),
        ({"delay_s": 5.0}, 0, 0),
    ],
)
async def test_a_refusal_tells_what_the_library_s_error_tells(
    api: FakeBotApi, calls: BotApi, wang: User, trouble: dict[str, object], code: int, after_s: int
) -> None:
    read_s = 0.1 if "delay_s" in trouble else 15.0
    api.trouble("sendMessage", **trouble)  # type: ignore[arg-type]
    with pytest.raises(BotApiError) as ours:
        await calls.call("sendMessage", {"chat_id": wang.id, "text": "一"}, read_s=read_s)
    assert (ours.value.code, ours.value.retry_after_s) == (code, after_s)
    assert api.token not in repr(ours.value)
    request = PoolRequest(api.url)
    async with Bot(api.token, f"{api.url}/bot", request=request, get_updates_request=request) as bot:
        api.trouble("sendMessage", **trouble)  # type: ignore[arg-type]
        with pytest.raises(TelegramError) as theirs:
            await bot.send_message(wang.id, "一", read_timeout=read_s)
    if isinstance(theirs.value, RetryAfter):
        assert theirs.value.retry_after == timedelta(seconds=after_s)
    elif code not in (0, 401):  # for these the library has words of its own
        assert ours.value.description.partition(": ")[2].lower() in theirs.value.message.lower()
    await calls.call("sendMessage", {"chat_id": wang.id, "text": "二"})


async def test_a_token_that_is_none_is_refused(api: FakeBotApi) -> None:
    for token, code in (("1:wrong", 404), (api.token[:-1] + "x", 401)):
        wrong = BotApi(api.url, token)
        wrong.start()
        with pytest.raises(BotApiError) as caught:
            await wrong.call("getMe", {})
        assert caught.value.code == code
        await wrong.stop()


async def test_text_that_is_no_text_is_refused_at_once(api: FakeBotApi, calls: BotApi, wang: User) -> None:
    with pytest.raises(BotApiError) as caught:
        await calls.call("sendMessage", {"chat_id": wang.id, "text": "半个 \ud83d 表情"})
    assert caught.value.code == 400 and api.called("sendMessage") == []


async def test_a_photo_goes_up_and_comes_down_again(calls: BotApi, wang: User) -> None:
    content = photo()
    named = File('王家沟"桥头"\r\n.jpg', "image/jpeg", content)
    sent = await calls.upload("sendPhoto", {"chat_id": str(wang.id)}, "photo", named)
    assert (await wang.hears()).files == (content,)
    found = await calls.call("getFile", {"file_id": sent["photo"][-1]["file_id"]})
    assert b"".join([piece async for piece in calls.download(found["file_path"])]) == content


async def test_a_video_goes_up_in_pieces_under_its_name(calls: BotApi, wang: User) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"\0\1\2\3" * 10_000

    named = File('十一月"台账".mp4', "video/mp4", pieces())
    sent = await calls.upload("sendDocument", {"chat_id": str(wang.id)}, "document", named)
    assert (await wang.hears()).files == (b"\0\1\2\3" * 50_000,)
    assert sent["document"]["file_name"] == '十一月"台账".mp4'


async def test_a_file_that_is_gone_or_too_large(calls: BotApi, wang: User) -> None:
    with pytest.raises(BotApiError, match="404") as gone:
        _ = [piece async for piece in calls.download("photos/none.jpg")]
    sent = await calls.upload(
        "sendDocument", {"chat_id": str(wang.id)}, "document", File("x.bin", "application/zip", b"x" * 200_000)
    )
    found = await calls.call("getFile", {"file_id": sent["document"]["file_id"]})
    with pytest.raises(BotApiError, match="100000 bytes") as large:
        _ = [piece async for piece in calls.download(found["file_path"])]
    assert (gone.value.code, large.value.code) == (400, 400)


@pytest.mark.parametrize("body", [b"", b"<html>403</html>", b"[1]", b'{"ok": tru', b"\xff\xfe"])
@pytest.mark.parametrize("status", [200, 400, 403])
async def test_what_is_not_telegrams_own_answer_decides_nothing(
    monkeypatch: pytest.MonkeyPatch, calls: BotApi, body: bytes, status: int
) -> None:
    async def answered(*args: object, **more: object) -> tuple[int, bytes]:
        return status, body

    monkeypatch.setattr(HttpPool, "post", answered)
    with pytest.raises(BotApiError) as caught:
        await calls.call("sendMessage", {})
    assert caught.value.code == 0
