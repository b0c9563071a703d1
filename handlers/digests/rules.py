"""From figures to the digest's text: short lines, numbers first, empty sections left out. Pure; D15, D30, D50."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.talk.messages import Button, Say, Text, Words, on_lines, text
from bot.talk.spans import HOUR_MS
from handlers.duties.rules import Rollcall, effort_text, not_said

DAYS_FROM_HOURS = 72
BUTTONS_IN_A_ROW = 2
UNDELIVERED = ("waiting", "failed", "expired")
# The declared figures and waits that a digest prints.
CASES = ("cases.new", "cases.verified", "cases.rejected", "cases.duplicate")
FILM = ("film.tickets", "film.reversed_tickets", "film.accepted_g", "film.county_fen", "film.township_fen")
POINTS = ("points.given", "points.taken")
FIGURES = (*CASES, *FILM, *POINTS)
WAITS = ("cases", "film", "claims")


@dataclass(frozen=True, slots=True)
class AreaThen:
    """An area as it was at the period's end; `gone`: given up before."""

    area_id: int
    parent_id: int | None
    level: str
    name: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a digest covers: `roots` by name, every area below them. `whole`: the township, whatever lies in it."""

    whole: bool
    names: tuple[str, ...]
    area_ids: frozenset[int]
    village_ids: frozenset[int]

    def covers(self, area_id: int) -> bool:
        """Whether a figure of that area belongs here."""
        return self.whole or area_id in self.area_ids


def scope_of(areas: Sequence[AreaThen], roots: Iterable[int]) -> Scope:
    """The areas at or below `roots`; a root below another one adds nothing."""
    by_id = {area.area_id: area for area in areas}
    wanted = {root for root in roots if root in by_id}

    def above(area_id: int | None) -> Iterable[int]:
        while area_id is not None and area_id in by_id:
            yield area_id
            area_id = by_id[area_id].parent_id

    inside = {area.area_id for area in areas if wanted.intersection(above(area.area_id))}
    tops = [area for area in areas if area.area_id in wanted and not wanted.intersection(above(area.parent_id))]
    return Scope(
        whole=any(area.level == "town" for area in tops),
        names=tuple(area.name for area in tops),
        area_ids=frozenset(inside),
        village_ids=frozenset(area_id for area_id in inside if by_id[area_id].level == "village"),
    )


@dataclass(frozen=True, slots=True)
class LateCase:
    """A case that waits too long."""

    number: str
    kind: str
    area: str
    waited_ms: int
    area_id: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything a digest says: sums of declared figures, and of what waited at the period's end, all of it, too long,
    and near its deadline.

    `late_cases` are the longest of those that wait too long. `undelivered` None: not known.
    """

    township: str
    day_ms: int
    from_ms: int
    until_ms: int
    over: bool
    scope: Scope
    values: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    soon: Mapping[str, int] = field(default_factory=dict)
    late_cases: tuple[LateCase, ...] = ()
    cleaning: tuple[Rollcall, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)
    undelivered: Mapping[str, int] | None = None

    def value(self, figure: str) -> int:
        """A figure's sum; nothing happened where there is none."""
        return self.values.get(figure, 0)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its lines; without lines it is left out."""

    title: Text
    lines: tuple[Text, ...]


def sections(figures: Figures) -> list[Section]:
    """The sections that have something to say, in the order of what needs doing."""
    found = [
        Section(text("digest.cases"), _valued(figures, *CASES)),
        Section(text("digest.waits"), tuple(_waiting(figures, name) for name in WAITS if figures.waiting.get(name))),
        _late_cases(figures),
        Section(text("digest.film"), _film_lines(figures)),
        Section(text("digest.points"), _valued(figures, *POINTS)),
        *(_cleaning(one) for one in figures.cleaning),
        Section(
            text("digest.dropped"),
            _counted(*((f"digest.dropped.{cadence}", count) for cadence, count in sorted(figures.dropped.items()))),
        ),
        Section(text("digest.undelivered"), _undelivered_lines(figures.undelivered)),
    ]
    return [section for section in found if section.lines]


def compose(
    figures: Figures, *, with_buttons: bool, decides: Collection[str] = (), since: Figures | None = None
) -> Say:
    """The digest as one message, with a button for each case that waits too long.

    `decides`: the waits that its reader may decide; where something of them waits, the first button leads there.
    `since`: what came after the digest was closed, under a heading of its own; what waits is then known as of now.
    """
    now = since or figures
    head = "digest.title" if figures.over else "digest.title.so_far"
    lines: list[Words] = [
        text(head, township=figures.township, day_ms=figures.day_ms),
        text("data.period", from_ms=figures.from_ms, until_ms=figures.until_ms),
        _scope_line(figures.scope),
    ]
    found = sections(figures)
    lines += [text("digest.section", title=section.title, lines=section.lines) for section in found]
    if not found:
        lines.append(text("digest.nothing"))
    if since is not None:
        lines.append(text("digest.since", from_ms=since.from_ms, until_ms=since.until_ms))
        later = sections(since)
        lines += [text("digest.section", title=section.title, lines=section.lines) for section in later]
        lines += [] if later else [text("digest.nothing")]
    buttons = [Button(text("digest.act", number=case.number), f"/case {case.number}") for case in now.late_cases]
    rows = tuple(tuple(buttons[at : at + BUTTONS_IN_A_ROW]) for at in range(0, len(buttons), BUTTONS_IN_A_ROW))
    here = any(now.waiting.get(name) for name in decides)
    todo = ((Button(text("digest.todo"), "/todo", "primary"),),) if here else ()
    return Say(on_lines(lines), (*todo, *(rows if with_buttons else ())))


def for_group(figures: Figures) -> Say:
    """The digest as a WeCom group gets it: what waits too long follows in a message of its own (`overdue`)."""
    return compose(replace(figures, late={}, late_cases=()), with_buttons=False)


@dataclass(frozen=True, slots=True)
class Overdue:
    """What waits too long in a scope: the figures' cases, and by village tickets and household links of which a whole
    digest's time has passed.
    """

    figures: Figures
    tickets: Mapping[str, int] = field(default_factory=dict)
    claims: Mapping[str, int] = field(default_factory=dict)


def overdue(found: Overdue) -> Say | None:
    """The overdue list; None when nothing is."""
    figures = found.figures
    parts = [
        _late_cases(figures),
        _by_village("overdue.tickets", found.tickets),
        _by_village("overdue.claims", found.claims),
    ]
    lines: list[Words] = [
        text("overdue.title", township=figures.township, day_ms=figures.day_ms),
        _scope_line(figures.scope),
    ]
    sections_found = [text("digest.section", title=part.title, lines=part.lines) for part in parts if part.lines]
    if not sections_found:
        return None
    return Say(on_lines([*lines, *sections_found, text("overdue.how")]))


def _by_village(key: str, counts: Mapping[str, int]) -> Section:
    lines = tuple(text(f"{key}.village", count=count, area=area) for area, count in counts.items())
    return Section(text(key, count=sum(counts.values())), lines)


def _scope_line(scope: Scope) -> Text:
    return text("digest.scope.whole") if scope.whole else text("digest.scope", names="、".join(scope.names))


def no_data(figures: Figures) -> Say:
    """A day of which nothing is known."""
    return Say(text("digest.no_data", township=figures.township, day_ms=figures.day_ms))


def _counted(*counts: tuple[str, int]) -> tuple[Text, ...]:
    return tuple(text(key, count=count) for key, count in counts if count)


def _valued(figures: Figures, *names: str) -> tuple[Text, ...]:
    """A line for each figure that is not zero."""
    return _counted(*((f"digest.{name}", figures.value(name)) for name in names))


def _waiting(figures: Figures, name: str) -> Text:
    """«待核实 3 件（1 件快到时限）»."""
    marks = [
        text(f"digest.waits.{name}.{mark}", count=counts[name])
        for mark, counts in (("late", figures.late), ("soon", figures.soon))
        if counts.get(name)
    ]
    said: Words = ""
    if len(marks) > 1:
        said = text("digest.waits.marks", first=marks[0], second=marks[1])
    elif marks:
        said = text("digest.waits.mark", first=marks[0])
    return text(f"digest.waits.{name}", count=figures.waiting[name], marks=said)


def _late_cases(figures: Figures) -> Section:
    count = figures.late.get("cases", 0)
    lines = [
        text(
            "digest.waiting.case",
            waited=_waited(case.waited_ms),
            number=case.number,
            area=case.area,
            kind=text(f"form.report.kind.option.{case.kind}"),
        )
        for case in figures.late_cases
    ]
    if count > len(lines):
        lines.append(text("digest.waiting.more", count=count - len(lines)))
    return Section(text("digest.waiting", count=count), tuple(lines))


def _waited(waited_ms: int) -> Text:
    hours = waited_ms // HOUR_MS
    return text("digest.hours", count=hours) if hours < DAYS_FROM_HOURS else text("digest.days", count=hours // 24)


def _film_lines(figures: Figures) -> tuple[Text, ...]:
    tickets, reversed_tickets = figures.value("film.tickets"), figures.value("film.reversed_tickets")
    accepted_g = figures.value("film.accepted_g")
    lines: list[Text] = []
    if tickets or accepted_g:
        lines.append(text("digest.film.weight", accepted_g=accepted_g))
    lines += _counted(("digest.film.tickets", tickets))
    if tickets or reversed_tickets:
        lines.append(text("digest.film.county", amount_fen=figures.value("film.county_fen")))
        lines.append(text("digest.film.township", amount_fen=figures.value("film.township_fen")))
    lines += _counted(("digest.film.reversed", reversed_tickets))
    return tuple(lines)


def _cleaning(roll: Rollcall) -> Section:
    lines: list[Text] = []
    if not roll.villages:  # nobody's in this scope
        return Section(text("digest.cleaning", day_ms=roll.from_ms), ())
    if roll.common:
        lines.append(text("digest.cleaning.reported", reported=len(roll.reported), villages=len(roll.villages)))
    lines += [effort_text(effort) for effort in roll.totals]
    lines += [text(f"effort.{metric}.unknown") for metric in not_said(roll.totals)]
    title = "digest.cleaning" if roll.common else "digest.cleaning.other"
    return Section(text(title, day_ms=roll.from_ms), tuple(lines))


def _undelivered_lines(undelivered: Mapping[str, int] | None) -> tuple[Text, ...]:
    if undelivered is None:
        return (text("data.unknown"),)
    return _counted(*((f"digest.undelivered.{state}", undelivered.get(state, 0)) for state in UNDELIVERED))
