"""Calls of WeChat's API against the fake one: tokens, errors in a 200, media, notices, menu, OAuth, quotas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.tencent_errors import WECHAT, ErrorCode, WindowClosed, failure_of
from bot.channels.wechat.api import WeChatApi
from bot.channels.wechat.crypto import signature
from bot.channels.wechat.notices import authorize_url, check_menu, js_signature, notice_data
from bot.channels.wechat.quota import HOUR_MS, OPENS, Quota
from bot.channels.wechat.wire import Heard
from bot.errors import GiveUp, RetryLater
from tests.fakes.pictures import photo
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_checks import check_values
from tests.fakes.wechat_people import User
from tests.fakes.wechat_world import OPENS as WECHAT_OPENS
from tests.fakes.wechat_world import Contact, WeChatError, World

START_MS = 1_790_000_000_000


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


class Row:
    """Where tokens lie."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, int]] = {}
        self.puts = 0

    async def get(self, name: str) -> tuple[str, int] | None:
        return self.rows.get(name)

    async def put(self, name: str, token: str, expires_ms: int) -> None:
        self.rows[name] = token, expires_ms
        self.puts += 1


@dataclass
class Desk:
    """WeChat, a client of it, and somebody who has just written."""

    wechat: FakeWeChat
    api: WeChatApi
    clock: Clock
    row: Row
    wang: User

    async def another(self) -> WeChatApi:
        """Another worker's client, with the same row."""
        world = self.wechat.world
        api = WeChatApi(world.app_id, world.secret, self.row, self.clock, self.wechat.url)
        await api.start()
        return api


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    clock, row = Clock(), Row()
    async with FakeWeChat(clock.now_ms) as wechat:
        world = wechat.world
        api = WeChatApi(world.app_id, world.secret, row, clock, wechat.url)
        await api.start()
        wang = wechat.user("王大娘")
        world.opened(wang.contact, "message")
        yield Desk(wechat, api, clock, row, wang)
        await api.stop()


# -- the token


async def test_one_token_serves_all_calls_and_all_workers(desk: Desk) -> None:
    other = await desk.another()
    await asyncio.gather(*(desk.api.send_text(desk.wang.openid, f"第{at}条") for at in range(3)))
    await other.send_text(desk.wang.openid, "别的进程")
    await other.stop()
    assert len(desk.wechat.called("stable_token")) == 1 and desk.row.puts == 1
    assert sorted(heard.text for heard in desk.wang.hears_now()) == ["别的进程", "第0条", "第1条", "第2条"]
    assert desk.wechat.violations == []


async def test_it_is_renewed_before_it_ends(desk: Desk) -> None:
    await desk.api.send_text(desk.wang.openid, "一")
    desk.clock.ms += 7_200_000 - 301_000
    await desk.api.send_text(desk.wang.openid, "二")
    assert len(desk.wechat.called("stable_token")) == 1
    desk.clock.ms += 2_000
    await desk.api.send_text(desk.wang.openid, "三")
    assert len(desk.wechat.called("stable_token")) == 2
    assert {call.code for call in desk.wechat.calls} == {0}


async def test_the_old_one_serves_while_no_new_one_can_be_had(desk: Desk) -> None:
    await desk.api.send_text(desk.wang.openid, "一")
    desk.clock.ms += 7_200_000 - 200_000
    desk.wechat.trouble("stable_token", status=502, times=99)
    await desk.api.send_text(desk.wang.openid, "二")
    await desk.api.send_text(desk.wang.openid, "三")
    assert len(desk.wechat.called("stable_token")) == 2, "it asks again after a while, not for each message"
    desk.clock.ms += 195_000
    with pytest.raises(RetryLater):
        await desk.api.send_text(desk.wang.openid, "四")


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_refused_token_is_renewed_once(desk: Desk, code: int) -> None:
    desk.wechat.trouble("custom/send", errcode=code)
    await desk.api.send_text(desk.wang.openid, "好")
    assert (await desk.wang.hears()).text == "好"
    desk.clock.ms += 60_000
    desk.wechat.trouble("custom/send", errcode=code, times=2)
    with pytest.raises(RetryLater) as caught:
        await desk.api.send_text(desk.wang.openid, "好")
    assert caught.value.everyone and desk.api.fault == "token_refused"
    await desk.api.send_text(desk.wang.openid, "又好了")
    assert desk.api.fault == "" and desk.wechat.violations == []


