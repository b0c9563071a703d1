"""What an import folder holds once it is read: entries with their line, and the places known by their spellings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import shapely

from bot.talk.geo import Point
from handlers.areas import rules
from handlers.areas.faults import Fault
from handlers.areas.polygons import AreaEntry
from handlers.policy.calendar import CalendarYear
from handlers.policy.model import Policy


@dataclass(frozen=True, slots=True)
class SpotEntry:
    """A hamlet, landmark or station as read: `village` is a village code, the point WGS-84 or None."""

    line: int
    village: str
    name: str
    code: str = ""
    kind: str = ""
    aliases: tuple[str, ...] = ()
    phone: str = ""
    hours: str = ""
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class HouseholdEntry:
    """A household as read; `hamlet` is a hamlet's code or ""."""

    line: int
    card_no: str
    householder: str
    village: str
    hamlet: str
    phone: str
    members: tuple[str, ...]
    status: rules.Status


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """One policy file."""

    file: str
    text: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One file with a year's public holidays."""

    file: str
    text: str
    year: CalendarYear


@dataclass(slots=True)
class KnownPlaces:
    """The places by their spellings: what the database has, then what the folder adds."""

    villages: dict[str, str] = field(default_factory=dict)
    hamlets: dict[tuple[str, str], str] = field(default_factory=dict)
    shapes: dict[str, Any] = field(default_factory=dict)

    def add_village(self, code: str, name: str, aliases: Iterable[str], boundary: str) -> None:
        """Its own name is sure; an alias only where no other village has it."""
        for spelling in rules.village_spellings(name):
            self.villages[spelling] = code
        for alias in aliases:
            self.villages.setdefault(alias, code)
        if boundary:
            self.shapes[code] = shapely.from_geojson(boundary)

    def add_hamlet(self, village: str, code: str, name: str, aliases: Iterable[str]) -> None:
        """A hamlet's name and aliases, inside its village."""
        self.hamlets[village, name] = code
        for alias in aliases:
            self.hamlets.setdefault((village, alias), code)


@dataclass(slots=True)
class Bundle:
    """Everything good that was read, and every fault."""

    areas: list[AreaEntry] = field(default_factory=list)
    hamlets: list[SpotEntry] = field(default_factory=list)
    landmarks: list[SpotEntry] = field(default_factory=list)
    stations: list[SpotEntry] = field(default_factory=list)
    households: list[HouseholdEntry] = field(default_factory=list)
    policies: list[PolicyEntry] = field(default_factory=list)
    calendars: list[CalendarEntry] = field(default_factory=list)
    faults: tuple[Fault, ...] = ()

    @property
    def errors(self) -> tuple[Fault, ...]:
        """What must be mended first."""
        return tuple(fault for fault in self.faults if not fault.warning)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What is odd but does not stop the import."""
        return tuple(fault for fault in self.faults if fault.warning)
