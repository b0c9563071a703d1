"""Read the township's boundaries from GeoJSON and check them: self-crossing, overlaps, gaps (D6: 无缝)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, radians
from typing import Any

import numpy as np
import shapely

from bot.talk.geo import DATUMS, Datum, Point, to_wgs84
from bot.talk.letters import unknown_letter
from handlers.areas.faults import Faults
from handlers.areas.rules import clean, several
from handlers.areas.tables import letter_lost

METRES_PER_DEGREE = 111_195.0
SMALLEST_FLAW_M2 = 100.0
LEVELS = ("town", "village")
TEXTS = ("level", "code", "name", "county", "province", "aliases")


@dataclass(frozen=True, slots=True)
class AreaEntry:
    """A town or village as read: boundary is GeoJSON text in WGS-84."""

    line: int
    column: int
    level: str
    code: str
    name: str
    aliases: tuple[str, ...]
    county: str
    province: str
    shape: Any
    boundary: str


def read_areas(file: str, text: str, faults: Faults) -> list[AreaEntry]:
    """The town and its villages; faulty features are left out and reported."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as problem:
        place = problem if isinstance(problem, json.JSONDecodeError) else None
        line, column = (place.lineno, place.colno) if place else (1, 1)
        faults.error(file, line, column, "json_syntax", detail=place.msg if place else problem)
        return []
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list) or not features:
        faults.error(file, 1, 1, "not_features")
        return []
    datum = found.get("datum", "WGS-84")
    if not isinstance(datum, str) or datum not in DATUMS:
        faults.error(file, 1, 1, "bad_datum", value=datum)
        return []
    places = list(feature_places(text))
    entries = []
    for number, feature in enumerate(features):
        line, column = places[number] if number < len(places) else (1, 1)
        if entry := _entry(file, line, column, feature, datum, faults):
            entries.append(entry)
    _check_codes(file, entries, faults)
    check_tiling(file, entries, faults)
    return entries


def feature_places(text: str) -> Iterator[tuple[int, int]]:
    """Line and column of each feature."""
    start = re.search(r'"features"\s*:\s*\[', text)
    decoder, position = json.JSONDecoder(), start.end() if start else len(text)
    while position < len(text):
        position = _skip(text, position)
        if position >= len(text) or text[position] == "]":
            return
        yield text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
        position = decoder.raw_decode(text, position)[1]


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _entry(file: str, line: int, column: int, feature: Any, datum: Datum, faults: Faults) -> AreaEntry | None:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        faults.error(file, line, column, "bad_feature", key="properties", value="")
        return None
    words = _words(file, line, column, properties, faults)
    if words is None:
        return None
    for key in ("level", "code", "name"):
        if not words[key] or (key == "level" and words[key] not in LEVELS):
            faults.error(file, line, column, "bad_feature", key=key, value=words[key])
            return None
    spoken = several(words.pop("aliases"))
    shape = _shape(file, line, column, words["name"], feature.get("geometry"), datum, faults)
    if shape is None:
        return None
    return AreaEntry(line, column, aliases=spoken, shape=shape, boundary=shapely.to_geojson(shape), **words)


def _words(file: str, line: int, column: int, properties: dict[str, Any], faults: Faults) -> dict[str, str] | None:
    """The texts of a feature, aliases with `;` between them; None with a fault when something else stands there.

    A code may be a whole number, as many programs write it. A key that is not there is an empty text.
    """
    found: dict[str, str] = {}
    for key in TEXTS:
        value = properties.get(key, "")
        parts = value if key == "aliases" and isinstance(value, list) else [value]
        if isinstance(value, int) and not isinstance(value, bool) and key == "code":
            parts = [str(value)]
        if not all(isinstance(part, str) for part in parts):
            name = properties.get("name")
            named = name if isinstance(name, str) else ""
            fields = {"key": key, "value": json.dumps(value, ensure_ascii=False), "name": named}
            faults.error(file, line, column, "not_text", **fields)
            return None
        for part in parts:
            if (place := unknown_letter(part)) is not None:
                letter_lost(faults, file, line, column, part, place)
                return None
        found[key] = ";".join(map(clean, parts))
    return found


