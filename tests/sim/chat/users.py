"""Simulated people: each wants a few things done, looks at what comes back, and is clumsy on the way.

A person is closed-loop: one thing at a time, asked about again when no answer comes, tried again only when the
program said that it was not done. So each thing must be done exactly once in the end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.talk.messages import In, Media, Out
from tests.sim.chat.platform import Platform

NUMBERS = ("number", "weight", "percent")
PATIENCE_S = 4.0
MOST_PATIENCE_S = 30.0
MOST_SENT = 60
CLUMSY = ("stale", "foreign", "double", "garbage", "ask", "cancel", "flood", "media", "place", "odd", "own")
GARBAGE = ("呃", "😀😀", "\u202eabc", "x" * 700, "  ", "123456789012", "取消", "/nothing", "-5", "提交", "１２")


@dataclass(slots=True)
class Wish:
    """Something wanted, known by a token that stands in what is sent."""

    token: str
    how: str
    done: bool = False


class Script(Protocol):
    """How a person gets along with one product."""

    def begin(self, wish: Wish, dice: random.Random) -> In:
        """The first thing to send."""
        ...

    def done(self, out: Out, wishes: Sequence[Wish]) -> list[Wish]:
        """The wishes that a message says are done."""
        ...

    def ask(self, number: int) -> In:
        """Ask what is done; the answer names `number`."""
        ...

    def is_answer(self, out: Out, number: int) -> bool:
        """Whether a message answers that question."""
        ...

    def good_review(self, out: Out, wish: Wish) -> bool:
        """Whether a review shows what is wished."""
        ...

    def answer(self, out: Out, wish: Wish, dice: random.Random) -> In:
        """What to send when words, a number or a place are asked."""
        ...

    def edit(self, wish: Wish) -> str:
        """The review's button by which the token is corrected."""
        ...

    def oddity(self, dice: random.Random) -> In:
        """A product's own odd thing to send."""
        ...


@dataclass(slots=True)
class Screen:
    """A message with buttons, as seen."""

    out: Out
    buttons: tuple[tuple[str, str], ...]

    @property
    def verbs(self) -> dict[str, tuple[str, str]]:
        """Verb → (label, data); what is after the second dot of the data."""
        return {data.split(".", 2)[-1]: (label, data) for label, data in self.buttons}


