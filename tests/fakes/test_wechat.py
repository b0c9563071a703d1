"""The fake WeChat against a program that answers as ours does: pushes in every mode, tries, limits, complaints."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from bot.channels.wechat.fields import body_of
from bot.channels.wechat.gate import Gate, Mode
from bot.channels.wechat.wire import SUCCESS, Update, arrival_of, image_reply, text_reply, update_of
from bot.talk.messages import VOICE, In
from tests.fakes.pictures import photo
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wechat_people import User
from tests.fakes.wechat_world import HOUR_MS, Heard

Answer = Callable[[Update], Awaitable[bytes | None]]
MODES: list[Mode] = ["plain", "compatible", "safe"]


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.ms = 1_790_000_000_000

    def now_ms(self) -> int:
        return self.ms


@dataclass
class Program:
    """What stands at /wechat: it notes each push and answers as the test wants."""

    wechat: FakeWeChat
    clock: Clock
    gate: Gate
    answer: Answer
    keys: list[str] = field(default_factory=list)
    events: list[In] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def take(self, query: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """A push."""
        try:
            post = self.gate.open(query, body, self.clock.ms)
            update = update_of(post.body)
            event = arrival_of(update).event
        except ValueError as error:
            self.refused.append(str(error))
            return 403, b""
        if update.key not in self.keys:
            self.events.append(event)
        self.keys.append(update.key)
        reply = await self.answer(update)
        return 200, SUCCESS if reply is None else self.gate.close(post, reply, self.clock.ms)


async def nothing(update: Update) -> None:
    return None


@pytest.fixture(params=[(mode, json) for mode in MODES for json in (False, True)], ids=str)
async def program(request: pytest.FixtureRequest) -> AsyncIterator[Program]:
    mode, json = request.param
    clock = Clock()
    async with FakeWeChat(clock.now_ms) as wechat:
        wechat.world.mode, wechat.world.json = mode, json
        made = program_for(wechat, clock)
        wechat.world.deliver = made.take
        yield made


def program_for(wechat: FakeWeChat, clock: Clock) -> Program:
    world = wechat.world
    keys = ("" if world.mode == "plain" else world.aes_key,)
    return Program(wechat, clock, Gate(world.token, world.app_id, world.mode, keys), nothing)


def says(program: Program, words: str) -> Answer:
    async def answer(update: Update) -> bytes | None:
        return text_reply(update, words, program.clock.ms, json=program.wechat.world.json)

    return answer


async def test_everything_a_person_does_arrives(program: Program) -> None:
    wang = program.wechat.user("王大娘")
    await wang.follows("station-7")
    await wang.says("桥头有\x08垃圾]]>")
    await wang.sends_photo(photo())
    await wang.sends_video(b"\0")
    await wang.sends_video(b"\0", short=True)
    await wang.speaks()
    await wang.sends_location(35.5, 104.6, "桥头")
    await wang.sends_link("通知", "https://example.org")
    await wang.clicks("/report")
    await wang.scans("station-8")
    await wang.views("https://example.org")
    await wang.is_somewhere(35.5, 104.6)
    await wang.sends("music", MusicUrl="x")
    await wang.unfollows()
    kinds = [event.kind for event in program.events]
    messages = ["text", "media", "media", "media", "other", "place", "text"]
    assert kinds == ["start", *messages, "tap", "start", "nothing", "nothing", "other", "left"]
    assert [event.data for event in program.events if event.data] == ["station-7", VOICE, "/report", "station-8"]
    assert program.refused == [] and wang.broken == 0 and program.wechat.violations == []


async def test_an_answer_is_heard_and_its_choices_can_be_picked(program: Program) -> None:
    wang = program.wechat.user("王大娘")
    program.answer = says(
        program, "什么事？\n【1】倾倒\n【2】焚烧\n看这里：https://example.org/a?b=1\n\n回复【】里的数字就行。"
    )
    heard = await wang.says("你好")
    assert heard is not None and heard.choices == {"倾倒": "1", "焚烧": "2"}
    assert heard.links == (("看这里", "https://example.org/a?b=1"),)
    await wang.picks("焚")
    assert program.events[-1].text == "2" and program.wechat.violations == []


async def test_a_picture_is_an_answer_too(program: Program) -> None:
    media_id = program.wechat.world.keep("image", photo(5))

    async def answer(update: Update) -> bytes:
        return image_reply(update, media_id, program.clock.ms, json=program.wechat.world.json)

    program.answer = answer
    heard = await program.wechat.user("王大娘").says("给我看看")
    assert heard is not None and heard.picture == photo(5) and program.wechat.violations == []


async def test_three_tries_of_one_push_and_one_answer(program: Program) -> None:
    wang, world = program.wechat.user("王大娘"), program.wechat.world
    world.cut_s = 0.05
    late = asyncio.Event()
    first = says(program, "来得及")

    async def slow_twice(update: Update) -> bytes | None:
        if len(program.keys) < 3:
            await late.wait()
        return await first(update)

    program.answer = slow_twice
    heard = await wang.says("你好")
    assert heard is not None and heard.text == "来得及" and len(wang.contact.seen) == 1
    assert len(program.keys) == 3 and len(set(program.keys)) == 1 and len(program.events) == 1

    async def never(update: Update) -> bytes | None:
        await late.wait()
        return None

    program.answer = never
    assert await wang.says("你好") is None
    assert wang.broken == 1 and len(program.keys) == 6


@pytest.mark.parametrize(
    "reply",
    [b"<html>502</html>", b"{}", b"<xml><MsgType>text</MsgType></xml>", b"ok"],
)
async def test_a_malformed_reply_is_shown_as_no_service(program: Program, reply: bytes) -> None:
    async def answer(update: Update) -> bytes:
        return reply

    program.answer = answer
    wang = program.wechat.user("王大娘")
    assert await wang.says("你好") is None
    assert wang.broken == 1 and len(program.wechat.violations) == 1


@pytest.mark.parametrize("words", ["字" * 683, " "])
async def test_a_reply_beyond_the_limits_is_resented(program: Program, words: str) -> None:
    program.answer = says(program, words)
    wang = program.wechat.user("王大娘")
    assert await wang.says("你好") is None
    assert wang.broken == 1 and program.wechat.violations


async def test_a_reply_to_somebody_else_or_with_another_seal_is_resented(program: Program) -> None:
    wang, world = program.wechat.user("王大娘"), program.wechat.world

    async def to_another(update: Update) -> bytes:
        fields = {"ToUserName": "oX", "FromUserName": world.account, "CreateTime": 1, "MsgType": "text", "Content": "x"}
        return body_of(fields, json=world.json)  # type: ignore[arg-type]

    program.answer = to_another
    assert await wang.says("你好") is None
    if world.mode != "plain":
        program.answer = says(program, "好")
        seal, other = program.gate._seal, "Z" * 43
        real = world.aes_key

        async def sealed_with_another(update: Update) -> bytes | None:
            program.gate._seal = Gate(world.token, world.app_id, world.mode, (other,))._seal
            return await says(program, "好")(update)

        program.answer = sealed_with_another
        assert await wang.says("你好") is None
        program.gate._seal, world.aes_key = seal, real
    assert wang.broken == len(program.wechat.violations) > 0


async def test_a_new_key_is_taken_while_the_old_one_is_kept() -> None:
    clock = Clock()
    async with FakeWeChat(clock.now_ms) as wechat:
        world, old = wechat.world, wechat.world.aes_key
        made = program_for(wechat, clock)
        made.gate = Gate(world.token, world.app_id, "safe", ("N" * 43, old))
        made.answer = says(made, "好")
        world.deliver = made.take
        wang = wechat.user("王大娘")
        for key in (old, "N" * 43):
            world.aes_key = key
            assert await wang.says("你好") is not None
        assert wechat.violations == []


async def test_over_http_with_the_check_of_the_address() -> None:
    clock = Clock()
    async with FakeWeChat(clock.now_ms) as wechat:
        made = program_for(wechat, clock)
        made.answer = says(made, "好")

        async def post(request: web.Request) -> web.Response:
            status, body = await made.take(request.query, await request.read())
            return web.Response(status=status, body=body)

        async def get(request: web.Request) -> web.Response:
            return web.Response(text=made.gate.hello(request.query, clock.ms))

        app = web.Application()
        app.add_routes([web.post("/wechat", post), web.get("/wechat", get)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        wechat.world.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/wechat"
        assert await wechat.verifies()
        heard = await wechat.user("王大娘").says("你好")
        assert heard is not None and heard.text == "好"
        await runner.cleanup()
        assert await wechat.user("李四").says("你好") is None, "nobody is there any more"


@dataclass
class Caller:
    """Calls the fake by hand."""

    wechat: FakeWeChat
    session: aiohttp.ClientSession
    wang: User

    async def sends(self, words: str) -> int:
        """A customer message: the errcode."""
        token, _ = self.wechat.world.stable_token(False)
        url = f"{self.wechat.url}/cgi-bin/message/custom/send"
        body = {"touser": self.wang.openid, "msgtype": "text", "text": {"content": words}}
        async with self.session.post(url, params={"access_token": token}, json=body) as response:
            return int((await response.json(content_type=None))["errcode"])


@pytest.fixture
async def caller() -> AsyncIterator[tuple[Caller, Clock]]:
    clock = Clock()
    async with FakeWeChat(clock.now_ms) as wechat, aiohttp.ClientSession() as session:
        wechat.world.deliver = drop
        yield Caller(wechat, session, wechat.user("王大娘")), clock


async def drop(query: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    return 200, SUCCESS


async def test_five_customer_messages_in_48_hours(caller: tuple[Caller, Clock]) -> None:
    desk, clock = caller
    assert await desk.sends("太早") == 45015
    await desk.wang.says("你好")
    assert [await desk.sends(f"第{at}条") for at in range(6)] == [0, 0, 0, 0, 0, 45047]
    await desk.wang.says("还在")
    clock.ms += 48 * HOUR_MS
    assert await desk.sends("太晚") == 45015
    await desk.wang.clicks("/report")
    assert [await desk.sends(f"第{at}条") for at in range(4)] == [0, 0, 0, 45047]
    await desk.wang.unfollows()
    assert await desk.sends("走了") == 45015
    assert len(desk.wechat.violations) == 5
    assert [heard.kind for heard in desk.wang.hears_now()] == ["customer"] * 8


async def test_it_complains_about_what_wechat_refuses(caller: tuple[Caller, Clock]) -> None:
    desk, _ = caller
    await desk.wang.says("你好")
    assert [await desk.sends(words) for words in ("字" * 683, "")] == [45002, 44004]
    desk.wechat.world.verified = False
    assert await desk.sends("好") == 48001
    desk.wechat.world.verified = True
    desk.wechat.trouble("custom/send", errcode=-1)
    assert await desk.sends("好") == -1 and await desk.sends("好") == 0
    with pytest.raises(AssertionError):
        await desk.wang.picks("没有的")
    assert isinstance(await desk.wang.hears("好"), Heard)