def _shape(
    file: str, line: int, column: int, name: str, geometry: Any, datum: Datum, faults: Faults
) -> shapely.Geometry | None:
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
        kind = shape.geom_type if shape is not None else ""
    except (shapely.errors.GEOSException, TypeError, ValueError):
        kind = ""
    if kind not in ("Polygon", "MultiPolygon") or shape.is_empty:
        faults.error(file, line, column, "bad_polygon", name=name)
        return None
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        faults.error(file, line, column, "bad_polygon", name=name)
        return None
    if not shape.is_valid:
        faults.error(file, line, column, "self_crossing", name=name, detail=shapely.is_valid_reason(shape))
        return None
    if datum != "WGS-84":
        shape = shapely.transform(shape, _converter(datum))
    return shape


def _converter(datum: Datum) -> Callable[[Any], Any]:
    def convert(degrees: Any) -> Any:
        points = [to_wgs84(Point(lat, lng, datum)) for lng, lat in degrees]
        return np.array([(round(point.lng, 7), round(point.lat, 7)) for point in points])

    return convert


def _check_codes(file: str, entries: list[AreaEntry], faults: Faults) -> None:
    towns = [entry for entry in entries if entry.level == "town"]
    if not towns:
        faults.error(file, 1, 1, "no_town")
    for town in towns[1:]:
        faults.error(file, town.line, town.column, "several_towns", name=town.name)
    for key in ("code", "name"):
        first: dict[str, AreaEntry] = {}
        for entry in entries:
            value = getattr(entry, key)
            if value in first:
                again = first[value].line
                faults.error(file, entry.line, entry.column, "repeated_row", value=value, first=again)
            first.setdefault(value, entry)


def check_tiling(file: str, entries: list[AreaEntry], faults: Faults) -> None:
    """Warn of villages that overlap, of ground in the town without a village, of a village beyond the town."""
    villages = [entry for entry in entries if entry.level == "village"]
    town = next((entry for entry in entries if entry.level == "town"), None)
    tree = shapely.STRtree([entry.shape for entry in villages])
    for index, entry in enumerate(villages):
        for other in sorted(int(hit) for hit in tree.query(entry.shape, predicate="intersects")):
            common = entry.shape.intersection(villages[other].shape) if other > index else None
            if common is not None and (size := area_m2(common)) > SMALLEST_FLAW_M2:
                names = {"name": entry.name, "other": villages[other].name}
                faults.warn(file, entry.line, entry.column, "overlap", m2=round(size), at=_middle(common), **names)
    if town is None or not villages:
        return
    whole = shapely.union_all([entry.shape for entry in villages])
    for part in _parts(town.shape.difference(whole)):
        faults.warn(file, town.line, town.column, "gap", m2=round(area_m2(part)), at=_middle(part))
    for entry in villages:
        beyond = entry.shape.difference(town.shape)
        if (size := area_m2(beyond)) > SMALLEST_FLAW_M2:
            faults.warn(file, entry.line, entry.column, "beyond_town", name=entry.name, m2=round(size))


def _parts(shape: Any) -> Iterator[Any]:
    for part in getattr(shape, "geoms", [shape]):
        if area_m2(part) > SMALLEST_FLAW_M2:
            yield part


def area_m2(shape: Any) -> float:
    """The size of a shape given in degrees."""
    if shape.is_empty:
        return 0.0
    return float(shape.area) * METRES_PER_DEGREE**2 * cos(radians(shape.centroid.y))


def _middle(shape: Any) -> str:
    point = shape.representative_point()
    return f"{point.y:.5f},{point.x:.5f}"
