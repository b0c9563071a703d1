"""WeCom's robots: what stands in the group, how much and how fast, and that a key is told to nobody."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Letter, Raw
from bot.channels.wecom.channel import WeCom
from bot.channels.wecom.words import messages_of
from bot.errors import GiveUp, RetryLater
from bot.talk.messages import Out
from tests.fakes.pictures import photo
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_wecom import Robot

START_MS = 1_790_000_000_000
PIECES = (b"\0" * 900_000, b"\1" * 900_000)


class Clock:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    async def pause(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


class Shelf:
    """Pictures that were stored."""

    async def viewing_copy(self, media_id: str) -> tuple[bytes | AsyncIterator[bytes], str] | None:
        if media_id == "big":
            return b"\xff\xd8\xff" + b"x" * 3_000_000, "image"
        if media_id in ("film", "long-film"):
            return pieces(2 if media_id == "film" else 40), "video"
        return (photo(), "image") if media_id == "there" else None


async def pieces(count: int) -> AsyncIterator[bytes]:
    for at in range(count):
        yield PIECES[at % 2]


@dataclass
class Desk:
    """The robots of a village and of the office."""

    wechat: FakeWeChat
    village: Robot
    office: Robot
    wecom: WeCom
    clock: Clock
    ids: list[int] = field(default_factory=lambda: [0])

    def letter(self, out: Out, area: str = "village") -> Letter:
        self.ids[0] += 1
        return Letter(self.ids[0], 1, 1, "wecom", f"wecom:{area}", out, START_MS, None, 0)

    async def delivers(self, letter: Letter) -> bool:
        """As delivery does: at the robot's pace."""
        while (due_ms := self.wecom.admit_ms(letter.address, self.clock.ms)) > self.clock.ms:
            self.clock.ms = due_ms
        return await self.wecom.send(letter)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    clock = Clock()
    async with FakeWeChat(clock.now_ms) as wechat:
        village, office = wechat.robot(), wechat.robot()
        wecom = WeCom(
            {"village": village.key, "office": office.key},
            clock,
            lambda township_id: Shelf(),
            base_url=wechat.url,
            pause=clock.pause,
        )
        await wecom.start(nobody_listens)
        yield Desk(wechat, village, office, wecom, clock)
        await wecom.stop()


async def nobody_listens(raws: Any) -> None:
    raise AssertionError("a robot hears nothing")


async def test_a_digest_is_markdown_with_links_and_without_buttons(desk: Desk) -> None:
    out = Out("今日汇总\n上报 3 件", ((("核实", "/verify", "plain"),),), links=(("明细", "https://example.org/d?(1)"),))
    assert await desk.delivers(desk.letter(out))
    (posted,) = desk.village.posted
    assert (posted.kind, posted.text) == (
        "markdown",
        "### 今日汇总\n上报 **3** 件\n[明细](https://example.org/d?%281%29)",
    )
    assert desk.office.posted == [] and desk.wechat.violations == []


async def test_headings_figures_and_lists_are_easy_to_read(desk: Desk) -> None:
    words = (
        "青禾塬镇日报 2026-11-20\n数据时间 11-19 18:00—11-20 18:00\n\n"
        "【举报】\n2 件新报\n47 小时 2026-0001 王家沟村\n\n已报 1/24\n王家沟村 12 人 8.5 方"
    )
    await desk.delivers(desk.letter(Out(words)))
    assert desk.village.posted[0].text.split("\n") == [
        "### 青禾塬镇日报 2026-11-20",
        "数据时间 11-19 18:00—11-20 18:00",
        "",
        "**【举报】**",
        "> **2** 件新报",
        "> **47** 小时 2026-0001 王家沟村",
        "",
        "已报 **1/24**",
        "王家沟村 **12** 人 **8.5** 方",
    ]


