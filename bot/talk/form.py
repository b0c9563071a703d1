"""Forms: what is asked, declared once and rendered on every channel. Step and option ids are forever.

A step reads one event into `Answer`, `Doubt` (say it once more) or `Wrong` (a problem code). What only the
database knows comes as `prepare` (options before asking) and `search` (options for the typed words), which the
shell awaits; everything else here is pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Literal

from bot.talk.messages import In, Text, Wanted, Words

Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose: `value` is stored (JSON), `label` is shown.

    `exact` False: not what the words name, but the words themselves, kept when nothing better knows them.
    """

    value: str
    label: Words
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """The event answers the step with `value` (JSON); `exact` False: any words would."""

    value: Any
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Doubt:
    """`value` is possible but odd, or only supposed: ask for a confirmation with `form.<form>.<step>.<code>`.

    Its two buttons may have words of their own: `….<code>.yes` and `….<code>.no`.
    """

    value: Any
    code: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wrong:
    """The event does not answer the step: say `form.<form>.<step>.<code>`, else `step.<kind>.<code>`."""

    code: str
    fields: Mapping[str, Any] = field(default_factory=dict)


Reading = Answer | Doubt | Wrong


def always(_: Answers) -> bool:
    """The `when` of a step that is on every path."""
    return True


def nothing(_: Answers) -> Any:
    """The `assume` of a step that must be asked."""
    return None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One question.

    `when` decides from the answers whether it is on the path; `assume` gives an answer to take for granted
    (shown in the review, where it can be changed). `facts` in `read` is whatever the shell's product supplies:
    policy values and places. `suppose` may give an answer that the database makes likely: before the question is asked
    the person is asked whether that is it. `says` puts the question in other words than `form.<form>.<step>.ask`;
    `alone`: its own buttons are all that is shown, the way out is one of them.
    """

    id: str
    optional: bool = False
    when: Callable[[Answers], bool] = always
    assume: Callable[[Answers], Any] = nothing
    prepare: Callable[[Any, Answers], Awaitable[Sequence[Option]]] | None = None
    search: Callable[[Any, Answers, str], Awaitable[Sequence[Option]]] | None = None
    suppose: Callable[[Any, Answers], Awaitable[Doubt | None]] | None = None
    shown: Callable[[Any], Words] | None = None
    says: Callable[[Answers], Text] | None = None
    alone: bool = False
    kind: ClassVar[str] = ""
    ask: ClassVar[Wanted] = "text"

    def read(self, event: In, facts: Any) -> Reading:
        """Read typed words, a place or media (never a button, which the engine resolves)."""
        raise NotImplementedError

    def choices(self) -> Sequence[Option]:
        """Options known without the database."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Choice(Step):
    """One of a few options; labels are `form.<form>.<step>.option.<value>`, or come from `prepare`."""

    options: tuple[str, ...] = ()
    columns: int = 2
    kind: ClassVar[str] = "choice"
    ask: ClassVar[Wanted] = "choice"

    def read(self, event: In, facts: Any) -> Reading:
        return Wrong("choose")


@dataclass(frozen=True, kw_only=True)
class YesNo(Step):
    """A yes or no, stored as a bool."""

    kind: ClassVar[str] = "yesno"
    ask: ClassVar[Wanted] = "choice"

    def read(self, event: In, facts: Any) -> Reading:
        return Wrong("choose")


@dataclass(frozen=True, kw_only=True)
class FreeText(Step):
    """Free words of `min_chars` to `max_chars` characters; `facts.text_chars_largest` may lower that."""

    min_chars: int = 1
    max_chars: int = 500
    kind: ClassVar[str] = "text"

    def read(self, event: In, facts: Any) -> Reading:
        if event.kind != "text":
            return Wrong("words_wanted")
        said = event.text.strip()
        if not any(character.isalnum() for character in said):
            return Wrong("no_words")
        largest = min(self.max_chars, getattr(facts, "text_chars_largest", self.max_chars))
        if len(said) > largest:
            return Wrong("too_long", {"count": len(said), "max": largest})
        if len(said) < self.min_chars:
            return Wrong("too_short", {"min": self.min_chars})
        return Answer(said, exact=False)


@dataclass(frozen=True, kw_only=True)
class Quantity(Step):
    """A number with its unit. `parse(words, facts)` gives the reading; the stored value is what it returns. `of` says
    of what kind, for the example beside the question.
    """

    parse: Callable[[str, Any], Reading]
    of: Literal["number", "weight", "percent"] = "number"
    kind: ClassVar[str] = "quantity"
    ask: ClassVar[Wanted] = "number"

    def read(self, event: In, facts: Any) -> Reading:
        return self.parse(event.text.strip(), facts) if event.kind == "text" else Wrong("number_wanted")


