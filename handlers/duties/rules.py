"""What is decided about the weekly clean-up: which day, when its reminders, what effort was said. Pure; D15, D21."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Protocol

from bot.talk.messages import Text, Words, text
from bot.talk.quantity import format_volume, parse_people, parse_vehicles, parse_volume_l
from handlers.duties.words import Cleanup

METRICS = ("people", "vehicles", "volume")
# D15: 人 and 人次, 车 and 车次, 台 and 台次 are series of their own; other words only name the same thing differently.
UNITS: Mapping[str, Mapping[str, str]] = {
    "people": {"人次": "person_time"},
    "vehicles": {"车次": "vehicle_run", "趟": "vehicle_run", "台": "machine", "台车": "machine", "台次": "machine_run"},
    "volume": {},
}
PLAIN_UNIT = {"people": "person", "vehicles": "vehicle", "volume": "m3"}
SERIES = tuple(
    (metric, unit) for metric in METRICS for unit in dict.fromkeys((PLAIN_UNIT[metric], *UNITS[metric].values()))
)

Workday = Callable[[date], bool]


def cleanup_day(nominal: date, on_holiday: str, is_workday: Workday) -> date | None:
    """The day on which a week's clean-up takes place, or None when it is skipped.

    On a holiday `last_workday` moves it forward to the last working day before, within its week (Monday to Sunday).
    """
    if is_workday(nominal):
        return nominal
    if on_holiday == "last_workday":
        for back in range(1, nominal.isoweekday()):
            day = nominal - timedelta(days=back)
            if is_workday(day):
                return day
    return None


def week_of(day: date) -> list[date]:
    """Monday to Sunday around a day."""
    monday = day - timedelta(days=day.isoweekday() - 1)
    return [monday + timedelta(days=at) for at in range(7)]


def reminder_day(cleanup: date, weekday: int, reminder_weekday: int) -> date:
    """The day of a reminder: as long before the clean-up as the policy's weekdays are apart."""
    return cleanup - timedelta(days=(weekday - reminder_weekday) % 7)


def report_days(today: date, is_cleanup: Callable[[date], bool], late_days: int) -> list[date]:
    """The days that a report may be about unless another is said: a clean-up of the last few days, and today.

    One alone needs no question.
    """
    if is_cleanup(today):
        return [today]
    near = (today - timedelta(days=back) for back in range(1, late_days + 1))
    return [*(day for day in near if is_cleanup(day)), today]


@dataclass(frozen=True, slots=True)
class Effort:
    """One figure of a series (metric, unit), in thousandths of the unit."""

    metric: str
    unit: str
    milli: int

    def to_json(self) -> dict[str, Any]:
        """As a form's answer."""
        return {"unit": self.unit, "milli": self.milli}


def effort_of(metric: str, said_unit: str, milli: int) -> Effort:
    """The figure in the series that the said unit belongs to."""
    return Effort(metric, UNITS[metric].get(said_unit, PLAIN_UNIT[metric]), milli)


def effort_text(effort: Effort) -> Text:
    """«12 人», «3 车次», «8.5 方»."""
    return text(f"effort.{effort.unit}", value=format_volume(effort.milli))


def efforts_line(efforts: Iterable[Effort]) -> Words:
    """Figures side by side."""
    found: Words = ""
    for effort in efforts:
        found = text("effort.beside", before=found, effort=effort_text(effort)) if found else effort_text(effort)
    return found


def add_up(efforts: Iterable[Effort]) -> tuple[Effort, ...]:
    """The sum of each series, in the order of `SERIES`; a series without any figure is left out (D15)."""
    sums: dict[tuple[str, str], int] = {}
    for effort in efforts:
        key = effort.metric, effort.unit
        sums[key] = sums.get(key, 0) + effort.milli
    return tuple(Effort(*key, sums[key]) for key in SERIES if key in sums)


def not_said(efforts: Iterable[Effort]) -> tuple[str, ...]:
    """The metrics of which nothing was said."""
    said = {effort.metric for effort in efforts}
    return tuple(metric for metric in METRICS if metric not in said)


def efforts_of(line: Cleanup) -> dict[str, Effort]:
    """What a line says, by metric; what it does not say is left out (never zero)."""
    found: dict[str, Effort] = {}
    if line.people is not None:
        found["people"] = effort_of("people", line.people_unit, line.people * 1000)
    if line.vehicles is not None:
        found["vehicles"] = effort_of("vehicles", line.vehicle_unit, line.vehicles * 1000)
    if line.volume_l is not None:
        found["volume"] = effort_of("volume", "", line.volume_l)
    return found


