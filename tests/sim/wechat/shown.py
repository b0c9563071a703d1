"""What WeChat shows on the phones, and what must hold of it: each message once, whole, in its order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.channels.base import Letter
from bot.channels.wechat.pieces import Piece, pieces_of, together
from bot.channels.wechat.wire import NEWS, arrival_of, update_of
from bot.i18n import Catalogue, Catalogues
from bot.stored import load_out
from bot.talk.messages import Out, text
from tests.sim.chat.platform import Platform, Sent
from tests.sim.wechat.phone import Phone, fault_of, marks_of, rest_of

IN_REPLY = (
    "SELECT o.id, o.body FROM outbox o JOIN inbox i ON i.township_id = o.township_id AND i.id = o.answers"
    " WHERE o.township_id = :t AND o.state = :state AND i.channel = 'wechat' AND i.update_key = :key ORDER BY o.id"
)
OTHERS = "SELECT id, body FROM outbox WHERE township_id = :t AND address = :address AND id <> :id"
SERIES = "SELECT series FROM outbox WHERE township_id = :t AND id = :id"
MOST_LEFT = 100
REST = "SELECT 1 FROM outbox WHERE township_id = :t AND id = :id AND message_key LIKE 'rest:%'"  # goes when it can
ERASED = "{}"


class Door(Protocol):
    """A worker that takes pushes and sends, as WeChat sees it."""

    number: int

    @property
    def excused(self) -> bool:
        """Whether the server took it for dead: then another may have its duties, and it may not know."""
        ...

    @property
    def holds(self) -> bool:
        """Whether it holds the township's delivery now."""
        ...

    @property
    def gone(self) -> bool:
        """Whether it runs no more."""
        ...

    @property
    def upset_s(self) -> float:
        """When something befell it last."""
        ...

    def begin(self, body: bytes, hung_up: asyncio.Event) -> asyncio.Task[str | None]:
        """Push something: its answer, "" for nothing to show, None when the program could not take it."""
        ...


@dataclass(slots=True)
class Push:
    """Something a person sent, once it was made `key` is what WeChat knows it by.

    means: the buttons whose number was typed · sure: nothing was under way by which that number changes
    stored_s: since when the program has it for certain · failed: the phone says that the service is not available
    """

    key: str
    address: str
    number: int
    body: bytes
    made_s: float
    is_stored: bool
    means: set[str | None] = field(default_factory=set)
    sure: bool = False
    stored_s: float | None = None
    failed: bool = False
    ended_s: float | None = None
    handled_s: float | None = None
    running: set[asyncio.Task[str | None]] = field(default_factory=set)

    @property
    def asks_for_news(self) -> bool:
        """Whether it is the menu's button that only asks for what waits."""
        return arrival_of(update_of(self.body)).event.data == NEWS


