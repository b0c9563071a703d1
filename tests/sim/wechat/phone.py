"""WeChat on a person's phone: what they type and send, what they see, and what the numbers on it stand for."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.channels.wechat import quota
from bot.channels.wechat.fields import Value
from bot.channels.wechat.wire import NEWS, Heard
from bot.channels.wechat.words import BETWEEN, DEVICE, TEXT_MAX_BYTES, inert, opens_question, shown
from bot.i18n import Catalogue
from bot.talk.messages import In, Out

MARK = re.compile(r"^【([0-9A-Z]+)】(.*)$", re.MULTILINE)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
MOMENT_S = 5.0  # so long an answer is on its way at most
NEVER_S = -1e9
EVERYTHING = 1 << 20
Fields = dict[str, Value]
Marks = dict[str, str]  # what is typed → the button's data


@dataclass(slots=True)
class Phone:
    """One person's. `unsure_s`: when the program may have taken a reply for shown that the phone has not shown.

    crossed: the numbers of the replies that came at the same moment, which may have met on the way
    """

    follows: bool = True
    reply: Marks = field(default_factory=dict)
    crossed: list[Marks] = field(default_factory=list)
    by_itself: Marks = field(default_factory=dict)
    unsure_s: float = NEVER_S
    shown_s: float = NEVER_S

    def shows_reply(self, outs: Sequence[Out], marks: Marks, made_s: float, now_s: float) -> None:
        """A reply is on it: its numbers are the ones that count, if it asks anything."""
        if any(map(opens_question, outs)):
            crosses = made_s < self.shown_s and now_s - self.shown_s < MOMENT_S
            self.crossed = [*self.crossed, self.reply] if crosses else []
            self.reply, self.shown_s = marks, now_s
            if made_s > self.unsure_s:
                self.unsure_s = NEVER_S

    @property
    def is_sure(self) -> bool:
        """Whether the newest reply that the program knows of is the one on the phone."""
        return self.unsure_s == NEVER_S

    def is_unsure(self) -> None:
        """An answer was lost for good, or a worker that was held up goes on with one that nobody waits for."""
        self.unsure_s = asyncio.get_running_loop().time()

    def shows(self, out: Out, marks: Marks) -> None:
        """Something that came by itself has numbers of its own."""
        self.by_itself |= marks
        if not out.rows and out.ask:
            self.reply = {}

    def meant_by(self, mark: str, data: str) -> set[str | None]:
        """The buttons that somebody may mean who types a number for this one; None: it may be no number at all."""
        return {data, *(marks.get(mark) for marks in self.crossed if mark in self.reply)}

    def mark_of(self, data: str) -> str:
        """The number under which a button is on it; "" for none."""
        return next((mark for mark, one in (*self.reply.items(), *self.by_itself.items()) if one == data), "")


def typed(mark: str, dice: random.Random) -> str:
    """A number as people type it."""
    return dice.choice((mark, mark, mark.translate(WIDE), mark.lower(), f"{mark}。", f"选{mark}"))


def buttons_of(outs: Sequence[Out]) -> list[tuple[str, str]]:
    """The buttons that have numbers."""
    return [(label, data) for out in outs for row in out.rows for label, data, _ in row if not data.startswith(DEVICE)]


def marks_of(words: str, outs: Sequence[Out]) -> Marks:
    """The numbers in what is shown, and which of the messages' buttons each belongs to."""
    found: Marks = {}
    seen = iter(MARK.findall(words))
    for label, data in buttons_of(outs):
        mark = next((mark for mark, said in seen if said == inert(label).split("\n")[0]), None)
        if mark is not None:
            found[mark] = data
    return found


def text_of(out: Out, catalogue: Catalogue) -> str:
    """A message's own words as WeChat's people read them."""
    return "".join(shown([Out(out.text)], catalogue, most_bytes=EVERYTHING).parts)


