"""How what waits is told: kinds and things in the order of what presses most. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.talk.messages import Button, Say, Text, Words, on_lines, text
from bot.talk.spans import HOUR_MS

SHOWN = 3
CARD = "todo"  # the list of all kinds and that of one take each other's place
BUTTONS_IN_A_ROW = 2


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that waits, ready to be told; `opens` is the command that shows it, "" where there is none."""

    number: str
    area: str
    kind: Words
    since_ms: int
    late: bool
    urgent: bool
    due_ms: int
    opens: str

    @property
    def pressing(self) -> tuple[bool, int, int]:
        """What orders things: the urgent first, then those due soonest, then those that wait longest."""
        return not self.urgent, self.due_ms, self.since_ms


@dataclass(frozen=True, slots=True)
class Pile:
    """All that waits of one kind: how many, how many too long, those seen, the command that lists all."""

    wait: str
    all: int
    late: int
    things: Sequence[Thing] = field(default_factory=tuple)
    command: str = ""

    @property
    def first(self) -> list[Thing]:
        """The things that press most."""
        return sorted(self.things, key=lambda thing: thing.pressing)


def compose(piles: Sequence[Pile]) -> Say:
    """Tell each kind with its count and what presses most in it; a button for each of those and for each list."""
    if not piles:
        return Say(text("todo.none"), card=CARD)
    ordered = sorted(piles, key=lambda pile: min((thing.pressing for thing in pile.things), default=(True, 0, 0)))
    lines: list[Words] = [text("todo.title", count=sum(pile.all for pile in piles))]
    rows: list[tuple[Button, ...]] = []
    for pile in ordered:
        head = f"todo.{pile.wait}.late" if pile.late else f"todo.{pile.wait}"
        shown = pile.first[:SHOWN]
        lines.append(text("todo.pile", title=text(head, count=pile.all, late=pile.late), lines=_lines(shown)))
        buttons = [*_buttons(shown), Button(text(f"todo.{pile.wait}.all"), pile.command, "primary")]
        rows += _in_rows(buttons)
    return Say(on_lines(lines), tuple(rows), card=CARD)


def compose_list(pile: Pile, largest: int) -> Say:
    """Tell what waits of one kind, the most pressing first, with a button for each."""
    shown = pile.first[:largest]
    head = f"todo.{pile.wait}.late" if pile.late else f"todo.{pile.wait}"
    lines: list[Words] = [text(head, count=pile.all, late=pile.late), *_lines(shown)]
    if pile.all > len(shown):
        lines.append(text("todo.more", count=pile.all - len(shown)))
    return Say(on_lines(lines), tuple(_in_rows(_buttons(shown))), card=CARD)


def _lines(things: Sequence[Thing]) -> list[Text]:
    return [text(_key(thing), **_fields(thing)) for thing in things]


def _key(thing: Thing) -> str:
    return "todo.thing.urgent" if thing.urgent else "todo.thing.late" if thing.late else "todo.thing"


def _fields(thing: Thing) -> Mapping[str, Words | int]:
    place = text("todo.place", area=thing.area, kind=thing.kind) if thing.kind else thing.area
    return {"number": thing.number, "place": place, "since_ms": thing.since_ms}


def _buttons(things: Sequence[Thing]) -> list[Button]:
    return [Button(thing.number, thing.opens) for thing in things if thing.opens]


def _in_rows(buttons: Sequence[Button]) -> list[tuple[Button, ...]]:
    return [tuple(buttons[at : at + BUTTONS_IN_A_ROW]) for at in range(0, len(buttons), BUTTONS_IN_A_ROW)]


@dataclass(frozen=True, slots=True)
class NoticeSeries:
    """Notices that are counted together: of what waits, what about it, urgent or not. Its name is stored."""

    wait: str
    about: str = ""
    urgent: bool = False

    @property
    def name(self) -> str:
        """`cases`, `cases.photos`, `cases.urgent`, `cases.photos.urgent`."""
        return ".".join((self.wait, *([self.about] if self.about else []), *(["urgent"] if self.urgent else [])))

    def of_place(self, area_id: int) -> str:
        """What is counted of it at one place."""
        return f"{self.name}@{area_id}"

    @classmethod
    def named(cls, name: str) -> NoticeSeries:
        """The series of a name."""
        wait, *more = name.split(".")
        urgent = more[-1:] == ["urgent"]
        return cls(wait, "".join(more[:-1] if urgent else more), urgent)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many notices of a kind somebody got one by one since `from_ms`; from `gathered_ms` on they are gathered."""

    from_ms: int
    told: int
    gathered_ms: int | None = None


def tallied(before: Tally | None, arrives_ms: int, now_ms: int, an_hour: int) -> Tally:
    """Count one more notice that would arrive then: told one by one, or gathered (`gathered_ms` is not None).

    While a bundle is open everything goes into it, so that nothing overtakes what came before. A clock that was set
    back begins a new hour.
    """
    if before is None or not 0 <= arrives_ms - before.from_ms < HOUR_MS:
        before = Tally(arrives_ms, 0, before.gathered_ms if before is not None else None)
    if before.gathered_ms is not None:
        return before
    if before.told < an_hour:
        return replace(before, told=before.told + 1)
    return replace(before, gathered_ms=now_ms)