@dataclass(frozen=True, kw_only=True)
class Photos(Step):
    """A list by nature: albums and single photos both append, until «done» or `limit`.

    `facts.photos_largest` may lower the limit.
    """

    limit: int = 9
    video: bool = True
    kind: ClassVar[str] = "photos"
    ask: ClassVar[Wanted] = "photos"

    def largest(self, facts: Any) -> int:
        """How many are taken."""
        return min(self.limit, getattr(facts, "photos_largest", self.limit))

    def read(self, event: In, facts: Any) -> Reading:
        if event.kind != "media":
            return Wrong("photo_wanted" if self.video else "picture_wanted")
        if not self.video and any(item.kind == "video" for item in event.media):
            return Wrong("no_video")
        return Answer([[item.kind, item.ref, item.size_bytes] for item in event.media])


@dataclass(frozen=True, kw_only=True)
class Place(Step):
    """A pin, a landmark or words. `facts.place_of(event)` gives the reading of a point or of words."""

    kind: ClassVar[str] = "place"
    ask: ClassVar[Wanted] = "place"

    def read(self, event: In, facts: Any) -> Reading:
        if event.kind not in ("place", "text"):
            return Wrong("place_wanted")
        reading: Reading = facts.place_of(event)
        return reading


@dataclass(frozen=True, kw_only=True)
class Found(Step):
    """One of what `search` finds for the typed words: a person, a household, a station."""

    kind: ClassVar[str] = "found"
    ask: ClassVar[Wanted] = "text"

    def read(self, event: In, facts: Any) -> Reading:
        return Wrong("unknown", {"said": event.text[:40]}) if event.kind == "text" else Wrong("words_wanted")


@dataclass(frozen=True, kw_only=True)
class Day(Step):
    """A date, stored as ISO text: 2026-11-20, 11月20日, 今天, 昨天 (`facts.today` is the township's date).

    What `prepare` offers has ISO texts as values.
    """

    kind: ClassVar[str] = "date"
    ask: ClassVar[Wanted] = "date"

    def read(self, event: In, facts: Any) -> Reading:
        if event.kind != "text":
            return Wrong("date_wanted")
        day = read_day(event.text, facts.today)
        return Answer(day.isoformat()) if day else Wrong("not_a_date")


@dataclass(frozen=True, kw_only=True)
class Secret(Step):
    """Digits that one person alone knows, and that nobody is to read in the conversation afterwards.

    Only a form's last question may be one: its answer goes to `submit` and is kept nowhere.
    """

    least: int = 6
    most: int = 12
    kind: ClassVar[str] = "secret"
    ask: ClassVar[Wanted] = "secret"

    def read(self, event: In, facts: Any) -> Reading:
        said = "".join(unicodedata.normalize("NFKC", event.text).split()) if event.kind == "text" else ""
        if said.isascii() and said.isdigit() and self.least <= len(said) <= self.most:
            return Answer(said)
        return Wrong("digits", {"min": self.least, "max": self.most})


def read_day(said: str, today: date) -> date | None:
    """Read a date as people write it; a date without a year is the latest one not after `today`."""
    words = said.strip()
    near = {"今天": 0, "today": 0, "昨天": -1, "yesterday": -1, "前天": -2}
    if words in near:
        return date.fromordinal(today.toordinal() + near[words])
    for mark in "年月./":
        words = words.replace(mark, "-")
    parts = [part for part in words.replace("日", "").replace("号", "").split("-") if part]
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    numbers = [int(part) for part in parts]
    try:
        if len(numbers) == 3:
            return date(*numbers)
        if len(numbers) == 2:
            day = date(today.year, *numbers)
            return day if day <= today else date(today.year - 1, *numbers)
    except ValueError:
        pass
    return None


@dataclass(frozen=True)
class Form:
    """A conversation: its steps in order and what is done at the end.

    `submit(turn, answers)` writes and replies; a PersonError from it sends the person back to a step or the
    review. `review` False submits as soon as the path is complete (for one-question forms). `cancel` False shows no
    way out (for what must be answered before anything else). `words(turn, answers, said)` gives the answers that words
    change although no question asked for them: a caption, «是黑色的塑料袋» to the question for a photo.
    `remark(turn, answers)` gives what the review says below the answers, of what only the database knows. `passing`: a
    question asked in passing, once; whatever is no answer to it ends it, and is taken as if it had not been asked.
    """

    id: str
    steps: tuple[Step, ...]
    submit: Callable[[Any, Answers], Awaitable[None]]
    review: bool = True
    right: str = ""
    cancel: bool = True
    words: Callable[[Any, Answers, str], Awaitable[Mapping[str, Any]]] | None = None
    remark: Callable[[Any, Answers], Awaitable[Text | None]] | None = None
    passing: bool = False

    def step(self, step_id: str) -> Step | None:
        """The step of that id, if the form still has it."""
        return next((step for step in self.steps if step.id == step_id), None)


def wanted(form: Form, step: Step) -> Wanted:
    """What a question takes, for whoever invites to answer it: never words where words are refused."""
    match step:
        case Quantity(of=kind):
            return kind
        case Photos() if form.words is not None:
            return "photos_words"
        case Choice() if step.search is not None:
            return "choice_words"
        case _:
            return step.ask


def title(form: Form) -> Text:
    """What the form is called."""
    return Text(f"form.{form.id}.title")
