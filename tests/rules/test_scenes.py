"""Printed codes: their spelling fits wherever they are used, and is read back as what it was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wechat.notices import check_scene
from bot.talk.geo import Point
from bot.talk.session import tag_of
from handlers.areas import codes
from handlers.areas.index import Gazetteer
from handlers.areas.places import Area, Landmark, Station
from handlers.film.weighing.reading import card_said

TELEGRAM = re.compile(r"[A-Za-z0-9_-]{1,64}")
BUTTON_BYTES = 40
POINT = Point(35.6, 104.7)
VILLAGE = Area(2, 1, "village", "629999101201", "王家沟村")
CARDS = st.from_regex(r"[A-Z0-9][A-Z0-9-]{1,19}", fullmatch=True)


def place_with(stations: list[str] = [], landmarks: list[str] = []) -> Gazetteer:  # noqa: B006
    return Gazetteer(
        [VILLAGE],
        [Landmark(at, 2, name, "other", (), POINT) for at, name in enumerate(landmarks)],
        [Station(at, 2, code, f"站{at}", (), "", "", POINT) for at, code in enumerate(stations)],
    )


def fits(scene: str) -> None:
    check_scene(scene)
    assert TELEGRAM.fullmatch(scene) and len(f"/start {scene}".encode()) <= BUTTON_BYTES


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=5, unique=True))
def test_every_station_is_found_by_its_scene(names: list[str]) -> None:
    places = place_with(stations=names)
    for station in places.stations:
        scene = codes.of_station(station)
        fits(scene)
        read = codes.read(scene)
        assert read is not None and read.kind == "station"
        assert codes.station_with(places, read.code) is station


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5, unique=True))
def test_every_sign_is_found_by_its_scene(names: list[str]) -> None:
    places = place_with(landmarks=names)
    for landmark in places.landmarks.values():
        scene = codes.of_landmark(places, landmark)
        fits(scene)
        read = codes.read(scene)
        assert read is not None and read.kind == "sign"
        assert codes.landmark_with(places, read.code) is landmark


@given(CARDS)
def test_every_door_is_found_by_its_scene(card_no: str) -> None:
    scene = codes.of_household(card_no)
    fits(scene)
    read = codes.read(scene)
    assert read == codes.Scene("door", card_no) and codes.card_with(card_no) == card_no
    for said in (
        scene,
        f"https://chat.example/?t=629999101&start={scene}",
        f"看 https://t.me/a_bot?start={scene} 这个",
    ):
        assert codes.read(said) == read and card_said(said) == card_no
    assert codes.read(f"https://chat.example/?start={scene}&t=629999101") == read


def test_a_plain_code_stays_readable() -> None:
    places = place_with(stations=["S01", "站一", "S" * 25, "-S"])
    assert codes.of_station(places.stations[0]) == "station-S01"
    assert [len(codes.of_station(one)) for one in places.stations[1:]] == [8 + 17] * 3


@pytest.mark.parametrize(
    "said",
    [
        "", "station-", "sign", "door-N0123 x", "Door-N0123", "大门-N0123", "door-" + "N" * 25, "N0123", "abc-S01",
        "a" * 43, "https://chat.example/?join=" + "b" * 43, "door-N0123/..", "张三 15.6公斤", tag_of(7),
    ],
)  # fmt: skip
def test_what_is_no_scene(said: str) -> None:
    assert codes.read(said) is None


@given(st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True))
def test_an_invitation_s_token_is_no_scene(token: str) -> None:
    assert codes.read(token) is None and codes.read(f"https://chat.example/?join={token}&t=1") is None
