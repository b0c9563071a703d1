"""Datums and distances."""

from __future__ import annotations

import math
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.geo import DATUMS, Datum, GeoError, Point, distance_m, make_point, map_link, to_wgs84
from tests.datums import from_wgs84

GANSU = (st.floats(32.5, 42.8), st.floats(92.2, 108.7))


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        ((35.5, 104.6), (35.499387959, 104.602620786)),
        ((39.90105, 116.42079), (39.902446, 116.427022)),
    ],
)
def test_known_vectors_of_the_chinese_datum(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    shown = from_wgs84(Point(*wgs), "GCJ-02")
    assert (shown.lat, shown.lng) == pytest.approx(gcj, abs=5e-7)
    back = to_wgs84(Point(*gcj, "GCJ-02"))
    assert distance_m(back, Point(*wgs)) < 0.1


@given(*GANSU, st.sampled_from(DATUMS))
def test_every_datum_comes_back_to_the_same_place(lat: float, lng: float, datum: Datum) -> None:
    there = from_wgs84(Point(lat, lng), datum)
    assert there.datum == datum
    assert distance_m(there, Point(lat, lng)) < 0.001


@given(*GANSU)
def test_a_forgotten_datum_would_be_far_off(lat: float, lng: float) -> None:
    shown = from_wgs84(Point(lat, lng), "GCJ-02")
    assert 5 < distance_m(Point(shown.lat, shown.lng), Point(lat, lng)) < 700


def test_outside_china_the_datums_agree() -> None:
    assert to_wgs84(Point(48.85, 2.35, "GCJ-02")) == Point(48.85, 2.35)


def test_distances() -> None:
    assert distance_m(Point(35.0, 104.0), Point(36.0, 104.0)) == pytest.approx(111_195, rel=1e-3)
    assert distance_m(Point(35.0, 104.0), Point(35.0, 104.0)) == 0


@pytest.mark.parametrize(
    ("lat", "lng", "code"),
    [
        (0, 0, "no_fix"),
        (0.0001, -0.0001, "no_fix"),
        (104.6, 35.5, "out_of_range"),
        (35.5, 190, "out_of_range"),
        (math.nan, 104.6, "not_a_position"),
        (math.inf, 104.6, "not_a_position"),
        ("35.5", 104.6, "not_a_position"),
    ],
)
def test_what_is_no_place_is_refused(lat: float, lng: float, code: str) -> None:
    with pytest.raises(GeoError) as caught:
        make_point(lat, lng)
    assert caught.value.code == code


def test_an_unknown_datum_is_refused() -> None:
    with pytest.raises(GeoError) as caught:
        make_point(35.5, 104.6, "CGCS")
    assert caught.value.code == "unknown_datum"
    assert make_point(35, 104, "BD-09") == Point(35.0, 104.0, "BD-09")


def test_the_map_link_opens_the_place_by_its_wgs84_position() -> None:
    link = urlsplit(map_link(from_wgs84(Point(35.5, 104.6), "GCJ-02"), "王家沟 桥头&1"))
    query = parse_qs(link.query)
    assert (link.scheme, link.netloc, link.path) == ("https", "uri.amap.com", "/marker")
    assert query == {"position": ["104.600000,35.500000"], "coordinate": ["wgs84"], "name": ["王家沟 桥头&1"]}
