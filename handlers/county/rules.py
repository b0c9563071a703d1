"""Which days a list covers, which township words mean, and the list's text from each township's figures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.talk.form import read_day
from bot.talk.messages import Button, Say, Text, Words, on_lines, text
from handlers.digests.rules import Figures

DAYS_LARGEST = 31
BUTTONS_IN_A_ROW = 2
ENDINGS = ("街道", "乡", "镇")
TO = re.compile(r"\s+(?:to\s+)?|[—~～至到]+")
PERIODS = {"本周": "week", "这周": "week", "week": "week", "本月": "month", "这个月": "month", "month": "month"}
DECIDED = ("cases.verified", "cases.rejected", "cases.duplicate")


@dataclass(frozen=True, slots=True)
class Town:
    """A township of the county."""

    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a township: `figures` None before it came here."""

    town: Town
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """The digests from `first` to `last`, both included."""

    first: date
    last: date

    def each(self) -> list[date]:
        """Every day."""
        return [self.first + timedelta(days=at) for at in range((self.last - self.first).days + 1)]

    @property
    def said(self) -> str:
        """As `days_of` reads it again."""
        return self.last.isoformat() if self.first == self.last else f"{self.first} {self.last}"


def days_of(said: str, today: date) -> Days | None:
    """«», «昨天», «本周», «2026-11-20», «2026-11-14 2026-11-20»; None when it is no day."""
    words = [word for word in TO.split(said.strip()) if word]
    if not words:
        return Days(today, today)
    if len(words) == 1 and words[0] in PERIODS:
        return periods(today)[PERIODS[words[0]]]
    found = [read_day(word, today) for word in words]
    days = [day for day in found if day is not None]
    if len(days) < len(found) or len(days) > 2:
        return None
    return Days(min(days), max(days))


def towns_named(towns: Sequence[Town], said: str) -> list[Town]:
    """The townships that a code or a name means, the name with or without its 镇, 乡 or 街道."""
    exact = [town for town in towns if said in (town.code, town.name)]
    return exact or [town for town in towns if said and said == _bare(town.name)]


def _bare(name: str) -> str:
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


@dataclass(frozen=True, slots=True)
class Sums:
    """A township's figures in the list, or those of several added up. `villages` 0: no clean-up in the period."""

    new: int = 0
    decided: int = 0
    undecided: int = 0
    overdue: int = 0
    accepted_g: int = 0
    county_fen: int = 0
    township_fen: int = 0
    reported: int = 0
    villages: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, name) + getattr(other, name) for name in Sums.__slots__))


def sums_of(seen: Seen) -> Sums | None:
    """The digest's own figures, as far as the list has room for them."""
    found = seen.figures
    if found is None:
        return None
    rolls = [roll for roll in found.cleaning if roll.common]
    return Sums(
        new=found.value("cases.new"),
        decided=sum(found.value(name) for name in DECIDED),
        undecided=found.waiting.get("cases", 0),
        overdue=found.late.get("cases", 0),
        accepted_g=found.value("film.accepted_g"),
        county_fen=found.value("film.county_fen"),
        township_fen=found.value("film.township_fen"),
        reported=sum(len(roll.reported) for roll in rolls),
        villages=sum(len(roll.villages) for roll in rolls),
    )


def compose(county: str, days: Days, every: Sequence[Seen], today: date) -> Say:
    """The list: a block for each township, then all of them together; a button for each one's digest of the last day.

    The two funds are never added (D13).
    """
    spans = {(one.figures.from_ms, one.figures.until_ms) for one in every if one.figures is not None}
    head = "county.title" if days.first == days.last else "county.title.days"
    lines: list[Words] = [text(head, county=county, first=days.first.isoformat(), last=days.last.isoformat())]
    if len(spans) == 1:
        lines.append(_span(*next(iter(spans))))
    total = Sums()
    for one in every:
        sums, figures = sums_of(one), one.figures
        own = [_span(figures.from_ms, figures.until_ms)] if figures is not None and len(spans) > 1 else []
        body = [*own, *_lines(sums)] if sums is not None else [text("data.unknown")]
        lines.append(text("county.block", title=one.town.name, lines=body))
        total += sums or Sums()
    if len(every) > 1:
        lines.append(text("county.block", title=text("county.total"), lines=_lines(total)))
    day = "" if days.last == today else f" {days.last}"
    buttons = [Button(text("county.digest", township=one.town.name), f"/digest {one.town.code}{day}") for one in every]
    others = [
        Button(text(f"county.{name}"), f"/townships {one.said}") for name, one in periods(today).items() if one != days
    ]
    return Say(on_lines(lines), (*_rows(buttons), *_rows(others)), card="townships")


def periods(today: date) -> dict[str, Days]:
    """The periods that one tap shows, by the end of their label's message id."""
    yesterday, monday = today - timedelta(days=1), today - timedelta(days=today.isoweekday() - 1)
    return {
        "today": Days(today, today),
        "yesterday": Days(yesterday, yesterday),
        "week": Days(monday, today),
        "month": Days(today.replace(day=1), today),
    }


def names(towns: Iterable[Town]) -> str:
    """Townships in a row."""
    return "、".join(town.name for town in towns)


def _span(from_ms: int, until_ms: int) -> Text:
    return text("data.period", from_ms=from_ms, until_ms=until_ms)


def _lines(sums: Sums) -> list[Text]:
    lines = [
        text("county.cases", new=sums.new, decided=sums.decided),
        text("county.waiting", undecided=sums.undecided, overdue=sums.overdue),
        text("county.film", accepted_g=sums.accepted_g),
    ]
    if sums.accepted_g or sums.county_fen or sums.township_fen:
        lines.append(text("county.film.county", amount_fen=sums.county_fen))
        lines.append(text("county.film.township", amount_fen=sums.township_fen))
    if sums.villages:
        missing = sums.villages - sums.reported
        lines.append(text("county.cleaning", reported=sums.reported, villages=sums.villages, missing=missing))
    return lines


def _rows(buttons: Sequence[Button]) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(buttons[at : at + BUTTONS_IN_A_ROW]) for at in range(0, len(buttons), BUTTONS_IN_A_ROW))