def read_effort(said: str, metric: str) -> Effort:
    """One figure with or without its unit («12», «12人次», «8.5方»). Raises QuantityError."""
    if metric == "people":
        people = parse_people(said, default_unit="人")
        return effort_of(metric, people.unit, people.value * 1000)
    if metric == "vehicles":
        vehicles = parse_vehicles(said, default_unit="车")
        return effort_of(metric, vehicles.unit, vehicles.value * 1000)
    return effort_of(metric, "", parse_volume_l(said, default_unit="方").litres)


class AskAgain(Protocol):
    """Above which figures a report is asked again (policy.friday)."""

    @property
    def people_ask_again_above(self) -> int: ...

    @property
    def vehicles_ask_again_above(self) -> int: ...

    @property
    def volume_m3_ask_again_above(self) -> int: ...


def unlikely(effort: Effort, policy: AskAgain) -> bool:
    """Whether a figure is so large that it is asked again."""
    largest = {
        "people": policy.people_ask_again_above,
        "vehicles": policy.vehicles_ask_again_above,
        "volume": policy.volume_m3_ask_again_above,
    }
    return effort.milli > largest[effort.metric] * 1000


@dataclass(frozen=True, slots=True)
class Village:
    """A village on the roll: what it reported (None: nothing yet), and whether with photos."""

    area_id: int
    name: str
    efforts: tuple[Effort, ...] | None = None
    photos: int = 0


@dataclass(frozen=True, slots=True)
class Rollcall:
    """A day's roll-call as of `as_of_ms`; `from_ms` is the day's beginning, `until_ms` the end of reporting.

    `common`: every village was to report. On any other day only those that did are on the roll.
    """

    from_ms: int
    until_ms: int
    as_of_ms: int
    villages: tuple[Village, ...]
    common: bool = True

    @property
    def reported(self) -> tuple[Village, ...]:
        """The villages that reported."""
        return tuple(village for village in self.villages if village.efforts is not None)

    @property
    def missing(self) -> tuple[Village, ...]:
        """The villages that did not."""
        return tuple(village for village in self.villages if village.efforts is None)

    def within(self, area_ids: Collection[int]) -> Rollcall:
        """The same roll-call for some of its villages."""
        return replace(self, villages=tuple(one for one in self.villages if one.area_id in area_ids))

    @property
    def totals(self) -> tuple[Effort, ...]:
        """Each series added up."""
        return add_up(effort for village in self.reported for effort in village.efforts or ())


def names(villages: Iterable[Village]) -> str:
    """Villages in a row."""
    return "、".join(village.name for village in villages)


def rollcall_lines(roll: Rollcall) -> list[Text]:
    """«已报 18/24» and who is missing; who reported, on a day without a common clean-up."""
    if not roll.common:
        return [
            text("rollcall.title.other", day_ms=roll.from_ms),
            text("rollcall.reported.other", count=len(roll.reported), names=names(roll.reported)),
        ]
    lines = [
        text("rollcall.title", day_ms=roll.from_ms),
        text("rollcall.reported", reported=len(roll.reported), villages=len(roll.villages)),
    ]
    if roll.missing:
        lines.append(text("rollcall.missing", count=len(roll.missing), names=names(roll.missing)))
    elif roll.villages:
        lines.append(text("rollcall.complete"))
    without = [village for village in roll.reported if not village.photos]
    if without:
        lines.append(text("rollcall.no_photos", count=len(without), names=names(without)))
    return lines


def page_lines(roll: Rollcall) -> list[Text]:
    """The one-page report: the roll-call, each series' total, each village's figures, and the data's period."""
    lines = rollcall_lines(roll)
    lines.insert(1, text("data.period", from_ms=roll.from_ms, until_ms=roll.as_of_ms))
    for title, part in page_parts(roll):
        lines += [title, *part]
    return lines


def page_parts(roll: Rollcall) -> list[tuple[Text, list[Text]]]:
    """What stands below the one page's roll-call: the totals, and each village that reported."""
    totals = [effort_text(effort) for effort in roll.totals]
    totals += [text(f"effort.{metric}.unknown") for metric in not_said(roll.totals)]
    each = [
        text("rollcall.village", name=village.name, efforts=efforts_line(village.efforts or ()))
        for village in roll.reported
    ]
    return [(text("rollcall.totals"), totals), *([(text("rollcall.each"), each)] if each else [])]


def group_page(roll: Rollcall) -> list[Text]:
    """The one-page report for a group: its parts under headings; a single village's total says it all."""
    lines = [*rollcall_lines(roll)]
    lines.insert(1, text("data.period", from_ms=roll.from_ms, until_ms=roll.as_of_ms))
    parts = page_parts(roll)[: 1 if len(roll.villages) == 1 else None] if roll.reported else []
    return [*lines, *(text("digest.section", title=title, lines=part) for title, part in parts)]
