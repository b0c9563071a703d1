"""What an action works with: the open transaction, the time, and what it wants done after the commit.

Handlers write through `tx` and describe messages and timers here as data; intake and the scheduler turn them
into rows of the same transaction. Nothing is sent from inside a transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

import orjson

from bot.clock import Dice, Ids
from bot.i18n import Catalogues
from bot.stored import dump_out
from bot.talk.form import Form
from bot.talk.messages import In, Out, Say, Text, Words
from bot.talk.session import Frame
from storage.database import Tx
from storage.machine import holding, media, outbox
from storage.people import people

World = TypeVar("World")


@dataclass(frozen=True, slots=True)
class Role:
    """A role in force for an area (and everything below it)."""

    name: str
    area_id: int


@dataclass(frozen=True, slots=True)
class Person:
    """Who writes, and from where."""

    id: int
    name: str
    language: str
    channel: str
    address: str
    household_id: int | None = None
    consent_version: int | None = None
    roles: tuple[Role, ...] = ()

    def has(self, *names: str) -> bool:
        """Whether the person holds one of these roles anywhere."""
        return any(role.name in names for role in self.roles)

    def areas(self, *names: str) -> set[int]:
        """The areas for which the person holds one of these roles."""
        return {role.area_id for role in self.roles if role.name in names}


@dataclass(frozen=True, slots=True)
class Intent:
    """What words, a button or a photo are taken for: a command with its words, or a form with what is known.

    `note`: what is said of how the form came to what is known, in one message with its first question. `submits`: the
    form is open already, with all its answers, and is to be submitted.
    """

    command: str = ""
    args: str = ""
    form: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    note: Text | None = None
    submits: bool = False


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How a message goes out.

    `key` makes it happen once for an address, however often it is asked for; `urgent` ones are told at any hour and
    first; `due_ms` puts it off, `unless_here` only for who neither wrote nor looked at the page in the last minutes,
    and until they do; after `expires_ms` it is dropped and counted.
    """

    key: str | None = None
    urgent: bool = False
    due_ms: int | None = None
    expires_ms: int | None = None
    unless_here: bool = False


AT_ONCE = Dispatch()
HERE_MS = 5 * 60_000


def outbox_row(
    message_id: int, person_id: int, channel: str, address: str, out: Out, how: Dispatch, now_ms: int
) -> dict[str, Any]:
    """A message as a row of the outbox; `out` goes along for whoever sends it at once."""
    due_ms = now_ms if how.due_ms is None else max(how.due_ms, now_ms)
    return {
        "id": message_id,
        "person_id": person_id,
        "channel": channel,
        "address": address,
        "body": dump_out(out),
        "media": out.media,
        "message_key": how.key,
        "urgent": int(how.urgent),
        "created_ms": now_ms,
        "due_ms": due_ms,
        "held": int(how.unless_here) if due_ms > now_ms else None,
        "expires_ms": how.expires_ms,
        "attempts": 0,
        "card": out.card or None,
        **dict.fromkeys(("answers", "ref", "changes", "changes_ref")),
        "out": out,
    }


@dataclass(slots=True, kw_only=True)
class Desk(Generic[World]):
    """The township's desk with an open transaction. `world`: what the product loads once and reads at every step."""

    tx: Tx
    now_ms: int
    ids: Ids
    dice: Dice
    catalogues: Catalogues
    world: World
    outbox: list[dict[str, Any]] = field(default_factory=list)
    timers: list[dict[str, Any]] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)  # (key, address) of this transaction, other turns' too

    async def was_told(self, key: str, address: str) -> bool:
        """Whether a message of that key was ever written to that address."""
        return (key, address) in self.told or await outbox.has_key(self.tx, key, address)

    async def tell(self, person_id: int, say: Say, how: Dispatch = AT_ONCE) -> bool:
        """Write a message to a person at the contact they used last. False: nobody to tell, or told already."""
        row = await people.person(self.tx, person_id)
        contacts = await people.contacts_of(self.tx, person_id) if row else []
        if row is None or row["state"] != "active" or not contacts:
            return False
        address = contacts[0]["address"]
        if how.key is not None and await self.was_told(how.key, address):
            return False
        here_ms = max(max(one["last_in_ms"], one["looked_ms"]) for one in contacts)
        if how.unless_here and self.now_ms - here_ms <= HERE_MS:
            how = replace(how, due_ms=None)
        out = self.catalogues[row["language"]].out(say)
        self.post(person_id, contacts[0]["channel"], address, out, how)
        return True

    def post(self, person_id: int, channel: str, address: str, out: Out, how: Dispatch = AT_ONCE) -> None:
        """Write a finished message to one address."""
        if how.key is not None:
            self.told.add((how.key, address))
        self.outbox.append(outbox_row(self.ids.next(), person_id, channel, address, out, how, self.now_ms))

    async def refresh(self, say: Say) -> None:
        """Change every message that shows the same card, where that can be done; nobody is told of it."""
        for row in await outbox.shown_cards(self.tx, say.card):
            person = await people.person(self.tx, row["person_id"])
            if person is not None and person["state"] == "active":
                out = self.catalogues[person["language"]].out(say)
                if row["held"] is not None:
                    await holding.reword(self.tx, row["id"], dump_out(out), now_ms=self.now_ms)
                    continue
                self.post(row["person_id"], row["channel"], row["address"], replace(out, quiet=True))
                self.outbox[-1].update(changes=row["id"], changes_ref=row["ref"])

    async def attach(
        self, person_id: int, channel: str, photos: Sequence[Sequence[Any]], *, loose: bool = False
    ) -> list[str]:
        """Make the photos of an answer (`[[kind, ref, size_bytes], …]`) a person's; their ids in order.

        Those that the channel still has are fetched by a timer. `loose`: what they belong to will be said later, by
        attaching them again.
        """
        found, expected = await media.attach(
            self.tx, self.dice, person_id, channel, photos, now_ms=self.now_ms, loose=loose
        )
        for media_id, number in expected:
            self.later("media.fetch", f"media.fetch:{media_id}", self.now_ms, media_id=media_id, number=number)
        return found

    def later(self, kind: str, key: str, fire_ms: int, **payload: Any) -> None:
        """Plan a timer; one of the same key runs once."""
        self.timers.append(
            {
                "id": self.ids.next(),
                "kind": kind,
                "timer_key": key,
                "fire_ms": fire_ms,
                "payload": orjson.dumps(payload).decode(),
            }
        )


