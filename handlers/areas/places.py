"""Areas, landmarks and stations as the product holds them in memory. Points are WGS-84."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.talk.geo import Point

Level = Literal["town", "village", "hamlet"]


@dataclass(frozen=True, slots=True)
class Area:
    """The town, a village or a hamlet (社, 组). `boundary` is GeoJSON text or ""."""

    area_id: int
    parent_id: int | None
    level: Level
    code: str
    name: str
    aliases: tuple[str, ...] = ()
    boundary: str = ""
    point: Point | None = None


@dataclass(frozen=True, slots=True)
class Landmark:
    """A place everybody in the village knows."""

    landmark_id: int
    village_id: int
    name: str
    kind: str
    aliases: tuple[str, ...]
    point: Point


@dataclass(frozen=True, slots=True)
class Station:
    """A film recycling station."""

    station_id: int
    village_id: int
    code: str
    name: str
    aliases: tuple[str, ...]
    phone: str
    hours: str
    point: Point


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """One of several places a sentence may mean."""

    village: Area
    landmark: Landmark | None = None


@dataclass(frozen=True, slots=True)
class PlaceMatch:
    """A place named in a sentence.

    `village` is None when several are possible: then `choices` has them. `said` is the text's own words,
    `rest` the sentence without them.
    """

    village: Area | None
    hamlet: Area | None
    landmark: Landmark | None
    said: str
    rest: str
    choices: tuple[PlaceChoice, ...] = ()

    @property
    def point(self) -> Point | None:
        """The landmark's or hamlet's own point (WGS-84), if known."""
        if self.landmark is not None:
            return self.landmark.point
        return self.hamlet.point if self.hamlet is not None else None