async def test_a_void_token_that_stable_token_still_gives_is_forced(desk: Desk) -> None:
    await desk.api.send_text(desk.wang.openid, "一")
    desk.wechat.world.revoke_tokens()
    await desk.api.send_text(desk.wang.openid, "二")
    forces = [call.body["force_refresh"] for call in desk.wechat.called("stable_token")]
    assert forces == [False, False, True]
    desk.wechat.world.revoke_tokens()
    with pytest.raises(RetryLater):
        await desk.api.send_text(desk.wang.openid, "三")
    assert desk.wechat.violations == [], "never twice in 30 s"
    desk.clock.ms += 30_000
    await desk.api.send_text(desk.wang.openid, "三")


async def test_what_another_worker_has_renewed_is_used(desk: Desk) -> None:
    other = await desk.another()
    await desk.api.send_text(desk.wang.openid, "一")
    await other.send_text(desk.wang.openid, "二")
    desk.wechat.world.revoke_tokens()
    await desk.api.send_text(desk.wang.openid, "三")
    asked = len(desk.wechat.called("stable_token"))
    await other.send_text(desk.wang.openid, "四")
    await other.stop()
    assert len(desk.wechat.called("stable_token")) == asked


@pytest.mark.parametrize(
    ("code", "fault"), [(40125, "wrong_secret"), (40013, "wrong_app_id"), (40164, "address_not_listed")]
)
async def test_what_the_operator_must_do_is_named(desk: Desk, code: int, fault: str) -> None:
    desk.wechat.trouble("stable_token", errcode=code)
    with pytest.raises(RetryLater) as caught:
        await desk.api.check()
    assert (caught.value.reason, desk.api.fault, caught.value.everyone) == (fault, fault, True)
    await desk.api.check()
    await desk.api.send_text(desk.wang.openid, "好")
    assert desk.api.fault == ""


# -- what WeChat says no to


@pytest.mark.parametrize(
    ("code", "unreachable"),
    [(40003, True), (43004, True), (48002, True), (45002, False), (43101, False), (40007, False), (99999, False)],
)
async def test_what_is_never_tried_again(desk: Desk, code: int, unreachable: bool) -> None:
    desk.wechat.trouble("custom/send", errcode=code)
    with pytest.raises(GiveUp) as caught:
        await desk.api.send_text(desk.wang.openid, "好")
    assert caught.value.unreachable is unreachable and not isinstance(caught.value, WindowClosed)


@pytest.mark.parametrize(("code", "unreachable"), [(45015, True), (45047, False)])
async def test_what_waits_until_they_write(desk: Desk, code: int, unreachable: bool) -> None:
    desk.wechat.trouble("custom/send", errcode=code)
    with pytest.raises(WindowClosed) as caught:
        await desk.api.send_text(desk.wang.openid, "好")
    assert caught.value.unreachable is unreachable


@pytest.mark.parametrize("code", [-1, 45009, 45011, 50002])
async def test_what_is_tried_again(desk: Desk, code: int) -> None:
    desk.wechat.trouble("custom/send", errcode=code)
    with pytest.raises(RetryLater) as caught:
        await desk.api.send_text(desk.wang.openid, "好")
    assert caught.value.after_ms > 0 and caught.value.everyone is (code != -1)


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 302},
        {"body": b"<html>502 Bad Gateway</html>"},
        {"body": b"[1]"},
        {"body": b"{" + b" " * (2 << 20)},
        {"drop": "before"},
        {"drop": "after"},
    ],
)
async def test_no_usable_answer_is_tried_again(desk: Desk, trouble: dict[str, Any]) -> None:
    await desk.api.check()
    desk.wechat.trouble("custom/send", **trouble)
    with pytest.raises(RetryLater):
        await desk.api.send_text(desk.wang.openid, "好")


def test_every_code_of_the_table_has_one_of_the_two_meanings() -> None:
    for code in WECHAT:
        assert isinstance(failure_of(ErrorCode(code, "")), RetryLater | GiveUp)


