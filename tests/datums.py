"""Points as maps of other datums show them: what phones send in stories."""

from __future__ import annotations

from bot.talk.geo import Datum, Point, _gcj_to_baidu, _wgs_to_gcj


def from_wgs84(point: Point, datum: Datum) -> Point:
    """A WGS-84 point as a map of `datum` shows it."""
    lat, lng = point.lat, point.lng
    if datum != "WGS-84":
        lat, lng = _wgs_to_gcj(lat, lng)
    if datum == "BD-09":
        lat, lng = _gcj_to_baidu(lat, lng)
    return Point(lat, lng, datum)
