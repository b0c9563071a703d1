"""The gazetteer: which village a point lies in, which landmarks are near, which place a sentence names.

Immutable; built from rows when the township's stamp has changed (24 villages: some 10 ms), then asked in
microseconds. Geometry is kept in local metres, so that every distance is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, radians
from typing import Any

import numpy as np
import shapely

from bot.talk.geo import Point, to_wgs84
from bot.talk.understanding.slots import Slot
from handlers.areas.names import NameFinder
from handlers.areas.places import Area, Landmark, PlaceMatch, Station
from storage.database import Row

METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Near:
    """A landmark and how far it is."""

    landmark: Landmark
    metres: float


class Gazetteer:
    """All places of one township at one stamp."""

    def __init__(
        self,
        areas: Sequence[Area],
        landmarks: Sequence[Landmark],
        stations: Sequence[Station],
        stamp: int = 0,
        around: Sequence[str] = (),
    ) -> None:
        """`around`: the names of the county and the province."""
        self.stamp = stamp
        self.areas = {area.area_id: area for area in areas}
        self.villages = tuple(sorted((area for area in areas if area.level == "village"), key=lambda area: area.code))
        self.stations = tuple(stations)
        self.landmarks = {landmark.landmark_id: landmark for landmark in landmarks}
        self.town = next((area for area in areas if area.level == "town"), None)
        self._hamlets: dict[int, list[Area]] = {}
        for area in areas:
            if area.level == "hamlet" and area.parent_id is not None:
                self._hamlets.setdefault(area.parent_id, []).append(area)
        self._landmarks_of: dict[int, list[Landmark]] = {}
        for landmark in landmarks:
            self._landmarks_of.setdefault(landmark.village_id, []).append(landmark)
        self._bounded = [area for area in self.villages if area.boundary]
        shapes = [shapely.from_geojson(area.boundary) for area in self._bounded]
        self._lat, self._lng = _middle(shapes, landmarks)
        self._scale = METRES_PER_DEGREE * cos(radians(self._lat))
        metres = [shapely.transform(shape, self._to_metres) for shape in shapes]
        shapely.prepare(metres)
        self._tree = shapely.STRtree(metres)
        self._spots = list(landmarks)
        self._spot_tree = shapely.STRtree([self._flat(landmark.point) for landmark in self._spots])
        wider = (*((self.town.name, *self.town.aliases) if self.town else ()), *around)
        self._names = NameFinder(self.villages, self._hamlets, self._landmarks_of, wider)

    def _to_metres(self, degrees: Any) -> Any:
        return np.column_stack(
            ((degrees[:, 0] - self._lng) * self._scale, (degrees[:, 1] - self._lat) * METRES_PER_DEGREE)
        )

    def _flat(self, point: Point) -> shapely.Point:
        place = to_wgs84(point)
        return shapely.Point((place.lng - self._lng) * self._scale, (place.lat - self._lat) * METRES_PER_DEGREE)

    def locate(self, point: Point, *, slack_m: float = 0) -> Area | None:
        """The village the point lies in; on a common border the one with the lower code (D6: exactly one).

        A point outside all of them belongs to the nearest one within `slack_m` (a phone's error), else None.
        """
        flat = self._flat(point)
        hits = self._tree.query(flat, predicate="intersects")
        if not len(hits) and slack_m > 0:
            hits = self._tree.query_nearest(flat, max_distance=slack_m, all_matches=True)
        return self._bounded[int(min(hits))] if len(hits) else None

    def nearest_landmarks(self, point: Point, *, limit: int = 5, within_m: float = 3_000) -> list[Near]:
        """The nearest landmarks, the nearest first."""
        flat = self._flat(point)
        hits = self._spot_tree.query(flat, predicate="dwithin", distance=within_m)
        found = [Near(self._spots[int(hit)], self._metres_to(flat, int(hit))) for hit in hits]
        return sorted(found, key=lambda near: near.metres)[:limit]

    def _metres_to(self, flat: shapely.Point, spot: int) -> float:
        return float(shapely.distance(flat, self._spot_tree.geometries[spot]))

    def find_place(self, text: str, *, home_village_id: int | None = None) -> PlaceMatch | None:
        """The place that a free sentence names («王家沟桥头有人倒垃圾»), or None.

        Of all readings the one that explains most letters wins; names of township, county and province are set
        aside. A landmark without its village is taken in the home village if it is there, else if only one village
        has it; otherwise `village` is None and `choices` has the candidates.
        """
        return self._names.find(text, home_village_id)

    def names_in(self, said: str) -> Iterator[Slot]:
        """Where words name a place, whichever it is: the spans of all names of the township (a slot reader)."""
        for hit in self._names.pattern.finditer(said):
            yield Slot("place", hit.start(), hit.end(), hit.group())

    def village_of(self, area_id: int) -> Area | None:
        """The village that an area is or lies in; None for the town and for unknown ids."""
        area = self.areas.get(area_id)
        if area is not None and area.level == "hamlet" and area.parent_id is not None:
            area = self.areas.get(area.parent_id)
        return area if area is not None and area.level == "village" else None

    def covers(self, outer_id: int, inner_id: int | None) -> bool:
        """Does a right for `outer_id` reach `inner_id` (itself, or anything below it)?"""
        while inner_id is not None:
            if inner_id == outer_id:
                return True
            area = self.areas.get(inner_id)
            inner_id = area.parent_id if area else None
        return False

    def hamlets_of(self, village_id: int) -> Sequence[Area]:
        """A village's hamlets by code."""
        return self._hamlets.get(village_id, ())

    def landmarks_of(self, village_id: int) -> Sequence[Landmark]:
        """A village's landmarks in the order of their import."""
        return self._landmarks_of.get(village_id, ())


def _middle(shapes: Iterable[Any], landmarks: Iterable[Landmark]) -> tuple[float, float]:
    boxes = [shape.bounds for shape in shapes]
    if boxes:
        west, south, east, north = np.array(boxes).T
        return float((south.min() + north.max()) / 2), float((west.min() + east.max()) / 2)
    points = [landmark.point for landmark in landmarks]
    if points:
        return sum(p.lat for p in points) / len(points), sum(p.lng for p in points) / len(points)
    return 35.0, 105.0


def split_names(words: str) -> tuple[str, ...]:
    """Stored aliases (`;` between) as a tuple."""
    return tuple(word for word in words.split(";") if word)


def _point(row: Row) -> Point | None:
    return None if row["lat"] is None else Point(row["lat"], row["lng"], row["datum"])


def build(
    areas: Iterable[Row],
    landmarks: Iterable[Row],
    stations: Iterable[Row],
    stamp: int = 0,
    around: Sequence[str] = (),
) -> Gazetteer:
    """The gazetteer of rows as `storage.product.areas` gives them; `around` as `Gazetteer` takes it."""
    return Gazetteer(
        [
            Area(
                row["area_id"],
                row["parent_id"],
                row["level"],
                row["code"],
                row["name"],
                split_names(row["aliases"]),
                row["boundary"] or "",
                _point(row),
            )
            for row in areas
        ],
        [
            Landmark(
                row["landmark_id"],
                row["village_id"],
                row["name"],
                row["kind"],
                split_names(row["aliases"]),
                Point(row["lat"], row["lng"], row["datum"]),
            )
            for row in landmarks
        ],
        [
            Station(
                row["station_id"],
                row["village_id"],
                row["code"],
                row["name"],
                split_names(row["aliases"]),
                row["phone"],
                row["hours"],
                Point(row["lat"], row["lng"], row["datum"]),
            )
            for row in stations
        ],
        stamp,
        around,
    )