async def test_no_error_and_no_log_tells_a_secret(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    await desk.api.check()
    secrets = [desk.wechat.world.secret, desk.row.rows[f"access_token {desk.wechat.world.app_id}"][0]]
    trouble: dict[str, Any]
    for trouble in ({"drop": "before", "times": 2}, {"status": 500}, {"errcode": 40003}, {"body": b"x"}):
        desk.wechat.trouble("", **trouble)
        with pytest.raises((RetryLater, GiveUp)) as caught:
            await desk.api.send_text(desk.wang.openid, "好")
        desk.wechat.trouble("", **trouble)
        with pytest.raises((RetryLater, GiveUp)) as caught_too:
            await desk.api.openid_of("code")
        for error in (caught.value, caught_too.value):
            assert error.__suppress_context__ or error.__context__ is None
            said.append(f"{error!r} {error}")
    await desk.wechat.stop()
    with pytest.raises(RetryLater) as gone:
        await desk.api.openid_of("code")
    said += [repr(gone.value), *(record.getMessage() for record in caplog.records)]
    assert not [secret for secret in secrets for line in said if secret in line]


# -- media


async def test_a_photo_comes_and_goes(desk: Desk) -> None:
    sent = desk.wechat.world.keep("image", photo(3))
    assert b"".join([piece async for piece in desk.api.fetch(sent)]) == photo(3)
    media_id = await desk.api.upload(photo(4), "image/jpeg")
    await desk.api.send_image(desk.wang.openid, media_id)
    assert (await desk.wang.hears()).picture == photo(4)
    with pytest.raises(GiveUp):
        await desk.api.upload(b"\xff\xd8\xff" + b"x" * 2_000_000, "image/jpeg")
    assert desk.wechat.violations == []


async def test_a_video_is_behind_its_address(desk: Desk) -> None:
    content = b"\0" * 700_000
    ref = desk.wechat.world.keep("video", content)
    assert b"".join([piece async for piece in desk.api.fetch(ref)]) == content


async def test_an_error_instead_of_a_file_is_seen(desk: Desk) -> None:
    ref = desk.wechat.world.keep("image", photo())
    desk.wechat.trouble("media/get", errcode=-1)
    with pytest.raises(RetryLater):
        [piece async for piece in desk.api.fetch(ref)]
    desk.wechat.trouble("media/get", errcode=42001)
    assert b"".join([piece async for piece in desk.api.fetch(ref)]) == photo()
    desk.clock.ms += 4 * 24 * HOUR_MS
    with pytest.raises(GiveUp, match="media_gone"):
        [piece async for piece in desk.api.fetch(ref)]


async def test_an_unverified_account_takes_photos_from_their_public_address(desk: Desk) -> None:
    desk.wechat.world.verified = False
    media_id = desk.wechat.world.keep("image", photo())
    ref = f"{media_id} {desk.wechat.url}/pic/{media_id}"
    assert b"".join([piece async for piece in desk.api.fetch(ref)]) == photo()
    with pytest.raises(GiveUp, match="no_permission"):
        [piece async for piece in desk.api.fetch(media_id)]
    for elsewhere in ("http://127.0.0.1:1/x", "file:///etc/passwd", "http://evil.example/?qpic.cn"):
        with pytest.raises(GiveUp, match="no_permission"):
            [piece async for piece in desk.api.fetch(f"{media_id} {elsewhere}")]


async def test_a_file_cut_off_on_the_way_is_fetched_again(desk: Desk) -> None:
    ref = desk.wechat.world.keep("image", photo())
    await desk.api.check()
    trouble: dict[str, Any]
    for trouble in ({"drop": "before", "times": 2}, {"drop": "after", "times": 2}, {"status": 503}):
        desk.wechat.trouble("media/get", **trouble)
        with pytest.raises(RetryLater):
            [piece async for piece in desk.api.fetch(ref)]
    assert b"".join([piece async for piece in desk.api.fetch(ref)]) == photo()


# -- notices


async def test_templates_and_notices(desk: Desk) -> None:
    desk.wechat.world.templates = {"T1": ("thing1", "time2"), "N1": ("thing1", "character_string2")}
    long = "王家沟桥头倾倒建筑垃圾，已经派人去清理，请放心，谢谢您"
    values = {"thing1": long, "time2": "2026年11月20日 19:00"}
    message_id = await desk.api.send_template(desk.wang.openid, "T1", values, url="https://example.org", once="17")
    heard = await desk.wang.hears()
    assert (heard.kind, heard.message_id, heard.url) == ("template", message_id, "https://example.org")
    assert len(heard.values["thing1"]) == 20 and heard.values["thing1"].endswith("…")
    notice = {"thing1": "周五大扫除", "character_string2": "2026-0001"}
    with pytest.raises(GiveUp, match="notice_refused"):
        await desk.api.send_notice(desk.wang.openid, "N1", notice)
    desk.wang.accepts_notice("N1")
    await desk.api.send_notice(desk.wang.openid, "N1", notice)
    assert (await desk.wang.hears()).values == notice
    with pytest.raises(GiveUp, match="character_string2"):
        await desk.api.send_notice(desk.wang.openid, "N1", {**notice, "character_string2": "编号一"})
    assert desk.wechat.violations == []
    desk.wang.contact.following = False
    with pytest.raises(GiveUp) as caught:
        await desk.api.send_template(desk.wang.openid, "T1", values)
    assert caught.value.unreachable


@given(st.sampled_from(["thing1", "phrase1", "name1", "character_string1", "number1", "time1", "date1"]), st.text())
def test_a_value_fits_or_is_refused_by_us(name: str, value: str) -> None:
    world = World(lambda: START_MS)
    world.templates = {"T": (name,)}
    try:
        data = notice_data({name: value})
    except ValueError:
        return
    check_values(world, "T", data)


@pytest.mark.parametrize("name", ["keyword1", "thing", "first", "THING1", "enumx1"])
def test_an_unknown_kind_of_value_is_said(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        notice_data({name: "x"})


# -- menu, codes, pages

MENU: list[dict[str, Any]] = [
    {"name": "上报", "type": "click", "key": "/report"},
    {"name": "我的", "sub_button": [{"name": "我的积分", "type": "click", "key": "/points"}]},
    {"name": "网页", "type": "view", "url": "https://example.org/"},
]


async def test_the_menu(desk: Desk) -> None:
    await desk.api.create_menu(MENU)
    assert desk.wechat.world.menu == MENU and desk.wechat.violations == []


@pytest.mark.parametrize(
    "menu",
    [
        [],
        MENU + MENU,
        [{"name": "我要上报", "type": "click", "key": "k" * 129}],
        [{"name": "我要上报垃圾", "type": "click", "key": "k"}],
        [{"name": "上报"}],
        [{"name": "上报", "type": "view", "url": ""}],
        [{"name": "上报", "sub_button": [{"name": f"第{n}", "type": "click", "key": "k"} for n in range(6)]}],
        [{"name": "上报", "sub_button": [{"name": "一二三四五六七八九", "type": "click", "key": "k"}]}],
        [{"name": "上报", "sub_button": [{"name": "下", "sub_button": [{"name": "再下"}]}]}],
    ],
)
def test_a_menu_that_wechat_would_refuse_is_refused_here(menu: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError):
        check_menu(menu)


async def test_a_permanent_code_for_a_station(desk: Desk) -> None:
    url = await desk.api.create_qr("station-7")
    assert url.startswith("http://weixin.qq.com/q/") and list(desk.wechat.world.scenes.values()) == ["station-7"]
    for scene in ("", "s" * 65, "站点"):
        with pytest.raises(ValueError):
            await desk.api.create_qr(scene)


async def test_who_opened_the_page(desk: Desk) -> None:
    assert await desk.api.openid_of(desk.wang.opens_page()) == desk.wang.openid
    code = desk.wang.opens_page()
    await desk.api.openid_of(code)
    with pytest.raises(GiveUp, match="code_refused"):
        await desk.api.openid_of(code)
    with pytest.raises(GiveUp, match="snapshot_user"):
        await desk.api.openid_of(desk.wang.opens_page(snapshot=True))


def test_where_a_page_sends_the_phone() -> None:
    url = authorize_url("wx1", "https://example.org/h5?a=1&b=2", "S1")
    assert url == (
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1&redirect_uri=https%3A%2F%2Fexample.org%2Fh5"
        "%3Fa%3D1%26b%3D2&response_type=code&scope=snsapi_base&state=S1#wechat_redirect"
    )


async def test_the_pages_signature(desk: Desk) -> None:
    # The example of the JS-SDK's documentation.
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    signed = js_signature(ticket, "Wm3WZYTPz0wzccnW", 1_414_587_457, "http://mp.weixin.qq.com?params=value#top")
    assert signed == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"
    config = await desk.api.js_config("https://example.org/h5")
    await desk.api.js_config("https://example.org/h5")
    assert len(desk.wechat.called("getticket")) == 1 and config["appId"] == desk.wechat.world.app_id
    said = f"jsapi_ticket={desk.wechat.world.ticket}&noncestr={config['nonceStr']}"
    assert config["signature"] == signature(f"{said}&timestamp={config['timestamp']}&url=https://example.org/h5")


# -- how many customer messages


def test_a_message_opens_five_of_which_two_are_kept_for_what_matters() -> None:
    quota = Quota.none()
    assert not quota.may(START_MS, urgent=True)
    quota = quota.heard("message", START_MS)
    for _ in range(3):
        assert quota.may(START_MS, urgent=False)
        quota = quota.sent(START_MS)
    assert not quota.may(START_MS, urgent=False) and quota.left(START_MS, urgent=True) == 2
    assert not quota.may(START_MS + 48 * HOUR_MS, urgent=True)
    assert quota.heard("message", START_MS + 1).left(START_MS + 1, urgent=True) == 5
    assert not quota.used_up().may(START_MS, urgent=True)


def test_what_comes_late_opens_nothing_whatever_our_clock_says() -> None:
    """Our clock was behind when the later message came: by that clock the earlier one, brought after it, is newer."""
    quota = Quota.none().heard("message", START_MS - 9_000, made_ms=START_MS)
    quota = quota.sent(START_MS - 9_000)
    assert quota.heard("message", START_MS - 1_000, made_ms=START_MS - 1_000) == quota
    assert quota.heard("message", START_MS, made_ms=START_MS) == quota, (
        "of the same second nobody knows which was first"
    )
    assert quota.heard("message", START_MS, made_ms=START_MS + 1_000).left(START_MS, urgent=True) == 5


def test_a_quota_of_an_earlier_version_is_read() -> None:
    old = {"message": [4, START_MS + 48 * HOUR_MS]}
    assert Quota.from_json(old).left(START_MS, urgent=True) == 4
    assert Quota.from_json(old).heard("message", START_MS, made_ms=START_MS).left(START_MS, urgent=True) == 4


def test_a_click_opens_three_for_a_minute() -> None:
    quota = Quota.none().heard("click", START_MS).heard("", START_MS)
    assert quota.left(START_MS, urgent=False) == 3 and not quota.may(START_MS + 59_000, urgent=False)
    assert Quota.from_json(quota.to_json()) == quota


@dataclass(frozen=True)
class Note:
    """Something to send."""

    name: str
    urgent: bool = False


def test_what_matters_goes_first() -> None:
    waiting = [Note("a"), Note("b"), Note("c"), Note("d"), Note("e", True), Note("f", True), Note("g", True)]
    chosen = Quota.none().heard("message", START_MS).take(waiting, START_MS)
    assert [note.name for note in chosen] == ["e", "f", "g"]
    assert [note.name for note in Quota.none().heard("message", START_MS).take(waiting[:4], START_MS)] == list("abc")


ACTS = st.one_of(st.sampled_from(sorted(OPENS)), st.integers(1, 30 * HOUR_MS), st.sampled_from(["urgent", "ordinary"]))


@given(st.lists(ACTS, max_size=60))
def test_the_count_never_allows_what_wechat_refuses(acts: list[Any]) -> None:
    clock, quota = Clock(), Quota.none()
    world, contact = World(clock.now_ms), Contact("o1", "王大娘")
    assert OPENS == WECHAT_OPENS
    for act in acts:
        if isinstance(act, int):
            clock.ms += act
        elif act in OPENS:
            heard: Heard = act
            world.opened(contact, heard)
            quota = quota.heard(heard, clock.ms)
        elif quota.may(clock.ms, urgent=act == "urgent"):
            quota = quota.sent(clock.ms)
            try:
                world.take_window(contact)
            except WeChatError as error:
                pytest.fail(f"{error.code} after {acts}")
