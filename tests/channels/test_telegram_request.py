"""python-telegram-bot over our transport, against a Bot API on loopback."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from PIL import Image
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.channels.telegram.http import HttpPool, Timeouts
from bot.channels.telegram.library import PoolRequest
from tests.fakes.botapi import FakeBotApi
from tests.fakes.botapi_people import User


def jpeg(color: str = "green") -> bytes:
    """A small real photo."""
    picture = io.BytesIO()
    Image.new("RGB", (32, 24), color).save(picture, "JPEG")
    return picture.getvalue()


def request_to(api: FakeBotApi, *, read_s: float = 15.0, connections: int = 64, limit: int = 32 << 20) -> PoolRequest:
    """The library's transport over a pool of ours."""
    pool = HttpPool(api.url, connections=connections, timeouts=Timeouts(read_s=read_s), limit=limit)
    return PoolRequest(api.url, pool)


def bot_for(api: FakeBotApi, request: PoolRequest, token: str = "") -> Bot:
    """A bot with one transport for everything."""
    return Bot(
        token or api.token,
        base_url=f"{api.url}/bot",
        base_file_url=f"{api.url}/file/bot",
        request=request,
        get_updates_request=request,
    )


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def bot(api: FakeBotApi) -> AsyncIterator[Bot]:
    async with bot_for(api, request_to(api)) as client:
        yield client


@pytest.fixture
async def wang(api: FakeBotApi) -> User:
    user = api.user("王大娘")
    await user.says("/start")
    return user


async def test_a_message_with_buttons_arrives_as_written(bot: Bot, wang: User) -> None:
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("✅ 完成", callback_data="k:1")]])
    sent = await bot.send_message(wang.id, "请拍照或发送照片 🗑", reply_markup=keys)
    heard = await wang.hears()
    assert heard.text == sent.text == "请拍照或发送照片 🗑"
    assert heard.labels == ["✅ 完成"]


async def test_updates_are_polled_with_a_timeout_longer_than_the_read_timeout(api: FakeBotApi) -> None:
    user = api.user("张三")
    async with bot_for(api, request_to(api, read_s=1.0)) as client:
        poll = asyncio.create_task(client.get_updates(timeout=5))
        await asyncio.sleep(1.5)
        assert not poll.done()
        await user.says("河边有人倒垃圾")
        (update,) = await poll
    assert update.message is not None
    assert update.message.text == "河边有人倒垃圾"


async def test_a_photo_is_uploaded_with_its_caption_and_downloaded_again(bot: Bot, wang: User) -> None:
    photo = jpeg()
    sent = await bot.send_photo(wang.id, photo, caption="回执", filename="王家沟桥头.jpg")
    heard = await wang.hears("回执")
    assert heard.files == (photo,)
    file = await bot.get_file(sent.photo[-1].file_id)
    assert bytes(await file.download_as_bytearray()) == photo


async def test_a_chinese_file_name_is_kept(bot: Bot, wang: User) -> None:
    sent = await bot.send_document(wang.id, io.BytesIO(b"1,2"), filename='十一月"台账".csv')
    assert sent.document is not None
    assert sent.document.file_name == '十一月"台账".csv'


async def test_an_album_is_uploaded_in_one_call(api: FakeBotApi, bot: Bot, wang: User) -> None:
    photos = [jpeg("red"), jpeg("blue"), jpeg("white")]
    await bot.send_media_group(wang.id, [InputMediaPhoto(photo) for photo in photos])
    assert [heard.files[0] for heard in await wang.hears_all()] == photos
    assert len(api.called("sendMediaGroup")) == 1


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ({"status": 400, "description": "Bad Request: chat not found"}, BadRequest),
        ({"status": 401}, InvalidToken),
        ({"status": 403, "description": "Forbidden: bot was blocked by the user"}, Forbidden),
        ({"status": 409}, Conflict),
        ({"status": 500}, NetworkError),
        ({"status": 502}, NetworkError),
        ({"retry_after_s": 7}, RetryAfter),
        ({"drop": "before"}, NetworkError),
        ({"drop": "after"}, NetworkError),
    ],
)
async def test_a_refusal_is_the_library_s_error_and_the_next_call_works(
    api: FakeBotApi, bot: Bot, wang: User, trouble: dict[str, object], error: type[TelegramError]
) -> None:
    api.trouble("sendMessage", **trouble)  # type: ignore[arg-type]
    with pytest.raises(error) as caught:
        await bot.send_message(wang.id, "一")
    assert type(caught.value) is error
    await bot.send_message(wang.id, "二")
    await wang.hears("二")