@dataclass(slots=True)
class Phones(Platform):
    """The phones of one township's people."""

    pushes: dict[str, Push] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)
    replied: dict[int, str] = field(default_factory=dict)  # message → the push with whose reply it was shown
    pieces: dict[tuple[int, int], Sent] = field(default_factory=dict)  # (letter, which piece of it)
    pieces_refused: set[tuple[int, int]] = field(default_factory=set)
    catalogues: Catalogues | None = None
    _heard_twice: set[int] = field(default_factory=set)

    # -- with a reply

    def shows_reply(self, push: Push, words: str) -> None:
        """The answer to a push is shown, once. Which messages it holds, the program has written down."""
        rows = self.ask(IN_REPLY, key=push.key, state="sent")
        ids = [row["id"] for row in rows]
        self.note("reply", life=0, key=push.key, address=push.address, letters=ids, words=words)
        if not rows and not push.asks_for_news:
            self.blame(f"the reply to {push.key} holds no message: {words[:40]!r}")
        if any(row["body"] == ERASED for row in rows):
            return
        outs = [load_out(row["body"]) for row in rows]
        for letter_id in ids:
            self._in_reply(letter_id, push)
        faults = {}
        for catalogue in self._languages():
            read = without_more(words, catalogue)
            if not (fault := fault_of(read, outs, catalogue)):
                self._tell_all(push, read, list(zip(ids, outs, strict=True)), catalogue)
                return
            faults[catalogue.language] = fault
        if rows:
            self.blame(f"the reply to {push.key} with {ids}: {faults}")

    def _languages(self) -> list[Catalogue]:
        assert self.catalogues is not None
        return [self.catalogues[language] for language in self.catalogues.languages]

    def _in_reply(self, letter_id: int, push: Push) -> None:
        before = self.replied.get(letter_id)
        sent = self.sent.get(letter_id)
        if before is not None:
            self.blame(f"message {letter_id} was shown in two replies, to {before} and to {push.key}")
        elif sent is not None and not sent.denied and not self._why(sent, replace(sent, held=True)):
            self.blame(f"message {letter_id} was shown by itself and in the reply to {push.key}")
        self.replied[letter_id] = push.key

    def _tell_all(self, push: Push, words: str, found: Sequence[tuple[int, Out]], catalogue: Catalogue) -> None:
        outs = [out for _, out in found]
        marks = marks_of(words, outs)
        self.phones[push.address].shows_reply(outs, marks, push.made_s, asyncio.get_running_loop().time())
        for letter_id, out in found:
            alone = out if len(outs) == 1 else Out("", media=out.media)
            rest = rest_of(words, alone, catalogue)
            if rest is not None:
                self._is_there(push.address, letter_id, rest)
            cut = rest is not None and (rest.text or rest.rows)
            self._tell(push.address, part_of(out, words, marks) if cut else out)

    def _is_there(self, address: str, letter_id: int, rest: Out) -> None:
        """What did not fit is a message of its own, after the other."""
        same = [one for one, out in self._others(address, letter_id) if out == rest]
        if not same:
            self.blame(f"the rest of message {letter_id} is nowhere")
        elif max(same) < letter_id:
            self.blame(f"the rest of message {letter_id} stands before it")

    def _others(self, address: str, letter_id: int) -> list[tuple[int, Out]]:
        rows = self.ask(OTHERS, address=address, id=letter_id)
        return [(row["id"], load_out(row["body"])) for row in rows if row["body"] != ERASED]

    # -- by itself

    def pieces_of(self, letter_id: int, out: Out) -> list[list[Piece]]:
        """The customer messages in which a message goes by itself, in each language."""
        series = self.ask(SERIES, id=letter_id)[0]["series"] or 0
        return [pieces_of(out, catalogue, series) for catalogue in self._languages()]

    def place_of(self, letter: Letter, piece: Piece) -> int:
        """Which of its letter's pieces this is."""
        for pieces in self.pieces_of(letter.id, letter.out):
            if piece in pieces:
                return pieces.index(piece)
        self.blame(f"{piece} was sent and is no piece of message {letter.id}")
        return 0

    def is_kept(self, address: str, letter_id: int, rest: Sequence[Piece]) -> bool:
        """Whether the rest of a message is another message."""
        return any(out == together(rest) for _, out in self._others(address, letter_id))

    def shows(self, letter: Letter, at: int, words: str, sender: Door, *, denied: bool, old: bool) -> None:
        """A customer message has reached its person: a letter's piece `at`, "" for a picture.

        denied: the sender will be told that it did not arrive · old: the letter may be given up
        """
        before, life = self.pieces.get((letter.id, at)), sender.number
        told = {**(before.denials if before else {}), life: denied}
        now_s = asyncio.get_running_loop().time()
        sent = Sent(life, letter.address, denied, now_s, sender.holds, told)
        self.pieces[letter.id, at] = self.sent[letter.id] = sent
        self.note("arrives", life=life, address=letter.address, letter=letter.id, piece=at, text=words)
        if letter.id in self.settled:
            self.blame(f"message {letter.id} was sent again though it was settled")
        if letter.id in self.replied and sender.holds and not sender.excused:
            self.blame(f"message {letter.id} was shown in the reply to {self.replied[letter.id]} and by itself")
        if before is None and at == 0 and not self.ask(REST, id=letter.id):
            self._in_order(letter, old=old)
        elif before is not None and (at == 0 or letter.id not in self._heard_twice):
            self._heard_twice.add(letter.id)
            self._again(letter, before, sent, sender.excused)
        if words:
            marks = marks_of(words, [letter.out])
            self.phones[letter.address].shows(letter.out, {} if denied else marks)
            self._tell(letter.address, part_of(letter.out, words, marks) if at else letter.out)


def without_more(words: str, catalogue: Catalogue) -> str:
    """A reply's words without how much is left for the next one."""
    left = (f"\n\n{catalogue.render(text('wechat.more', count=count))}" for count in range(1, MOST_LEFT))
    return next((words.removesuffix(one) for one in left if words.endswith(one)), words)


def part_of(out: Out, words: str, marks: dict[str, str]) -> Out:
    """A message of which only these words, with these numbers, are shown."""
    rows = tuple(tuple(button for button in row if button[1] in marks.values()) for row in out.rows)
    return Out(words, tuple(row for row in rows if row), out.ask if marks else "")
