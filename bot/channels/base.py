"""The one interface of a chat platform. A channel stores what arrives, decodes it later, and sends what is due."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from bot.talk.frozen import dataclass
from bot.talk.messages import In, Out
from storage.database import Tx


class UnknownTownship(LookupError):
    """A setting names a township by a code that none has."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no township has the code {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Raw:
    """An update as received: `key` is the platform's own id for it, `address` who sent it (`tg:123`)."""

    channel: str
    key: str
    address: str
    body: bytes
    township_id: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A decoded update: `language` is what the platform says of the person's language, "" if nothing; `made_ms` when
    it was sent by the platform's clock, 0 if that isn't known; `ref` what the platform calls the message, where its
    sender can edit it.
    """

    event: In
    name: str = ""
    language: str = ""
    reply_to: str = ""
    made_ms: int = 0
    ref: str = ""


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
    urgent: bool = False
    late: bool = False  # an answer that was not there in time for the reply
    changes: str = ""  # what the platform calls the earlier message whose place it takes


@dataclass(frozen=True, slots=True)
class Together:
    """Messages that were shown together. `series`: which numbers their choices have, 0 for those of a reply."""

    outs: Sequence[Out]
    series: int = 0


@dataclass(frozen=True, slots=True)
class Unclear:
    """Typed words that are meant for a choice, but for which? `text_id` says what to write instead."""

    text_id: str


class Pictures(Protocol):
    """Where the copies for viewing are."""

    async def viewing_copy(self, media_id: str) -> tuple[bytes | AsyncIterator[bytes], str] | None:
        """(content, kind image|video) of a stored picture, a video in pieces; None when it isn't there."""
        ...


class Channels:
    """Which channels each township has: those that all share, and those of its own (a bot belongs to one)."""

    def __init__(self, shared: Iterable[Channel] = (), own: Mapping[int, Iterable[Channel]] | None = None) -> None:
        self._shared = {channel.name: channel for channel in shared}
        self._own = {
            township_id: {**self._shared, **{channel.name: channel for channel in channels}}
            for township_id, channels in (own or {}).items()
        }

    def add(self, township_id: int, channel: Channel) -> None:
        """One more of a township's own, before anything is started."""
        self._own[township_id] = {**self.of(township_id), channel.name: channel}

    def of(self, township_id: int) -> Mapping[str, Channel]:
        """A township's channels by name."""
        return self._own.get(township_id, self._shared)

    def every(self) -> list[Channel]:
        """All of them, each once."""
        found = [*self._shared.values(), *(one for channels in self._own.values() for one in channels.values())]
        return list(dict.fromkeys(found))


Accept = Callable[[Sequence[Raw]], Awaitable[None]]


class Writing(Protocol):
    """Writes further messages for a township, for a channel that finds that it has more to send."""

    async def write(self, tx: Tx, rows: Sequence[dict[str, Any]], now_ms: int) -> object:
        """Store messages in the open transaction."""
        ...

    async def hint(self, tx: Tx) -> None:
        """Tell other workers, once this is committed, that something has become due."""
        ...

    def hear(self, township: str) -> None:
        """Look for what has become due."""
        ...


class Channel(Protocol):
    """A chat platform.

    `buttons`: choices are pressed, else `pick` reads what is typed instead. `reply_ms`: for how long what answers an
    update may go out as the platform's own reply to it; 0 where there is no such thing. `forgets_media`: photos must
    be fetched when they come, the platform keeps them for some days only. `native_menu`: a letter with `commands` sets
    the platform's own menu of a chat.
    """

    name: str
    buttons: bool
    reply_ms: int
    forgets_media: bool
    native_menu: bool

    def decode(self, raw: Raw) -> Arrival:
        """Read a stored update; raises ValueError on one that isn't understood. Pure."""
        ...

    def masked(self, raw: Raw) -> bytes:
        """A stored update as it is kept when nobody may read what it said: `HIDDEN` stands for its words. Pure."""
        ...

    def pick(self, said: str, shown: Sequence[Together]) -> str | Unclear | None:
        """Which button's data typed words stand for, of what was shown last, newest first; None for none. Pure."""
        ...

    async def send(self, letter: Letter) -> bool | str:
        """Send one message, or change the one that it `changes`. False: the person isn't there now, keep it for them.
        A string: what the platform calls the message, for one with a card.

        Raises RetryLater or GiveUp.
        """
        ...

    def ref_of(self, message_id: int) -> str | None:
        """What a message with a card is called, where that is known before it is sent; None elsewhere."""
        ...

    def admit_ms(self, address: str, now_ms: int) -> int:
        """`now_ms` when the platform's limits let a message go now (it is counted), else when to ask again."""
        ...

    def handled(self, raw: Raw) -> None:
        """Called after an update was handled (to stop a button's spinner, say); best effort, never raises."""
        ...

    def elsewhere(self, township_id: int, address: str, message_id: int) -> str:
        """What other workers are told of a message that came from an address or was sent to it, so that they show it
        there too; "" for nothing.
        """
        ...

    def busy(self, address: str) -> None:
        """Show that an answer takes a while (typing), where there is such a thing; best effort, never raises."""
        ...

    async def start(self, accept: Accept) -> None:
        """Be ready to send, and to take what is brought (a webhook): it is passed to `accept`, which returns once it
        is durable.
        """
        ...

    async def fetch_updates(self) -> None:
        """Fetch updates until cancelled, for a platform that wants that; only one worker may do it."""
        ...

    async def stop(self) -> None:
        """Stop receiving and sending."""
        ...