@dataclass
class User:
    """One person."""

    address: str
    platform: Platform
    script: Script
    dice: random.Random
    wishes: list[Wish]
    call_later: Callable[..., Any]
    content: Callable[[], None]
    clumsiness: float
    truth: Callable[[Wish], bool] | None = None
    screens: list[Screen] = field(default_factory=list)
    others: list[User] = field(default_factory=list)
    screen: Screen | None = None
    sent: int = 0
    unreadable: int = 0
    asked: int = 0
    asks_from: int = 1
    may_begin: bool = True
    submitted: bool = False
    calm: bool = False
    _patience_s: float = PATIENCE_S
    _turn: int = 0
    _last: int = 0

    @property
    def wish(self) -> Wish | None:
        """The first thing not done yet."""
        return next((wish for wish in self.wishes if not wish.done), None)

    def hears(self, out: Out) -> None:
        """A message has come."""
        concerns = False
        for wish in self.script.done(out, [wish for wish in self.wishes if not wish.done]):
            if self.truth is None or self.truth(wish):
                wish.done = self.may_begin = concerns = True
                self.submitted = False
        if any(self.script.is_answer(out, number) for number in range(self.asks_from, self.asked + 1)):
            self.may_begin = concerns = True
            self.submitted = False
        buttons = tuple((label, data) for row in out.rows for label, data, _ in row if not data.startswith(("#", "/")))
        if buttons:
            self.screen = Screen(out, buttons)
            self.screens.append(self.screen)
            concerns |= not self.submitted  # else it is the answer that matters: asking at every screen feeds a flood
        if self.wish is None:
            self.content()
        if concerns:
            self._patience_s = PATIENCE_S
            self._soon(self.dice.choice((0.05, 0.2, 0.6)))

    def _soon(self, after_s: float) -> None:
        self._turn += 1
        self.call_later(after_s, self._act, self._turn)

    def start(self) -> None:
        """Begin to want things, or go on."""
        self._soon(self.dice.random() * 2)

    def _act(self, turn: int) -> None:
        if turn != self._turn:
            return
        wish = self.wish
        if not self.calm and self.sent < MOST_SENT and self.dice.random() < self.clumsiness:
            self._clumsy(self.dice.choice(CLUMSY))
        elif wish is None:
            return
        elif self.screen is not None and not (self.submitted and "!" in self.screen.verbs):
            self._send(self._response(self.screen, wish))
        elif self.may_begin:
            self._patience_s = PATIENCE_S
            self._send(self.script.begin(wish, self.dice))
        else:
            self._wonder(wish)  # also before submitting once more what may have been submitted
        self._soon(self._patience_s)

    def _wonder(self, wish: Wish) -> None:
        """No answer comes: look whether it is done, or ask."""
        known = self.truth(wish) if self.truth and self.platform.handled.get(self.address, 0) >= self._last else None
        self._patience_s = min(MOST_PATIENCE_S, self._patience_s * 1.5)
        if known is None:
            self.asked += 1
            self.platform.says(self.address, self.script.ask(self.asked))
            return
        wish.done = known
        self.may_begin = True
        self.submitted = False
        if self.wish is None:
            self.content()

    def _send(self, event: In | None) -> None:
        """Whatever this leads to is known once a question that was asked after it is answered."""
        self.sent += 1
        self.screen = None
        self.may_begin = False
        self.submitted |= event is not None and (event.data.endswith(".!") or event.text == "提交")
        self.asks_from = self.asked + 1
        self.unreadable += event is None
        self._last = self.platform.says(self.address, event)

    # -- answering a screen

    def _response(self, screen: Screen, wish: Wish) -> In:
        verbs = screen.verbs
        if "~c" in verbs:
            return self._tap(verbs[self.dice.choice(("~c", "~d"))])
        if "!" in verbs:
            return self._at_review(screen, wish)
        for verb in ("yes", "=1"):
            if verb in verbs and screen.out.ask != "text":
                return self._tap(verbs[verb])
        return self._answer(screen, wish)

    def _at_review(self, screen: Screen, wish: Wish) -> In:
        verbs = screen.verbs
        if self.script.good_review(screen.out, wish):
            return self._tap(verbs["!"])
        edit = self.script.edit(wish)
        return self._tap(verbs[edit if edit in verbs and self.dice.random() < 0.7 else "x"])

    def _answer(self, screen: Screen, wish: Wish) -> In:
        verbs, ask = screen.verbs, screen.out.ask
        choices = [verb for verb in verbs if verb.startswith("=")]
        if choices and (ask == "choice" or self.dice.random() < 0.9):
            at = self.dice.randrange(len(choices))
            label, data = verbs[choices[at]]
            return self.dice.choice(self._ways(at, label, data))
        if ask in ("photos", "photos_words"):
            if "ok" in verbs:
                return self._tap(verbs["ok"])
            return self._photos() if ">" not in verbs or self.dice.random() < 0.5 else self._tap(verbs[">"])
        if ask in NUMBERS and ">" in verbs and self.dice.random() < 0.3:
            return self._tap(verbs[">"])
        if ask in ("text", "place", "date", *NUMBERS):
            return self.script.answer(screen.out, wish, self.dice)
        return self._tap(self.dice.choice(screen.buttons))

    def _ways(self, at: int, label: str, data: str) -> Sequence[In]:
        """How to choose: press it, or type its words or its place in the list."""
        return In("tap", label, data), In("text", label), In("text", str(at + 1))

    @staticmethod
    def _tap(button: tuple[str, str]) -> In:
        return In("tap", *button)

    def _photos(self) -> In:
        count = self.dice.choice((1, 1, 2))
        media = tuple(Media("image", f"ref{self.dice.randrange(10**6)}", 1000) for _ in range(count))
        return In("media", media=media, album=self.dice.choice(("", "a1")))

    # -- being clumsy

    def _clumsy(self, how: str) -> None:
        seen = [screen for user in (self.others if how == "foreign" else [self]) for screen in user.screens]
        if self.submitted:  # what may be done already is not submitted again blindly: that would be the person's fault
            seen = [screen for screen in seen if "!" not in screen.verbs]
            how = "ask" if how in ("double", "garbage") else how
        if how in ("stale", "foreign") and seen:
            submits = [screen.verbs["!"] for screen in seen if "!" in screen.verbs]
            if submits and self.dice.random() < 0.5:
                self._send(self._tap(self.dice.choice(submits)))
            else:
                self._send(self._tap(self.dice.choice(self.dice.choice(seen).buttons)))
        elif how == "double" and self.screen is not None and self.wish is not None:
            event = self._response(self.screen, self.wish)
            self._send(event)
            self._send(event)
        elif how == "ask":
            self.platform.says(self.address, self.script.ask(0))
        elif how == "cancel":
            verbs = self.screen.verbs if self.screen else {}
            back = verbs.get(self.dice.choice(("x", "<", ">")))
            self._send(self._tap(back) if back else In("text", "取消"))
        elif how == "flood":
            for _ in range(self.dice.choice((3, 5, 12, 25))):
                self._send(In(self.dice.choice(("nothing", "text")), "呃"))
        elif how == "media":
            self._send(self._photos())
        elif how == "place":
            self._send(In("place", lat=self.dice.choice((0.0, 35.651781, 39.9)), lng=104.734687))
        elif how == "odd":
            self._send(
                self.dice.choice((None, None, In("edited", "x"), In("left"), In("file"), In("other"), In("start")))
            )
        elif how == "own":
            self._send(self.script.oddity(self.dice))
        else:
            self._send(In("text", self.dice.choice(GARBAGE)))


class SimScript:
    """How people get along with the simulator's own product."""

    def begin(self, wish: Wish, dice: random.Random) -> In:
        if wish.how == "add":
            return In("text", f"/add {wish.token}")
        return In("text", f"gift {wish.token}" if wish.how == "words" else "/gift")

    def done(self, out: Out, wishes: Sequence[Wish]) -> list[Wish]:
        name, _, rest = out.text.partition(" ")
        if name not in ("done", "mine"):
            return []
        tokens = set(rest.split(" ")[-1].split(","))
        return [wish for wish in wishes if wish.token in tokens]

    def ask(self, number: int) -> In:
        return In("text", f"/mine {number}")

    def is_answer(self, out: Out, number: int) -> bool:
        return out.text.startswith(f"mine {number} ")

    def good_review(self, out: Out, wish: Wish) -> bool:
        return wish.how != "add" and f"note.label: {wish.token}" in out.text.split("\n")[-1]

    def answer(self, out: Out, wish: Wish, dice: random.Random) -> In:
        if out.ask == "place":
            return dice.choice((In("place", lat=35.651781, lng=104.734687), In("text", "王家沟桥头")))
        return In("text", dice.choice(("7", "20", "60")) if out.ask == "number" else wish.token)

    def edit(self, wish: Wish) -> str:
        return "@note"

    def oddity(self, dice: random.Random) -> In:
        number = dice.randrange(1_000)
        return In(
            "text",
            dice.choice((f"/wave {number % 5}", f"/spend {number % 25 + 1}", f"/refuse {number}", f"/boom {number}")),
        )
