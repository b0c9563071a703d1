"""The fake refuses what Telegram refuses, and its people see what people see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from tests.fakes.botapi import FakeBotApi

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def ask(api: FakeBotApi) -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession() as session:

        async def post(method: str, token: str = "", **values: object) -> dict[str, Any]:
            url = f"{api.url}/bot{token or api.token}/{method}"
            async with session.post(url, json=values) as response:
                body: dict[str, Any] = await response.json()
                assert response.status == body.get("error_code", 200)
                return body

        yield post


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"text": ""}, 400, "message text is empty"),
        ({"text": " \n "}, 400, "message text is empty"),
        ({"text": "净" * 4097}, 400, "message is too long"),
        ({"text": "😀" * 2049}, 400, "message is too long"),
        ({"text": "<b>粗", "parse_mode": "HTML"}, 400, "can't parse entities"),
        ({"text": "<div>x</div>", "parse_mode": "HTML"}, 400, "Unsupported start tag"),
        ({"text": "好", "chat_id": 5}, 400, "chat not found"),
        ({"text": "好", "chat_id": "x"}, 400, "invalid chat_id"),
        ({"text": "好", "reply_markup": "{"}, 400, "can't parse reply_markup"),
        ({"text": "好", "reply_markup": {"inline_keyboard": [[{"text": "钮"}]]}}, 400, "Text buttons"),
        ({"text": "好", "reply_markup": {"inline_keyboard": [[{"text": "", "callback_data": "1"}]]}}, 400, "non-empty"),
        (
            {"text": "好", "reply_markup": {"inline_keyboard": [[{"text": "钮", "callback_data": "净" * 22}]]}},
            400,
            "BUTTON_DATA_INVALID",
        ),
        (
            {"text": "好", "reply_markup": {"inline_keyboard": [[{"text": "钮", "url": "http://localhost/"}]]}},
            400,
            "Wrong HTTP URL",
        ),
        ({"text": "好", "reply_parameters": {"message_id": 99999}}, 400, "message to be replied not found"),
    ],
)
async def test_a_bad_message_is_refused(
    api: FakeBotApi, ask: Ask, values: dict[str, object], code: int, words: str
) -> None:
    user = api.user("王大娘")
    await user.says("在吗")
    answer = await ask("sendMessage", **({"chat_id": user.id} | values))
    assert (answer["ok"], answer["error_code"]) == (False, code)
    assert words in answer["description"]
    await user.hears_nothing(0.01)


async def test_the_longest_text_and_data_pass(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    await user.says("在吗")
    keys = {"inline_keyboard": [[{"text": "钮", "callback_data": "d" * 64}]]}
    assert (await ask("sendMessage", chat_id=user.id, text="净" * 4096, reply_markup=keys))["ok"]


async def test_a_stranger_a_blocked_bot_and_a_wrong_token(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    assert "chat not found" in (await ask("sendMessage", chat_id=user.id, text="好"))["description"]
    await user.says("在吗")
    await user.blocks()
    answer = await ask("sendMessage", chat_id=user.id, text="好")
    assert (answer["error_code"], answer["description"]) == (403, "Forbidden: bot was blocked by the user")
    await user.unblocks()
    assert (await ask("sendMessage", chat_id=user.id, text="好"))["ok"]
    assert (await ask("getMe", token="123456789:AAwrong-token-wrong-token-wrong"))["error_code"] == 401
    assert (await ask("getMe", token="nonsense"))["error_code"] == 404
    assert (await ask("fly"))["error_code"] == 404


async def test_updates_stay_until_a_higher_offset_is_asked(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    for text in ("一", "二", "三"):
        await user.says(text)
    first = (await ask("getUpdates", limit=2))["result"]
    assert [update["message"]["text"] for update in first] == ["一", "二"]
    assert (await ask("getUpdates", limit=2))["result"] == first
    rest = (await ask("getUpdates", offset=first[-1]["update_id"] + 1))["result"]
    assert [update["message"]["text"] for update in rest] == ["三"]
    assert (await ask("getUpdates", offset=rest[-1]["update_id"] + 1))["result"] == []
    await api.all_read()


async def test_a_second_poller_ends_the_first(api: FakeBotApi, ask: Ask) -> None:
    first = asyncio.ensure_future(ask("getUpdates", timeout=30))
    while not api.called("getUpdates"):
        await asyncio.sleep(0.01)
    second = asyncio.ensure_future(ask("getUpdates", timeout=30))
    assert (await first)["error_code"] == 409
    await api.user("王大娘").says("好")
    assert len((await second)["result"]) == 1


async def test_only_wanted_kinds_are_queued(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    await ask("getUpdates", allowed_updates=["message"])
    await user.says("好")
    await user.edits("好的")
    await user.blocks()
    assert [sorted(update) for update in (await ask("getUpdates"))["result"]] == [["message", "update_id"]]


async def test_taps_name_the_button_and_are_answered_once(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    await user.says("好")
    keys = {"inline_keyboard": [[{"text": "✅ 同意", "callback_data": "yes"}, {"text": "不", "callback_data": "no"}]]}
    await ask("sendMessage", chat_id=user.id, text="同意吗?", reply_markup=keys)
    heard = await user.hears("同意")
    query_id = await user.taps("同意")
    query = (await ask("getUpdates", offset=-1))["result"][0]["callback_query"]
    assert (query["data"], query["message"]["message_id"]) == ("yes", heard.message_id)
    assert (await ask("answerCallbackQuery", callback_query_id=query_id, text="谢谢"))["ok"]
    assert await user.sees_answer() == "谢谢"
    assert "too old" in (await ask("answerCallbackQuery", callback_query_id=query_id))["description"]
    await ask("editMessageReplyMarkup", chat_id=user.id, message_id=heard.message_id)
    with pytest.raises(AssertionError, match="no button"):
        await user.taps("同意")
    await user.taps("同意", on=heard)


async def test_reply_keys_send_their_label_or_a_place(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    await user.says("好")
    keys = {"keyboard": [["我的积分"], [{"text": "发送位置", "request_location": True}]]}
    await ask("sendMessage", chat_id=user.id, text="在哪?", reply_markup=keys)
    await user.taps("积分")
    user.position = (36.5, 107.5)
    await user.taps("发送位置")
    first, second = (await ask("getUpdates", offset=-2))["result"]
    assert first["message"]["text"] == "我的积分"
    assert second["message"]["location"] == {"latitude": 36.5, "longitude": 107.5}


async def test_edits_are_heard_and_the_same_words_are_refused(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    await user.says("好")
    sent = (await ask("sendMessage", chat_id=user.id, text="一"))["result"]["message_id"]
    await user.hears("一")
    same = await ask("editMessageText", chat_id=user.id, message_id=sent, text="一")
    assert "message is not modified" in same["description"]
    assert (await ask("editMessageText", chat_id=user.id, message_id=sent, text="二"))["ok"]
    heard = await user.hears("二")
    assert (heard.edited, heard.message_id) == (True, sent)
    gone = await ask("editMessageText", chat_id=user.id, message_id=999, text="二")
    assert "message to edit not found" in gone["description"]


async def test_an_album_is_several_updates_of_one_group(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    await user.sends_album([b"\xff\xd8\xff1", b"\xff\xd8\xff2"], "两张")
    messages = [update["message"] for update in (await ask("getUpdates"))["result"]]
    assert len({message["media_group_id"] for message in messages}) == 1
    assert [message.get("caption") for message in messages] == ["两张", None]


async def test_a_large_file_cannot_be_fetched(api: FakeBotApi, ask: Ask) -> None:
    user = api.user("王大娘")
    await user.sends_document(b"x" * (20 * 1024 * 1024 + 1), "30MB.jpg", "image/jpeg")
    file_id = (await ask("getUpdates"))["result"][0]["message"]["document"]["file_id"]
    assert "file is too big" in (await ask("getFile", file_id=file_id))["description"]
    assert "invalid file_id" in (await ask("getFile", file_id="x"))["description"]


async def test_in_a_group_commands_and_mentions_are_marked(api: FakeBotApi, ask: Ask) -> None:
    user, group = api.user("王大娘"), api.group("王家沟网格")
    await user.says("😀 /digest@jingxiang_test_bot", to=group)
    await user.says("@jingxiang_test_bot 在吗", to=group)
    first, second = [update["message"] for update in (await ask("getUpdates"))["result"]]
    assert first["entities"] == [{"type": "bot_command", "offset": 3, "length": 26}]
    assert second["entities"] == [{"type": "mention", "offset": 0, "length": 19}]
    assert first["chat"]["id"] == group.id < 0
    await ask("sendMessage", chat_id=group.id, text="在")
    await group.hears("在")
    await group.removes_bot()
    assert (await ask("sendMessage", chat_id=group.id, text="在"))["error_code"] == 403


async def test_a_webhook_gets_each_update_with_its_secret_until_it_says_yes(api: FakeBotApi, ask: Ask) -> None:
    got: list[tuple[str, str]] = []

    async def hook(request: web.BaseRequest) -> web.Response:
        text = orjson.loads(await request.read())["message"]["text"]
        got.append((request.headers["X-Telegram-Bot-Api-Secret-Token"], text))
        return web.Response(status=500 if len(got) == 1 else 200)

    runner = web.ServerRunner(web.Server(hook))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
    user = api.user("王大娘")
    assert (await ask("setWebhook", url=url, secret_token="秘密"))["error_code"] == 400
    assert (await ask("setWebhook", url="http://example.org/"))["error_code"] == 400
    assert (await ask("setWebhook", url=url, secret_token="s3cret_-"))["ok"]
    await user.says("一")
    await user.says("二")
    await api.all_read()
    assert got == [("s3cret_-", "一"), ("s3cret_-", "一"), ("s3cret_-", "二")]
    assert (await ask("getUpdates"))["error_code"] == 409
    assert "500" in (await ask("getWebhookInfo"))["result"]["last_error_message"]
    assert (await ask("deleteWebhook"))["ok"]
    assert (await ask("getUpdates"))["result"] == []
    await runner.cleanup()


async def test_trouble_comes_as_often_as_asked_and_only_there(api: FakeBotApi, ask: Ask) -> None:
    wang, li = api.user("王大娘"), api.user("李四")
    await wang.says("好")
    await li.says("好")
    api.trouble("sendMessage", retry_after_s=3, times=2, chat=wang.id)
    assert (await ask("sendMessage", chat_id=li.id, text="好"))["ok"]
    for _ in range(2):
        answer = await ask("sendMessage", chat_id=wang.id, text="好")
        assert (answer["error_code"], answer["parameters"]) == (429, {"retry_after": 3})
    assert (await ask("sendMessage", chat_id=wang.id, text="好"))["ok"]
    api.trouble("sendMessage", drop="after")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await ask("sendMessage", chat_id=wang.id, text="到了")
    await wang.hears("到了")


@pytest.mark.parametrize(
    ("method", "values", "words"),
    [
        ("setMyCommands", {"commands": [{"command": "举报", "description": "举报"}]}, "BOT_COMMAND_INVALID"),
        ("setMyCommands", {"commands": [{"command": "report", "description": ""}]}, "DESCRIPTION_INVALID"),
        ("sendChatAction", {"action": "sleeping"}, "wrong parameter action"),
        ("sendLocation", {"latitude": 91, "longitude": 0}, "wrong latitude"),
        ("sendMediaGroup", {"media": []}, "2-10"),
        ("sendPhoto", {"photo": "no-such-file"}, "wrong file identifier"),
        ("answerCallbackQuery", {"callback_query_id": "1", "text": "长" * 201}, "MESSAGE_TOO_LONG"),
    ],
)
async def test_other_methods_are_checked_too(
    api: FakeBotApi, ask: Ask, method: str, values: dict[str, object], words: str
) -> None:
    user = api.user("王大娘")
    await user.says("好")
    assert words in (await ask(method, chat_id=user.id, **values))["description"]