def fault_of(words: str, outs: Sequence[Out], catalogue: Catalogue) -> str:
    """What is wrong with a reply that holds these messages, in this order; "" for nothing."""
    if len(words.encode()) > TEXT_MAX_BYTES:
        return f"it has {len(words.encode())} bytes"
    at = 0
    for out in outs:
        text = text_of(out, catalogue)
        found = words.find(text, at)
        if found < 0:
            begins = len(outs) == 1 and inert(out.text).strip("\n").startswith(words)
            return "" if begins else f"{text[:30]!r} is not in its place"
        at = found + len(text)
    if words.count(BETWEEN) != len(outs) - 1:
        return f"it holds {words.count(BETWEEN) + 1} messages"
    return "" if len(outs) == 1 or len(marks_of(words, outs)) == len(buttons_of(outs)) else "numbers are missing"


def rest_of(words: str, out: Out, catalogue: Catalogue) -> Out | None:
    """What of a message that a reply has to itself is not shown there."""
    text = out.text.strip("\n")
    if text_of(out, catalogue) not in words or len(marks_of(words, [out])) < len(buttons_of([out])):
        begins = inert(text).startswith(words)
        return Out(text[len(words) if begins else len(text) :].lstrip("\n"), out.rows, out.ask, out.media, out.links)
    return Out("", media=out.media) if out.media else None


def pushed(event: In | None, phone: Phone, dice: random.Random) -> list[tuple[Fields, set[str | None]]]:
    """What is pushed when somebody sends this; and the buttons that may be meant, when it is a number."""
    if event is not None and event.kind == "tap":
        mark = phone.mark_of(event.data)
        words = _text(typed(mark, dice) if mark else event.text or "?")
        return [(words, phone.meant_by(mark, event.data) if mark else set())]
    return [(fields, set()) for fields in _fields(event, dice)]


def _fields(event: In | None, dice: random.Random) -> list[Fields]:
    if event is None:
        return [{"MsgType": dice.choice(("file", "voice"))}]
    match event.kind:
        case "text":
            return [_text(event.text)]
        case "media":
            return [*(_photo(one.ref) for one in event.media), *([_text(event.text)] if event.text else [])]
        case "place":
            return [{"MsgType": "location", "Location_X": f"{event.lat}", "Location_Y": f"{event.lng}"}]
        case "start":
            return [_event("subscribe", f"qrscene_{event.data}" if event.data else "")]
        case "left":
            return [_event("unsubscribe")]
        case "nothing" if event.data == NEWS:
            return [_event("CLICK", NEWS)]
        case "nothing":
            return [{**_event("LOCATION"), "Latitude": "35.65", "Longitude": "104.7", "Precision": "30"}]
    return [{"MsgType": "file"}]


def _text(content: str) -> Fields:
    return {"MsgType": "text", "Content": content}


def _photo(ref: str) -> Fields:
    return {"MsgType": "image", "MediaId": ref, "PicUrl": f"http://mmbiz.qpic.cn/{ref}"}


def _event(name: str, key: str = "") -> Fields:
    return {"MsgType": "event", "Event": name, "EventKey": key}


class Opener(Protocol):
    """What opened a window: `stored_s`, since when the program knows of it."""

    stored_s: float | None


@dataclass(slots=True)
class Window:
    """So many more until then. `unknown`: of those taken, how many the program had begun before it knew of it."""

    left: int
    until_ms: int
    opener: Opener
    unknown: int = 0

    def was_unknown(self, begun_s: float) -> bool:
        """Whether a program that began something then may not have known of this window."""
        return self.opener.stored_s is None or self.opener.stored_s >= begun_s


@dataclass(slots=True)
class Windows:
    """How many customer messages WeChat takes for one person, by its own rules."""

    all: dict[Heard, Window] = field(default_factory=dict)

    def opens(self, what: Heard, now_ms: int, opener: Opener) -> None:
        """The person did something."""
        count, span_ms = quota.OPENS[what]
        self.all[what] = Window(count, now_ms + span_ms, opener)

    def open(self, now_ms: int) -> list[Window]:
        """Those that are open now."""
        return [window for window in self.all.values() if now_ms < window.until_ms]

    def takes(self, begun_s: float) -> None:
        """One was taken, with which the program began then."""
        for window in self.all.values():
            window.left = max(0, window.left - 1)
            window.unknown += window.was_unknown(begun_s)
