"""The one interface of a chat platform. A channel stores what arrives, decodes it later, and sends what is due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.talk.messages import In, Out


@dataclass(frozen=True, slots=True)
class Raw:
    """An update as received: `key` is the platform's own id for it, `address` who sent it (`tg:123`)."""

    channel: str
    key: str
    address: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """A decoded update: `language` is what the platform says of the person's language, "" if nothing."""

    event: In
    name: str = ""
    language: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """An outbox row to be sent: `body` is JSON of `Out`."""

    id: int
    township_id: int
    person_id: int
    channel: str
    address: str
    out: Out
    created_ms: int
    expires_ms: int | None
    attempts: int


Accept = Callable[[Sequence[Raw]], Awaitable[None]]


class Channel(Protocol):
    """A chat platform."""

    name: str
    buttons: bool

    def decode(self, raw: Raw) -> Arrival:
        """Read a stored update; raises ValueError on one that isn't understood. Pure."""
        ...

    async def send(self, letter: Letter) -> bool:
        """Send one message. False: the person isn't there now, keep it for them.

        Raises RetryLater or GiveUp.
        """
        ...

    def admit_ms(self, address: str, now_ms: int) -> int:
        """`now_ms` when the platform's limits let a message go now (it is counted), else when to ask again."""
        ...

    def handled(self, raw: Raw) -> None:
        """Called after an update was handled (to stop a button's spinner, say); best effort, never raises."""
        ...

    async def start(self, accept: Accept) -> None:
        """Begin to receive: every batch is passed to `accept`, which returns once it is durable."""
        ...

    async def stop(self) -> None:
        """Stop receiving and sending."""
        ...
