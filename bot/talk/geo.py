"""Points with their datum, and distances. Every point keeps the datum it came in; distances are taken in WGS-84.

Pure. Chinese maps show GCJ-02 (Tencent, AMap; WeChat's location message) or BD-09 (Baidu); phones' GPS, browsers
and Telegram give WGS-84. In Gansu the shift is 240 m in the mean, so a point is never used without its datum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import asin, atan2, cos, hypot, isfinite, pi, radians, sin, sqrt
from typing import Literal
from urllib.parse import quote

Datum = Literal["WGS-84", "GCJ-02", "BD-09"]
DATUMS: tuple[Datum, ...] = ("WGS-84", "GCJ-02", "BD-09")
EARTH_RADIUS_M = 6_371_008.8
NULL_ISLAND_DEGREES = 0.01  # a phone without a fix reports 0,0 or close to it
_AXIS_M = 6_378_245.0  # Krasovsky 1940, on which GCJ-02 is defined
_ECCENTRICITY = 0.00669342162296594323
_BAIDU = pi * 3000 / 180
_CHINA = (72.004, 137.8347, 0.8293, 55.8271)
_ROUNDS = 10
_ENOUGH_DEGREES = 1e-11


class GeoError(ValueError):
    """A position that cannot be used. Codes: not_a_position, no_fix (0,0), out_of_range, unknown_datum."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Point:
    """Latitude and longitude in degrees, in `datum`."""

    lat: float
    lng: float
    datum: Datum = "WGS-84"


def make_point(lat: float, lng: float, datum: str = "WGS-84") -> Point:
    """A usable point; raises GeoError for what is no position on earth and for 0,0."""
    if not (isinstance(lat, (int, float)) and isinstance(lng, (int, float)) and isfinite(lat) and isfinite(lng)):
        raise GeoError("not_a_position")
    if abs(lat) > 90 or abs(lng) > 180:
        raise GeoError("out_of_range")
    if abs(lat) < NULL_ISLAND_DEGREES and abs(lng) < NULL_ISLAND_DEGREES:
        raise GeoError("no_fix")
    for known in DATUMS:
        if datum == known:
            return Point(float(lat), float(lng), known)
    raise GeoError("unknown_datum")


def to_wgs84(point: Point) -> Point:
    """The same place in WGS-84, exact to well under a millimetre."""
    lat, lng = point.lat, point.lng
    if point.datum == "BD-09":
        lat, lng = _inverse(_gcj_to_baidu, lat, lng)
    if point.datum != "WGS-84":
        lat, lng = _inverse(_wgs_to_gcj, lat, lng)
    return Point(lat, lng, "WGS-84")


def distance_m(one: Point, other: Point) -> float:
    """Metres over the ground between two points of any datum (on a sphere: within 0.5 %)."""
    a, b = to_wgs84(one), to_wgs84(other)
    up = sin(radians(b.lat - a.lat) / 2) ** 2
    across = sin(radians(b.lng - a.lng) / 2) ** 2 * cos(radians(a.lat)) * cos(radians(b.lat))
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(up + across)))


def map_link(point: Point, name: str) -> str:
    """An address that opens the place in AMap's app or page."""
    place = to_wgs84(point)
    return (
        f"https://uri.amap.com/marker?position={place.lng:.6f},{place.lat:.6f}"
        f"&coordinate=wgs84&name={quote(name, safe='')}"
    )


def _inverse(forward: Callable[[float, float], tuple[float, float]], lat: float, lng: float) -> tuple[float, float]:
    """Solve forward(x) = (lat, lng) by fixed-point rounds: the shift changes slowly, each round gains 3 digits."""
    guess_lat, guess_lng = lat, lng
    for _ in range(_ROUNDS):
        there_lat, there_lng = forward(guess_lat, guess_lng)
        guess_lat, guess_lng = guess_lat + lat - there_lat, guess_lng + lng - there_lng
        if abs(lat - there_lat) + abs(lng - there_lng) < _ENOUGH_DEGREES:
            break
    return guess_lat, guess_lng


def _wgs_to_gcj(lat: float, lng: float) -> tuple[float, float]:
    west, east, south, north = _CHINA
    if not (west <= lng <= east and south <= lat <= north):
        return lat, lng
    x, y = lng - 105.0, lat - 35.0
    wave = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    shift_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + wave
    shift_lat += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    shift_lat += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    shift_lng = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + wave
    shift_lng += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    shift_lng += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    flat = lat / 180.0 * pi
    magic = 1 - _ECCENTRICITY * sin(flat) ** 2
    metres_lat = _AXIS_M * (1 - _ECCENTRICITY) / (magic * sqrt(magic)) * pi
    metres_lng = _AXIS_M / sqrt(magic) * cos(flat) * pi
    return lat + shift_lat * 180.0 / metres_lat, lng + shift_lng * 180.0 / metres_lng


def _gcj_to_baidu(lat: float, lng: float) -> tuple[float, float]:
    radius = hypot(lng, lat) + 0.00002 * sin(lat * _BAIDU)
    angle = atan2(lat, lng) + 0.000003 * cos(lng * _BAIDU)
    return radius * sin(angle) + 0.006, radius * cos(angle) + 0.0065
