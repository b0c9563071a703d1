"""Where one person's conversation stands: a stack of frames, the newest on top. Stored as one JSON text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import field, replace
from functools import lru_cache
from typing import Any

from bot.talk.form import Choice, Form, Found, FreeText, Photos, Place, Secret, Step, YesNo
from bot.talk.frozen import dataclass
from bot.talk.messages import In
from bot.talk.typed import is_command

REVIEW = "review"
MAX_FRAMES = 4
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
Menu = tuple[tuple[str, str], ...]


@lru_cache(maxsize=4_096)
def tag_of(person_id: int) -> str:
    """Five characters on every button of a person's screens, by which another person's press is known."""
    found = ""
    for _ in range(5):
        person_id, digit = divmod(person_id, 36)
        found += DIGITS[digit]
    return found


@dataclass(frozen=True, slots=True)
class Frame:
    """One form in progress.

    `asked` is the step last shown (or REVIEW, or "" before the first); `rev` marks the buttons shown with it;
    `offered` the (value, label) pairs that the database supplied; `menu` the (label, verb) pairs on the screen;
    `doubt` a value that waits for a confirmation; `album` the album whose arrival was already answered; `of_photos`
    the step with the photos that the form began with, while nothing else was answered.
    """

    form: str
    answers: dict[str, Any] = field(default_factory=dict)
    asked: str = ""
    rev: int = 0
    offered: Menu = ()
    menu: Menu = ()
    doubt: Any = None
    album: str = ""
    of_photos: str = ""

    # The next three build the changed frame by hand: `dataclasses.replace` takes a tenth of an update's time.

    def asking(self, step_id: str, offered: Menu, doubt: Any) -> Frame:
        """The frame with another question open."""
        return Frame(self.form, self.answers, step_id, self.rev, offered, self.menu, doubt, self.album, self.of_photos)

    def answered(self, step_id: str, value: Any) -> Frame:
        """The frame with one more answer."""
        answers = {**self.answers, step_id: value}
        return Frame(self.form, answers, self.asked, self.rev, self.offered, self.menu, None, self.album)

    def on_screen(self, rev: int, menu: Menu) -> Frame:
        """The frame as shown under a revision, with what its buttons say."""
        return Frame(
            self.form, self.answers, self.asked, rev, self.offered, menu, self.doubt, self.album, self.of_photos
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON object without the empty fields."""
        found: dict[str, Any] = {"form": self.form, "answers": self.answers, "rev": self.rev}
        if self.asked:
            found["asked"] = self.asked
        if self.offered:
            found["offered"] = self.offered
        if self.menu:
            found["menu"] = self.menu
        if self.album:
            found["album"] = self.album
        if self.of_photos:
            found["of_photos"] = self.of_photos
        if self.doubt is not None:
            found["doubt"] = self.doubt
        return found

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Frame:
        """Read what `to_json` wrote; raises KeyError, TypeError or ValueError on anything else."""
        if not isinstance(found, dict):
            raise TypeError("frame")
        pairs = {
            name: tuple((str(left), str(right)) for left, right in found.get(name, ())) for name in ("offered", "menu")
        }
        if not isinstance(found["answers"], dict):
            raise TypeError("answers")
        return cls(
            form=str(found["form"]),
            answers=found["answers"],
            asked=found.get("asked", ""),
            rev=int(found["rev"]),
            doubt=found.get("doubt"),
            album=found.get("album", ""),
            of_photos=found.get("of_photos", ""),
            **pairs,
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A person's frames, the last revision given to a screen, and what they sent that waits for an answer."""

    frames: tuple[Frame, ...] = ()
    rev: int = 0
    stash: tuple[dict[str, Any], ...] = ()
    updated_ms: int = 0

    @property
    def top(self) -> Frame | None:
        """The frame that the next answer belongs to."""
        return self.frames[-1] if self.frames else None

    def push(self, frame: Frame) -> Session:
        """Begin `frame` above the others; the oldest is let go beyond MAX_FRAMES, a twin is replaced."""
        others = tuple(one for one in self.frames if one.form != frame.form)
        return replace(self, frames=(*others[-(MAX_FRAMES - 1) :], frame))

    def with_top(self, frame: Frame) -> Session:
        """The same session with its newest frame replaced."""
        return Session((*self.frames[:-1], frame), self.rev, self.stash, self.updated_ms)

    def showing(self, frame: Frame) -> Session:
        """The same session with its newest frame on the screen."""
        return Session((*self.frames[:-1], frame), max(frame.rev, self.rev), self.stash, self.updated_ms)

    def pop(self) -> Session:
        """The session without its newest frame."""
        return replace(self, frames=self.frames[:-1])

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        found: dict[str, Any] = {"rev": self.rev, "frames": [frame.to_json() for frame in self.frames]}
        if self.stash:
            found["stash"] = list(self.stash)
        return found

    @classmethod
    def from_json(cls, found: dict[str, Any], updated_ms: int = 0) -> Session:
        """Read what `to_json` wrote; raises KeyError, TypeError or ValueError on anything else."""
        return cls(
            frames=tuple(Frame.from_json(frame) for frame in found["frames"]),
            rev=int(found["rev"]),
            stash=tuple(dict(event) for event in found.get("stash", ())),
            updated_ms=updated_ms,
        )


# Where a form stands is derived from its answers.


def path(form: Form, answers: Mapping[str, Any]) -> list[Step]:
    """The steps that these answers lead through."""
    return [step for step in form.steps if step.when(answers)]


def holds(step: Step, value: Any) -> bool:
    """Whether a stored answer still fits its step; one that doesn't is asked again."""
    if value is None:
        return step.optional
    if isinstance(step, Choice):
        return (value in step.options) if step.options else isinstance(value, dict)
    if isinstance(step, YesNo):
        return isinstance(value, bool)
    if isinstance(step, Photos):
        return isinstance(value, list)
    if isinstance(step, (Place, Found)):
        return isinstance(value, dict)
    return not isinstance(step, FreeText) or isinstance(value, str)


def complete(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers on the path, assumed ones included: what `submit` receives."""
    found: dict[str, Any] = {}
    for step in path(form, answers):
        if step.id in answers and holds(step, answers[step.id]):
            found[step.id] = answers[step.id]
        elif (assumed := step.assume(answers)) is not None:
            found[step.id] = assumed
    return found


def next_step(form: Form, answers: Mapping[str, Any]) -> Step | None:
    """The first question still open, or None when all is known."""
    known = complete(form, answers)
    return next((step for step in path(form, answers) if step.id not in known), None)


def earlier(form: Form, frame: Frame) -> Step | None:
    """The last answered question before the present one on the path, if any."""
    steps = path(form, frame.answers)
    asked = next((at for at, step in enumerate(steps) if step.id == frame.asked), len(steps))
    return next((step for step in reversed(steps[:asked]) if step.id in frame.answers), None)


# What answers a secret question is kept nowhere.

# Also what is only like an answer is not left standing: a digit too few, words beside it («密码是 482913»).
_LIKE_A_SECRET = re.compile(r"\d(?:[\s-]*\d){3}")


def tells_a_secret(form: Form | None, frame: Frame | None, event: In) -> bool:
    """Whether words answer a secret question, or look as if they were meant to."""
    step = form.step(frame.asked) if form is not None and frame is not None else None
    if not isinstance(step, Secret) or event.kind != "text" or is_command(event.text):
        return False
    return _LIKE_A_SECRET.search(unicodedata.normalize("NFKC", event.text)) is not None


def without_secrets(form: Form, frame: Frame) -> Frame:
    """The frame as it may be stored: without the answers of secret questions."""
    kept = {key: value for key, value in frame.answers.items() if not isinstance(form.step(key), Secret)}
    return frame if len(kept) == len(frame.answers) else replace(frame, answers=kept)
