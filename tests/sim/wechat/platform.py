"""WeChat, which keeps its promises badly: a push is tried three times, each try is cut after five seconds, and at most
one answer is shown. What else we send it counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from bot.channels.tencent_errors import WindowClosed
from bot.channels.wechat.customer import Notice
from bot.channels.wechat.fields import body_of
from bot.channels.wechat.wire import NEWS, arrival_of, heard_of, update_of
from bot.incoming.batch import MOST_SHOWN_ROWS
from bot.talk.messages import In
from tests.sim.machine.server import NOBODY
from tests.sim.wechat.phone import Fields, Phone, Windows, pushed
from tests.sim.wechat.shown import IN_REPLY, Door, Phones, Push

TRIES = 3
CUT_S = 5.0
LAY_S = 1.0  # an answer that is there for so long has to go out with the reply
AT_ONCE_S = 2.0  # of what is sent in the same second WeChat does not say which was first
MOST_ROUNDS = 80
ANSWERS_S = 4.0  # who answers to a message has done so by then
SOON_MS = 10_000  # clocks differ
WAY_S = (0.0, 0.02, 0.2)
REFUSED_S = (0.0, 0.5, 5.0)
NOTICES = (
    None,
    None,
    Notice("template", "T1", {"thing1": "{words}", "time2": "{time}"}),
    Notice("notice", "N1", {"thing1": "{words}", "date2": "{date}"}),
)
OWED = (
    "SELECT id, address, LENGTH(body) AS n FROM outbox"
    " WHERE township_id = :t AND (state = 'waiting' OR state = 'due' AND due_ms <= :now_ms)"
)
RESTS = "SELECT id, message_key FROM outbox WHERE township_id = :t AND message_key LIKE 'rest:%'"
WRITTEN = "SELECT body FROM outbox WHERE township_id = :t AND address = :address ORDER BY id"
UNDER_WAY = (
    "SELECT (SELECT COUNT(*) FROM inbox WHERE township_id = :t AND state = 'new')"
    " + (SELECT COUNT(*) FROM outbox WHERE township_id = :t AND state = 'due' AND due_ms <= :now_ms) AS n"
)


@dataclass(slots=True)
class WeChatPlatform(Phones):
    """The account of one township."""

    name: ClassVar[str] = "wechat"
    windows: dict[str, Windows] = field(default_factory=dict)
    opened: dict[str, Push] = field(default_factory=dict)  # by address, what has opened a window last
    notice: Notice | None = None
    ahead_ms: int = 0
    cuts: int = 0
    failures: int = 0
    _bringing: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.notice = self.chaos.dice.choice(NOTICES)

    def _clock_ms(self) -> int:
        """WeChat's own clock, which is never set back."""
        passed_ms = int(asyncio.get_running_loop().time() * 1000)
        self.ahead_ms = max(self.ahead_ms, self.now_ms() - passed_ms)
        return self.ahead_ms + passed_ms

    # -- what people send

    def says(self, address: str, event: In | None) -> int:
        """A person sends something: one push or several; the number of the last."""
        phone = self.phones.setdefault(address, Phone())
        if event is not None and event.kind in ("start", "left"):
            phone.follows = event.kind == "start"
        elif not phone.follows:
            self.says(address, In("start"))
        for fields, means in pushed(event, phone, self.chaos.dice):
            sure = bool(means) and phone.is_sure and not self.is_busy(address)
            self.told += 1
            self.said.add(str(fields.get("Content", "")))
            push = self._made(address, fields)
            push.means, push.sure = means, sure
            self.note("says", address=address, number=push.number, key=push.key, fields=fields, means=means, sure=sure)
            self.pushes[push.key] = push
            task = asyncio.get_running_loop().create_task(self._bring(push), context=NOBODY)
            self._bringing.add(task)
            task.add_done_callback(self._bringing.discard)
        return self.told

    def _made(self, address: str, fields: Fields) -> Push:
        """A push; nobody presses the same twice in a second."""
        now_ms, dice = self._clock_ms(), self.chaos.dice
        second, as_json = now_ms // 1000, dice.random() < 0.3
        number = dice.randrange(10**15) if self.chaos.weather.shuffled_ids else 1_000 + self.told
        while True:
            head: Fields = {"ToUserName": "gh_sim", "FromUserName": address.partition(":")[2], "CreateTime": second}
            ids: Fields = {} if fields["MsgType"] == "event" else {"MsgId": number}
            update = update_of(body := body_of({**head, **fields, **ids}, json=as_json))
            if update.key not in self.pushes:
                break
            second, number = second + 1, number + 1
        event = arrival_of(update).event
        stored = event.kind != "nothing" or event.data == NEWS
        push = Push(update.key, address, self.told, body, asyncio.get_running_loop().time(), stored)
        if heard := heard_of(update):
            self.windows.setdefault(address, Windows()).opens(heard, now_ms, push)
            self.opened[address] = push
        return push

    def is_busy(self, address: str) -> bool:
        """Whether something that a person sent is still under way, or a worker still has it in hand."""
        of_them = (push for push in self.pushes.values() if push.address == address)
        return any(push.ended_s is None or push.running for push in of_them)

    # -- pushing

    async def _bring(self, push: Push) -> None:
        words = None
        for _ in range(TRIES):
            words = await self._try(push)
            if words is not None:
                break
        if words:
            await asyncio.sleep(self.chaos.dice.choice(WAY_S))
        push.ended_s = asyncio.get_running_loop().time()
        self.note("ended", key=push.key, words=words)
        if words is None:
            self.failures += 1
            push.failed = True
            self.phones[push.address].is_unsure()
            return
        if push.is_stored:
            self.acked.append(push)  # type: ignore[arg-type]
        if words:
            self.shows_reply(push, words)

    async def _try(self, push: Push) -> str | None:
        """One try; None when there was no answer."""
        chaos, loop = self.chaos, asyncio.get_running_loop()
        await asyncio.sleep(chaos.dice.choice(WAY_S))
        doors: list[Door] = [door for door in self.doors if not door.gone]  # type: ignore[misc, attr-defined]
        if not doors or chaos.chance(chaos.weather.accept_cut):
            await asyncio.sleep(chaos.dice.choice(REFUSED_S))
            return None
        door = chaos.dice.choice(doors)
        begun_s = loop.time()
        self.note("pushed", key=push.key, life=door.number)
        hung_up = asyncio.Event()
        task = door.begin(push.body, hung_up)
        push.running.add(task)
        task.add_done_callback(push.running.discard)
        await asyncio.wait({task}, timeout=CUT_S)
        hung_up.set()
        if not task.done():
            self._cut(push, task)
            return None
        words = None if task.cancelled() or task.exception() is not None else task.result()
        if words == "" and door.upset_s < begun_s:
            self._lies_there(push)
        if words is not None and chaos.chance(chaos.weather.ack_lost):
            self.note("answer lost", key=push.key, words=words)
            return None
        return words

    def _cut(self, push: Push, task: asyncio.Task[str | None]) -> None:
        self.cuts += 1
        task.add_done_callback(lambda _: self.phones[push.address].is_unsure())
        self.note("cut", key=push.key)
        if self.prompt:
            self.blame(f"push {push.key} was cut, and nothing goes wrong")

    def _lies_there(self, push: Push) -> None:
        """A push was answered with nothing: its answer may not have been there for long."""
        late_s = asyncio.get_running_loop().time() - LAY_S
        if push.handled_s is not None and push.handled_s < late_s:
            kept = [row["id"] for row in self.ask(IN_REPLY, key=push.key, state="due")]
            if kept:
                self.blame(f"push {push.key} was answered with nothing, and {kept[:3]} lay there")

    async def push(self) -> None:
        """Pushes go out by themselves; this ends them when it is ended."""
        try:
            await asyncio.Event().wait()
        finally:
            for task in self._bringing:
                task.cancel()

    @property
    def quiet(self) -> bool:
        """Whether every push has ended."""
        return not self._bringing

    def leaves(self, receiver: object) -> None:
        """A worker takes no more pushes."""
        if receiver in self.doors:
            self.doors.remove(receiver)  # type: ignore[arg-type]

    def was_stored(self, key: str) -> None:
        """The program has a push for certain."""
        push = self.pushes[key]
        if push.stored_s is None:
            push.stored_s = asyncio.get_running_loop().time()

    def was_handled(self, address: str, key: str, number: int) -> None:
        """The program says that it has handled an update: once."""
        if key in self._told_of and not self.chaos.alone:
            self.blame(f"update {number} of {address} was handled twice")
        self._told_of.add(key)
        self.was_stored(key)
        self.pushes[key].handled_s = asyncio.get_running_loop().time()
        self.handled[address] = max(number, self.handled.get(address, 0))

    def was_read(self, key: str, data: str | None) -> None:
        """As which button the program has read something that was typed."""
        push = self.pushes[key]
        soon_s = push.made_s + AT_ONCE_S
        others = (one for one in self.pushes.values() if one.address == push.address and one is not push)
        crossed = any(push.made_s <= one.made_s <= soon_s for one in others)
        if push.sure and not crossed and data not in push.means and not (data is None and self._is_old(push)):
            self.blame(f"a number of {push.address} in {key} stood for {push.means} and was read as {data!r}")

    def _is_old(self, push: Push) -> bool:
        """Whether so much was shown since that a number is not known any more, or everything was erased."""
        written = [row["body"] or "" for row in self.ask(WRITTEN, address=push.address)]

        def since(data: str) -> int:
            first = next((at for at, body in enumerate(written) if f'"{data}"' in body), -MOST_SHOWN_ROWS)
            return len(written) - 1 - first

        return any(since(one) >= MOST_SHOWN_ROWS for one in push.means if one)

    # -- customer messages

    def charge(self, address: str, begun_s: float, sender: Door) -> None:
        """Whether a customer message, with which the program began then, is taken now. Raises WindowClosed; more than
        there may be is the program's fault, unless one was under way when the person wrote.
        """
        windows = self.windows.setdefault(address, Windows())
        found = windows.open(self._clock_ms())
        if not found or not self.phones[address].follows:
            raise WindowClosed("window_closed", unreachable=True)
        push = self.opened[address]
        unknown = push.stored_s is None or push.stored_s >= begun_s
        if not any(window.left for window in found):
            begun = [when_s for when_s, _ in self.incidents if when_s >= (push.stored_s or 0)]
            two = begun or sender.excused or not sender.holds  # who was taken for dead may send, too
            if not (two or unknown or any(window.unknown for window in found)):
                self.blame(f"more customer messages to {address} than WeChat takes")
            raise WindowClosed("count_used")
        windows.takes(begun_s)

    # -- at the end

    async def let_everybody_write(self) -> None:
        """Everybody writes once more, and whoever is still owed something again: each time some of it must come."""
        for address in tuple(self.phones):
            self.says(address, In("text", "?"))
        await self._rest()
        for _ in range(MOST_ROUNDS):
            owed = self._owed()
            for address in owed:
                self.says(address, In("nothing", data=NEWS))
            await self._rest()
            left = self._owed()
            for address, letters in owed.items():
                still = self._left_of(letters, left.get(address, {}))
                if still >= sum(letters.values()):
                    self.blame(f"{still} bytes still wait for {address}, who has written")
                    return
            if not left:
                return

    def _owed(self) -> dict[str, dict[int, int]]:
        """By address, the letters that it is still owed, and how long each is."""
        found: dict[str, dict[int, int]] = {}
        for row in self.ask(OWED, now_ms=self.now_ms() + SOON_MS):
            found.setdefault(row["address"], {})[row["id"]] = row["n"]
        return found

    def _left_of(self, letters: Mapping[int, int], now: Mapping[int, int]) -> int:
        """How much of these letters is still owed, be it as rests of them. What came to be written meanwhile does not
        count: who has read a message may have answered it.
        """
        whole = {row["id"]: int(row["message_key"].partition(":")[2]) for row in self.ask(RESTS)}

        def first(letter_id: int) -> int:
            while letter_id not in letters and letter_id in whole:
                letter_id = whole[letter_id]
            return letter_id

        return sum(length for letter_id, length in now.items() if first(letter_id) in letters)

    async def _rest(self) -> None:
        """Until nothing is under way, and nobody answers any more to what came."""
        for _ in range(100):
            told = self.told
            await asyncio.sleep(ANSWERS_S)
            if told == self.told and self.quiet and not self.ask(UNDER_WAY, now_ms=self.now_ms() + SOON_MS)[0]["n"]:
                return
