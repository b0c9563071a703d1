"""What capabilities declare and others read: figures, what waits for whom, what is forgotten about people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.talk.messages import Text
from bot.talk.understanding.slots import Read, Reader
from bot.turn import Desk, Intent
from storage.database import Tx

Unit = Literal["cases", "tickets", "claims", "g", "fen", "points"]
ByArea = Mapping[int, int]
# (tx, from_ms, until_ms) → figure id → area id → value, of `[from_ms, until_ms)`.
Source = Callable[[Tx, int, int], Awaitable[Mapping[str, ByArea]]]


# (turn, what was said) → what follows: a command, a form with what was said filled in, or None when it was answered.
Follows = Callable[[Any, Read], Awaitable[Intent | None]]


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that can be said to the program; how people say it stands in `locales/*/sayings/`, under its id.

    `right`: who may say it (a key of `people.rules.RIGHTS`; "" for everyone). `complains`: words that may be this one,
    but surely are nothing, are kept and offered as a report. `anytime`: it is also done in the middle of a question
    that takes no words, which is then asked again. Its button, when it is one of several, is
    the text `saying.<id>`.
    """

    id: str
    follows: Follows
    right: str = ""
    complains: bool = False
    anytime: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A named number of a period, by area: the same whenever it is read again.

    `source` may give several figures in one query; those that share it are read together (`read_figures`).
    """

    id: str
    unit: Unit
    source: Source

    async def by_area(self, tx: Tx, from_ms: int, until_ms: int) -> ByArea:
        """Read the value of each area in which something happened in `[from_ms, until_ms)`."""
        return (await self.source(tx, from_ms, until_ms)).get(self.id, {})


async def read_figures(figures: Iterable[Figure], tx: Tx, from_ms: int, until_ms: int) -> Mapping[str, ByArea]:
    """Read several figures of a period, each source once: figure id → area id → value."""
    wanted = tuple(figures)
    found: dict[str, ByArea] = {figure.id: {} for figure in wanted}
    for source in dict.fromkeys(figure.source for figure in wanted):
        values = await source(tx, from_ms, until_ms)
        found.update((name, by_area) for name, by_area in values.items() if name in found)
    return found


@dataclass(frozen=True, slots=True)
class Pending:
    """One thing that waits: where, since when, its number (or its card's), of which kind (see `Wait.kinds`).

    `due_ms`: until when it is to be decided; None where that is not said, then it waits too long after a day.
    """

    area_id: int
    since_ms: int
    number: str
    kind: str
    late: bool = False
    urgent: bool = False
    due_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many things wait, and how many of them too long."""

    all: int = 0
    late: int = 0

    def __add__(self, other: Backlog) -> Backlog:
        return Backlog(self.all + other.all, self.late + other.late)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the things that wait at `until_ms` are wanted: of some areas (None: all), perhaps only the late ones.

    Late is what is past its own deadline; where a kind has none, what waited already at `from_ms`.
    """

    from_ms: int
    until_ms: int
    limit: int
    area_ids: Collection[int] | None = None
    late_only: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """What waits for whoever has `right` at its area.

    `command` lists all of it («/cases»), `opens` begins the command that shows one by its number («/case»; "" where
    only the list can), `kinds` begins the text that names a thing's kind ("": the kind is not told).
    `by_area(tx, from_ms, until_ms)` counts what waits at `until_ms`, by area id; see Selection for what is late.
    `rows(tx, selection)` gives it, the longest waiting first.
    `due(tx, until_ms, before_ms)` counts what has a deadline in `[until_ms, before_ms)`; None where nothing has one.
    """

    id: str
    right: str
    command: str
    opens: str
    kinds: str
    by_area: Callable[[Tx, int, int], Awaitable[Mapping[int, Backlog]]]
    rows: Callable[[Tx, Selection], Awaitable[Sequence[Pending]]]
    due: Callable[[Tx, int, int], Awaitable[ByArea]] | None = None


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who is being erased: their id and the addresses of their contacts."""

    person_id: int
    addresses: Sequence[str]


@dataclass(frozen=True, slots=True)
class Portion:
    """One of a night's portions of erasing what is old, counted from 0, of at most `rows` rows of a table."""

    day: str
    number: int
    rows: int


@dataclass(frozen=True, slots=True)
class Forget:
    """What a capability keeps about people, and how it goes.

    `of_person` erases it when a person has themselves erased. `of_age` erases one portion of what was kept long enough
    (policy `retention`), every night; True: there may be more. None: nothing of that kind is to be done.
    `farewell` comes before `of_person` and gives what only the one who leaves can know from now on, line by line.
    """

    what: str
    of_person: Callable[[Desk[Any], Leaver], Awaitable[None]] | None = None
    of_age: Callable[[Desk[Any], Portion], Awaitable[bool]] | None = None
    farewell: Callable[[Desk[Any], Leaver], Awaitable[Sequence[Text]]] | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What all capabilities together declare for each other, by id; `World.declared` has it."""

    figures: Mapping[str, Figure] = field(default_factory=dict)
    waits: Mapping[str, Wait] = field(default_factory=dict)
    forgets: tuple[Forget, ...] = ()
    sayings: Mapping[str, Saying] = field(default_factory=dict)
    readers: tuple[Callable[[Any], Reader], ...] = ()