async def test_people_on_duty_are_called(desk: Desk) -> None:
    words = "点名\n还有 2 个站点没打扫"
    await desk.delivers(desk.letter(Out(words, mentions=("zhangsan", "lisi"))))
    await desk.delivers(desk.letter(Out(words, mentions=("wangwu", "13800000000")), "office"))
    assert [one.kind for one in desk.village.posted] == ["markdown"]
    assert desk.village.posted[0].text.endswith("站点没打扫\n<@zhangsan><@lisi>")
    said, called = desk.office.posted
    assert said.kind == "markdown" and said.text.endswith("\n<@wangwu>") and "13800000000" not in said.text
    assert (called.kind, called.text, called.mobiles, called.users) == ("text", "点名", ("13800000000",), ())
    assert called.at_ms - said.at_ms >= 3_000 and desk.wechat.violations == []


def test_who_is_known_by_a_number_is_called_even_without_a_headline() -> None:
    called = messages_of(Out("", links=((" ", "https://example.org/x"),), mentions=("13800000000",)))[-1]
    assert called["text"] == {"content": "https://example.org/x", "mentioned_mobile_list": ["13800000000"]}


async def test_everybody_is_called_however_many(desk: Desk) -> None:
    users = tuple(f"keeper{at:03}.{'x' * 40}" for at in range(90))
    await desk.delivers(desk.letter(Out("点名\n" + "村" * 900, mentions=users)))
    said = "".join(desk.village.texts())
    assert all(f"<@{user}>" in said for user in users) and desk.wechat.violations == []


async def test_nothing_is_sent_in_the_first_seconds_after_a_start(desk: Desk) -> None:
    """Another process may have sent to the same robot a moment ago."""
    assert desk.wecom.admit_ms("wecom:village", START_MS + 500) == START_MS + 3_000


async def test_one_message_in_three_seconds_for_each_robot(desk: Desk) -> None:
    for at in range(25):
        await desk.delivers(desk.letter(Out(f"第{at}条")))
    times = [posted.at_ms for posted in desk.village.posted]
    assert len(times) == 25 and min(b - a for a, b in pairwise(times)) >= 3_000
    before_ms = desk.clock.ms
    await desk.delivers(desk.letter(Out("办公室"), "office"))
    assert desk.clock.ms == before_ms, "each robot has a pace of its own"
    assert desk.wechat.violations == []


async def test_a_long_list_and_pictures_keep_the_pace_too(desk: Desk) -> None:
    words = "\n".join(f"{at}. 王家沟站 已逾期 {at} 天，请尽快清运" for at in range(200))
    assert await desk.delivers(desk.letter(Out(words, media=("there", "gone", "there"))))
    kinds = [posted.kind for posted in desk.village.posted]
    assert kinds[:2] == ["image", "image"] and kinds[2:] == ["markdown"] * (len(kinds) - 2) and len(kinds) > 4
    assert desk.village.posted[0].content == photo()
    times = [posted.at_ms for posted in desk.village.posted]
    assert all(b - a >= 3_000 for a, b in pairwise(times))
    said = "".join(desk.village.texts())
    assert all(f"{at}. 王家沟站" in said for at in range(200)) and desk.wechat.violations == []


async def test_large_pictures_and_films_go_as_files(desk: Desk) -> None:
    assert await desk.delivers(desk.letter(Out("看这里", media=("big", "film", "long-film"))))
    assert [(posted.kind, len(posted.content)) for posted in desk.village.posted] == [
        ("file", 3_000_003),
        ("file", 1_800_000),
        ("markdown", 0),
    ]
    assert desk.wechat.violations == []


async def test_what_has_arrived_is_not_sent_again(desk: Desk) -> None:
    letter = desk.letter(Out("看这里", media=("there",)))
    desk.wechat.trouble("webhook/send", status=502)
    with pytest.raises(RetryLater):
        await desk.delivers(letter)
    assert desk.village.posted == []
    desk.wechat.trouble("nothing")
    await desk.delivers(letter)
    assert [posted.kind for posted in desk.village.posted] == ["image", "markdown"]
    letter = desk.letter(Out("一\n" + "字" * 2_000))
    real_pause, desk.wecom._pause = desk.wecom._pause, fails_once(desk)
    with pytest.raises(RetryLater):
        await desk.delivers(letter)
    desk.wecom._pause = real_pause
    await desk.delivers(letter)
    assert "".join(desk.village.texts()).count("字") == 2_000