async def test_retry_after_says_how_long(api: FakeBotApi, bot: Bot, wang: User) -> None:
    api.trouble("sendMessage", retry_after_s=7)
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(wang.id, "一")
    assert caught.value.retry_after == timedelta(seconds=7)


async def test_a_silent_server_times_out(api: FakeBotApi, wang: User) -> None:
    api.trouble("sendMessage", delay_s=5)
    async with bot_for(api, request_to(api)) as client:
        with pytest.raises(TimedOut):
            await client.send_message(wang.id, "一", read_timeout=0.05)
        await client.send_message(wang.id, "二")


async def test_a_call_s_own_timeout_wins(api: FakeBotApi, bot: Bot, wang: User) -> None:
    api.trouble("sendMessage", delay_s=5)
    with pytest.raises(TimedOut):
        await bot.send_message(wang.id, "一", read_timeout=0.05)
    api.trouble("sendPhoto", delay_s=5)
    with pytest.raises(TimedOut):
        await bot.send_photo(wang.id, jpeg(), read_timeout=0.05, write_timeout=0.05, connect_timeout=0.05)


async def test_a_full_pool_times_out_as_such(api: FakeBotApi, wang: User) -> None:
    async with bot_for(api, request_to(api, connections=1, read_s=5)) as client:
        api.trouble("sendMessage", delay_s=1)
        first = asyncio.create_task(client.send_message(wang.id, "一"))
        await asyncio.sleep(0.05)
        with pytest.raises(TimedOut):
            await client.send_message(wang.id, "二", pool_timeout=0.05, connect_timeout=0.05)
        await first


async def test_nobody_listening_is_a_network_error(api: FakeBotApi) -> None:
    await api.stop()
    async with request_to(api) as request:
        with pytest.raises(NetworkError, match="Connection refused"):
            await request.post(f"{api.url}/bot{api.token}/getMe")


async def test_text_that_is_no_text_is_refused_at_once_and_never_retried(bot: Bot, wang: User) -> None:
    with pytest.raises(BadRequest):
        await bot.send_message(wang.id, "半个 \ud83d 表情")


async def test_a_file_above_the_limit_is_refused(api: FakeBotApi, wang: User) -> None:
    await wang.sends_document(b"x" * 5000, "big.bin")
    async with bot_for(api, request_to(api, limit=4000)) as client:
        await api.world.confirm(api.world.queue[-1]["update_id"])
        (update,) = await client.get_updates()
        assert update.message is not None
        assert update.message.document is not None
        file = await client.get_file(update.message.document.file_id)
        with pytest.raises(BadRequest, match="4000 bytes"):
            await file.download_as_bytearray()


async def test_the_token_is_in_no_error_and_no_log(
    api: FakeBotApi, wang: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = api.token.partition(":")[2]
    said: list[str] = []
    async with bot_for(api, request_to(api)) as client:
        for trouble in ({"drop": "before"}, {"drop": "after"}, {"status": 500}, {"delay_s": 5.0}):
            api.trouble("sendMessage", **trouble)
            with pytest.raises(TelegramError) as caught:
                await client.send_message(wang.id, "一", read_timeout=0.1 if "delay_s" in trouble else 15.0)
            error: BaseException | None = caught.value
            while error is not None:
                said.append(f"{error!r} {error}")
                error = error.__cause__
        await api.stop()
        with pytest.raises(NetworkError) as gone:
            await client.send_message(wang.id, "一")
        said.append(repr(gone.value))
    assert len(said) >= 5
    assert secret not in "\n".join(said)
    assert secret not in "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("bot"))


@pytest.mark.parametrize("payload", [b"", b"<html>502</html>", b"[1]", b'{"ok": tru', b"\xff\xfe"])
def test_an_answer_that_is_no_json_object_is_an_error(payload: bytes) -> None:
    with pytest.raises(TelegramError, match="Invalid server response"):
        PoolRequest.parse_json_payload(payload)


async def test_the_transport_opens_and_closes_any_number_of_times(api: FakeBotApi, wang: User) -> None:
    request = request_to(api)
    for _ in range(2):
        await request.initialize()
        await request.initialize()
        async with bot_for(api, request) as client:
            await client.send_message(wang.id, "在")
        await request.shutdown()
    with pytest.raises(NetworkError, match="not started"):
        await request.post(f"{api.url}/bot{api.token}/getMe")
