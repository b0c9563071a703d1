"""Places: cells of the tables, boundaries, the gazetteer, and how faults are told."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
import shapely
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from bot.talk.geo import Point, distance_m
from handlers.areas import rules
from handlers.areas.bundle import read_folder
from handlers.areas.entries import Bundle
from handlers.areas.faults import CODES, Faults, text_of
from handlers.areas.index import Gazetteer
from handlers.areas.places import Area, Landmark
from handlers.areas.polygons import area_m2, read_areas
from tests.datums import from_wgs84

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/township"
AROUND = ("朔禾县", "虚构省")


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return read_folder(EXAMPLE)


@pytest.fixture(scope="module")
def places(bundle: Bundle) -> Gazetteer:
    ids = {entry.code: number for number, entry in enumerate((*bundle.areas, *bundle.hamlets), start=1)}
    town = next(ids[entry.code] for entry in bundle.areas if entry.level == "town")
    areas = [
        Area(
            ids[one.code],
            None if one.level == "town" else town,
            "town" if one.level == "town" else "village",
            one.code,
            one.name,
            one.aliases,
            one.boundary,
        )
        for one in bundle.areas
    ]
    hamlets = [
        Area(ids[one.code], ids[one.village], "hamlet", one.code, one.name, one.aliases, "", one.point)
        for one in bundle.hamlets
    ]
    spots = [
        Landmark(number, ids[one.village], one.name, one.kind, one.aliases, one.point)
        for number, one in enumerate(bundle.landmarks, start=1000)
        if one.point
    ]
    return Gazetteer([*areas, *hamlets], spots, [], around=AROUND)


def village(places: Gazetteer, name: str) -> Area:
    return next(area for area in places.villages if area.name == name)


def test_the_example_township_is_whole(bundle: Bundle) -> None:
    assert bundle.faults == ()
    assert sum(entry.level == "village" for entry in bundle.areas) == 24
    assert len(bundle.households) == 600
    per_village = [sum(one.village == entry.code for one in bundle.hamlets) for entry in bundle.areas[1:]]
    assert min(per_village) >= 3 and max(per_village) <= 6
    named = [entry for entry in bundle.households if entry.householder == "张三"]
    assert [entry.card_no for entry in named] == ["N0123"]
    assert all(entry.phone.startswith("100") for entry in bundle.households if entry.phone)


def test_the_villages_tile_the_town(bundle: Bundle) -> None:
    town, *villages = bundle.areas
    whole = shapely.union_all([entry.shape for entry in villages])
    assert area_m2(whole.symmetric_difference(town.shape)) < 1
    assert sum(area_m2(entry.shape) for entry in villages) == pytest.approx(area_m2(whole), rel=1e-6)


@given(st.floats(35.55, 35.69), st.floats(104.66, 104.83))
def test_a_point_lies_in_exactly_one_village_or_outside(places: Gazetteer, lat: float, lng: float) -> None:
    found = places.locate(Point(lat, lng))
    here = shapely.Point(lng, lat)
    inside = [one.name for one in places.villages if shapely.from_geojson(one.boundary).contains(here)]
    assert len(inside) <= 1
    assert ([found.name] if found else []) == inside or places.locate(Point(lat, lng), slack_m=0.01) is not None


def test_a_point_on_a_common_corner_has_one_village(places: Gazetteer) -> None:
    corner = json.loads(village(places, "王家沟村").boundary)["coordinates"][0][0]
    first = places.locate(Point(corner[1], corner[0]))
    assert first is not None and first == places.locate(Point(corner[1], corner[0]))


def test_a_pin_of_a_chinese_map_is_converted_before_it_is_located(places: Gazetteer) -> None:
    home = village(places, "王家沟村")
    bridge = next(one for one in places.landmarks_of(home.area_id) if one.name == "桥头")
    pin = from_wgs84(bridge.point, "GCJ-02")
    assert distance_m(Point(pin.lat, pin.lng), bridge.point) > 50
    assert places.nearest_landmarks(pin, limit=1)[0].landmark == bridge
    assert places.nearest_landmarks(pin, limit=1)[0].metres < 1


def test_outside_the_township_there_is_no_village_but_a_phone_may_err(places: Gazetteer) -> None:
    assert places.town is not None
    north = max(shapely.from_geojson(places.town.boundary).exterior.coords, key=lambda corner: corner[1])
    outside = Point(north[1] + 0.002, north[0])
    assert places.locate(Point(36.5, 105.5)) is None
    far = Point(36.5, 105.5)
    assert places.locate(far, slack_m=80_000) is None and places.locate(far, slack_m=150_000) is not None
    assert places.locate(outside) is None
    assert places.locate(outside, slack_m=100) is None
    nearest = places.locate(outside, slack_m=230)
    assert nearest is not None and nearest == places.locate(Point(north[1] - 0.0001, north[0]))


def test_nearest_landmarks_are_near_and_in_order(places: Gazetteer) -> None:
    point = places.landmarks_of(village(places, "何家川村").area_id)[0].point
    found = places.nearest_landmarks(point, limit=4)
    assert found[0].metres == pytest.approx(0, abs=0.01)
    assert [near.metres for near in found] == sorted(near.metres for near in found)
    for near in found:
        assert near.metres == pytest.approx(distance_m(point, near.landmark.point), rel=0.01, abs=0.5)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("王家沟桥头有人倒垃圾", ("王家沟村", None, "桥头", "有人倒垃圾")),
        ("有人在王家沟村的大桥那儿倒渣土", ("王家沟村", None, "桥头", "有人在 的 那儿倒渣土")),
        ("桥头有人倒垃圾，王家沟的", ("王家沟村", None, "桥头", "有人倒垃圾")),
        ("王家沟张家社老柳树底下", ("王家沟村", "张家社", "老柳树", "底下")),
        ("王家沟", ("王家沟村", None, None, "")),
        ("王家沟村", ("王家沟村", None, None, "")),
        ("水库边上有垃圾", ("刘家河村", None, "水库", "有垃圾")),
        ("李家湾的车倒在王家沟桥头", ("王家沟村", None, "桥头", "李家湾的车倒")),
    ],
)
def test_a_sentence_names_its_place(
    places: Gazetteer, text: str, found: tuple[str, str | None, str | None, str]
) -> None:
    match = places.find_place(text)
    assert match is not None and match.village is not None
    hamlet = match.hamlet.name if match.hamlet else None
    landmark = match.landmark.name if match.landmark else None
    assert (match.village.name, hamlet, landmark, match.rest) == found
    assert match.choices == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("青禾塬镇李家湾村小学有人倒垃圾", ("李家湾村", "小学", "有人倒垃圾")),
        ("虚构省朔禾县青禾塬镇王家沟村桥头有人倒垃圾", ("王家沟村", "桥头", "有人倒垃圾")),
        ("青禾塬 王家沟 桥头", ("王家沟村", "桥头", "")),
        ("青禾塬镇青禾村，路上有垃圾", ("青禾村", None, "路上有垃圾")),
        ("青禾村有垃圾", ("青禾村", None, "有垃圾")),
    ],
)
def test_the_names_around_a_village_are_set_aside(
    places: Gazetteer, text: str, found: tuple[str, str | None, str]
) -> None:
    match = places.find_place(text)
    assert match is not None and match.village is not None
    landmark = match.landmark.name if match.landmark else None
    assert (match.village.name, landmark, match.rest) == found


def test_the_township_s_name_alone_is_no_village(places: Gazetteer) -> None:
    assert places.find_place("青禾塬镇有人倒垃圾") is None
    assert places.find_place("朔禾县青禾塬的垃圾") is None


def spots_of(*villages: tuple[str, tuple[str, ...]]) -> Gazetteer:
    """A township of villages with landmarks."""
    town = Area(1, None, "town", "t", "青禾塬镇")
    areas = [Area(at, 1, "village", f"v{at}", name) for at, (name, _) in enumerate(villages, 2)]
    landmarks = [
        Landmark(100 * at + number, at, name, "other", (), Point(35.6, 104.7))
        for at, (_, names) in enumerate(villages, 2)
        for number, name in enumerate(names)
    ]
    return Gazetteer([town, *areas], landmarks, [], around=AROUND)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("王家沟村口有垃圾", ("王家沟村", "村口")),
        ("王家沟村村口有垃圾", ("王家沟村", "村口")),
        ("王家沟村委会门口", ("王家沟村", "村委会")),
        ("王家沟李家湾桥下有垃圾", ("王家沟村", "李家湾桥")),  # a bridge that has another village's name
        ("青禾塬镇政府后面", ("李家湾村", "镇政府")),  # the township's short name, then a landmark
    ],
)
def test_the_reading_that_explains_most_letters_wins(text: str, found: tuple[str, str]) -> None:
    match = spots_of(
        ("王家沟村", ("村口", "村委会", "李家湾桥")), ("李家湾村", ("镇政府", "小学")), ("青禾村", ())
    ).find_place(text)
    assert match is not None and match.village is not None and match.landmark is not None
    assert (match.village.name, match.landmark.name) == found


@given(st.data())
def test_a_village_and_its_landmark_are_found_after_any_wider_name(places: Gazetteer, data: st.DataObject) -> None:
    landmark = data.draw(st.sampled_from(sorted(places.landmarks.values(), key=lambda one: one.landmark_id)))
    own = places.areas[landmark.village_id]
    before = data.draw(st.sampled_from(["", "青禾塬镇", "朔禾县青禾塬镇", "虚构省朔禾县青禾塬镇", "青禾塬"]))
    between = data.draw(st.sampled_from(["", "的", " ", "，"]))
    spelling = data.draw(st.sampled_from([own.name, own.name.removesuffix("村")]))
    after = data.draw(st.sampled_from(["", "有人倒垃圾", "边上有一堆垃圾"]))
    match = places.find_place(f"{before}{spelling}{between}{landmark.name}{after}")
    assert match is not None and match.village == own
    assert match.landmark is not None and match.landmark.name == landmark.name


PIECES = ("青禾", "塬", "镇", "村", "王家沟", "桥头", "小学", "口", "李家湾", "县", "社")


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_words_are_read_and_nothing_said_is_lost(places: Gazetteer, words: list[str]) -> None:
    said = "".join(words)
    match = places.find_place(said)
    if match is not None:
        assert all(letter in said for letter in match.said + match.rest.replace(" ", ""))


def test_a_landmark_of_many_villages_is_a_choice_unless_one_is_home(places: Gazetteer) -> None:
    match = places.find_place("桥头有人倒垃圾")
    assert match is not None and match.village is None
    assert len(match.choices) > 1 and all(one.landmark and one.landmark.name == "桥头" for one in match.choices)
    home = village(places, "王家沟村").area_id
    at_home = places.find_place("桥头有人倒垃圾", home_village_id=home)
    assert at_home is not None and at_home.village is not None and at_home.village.area_id == home


def test_two_villages_in_one_sentence_are_a_choice(places: Gazetteer) -> None:
    match = places.find_place("从王家沟拉到李家湾")
    assert match is not None and match.village is None
    assert [one.village.name for one in match.choices] == ["王家沟村", "李家湾村"]


@pytest.mark.parametrize("text", ["你好", "", "今天星期几", "🙂" * 50, "x" * 100_000])
def test_a_sentence_without_a_place_names_none(places: Gazetteer, text: str) -> None:
    assert places.find_place(text) is None


def test_rights_reach_down_the_tree_only(places: Gazetteer) -> None:
    home = village(places, "王家沟村")
    hamlet = places.hamlets_of(home.area_id)[0]
    assert places.town is not None
    assert places.covers(places.town.area_id, hamlet.area_id)
    assert places.covers(home.area_id, hamlet.area_id) and places.covers(home.area_id, home.area_id)
    assert not places.covers(hamlet.area_id, home.area_id)
    assert not places.covers(village(places, "李家湾村").area_id, hamlet.area_id)
    assert places.village_of(hamlet.area_id) == home
    assert places.village_of(places.town.area_id) is None


def test_an_empty_township_answers_too() -> None:
    empty = Gazetteer([], [], [])
    assert empty.locate(Point(35.5, 104.6)) is None
    assert empty.nearest_landmarks(Point(35.5, 104.6)) == []
    assert empty.find_place("王家沟桥头") is None


def square(code: str, west: float, east: float, **more: Any) -> dict[str, Any]:
    ring = [[west, 35.0], [east, 35.0], [east, 35.01], [west, 35.01], [west, 35.0]]
    properties = {"level": "village", "code": code, "name": f"{code}村", **more}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def checked(*features: dict[str, Any], **top: Any) -> list[tuple[str, int, bool]]:
    faults = Faults()
    lines = ",\n".join(json.dumps(feature) for feature in features)
    head = "".join(f'"{key}":{json.dumps(value)},' for key, value in top.items())
    read_areas("a.geojson", f'{{{head}"type":"FeatureCollection","features":[\n{lines}\n]}}', faults)
    return [(fault.code, fault.line, fault.warning) for fault in faults.found]


TOWN = square("T", 104.0, 104.03, level="town")


def test_good_boundaries_have_no_fault() -> None:
    assert checked(TOWN, square("A", 104.0, 104.01), square("B", 104.01, 104.03)) == []


def test_overlaps_gaps_and_ground_beyond_the_town_are_warnings() -> None:
    assert checked(TOWN, square("A", 104.0, 104.02), square("B", 104.01, 104.03)) == [("overlap", 3, True)]
    assert checked(TOWN, square("A", 104.0, 104.01), square("B", 104.02, 104.03)) == [("gap", 2, True)]
    assert checked(TOWN, square("A", 104.0, 104.01), square("B", 104.01, 104.04)) == [("beyond_town", 4, True)]


def test_unusable_boundaries_are_errors_with_their_line() -> None:
    bow = square("A", 104.0, 104.03)
    bow["geometry"]["coordinates"][0][1:3] = bow["geometry"]["coordinates"][0][2:0:-1]
    point = {**square("A", 104.0, 104.03), "geometry": {"type": "Point", "coordinates": [104, 35]}}
    swapped = square("A", 104.0, 104.03)
    swapped["geometry"]["coordinates"] = [[[y, x] for x, y in swapped["geometry"]["coordinates"][0]]]
    for feature, code in (
        (bow, "self_crossing"),
        (point, "bad_polygon"),
        (swapped, "bad_polygon"),
        ({**point, "geometry": None}, "bad_polygon"),
        (square("A", 104.0, 104.03, level="county"), "bad_feature"),
        (square("A", 104.0, 104.03, name=""), "bad_feature"),
    ):
        assert (code, 3, False) in checked(TOWN, feature), code


def test_two_villages_of_one_code_and_a_missing_town_are_errors() -> None:
    twice = checked(TOWN, square("A", 104.0, 104.015), square("A", 104.015, 104.03, name="别村"))
    assert twice == [("repeated_row", 4, False)]
    assert checked(square("A", 104.0, 104.03)) == [("no_town", 1, False)]


def test_boundaries_from_a_chinese_map_are_converted() -> None:
    faults = Faults()
    text = json.dumps({"type": "FeatureCollection", "datum": "GCJ-02", "features": [TOWN]})
    (town,) = read_areas("a.geojson", text, faults)
    west, south = town.shape.bounds[:2]
    assert 100 < distance_m(Point(south, west), Point(35.0, 104.0)) < 700
    assert checked(TOWN, datum="CGCS") == [("bad_datum", 1, False)]


def test_broken_json_is_told_with_its_place() -> None:
    faults = Faults()
    assert read_areas("a.geojson", '{"features": [\n{"type": }]}', faults) == []
    assert [(fault.code, fault.line, fault.column) for fault in faults.found] == [("json_syntax", 2, 10)]


@pytest.mark.parametrize(
    ("text", "card"),
    [("n0123", "N0123"), ("Ｎ０１２３", "N0123"), (" N 0123 ", "N0123"), ("张三", None), ("", None), ("N" * 30, None)],
)
def test_card_numbers(text: str, card: str | None) -> None:
    assert rules.card_number(text) == card


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("100 0000 0123", "10000000123"),
        ("+86 100-0000-0123", "10000000123"),
        ("0932-1234567", "09321234567"),
        ("", ""),
        ("1.39E+10", None),
        ("12345", None),
    ],
)
def test_telephone_numbers(text: str, phone: str | None) -> None:
    assert rules.phone_number(text) == phone


def test_names_are_cleaned_as_people_type_them() -> None:
    assert rules.person_name("张　　三") == "张三"
    assert rules.person_name("\u202e张三\x00") == "张三"
    assert rules.person_name("阿布都·热合曼") == "阿布都·热合曼"
    assert rules.person_name("123") is None
    assert rules.several("张三、李秀英；张小宝,张三") == ("张三", "李秀英", "张小宝")
    assert rules.degrees("104.6°") == 104.6
    assert rules.degrees("104,6") is None
    assert rules.status("注销") == "closed" and rules.status("不知道") is None


@given(st.lists(st.integers(0, 5), max_size=20))
def test_repeats_are_found_with_their_first(keys: list[int]) -> None:
    found = dict(rules.repeats(keys))
    for position, key in enumerate(keys):
        assert found.get(position, keys.index(key)) == keys.index(key)
        assert (position in found) == (key in keys[:position])


def texts_of(language: str) -> dict[str, str]:
    with (ROOT / f"locales/{language}/areas.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_fault_has_its_text_and_its_remedy_in_both_languages() -> None:
    chinese, english = texts_of("zh_CN"), texts_of("en")
    for code in CODES:
        for key in (f"import.{code}", f"import.{code}.fix"):
            assert chinese[key] and english[key]
            assert placeholders(chinese[key]) == placeholders(english[key]), key
    assert chinese.keys() == english.keys()


def test_a_fault_carries_what_its_text_needs() -> None:
    faults = Faults()
    faults.error("households.csv", 7, 3, "unknown_village", value="李村")
    line = text_of(faults.found[0])
    assert placeholders(texts_of("zh_CN")[line.key]) <= line.fields.keys()
    assert placeholders(texts_of("zh_CN")[line.fields["what"].key]) <= line.fields["what"].fields.keys()
