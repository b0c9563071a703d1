"""What people send (`In`) and what they are told (`Say`), the same on every channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from math import ceil
from typing import Any, Literal

from bot.talk.frozen import dataclass

FARTHEST_M = 20_000_000  # half around the world: an accuracy beyond it is none
InKind = Literal["text", "tap", "media", "place", "start", "face", "file", "other", "edited", "left", "nothing"]
HIDDEN = "••••••"  # what stands where words stood that nobody may read
VOICE = "voice"  # the `data` of something spoken that nobody has put into words


def accuracy_of(said: object) -> int:
    """How many metres off a position may be, by what a platform says of it; 0 where that is nothing sensible."""
    if isinstance(said, (int, float)) and not isinstance(said, bool) and 0 < said < FARTHEST_M:
        return ceil(said)
    return 0


@dataclass(frozen=True, slots=True)
class Media:
    """A photo or video as the channel names it: `ref` is what the channel needs to fetch its bytes."""

    kind: Literal["image", "video"]
    ref: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class In:
    """One thing that a person sent.

    `text` holds words, a caption or a button's label; `data` a button's payload, a start link's token, or VOICE of
    something else; `album` is the same for the photos of one album; `lat`, `lng`, `datum` a position, which may be
    `accuracy_m` off (0: nobody said); `under` what the platform calls the message whose button was pressed.

    `face` is a lone smile or sticker, `file` one that can't be a picture, `other` what somebody sent and nobody here
    can read, `nothing` whatever a platform sends that nobody did.
    """

    kind: InKind
    text: str = ""
    data: str = ""
    media: tuple[Media, ...] = ()
    album: str = ""
    lat: float = 0.0
    lng: float = 0.0
    datum: str = "WGS-84"
    accuracy_m: int = 0
    command: bool = False
    group: bool = False
    under: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads back."""
        found: dict[str, Any] = {"kind": self.kind}
        for name in ("text", "data", "album", "command", "group", "under"):
            if value := getattr(self, name):
                found[name] = value
        if self.media:
            found["media"] = [[item.kind, item.ref, item.size_bytes] for item in self.media]
        if self.kind == "place":
            found.update(lat=self.lat, lng=self.lng, datum=self.datum)
            found.update({"accuracy_m": self.accuracy_m} if self.accuracy_m else {})
        return found

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> In:
        """Read what `to_json` wrote."""
        fields = dict(found)
        fields["media"] = tuple(Media(*item) for item in fields.get("media", ()))
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the catalogue: its message id and what fills its placeholders (values or other texts)."""

    key: str
    fields: Mapping[str, Any] = field(default_factory=dict)


Words = Text | str


def text(key: str, /, **fields: Any) -> Text:
    """Shorthand for `Text(key, fields)`."""
    return Text(key, fields)


def on_lines(parts: Sequence[Words]) -> Text:
    """Put parts of a message on lines of their own."""
    return Text("lines", {"lines": parts})


@dataclass(frozen=True, slots=True)
class Button:
    """A choice under a message; `data` (at most 40 bytes) comes back when it is pressed."""

    label: Words
    data: str
    style: Literal["plain", "primary", "danger"] = "plain"


@dataclass(frozen=True, slots=True)
class Link:
    """An address to open, under its label."""

    label: Words
    url: str


Wanted = Literal[
    "",
    "place",
    "photos",
    "photos_words",
    "text",
    "number",
    "weight",
    "percent",
    "date",
    "choice",
    "choice_words",
    "secret",
]  # what a question takes; `…_words`: words, too


@dataclass(frozen=True, slots=True)
class Say:
    """One message to a person, before it is put into their language.

    `card` names what it shows, when that changes («case:2026-0113», «menu»): pressed under a message of the same card,
    the answer takes its place where the platform can do that.
    """

    text: Words
    rows: tuple[tuple[Button, ...], ...] = ()
    ask: Wanted = ""
    media: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    card: str = ""


@dataclass(frozen=True, slots=True)
class Out:
    """One message ready to send: every word in the person's language. Stored as the outbox row's body.

    `mentions`: whom it calls in a group, each by what the platform knows them by. `card`: see Say. `quiet`: it only
    changes an earlier message; where that can't be done it is not sent. `commands`: no message, but what the platform's
    own menu offers in this chat. `hides`: no message either; what the platform calls one of the person's own that is to
    be taken away.
    """

    text: str
    rows: tuple[tuple[tuple[str, str, str], ...], ...] = ()
    ask: str = ""
    media: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    mentions: tuple[str, ...] = ()
    card: str = ""
    quiet: bool = False
    commands: tuple[tuple[str, str], ...] = ()
    hides: str = ""
