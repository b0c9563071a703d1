"""Telegram's wire payloads in, messages out, and what happens when Telegram says no."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from bot.channels.base import Arrival, Letter, Raw
from bot.channels.telegram import identity
from bot.channels.telegram.channel import Telegram
from bot.channels.telegram.http import Timeouts
from bot.channels.telegram.wire import parts_of
from bot.clock import SystemClock
from bot.errors import GiveUp, RetryLater
from bot.settings import Settings
from bot.talk.messages import Out
from bot.troubles import Troubles
from tests.fakes.botapi import FakeBotApi
from tests.fakes.pictures import photo

SECRET = "a-webhook-secret"


class Shelf:
    """Pictures that were stored."""

    async def viewing_copy(self, media_id: str) -> tuple[bytes, str] | None:
        return (photo(), "image") if media_id == "there" else None


def message_from(user_id: int, words: str) -> dict[str, Any]:
    """A private message as Telegram writes it."""
    user = {"id": user_id, "is_bot": False, "first_name": "王"}
    return {"message_id": 1, "date": 1, "chat": {"id": user_id, "type": "private"}, "from": user, "text": words}


class Desk:
    """A Telegram channel and what it stored."""

    def __init__(self, api: FakeBotApi, telegram: Telegram) -> None:
        self.api = api
        self.telegram = telegram
        self.raws: list[Raw] = []
        self.refuse = 0

    async def accept(self, raws: Sequence[Raw]) -> None:
        if self.refuse:
            self.refuse -= 1
            raise OSError("disk full")
        self.raws += raws

    async def arrival(self, number: int = 1) -> Arrival:
        async with asyncio.timeout(5):
            while len(self.raws) < number:
                await asyncio.sleep(0.002)
        return self.telegram.decode(self.raws[number - 1])

    async def sends(self, user: Any, out: Out) -> bool:
        letter = Letter(1, 1, 1, "telegram", f"telegram:{user.id}", out, 0, None, 0)
        return await self.telegram.send(letter)


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as served:
        yield served


def settings_for(api: FakeBotApi, tmp_path: Path, **more: Any) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=tmp_path,
        telegram_token=api.token,
        telegram_api_url=api.url,
        telegram_rate_per_second=0,
        **more,
    )


def telegram_of(settings: Settings, troubles: Troubles | None = None) -> Telegram:
    token = settings.telegram_token
    return Telegram(settings, SystemClock(), Shelf(), token=token, township_id=1, troubles=troubles)


@asynccontextmanager
async def receiving(telegram: Telegram, desk: Desk) -> AsyncIterator[None]:
    """Signed in, and fetching what comes."""
    await telegram.start(desk.accept)
    fetching = asyncio.create_task(telegram.fetch_updates())
    try:
        yield
    finally:
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)
        await telegram.stop()


@pytest.fixture
async def desk(api: FakeBotApi, tmp_path: Path) -> AsyncIterator[Desk]:
    telegram = telegram_of(settings_for(api, tmp_path))
    made = Desk(api, telegram)
    async with receiving(telegram, made):
        yield made


async def test_words_a_command_and_a_start_link(desk: Desk) -> None:
    aunt = desk.api.user("王大娘", language="zh-hans")
    await aunt.says("王家沟桥头有人倒垃圾\u202e\x07")
    await aunt.says("/report")
    await aunt.says("/start TOKEN-1")
    first = await desk.arrival(1)
    assert first.event.kind == "text" and first.event.text == "王家沟桥头有人倒垃圾"
    assert (first.name, first.language) == ("王大娘", "zh-hans")
    assert (await desk.arrival(2)).event.command
    third = (await desk.arrival(3)).event
    assert (third.kind, third.data) == ("start", "TOKEN-1")


async def test_photos_albums_videos_and_files(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    await aunt.sends_photo(photo(), "路边")
    await aunt.sends_album([photo(1), photo(2)])
    await aunt.sends_video(b"\0" * 100)
    await aunt.sends_document(photo(3), "现场.jpg", "image/jpeg")
    await aunt.sends_document(b"PK", "表.zip", "application/zip")
    await aunt.sends_voice(b"voice")
    single = (await desk.arrival(1)).event
    assert single.kind == "media" and single.text == "路边" and single.media[0].kind == "image"
    album = [(await desk.arrival(at)).event.album for at in (2, 3)]
    assert album[0] and album[0] == album[1]
    assert (await desk.arrival(4)).event.media[0].kind == "video"
    assert (await desk.arrival(5)).event.media[0].kind == "image"
    assert [(await desk.arrival(at)).event.kind for at in (6, 7)] == ["file", "other"]
    content = b"".join([chunk async for chunk in desk.telegram.fetch(single.media[0].ref)])
    assert content == photo()


async def test_a_position_an_edit_and_a_block(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    await aunt.sends_location(35.5, 104.6)
    await aunt.says("以前")
    await aunt.edits("改了")
    await aunt.blocks()
    place = (await desk.arrival(1)).event
    assert (place.kind, place.datum) == ("place", "WGS-84") and abs(place.lat - 35.5) < 1e-6
    assert [(await desk.arrival(at)).event.kind for at in (3, 4)] == ["edited", "left"]


async def test_in_a_group_only_commands_and_mentions_are_for_the_bot(desk: Desk) -> None:
    aunt, group = desk.api.user("王大娘"), desk.api.group("王家沟村")
    await aunt.says("今天天气好", to=group)
    await aunt.says("/rollcall@jingxiang_test_bot", to=group)
    await aunt.says("/rollcall@another_bot", to=group)
    await aunt.says("@jingxiang_test_bot 点名", to=group)
    kinds = [(await desk.arrival(at)) for at in (1, 2, 3, 4)]
    assert [one.event.kind for one in kinds] == ["nothing", "text", "nothing", "text"]
    assert kinds[1].event.text == "/rollcall" and kinds[3].event.text == "点名"
    assert kinds[1].reply_to == f"telegram:{group.id}" and kinds[1].event.group


async def test_what_could_not_be_stored_is_asked_for_again(desk: Desk) -> None:
    desk.refuse = 1
    aunt = desk.api.user("王大娘")
    await aunt.says("别丢了我")
    assert (await desk.arrival(1)).event.text == "别丢了我"
    assert len(desk.raws) == 1


async def test_what_is_not_shaped_as_an_update_holds_up_nobody(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    world = desk.api.world
    async with world.changed:
        chat = {"id": aunt.id, "type": "private"}
        world.queue.append({"update_id": 5, "message": {"message_id": 1, "chat": chat, "from": {"id": "x"}}})
        world.queue.append({"update_id": 6, "message": message_from(aunt.id, "好")})
        world.changed.notify_all()
    assert (await desk.arrival(1)).event.text == "好"
    await desk.api.all_read()
    assert [raw.key for raw in desk.raws] == ["6"]


async def test_updates_without_a_number_are_no_reason_to_spin(desk: Desk) -> None:
    async with desk.api.world.changed:
        desk.api.world.queue.append({"message": {}})
        desk.api.world.changed.notify_all()
    await asyncio.sleep(0.2)
    assert len(desk.api.called("getUpdates")) <= 2 and desk.raws == []


async def test_a_message_with_buttons_and_the_spinner(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    await aunt.says("/start")
    await desk.arrival(1)
    assert await desk.sends(
        aunt, Out("什么事？", ((("倒垃圾", "ab.1.=dumping", "plain"), ("焚烧", "ab.1.=b", "plain")),))
    )
    heard = await aunt.hears("什么事")
    assert heard.labels == ["倒垃圾", "焚烧"]
    await aunt.taps("倒垃圾", on=heard)
    tap = await desk.arrival(2)
    assert (tap.event.kind, tap.event.data) == ("tap", "ab.1.=dumping")
    desk.telegram.handled(desk.raws[1])
    await aunt.sees_answer()


async def test_a_place_is_asked_with_the_devices_own_button(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    await aunt.says("/start")
    await desk.arrival(1)
    await desk.sends(
        aunt, Out("在哪里？", ((("📍发送位置", "#place", "primary"),), (("桥头", "a.1.=3", "plain"),)), "place")
    )
    heard = await aunt.hears("在哪里")
    assert heard.labels == ["📍发送位置", "桥头"] and heard.buttons[0].asks_location


async def test_pictures_long_texts_and_links(desk: Desk) -> None:
    staff = desk.api.user("李主任")
    await staff.says("/start")
    await desk.arrival(1)
    words = "\n".join(f"第{at}条 " + "字" * 90 for at in range(100))
    await desk.sends(
        staff,
        Out(words, media=("there", "gone"), links=(("地图", "https://uri.amap.com/x"), ("本地", "http://10.0.0.1/"))),
    )
    heard = await staff.hears_all()
    assert heard[0].files and len(heard) > 2
    assert heard[-1].links and "http://10.0.0.1/" in heard[-1].text
    assert "".join(one.text for one in heard[1:]).replace("\n", "").startswith(words.replace("\n", "")[:200])


async def test_refusals_become_decisions(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    await aunt.says("/start")
    await desk.arrival(1)
    desk.api.trouble(method="sendMessage", status=429, description="Too Many Requests", retry_after_s=3)
    with pytest.raises(RetryLater) as later:
        await desk.sends(aunt, Out("x"))
    assert later.value.after_ms == 3000
    desk.api.trouble(method="sendMessage", status=500, description="Internal Server Error")
    with pytest.raises(RetryLater):
        await desk.sends(aunt, Out("x"))
    desk.api.trouble(method="sendMessage", drop="after")
    with pytest.raises(RetryLater):
        await desk.sends(aunt, Out("x"))
    await aunt.blocks()
    with pytest.raises(GiveUp) as gone:
        await desk.sends(aunt, Out("x"))
    assert gone.value.unreachable


async def test_retry_after_holds_the_chat(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    aunt = desk.api.user("王大娘")
    await aunt.says("/start")
    await desk.arrival(1)
    desk.api.trouble(method="sendMessage", status=429, description="Too Many Requests", retry_after_s=7)
    with pytest.raises(RetryLater):
        await desk.sends(aunt, Out("x"))
    now_ms = SystemClock().now_ms()
    assert desk.telegram.admit_ms(f"telegram:{aunt.id}", now_ms) > now_ms + 5_000
    assert desk.telegram.admit_ms("telegram:99", now_ms) == now_ms


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_token_that_is_refused_is_no_outage_and_is_not_told(api: FakeBotApi, tmp_path: Path) -> None:
    settings = settings_for(api, tmp_path).model_copy(update={"telegram_token": f"{api.token[:-1]}x"})
    troubles = Troubles(SystemClock())
    telegram = telegram_of(settings, troubles)
    with capture_logs() as logs:
        await telegram.start(Desk(api, telegram).accept)
        await until(lambda: bool(troubles.now()))
    [said] = troubles.now()
    assert (said.part, said.reason, said.township_id) == ("telegram", "bot_token_refused", 1)
    assert settings.telegram_token not in str(logs) + str(said)
    await telegram.stop()


@pytest.mark.parametrize(
    "trouble", [{"drop": "before"}, {"status": 502, "description": "Bad Gateway"}, {"delay_s": 30}]
)
async def test_a_telegram_that_is_away_at_the_start_is_asked_again(
    api: FakeBotApi, tmp_path: Path, trouble: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "FIRST_PAUSE_S", 0.05)
    troubles = Troubles(SystemClock())
    telegram = telegram_of(settings_for(api, tmp_path), troubles)
    telegram._api._pool.timeouts = Timeouts(0.5, 0.1, 0.5)
    api.trouble(method="getMe", times=2, **trouble)
    desk = Desk(api, telegram)
    with capture_logs() as logs:
        async with asyncio.timeout(1):
            await telegram.start(desk.accept)
        await until(lambda: bool(troubles.now()))
        assert [one.reason for one in troubles.now()] == ["no_answer"]
        await until(lambda: not troubles.now())
    assert telegram.identity.username == api.world.bot["username"]
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["trouble.began", "trouble.over"]
    await telegram.stop()


async def test_no_secret_reaches_a_log(api: FakeBotApi, tmp_path: Path) -> None:
    telegram = telegram_of(settings_for(api, tmp_path))
    with capture_logs() as logs:
        api.trouble(method="getUpdates", drop="before", times=2)
        async with receiving(telegram, Desk(api, telegram)):
            async with asyncio.timeout(20):
                while not logs:  # nothing else tells that a log line was written
                    await asyncio.sleep(0.01)
    assert logs and api.token not in str(logs)


async def test_the_webhook_takes_only_telegrams_own_calls(api: FakeBotApi, tmp_path: Path) -> None:
    settings = settings_for(
        api, tmp_path, telegram_mode="webhook", telegram_webhook_secret=SECRET, public_url="https://chat.example"
    )
    telegram = telegram_of(settings)
    desk = Desk(api, telegram)
    await telegram.start(desk.accept)
    await telegram.identity.known()
    update = {"update_id": 5, "message": message_from(7, "好")}
    transport = httpx.ASGITransport(app=Starlette(routes=telegram.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="https://chat.example") as client:
        body = orjson.dumps(update)
        header = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        assert (await client.post("/telegram", content=body)).status_code == 403
        wrong = {"X-Telegram-Bot-Api-Secret-Token": b"\xfc"}
        assert (await client.post("/telegram", content=body, headers=wrong)).status_code == 403
        assert (await client.post("/telegram", content=b"[]", headers=header)).status_code == 400
        assert (await client.post("/telegram", content=b"{" * 10, headers=header)).status_code == 400
        assert (await client.post("/telegram", content=b"x" * (2 << 20), headers=header)).status_code == 413
        assert desk.raws == []
        for tap in ({"from": "x", "id": "1"}, {"from": {"id": "x"}, "data": "x"}, "x"):
            nobody = orjson.dumps({"update_id": 3, "callback_query": tap})
            assert (await client.post("/telegram", content=nobody, headers=header)).status_code == 200
        assert desk.raws == []
        unanswerable = orjson.dumps({"update_id": 4, "callback_query": {"from": {"id": 7}, "data": "x"}})
        assert (await client.post("/telegram", content=unanswerable, headers=header)).status_code == 200
        assert (await client.post("/telegram", content=body, headers=header)).status_code == 200
    assert [raw.key for raw in desk.raws] == ["4", "5"]
    assert [telegram.decode(raw).event.kind for raw in desk.raws] == ["nothing", "text"]
    telegram.handled(desk.raws[0])  # there is no spinner to stop
    await telegram.stop()


def test_long_texts_are_cut_at_line_ends_and_lose_nothing() -> None:
    words = "\n".join(f"{at} " + "字" * 120 for at in range(200))
    parts = parts_of(words)
    assert all(len(part) <= 4_000 for part in parts) and "\n".join(parts) == words
    assert parts_of("") == ["…"]


async def test_a_card_gets_a_name_and_is_changed_where_it_stands(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    await aunt.says("你好")
    first = Out("待核实", ((("属实", "/verify 1 true", ""),),), card="case:1")
    name = await desk.sends(aunt, first)
    shown = await aunt.hears()
    assert name == str(shown.message_id) and shown.labels == ["属实"]
    changed = Letter(
        2, 1, 1, "telegram", f"telegram:{aunt.id}", Out("属实", card="case:1"), 0, None, 0, changes=str(name)
    )
    assert await desk.telegram.send(changed)
    seen = aunt.shows(shown.message_id)
    assert (seen.text, seen.labels) == ("属实", []), "the old buttons are gone"
    assert await desk.telegram.send(changed), "nothing is left to change: no trouble"


async def test_a_change_of_what_is_gone_is_sent_anew_unless_it_is_quiet(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    await aunt.says("你好")
    gone = Letter(1, 1, 1, "telegram", f"telegram:{aunt.id}", Out("名单", card="cases"), 0, None, 0, changes="99")
    assert await desk.telegram.send(gone)
    assert (await aunt.hears()).text == "名单"
    quiet = Letter(2, 1, 1, "telegram", f"telegram:{aunt.id}", Out("属实", quiet=True), 0, None, 0, changes="99")
    assert await desk.telegram.send(quiet)
    await aunt.hears_nothing()


async def test_a_chat_s_own_commands(desk: Desk) -> None:
    aunt = desk.api.user("王大娘")
    assert await desk.sends(aunt, Out("", commands=(("weigh", "称重"), ("help", "帮助"))))
    listed = desk.api.world.menus["chat", aunt.id, ""]
    assert listed == [{"command": "weigh", "description": "称重"}, {"command": "help", "description": "帮助"}]
    await aunt.hears_nothing()
