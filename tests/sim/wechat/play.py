"""Towns whose people write in WeChat: the simulator's own product, and the township."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from bot.channels.wechat import quota
from bot.channels.wechat.wire import NEWS
from bot.talk.messages import Button, In, Say, text
from bot.turn import Desk, Dispatch, Turn
from tests.sim.chat.texts import KeyCatalogues
from tests.sim.chat.users import CLUMSY, MOST_SENT, Screen, SimScript, User, Wish
from tests.sim.faults import ALL, WEB, Chaos
from tests.sim.play import Chat
from tests.sim.plays.own import SimPlay
from tests.sim.plays.product import SimProduct
from tests.sim.plays.township import TownshipPlay, make_township
from tests.sim.wechat.channel import WeChatDoor
from tests.sim.wechat.laws import WeChatWatch
from tests.sim.wechat.platform import WeChatPlatform

HOUR_MS = 3_600_000
PLACE = 1  # the account belongs to one township; another has an ordinary platform
CREWS: tuple[tuple[frozenset[str], ...], ...] = (
    (ALL,),
    (ALL,),
    (ALL, ALL),
    (ALL, WEB),
    (ALL, ALL, WEB),
    (WEB, ALL - {"receive"}),
    (WEB, WEB, frozenset({"intake", "clock"}), frozenset({"delivery"})),
    (ALL, ALL - {"delivery"}, frozenset({"delivery", "clock"})),
)
QUOTAS = ((5, 2), (3, 1), (2, 1), (2, 0))  # a message opens so many, and so many are kept back
MOST_ASKED = 4  # times the same question
IMPATIENT_AFTER = 7  # seconds without an answer
LENGTHS = (0, 0, 300, 1_500, 5_000)
LONG = ("help", "wave", "settled", "welcome", "daily")


@dataclass
class WeChatUser(User):
    """Somebody who types the numbers on the phone, and while something may be under way does nothing that matters."""

    _waited: int = 0
    _asked_again: int = 0
    _asked_last: str = ""

    def _act(self, turn: int) -> None:
        if turn != self._turn or not self.platform.is_busy(self.address):
            self._waited = 0
            super()._act(turn)
            return
        self._waited += 1
        if not self.calm and self.sent < MOST_SENT and self.dice.random() < self.clumsiness:
            self._clumsy(self.dice.choice(CLUMSY))
        elif self._waited % IMPATIENT_AFTER == 0:
            self.platform.says(self.address, In("text", "?"))
        self._soon(1.0)

    def _response(self, screen: Screen, wish: Wish) -> In:
        """Leave what asks the same again and again: it was opened by mistake."""
        self._asked_again = self._asked_again + 1 if screen.out.text == self._asked_last else 0
        self._asked_last = screen.out.text
        if self._asked_again >= MOST_ASKED and "x" in screen.verbs:
            self._asked_again, self._asked_last = 0, ""  # opened again, it is looked at afresh
            return self._tap(screen.verbs["x"])
        return super()._response(screen, wish)

    def _ways(self, at: int, label: str, data: str) -> Sequence[In]:
        return In("tap", label, data), In("tap", label, data), In("text", label)


@dataclass
class Faithful(WeChatUser):
    """Somebody who never stops following the account: then a role would be gone."""

    def _send(self, event: In | None) -> None:
        super()._send(In("other") if event is not None and event.kind == "left" else event)


class WeChatScript(SimScript):
    """People who look for news and pictures, too."""

    def oddity(self, dice: random.Random) -> In:
        if dice.random() < 0.5:
            return super().oddity(dice)
        return dice.choice((In("nothing", data=NEWS), *(In("text", said) for said in ("/show 1", "/show 3", "/album"))))


class WeChatProduct(SimProduct):
    """It has pictures, and some of what it says matters."""

    def __init__(self, chaos: Chaos, rate: int) -> None:
        super().__init__(chaos, rate)
        self.timers = {**self.timers, "media.fetch": self._photo}

    async def _photo(self, desk: Desk, payload: Mapping[str, Any]) -> None:
        """A photo that somebody sent is looked for; there is none."""

    async def do_show(self, turn: Turn, args: str) -> None:
        pictures = tuple(f"p{turn.ids.next()}" for _ in range(int(args or 1)))
        turn.reply(Say(text("show"), ((Button(text("gift"), "/gift"),),), media=pictures))

    async def do_album(self, turn: Turn, args: str) -> None:
        turn.reply(Say("", media=(f"p{turn.ids.next()}", f"v{turn.ids.next()}")))
        await turn.tell(turn.person.id, Say(text("album"), ((Button(text("gift"), "/gift"),),)), Dispatch(urgent=True))


class WeChatPlay(SimPlay):
    """One township's people write in WeChat; those of a second one elsewhere."""

    script = WeChatScript

    def __init__(self, seed: int, chaos: Chaos) -> None:
        super().__init__(seed, chaos)
        dice = self._rules = random.Random(f"{seed}:wechat")
        in_wechat(chaos, dice)
        self.product = WeChatProduct(chaos, dice.choice((0, 0, 120, 20)))
        self.errands = self.product.errands
        self.catalogues = KeyCatalogues({key: told(key, dice.choice(LENGTHS)) for key in LONG})
        self._quota = dice.choice(QUOTAS)

    def chat(self, township_id: int) -> Chat:
        return chat(township_id)

    def rules(self) -> AbstractContextManager[Any]:
        return rules(*self._quota)


def make_in_wechat(path: Path, now_ms: int, townships: int) -> None:
    """The example township, whose people are known in WeChat."""
    make_township(path, now_ms, townships, first=WeChatPlatform.name)


class WeChatTownshipPlay(TownshipPlay):
    """The example township, whose people write in WeChat."""

    make = staticmethod(make_in_wechat)

    def __init__(self, seed: int, chaos: Chaos) -> None:
        dice = random.Random(f"{seed}:wechat")
        in_wechat(chaos, dice)
        super().__init__(seed, chaos)
        self._quota = dice.choice(QUOTAS)

    def chat(self, township_id: int) -> Chat:
        return replace(chat(township_id), user=Faithful) if township_id == PLACE else Chat()

    def rules(self) -> AbstractContextManager[Any]:
        return rules(*self._quota)


def in_wechat(chaos: Chaos, dice: random.Random) -> None:
    """Pushes come to whoever serves the web; the parts may be in different workers."""
    workers = dice.choice(CREWS)
    crashes = chaos.weather.crashes - len(chaos.weather.workers) + len(workers)
    lost = dice.choice((0.0, 0.1, 0.4))  # pushes that never come
    chaos.weather = replace(chaos.weather, workers=workers, pushed=True, crashes=crashes, accept_cut=lost)


def chat(township_id: int) -> Chat:
    """WeChat in the one township, the ordinary platform in another."""
    return Chat(WeChatPlatform, WeChatDoor, WeChatWatch, WeChatUser) if township_id == PLACE else Chat()


def rules(count: int, kept_back: int) -> AbstractContextManager[Any]:
    """So many customer messages after a message."""
    stack = ExitStack()
    opens: Any = quota.OPENS
    stack.enter_context(mock.patch.dict(opens, message=(count, 48 * HOUR_MS)))
    stack.enter_context(mock.patch.object(quota, "KEPT_BACK", kept_back))
    return stack


def told(key: str, length: int) -> str:
    """A text of about so many bytes, no two parts of which are the same."""
    return " ".join((key, *(f"{key}{at}" for at in range(length // (len(key) + 4)))))