@dataclass(frozen=True, slots=True)
class Answering:
    """The update that a turn answers, on a platform that takes the answer as its reply until `until_ms`."""

    update_id: int
    until_ms: int


@dataclass(slots=True, kw_only=True)
class Turn(Desk[World]):
    """One update of one person."""

    person: Person
    event: In
    answering: Answering | None = None
    native_menu: bool = False  # the platform has a menu of its own
    opened: Intent | None = None
    forgotten: bool = False
    hidden: bool = False  # what was said is a secret: nobody may read it in the conversation
    changed_addresses: list[str] = field(default_factory=list)

    def reply(self, say: Say | Words, *, key: str | None = None) -> None:
        """Answer in the same chat."""
        message = say if isinstance(say, Say) else Say(say)
        out = self.catalogues[self.person.language].out(message)
        self.post(self.person.id, self.person.channel, self.person.address, out, Dispatch(key))
        if message.card and self.event.under:
            self.outbox[-1]["changes_ref"] = self.event.under  # if that message shows the same card

    def post(self, person_id: int, channel: str, address: str, out: Out, how: Dispatch = AT_ONCE) -> None:
        """Write a finished message to one address; to the one who writes, as a part of the answer."""
        answers = self.answering if address == self.person.address and how.due_ms is None else None
        if answers is not None:
            how = replace(how, urgent=True)
        super(Turn, self).post(person_id, channel, address, out, how)
        if answers is not None and self.now_ms < answers.until_ms:
            self.outbox[-1].update(answers=answers.update_id, due_ms=answers.until_ms)

    def forget(self) -> None:
        """The person was erased: nothing of the conversation is kept, and who writes next from there is new."""
        self.forgotten = True

    def meet_again(self, addresses: Iterable[str]) -> None:
        """Other addresses are somebody else's from now on (joined, taken away): look who they are before they write."""
        self.changed_addresses.extend(addresses)

    def open(self, form: str, **answers: Any) -> None:
        """Begin a form after this action, with what is already known."""
        self.opened = Intent(form=form, answers=answers)


class Product(Protocol):
    """What the machine asks of the product it carries."""

    forms: Mapping[str, Form]
    timers: Mapping[str, Callable[[Desk[Any], Mapping[str, Any]], Awaitable[None]]]

    async def world(self, tx: Tx, now_ms: int) -> Any:
        """The policy and the places in force; loaded once a batch."""
        ...

    def messages_per_minute(self, world: Any) -> int:
        """How many updates of one address are handled at once in a minute."""
        ...

    def facts(self, turn: Turn[Any]) -> Any:
        """What form steps read: `place_of`, `today`, policy values."""
        ...

    def gate(self, turn: Turn[Any]) -> str | None:
        """The form that must be finished before anything else (consent), if any."""
        ...

    def before_gate(self, intent: Intent) -> bool:
        """Whether a command may be run although the gate is not passed: it only explains what the gate asks."""
        ...

    async def interpret(self, turn: Turn[Any]) -> Intent | None:
        """What the event means when no question is open."""
        ...

    def addressed(self, turn: Turn[Any]) -> Intent | None:
        """The command that the event is by its shape: `/digest 2026-11-20`, a command button, a start link."""
        ...

    def phrase(self, turn: Turn[Any]) -> Intent | None:
        """The command that the event names, as `addressed` or by what people call it: «我的积分», «点名 11月20日»."""
        ...

    async def number(self, turn: Turn[Any]) -> Intent | None:
        """The command that shows the thing of a number, when the words are nothing but that number."""
        ...

    async def other_matter(self, turn: Turn[Any], *, takes_words: bool) -> Intent | None:
        """What words surely mean although a question is open; `takes_words`: the question would take any words.

        None, with an answer in the outbox: that was all there is to do.
        """
        ...

    async def again(self, turn: Turn[Any], frame: Frame) -> Intent | None:
        """The form of the open draft begun anew, when the words say the whole matter in one line."""
        ...

    async def command(self, turn: Turn[Any], intent: Intent) -> None:
        """Run a command; checks the person's right."""
        ...

    async def left(self, turn: Turn[Any]) -> None:
        """The person has blocked the bot, or no longer follows the account: nothing more reaches them there."""
        ...

    async def plan(self, desk: Desk[Any]) -> None:
        """Write the timers of the periods to come and of those missed; a period's key makes it run once."""
        ...

    async def asks_first(self, turn: Turn[Any], wanted: Intent) -> Intent | None:
        """The form that must be answered before a command is run or a form submitted, if any; it goes on by itself."""
        ...

    async def may_open(self, turn: Turn[Any], form: Form) -> None:
        """Raise PersonError when the person has no right to that form."""
        ...