def fails_once(desk: Desk) -> Any:
    """A wait after which the next call finds the network gone."""

    async def pause(seconds: float) -> None:
        await desk.clock.pause(seconds)
        desk.wechat.trouble("webhook/send", status=502)

    return pause


@pytest.mark.parametrize(("code", "after_ms"), [(45009, 60_000), (-1, 1_000), (45033, 1_000)])
async def test_a_robot_that_is_told_to_wait_waits(desk: Desk, code: int, after_ms: int) -> None:
    desk.wechat.trouble("webhook/send", errcode=code)
    with pytest.raises(RetryLater) as caught:
        await desk.delivers(desk.letter(Out("好")))
    assert caught.value.after_ms == after_ms and not caught.value.everyone
    assert desk.wecom.admit_ms("wecom:village", desk.clock.ms) >= desk.clock.ms + after_ms
    assert desk.wecom.admit_ms("wecom:office", desk.clock.ms) == desk.clock.ms


async def test_a_robot_that_is_gone_is_given_up(desk: Desk) -> None:
    desk.village.gone = True
    with pytest.raises(GiveUp, match="no_such_robot") as caught:
        await desk.delivers(desk.letter(Out("好")))
    assert caught.value.unreachable
    with pytest.raises(GiveUp) as unknown:
        await desk.delivers(desk.letter(Out("好"), "elsewhere"))
    assert unknown.value.unreachable
    desk.wechat.trouble("webhook/send", errcode=40058)
    with pytest.raises(GiveUp) as other:
        await desk.delivers(desk.letter(Out("好"), "office"))
    assert not other.value.unreachable


async def test_no_error_and_no_log_tells_a_key(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    for trouble in ({"drop": "before"}, {"status": 500}, {"errcode": 93000}, {"body": b"x"}):
        desk.wechat.trouble("webhook", **trouble)
        with pytest.raises((RetryLater, GiveUp)) as caught:
            await desk.delivers(desk.letter(Out("好")))
        said.append(f"{caught.value!r} {caught.value}")
    await desk.wechat.stop()
    with pytest.raises(RetryLater) as gone:
        await desk.delivers(desk.letter(Out("好")))
    said += [repr(gone.value), repr(desk.wecom), *(record.getMessage() for record in caplog.records)]
    assert not [line for line in said if desk.village.key in line or desk.office.key in line]


async def test_a_robot_hears_nothing(desk: Desk) -> None:
    with pytest.raises(ValueError):
        desk.wecom.decode(Raw("wecom", "1", "wecom:village", b"{}", 1))
    assert await desk.delivers(desk.letter(Out("")))
    assert desk.village.posted == []


async def test_what_people_wrote_calls_nobody_and_makes_no_link(desk: Desk) -> None:
    await desk.delivers(desk.letter(Out("留言\n<@all> [点我](http://evil) **急** <font color='warning'>x</font>")))
    said = desk.village.posted[0].text
    assert "<" not in said and "](" not in said and said.startswith("### 留言\n")
    await desk.delivers(desk.letter(Out("<@all> 好\n# 大\n> 引", mentions=("13800000000",))))
    said, called = (one.text for one in desk.village.posted[1:])
    assert "<@" not in said + called and "\n# " not in said and "\n> " not in said


@given(
    st.text(max_size=3_000),
    st.lists(st.tuples(st.text(max_size=20), st.just("https://example.org/x")), max_size=3),
    st.lists(st.text("abc", min_size=1, max_size=200), max_size=8),
    st.booleans(),
)
def test_any_words_fit(words: str, links: list[tuple[str, str]], users: list[str], by_phone: bool) -> None:
    robot = Robot("k")
    mentions = (*users, *(("13800000000",) if by_phone else ()))
    for at, message in enumerate(messages_of(Out(words, links=tuple(links), mentions=mentions))):
        robot.send(dict(message), at * 3_000)
    assert robot.violations == []
    said = "".join("".join(robot.texts()).split())
    kept = "".join(one for one in words if one.isalnum())
    assert [one for one in kept if one not in said] == []
