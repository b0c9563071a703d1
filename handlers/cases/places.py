"""Where something is: what is offered for the place of a report, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import PersonError
from bot.talk.form import Answer, Answers, Doubt, Option
from bot.talk.geo import Point
from bot.talk.messages import In, Text, text
from bot.talk.spans import HOUR_MS
from handlers.areas.index import Gazetteer
from handlers.areas.places import Area, Landmark, PlaceMatch
from handlers.cases import rules
from handlers.facts import Facts, place_answer
from handlers.world import Turn
from storage.database import Row
from storage.machine import media
from storage.people import households
from storage.product import case_vault, cases

OFFERED_LARGEST = 8
VILLAGES_LARGEST = 30
PLACE_CHARS = 200
LANDMARK, AREA, EARLIER, WORDS = "m", "v", "p", "w"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a case is: `label` for people, the village (or the town) that answers for it, the point if known."""

    label: str
    area_id: int
    landmark_id: int | None = None
    lat: float | None = None
    lng: float | None = None
    accuracy_m: int | None = None


async def home_village(turn: Turn) -> Area | None:
    """The village of the person's household, else of a role they hold."""
    places = turn.world.places
    if turn.person.household_id is not None:
        household = await households.household(turn.tx, turn.person.household_id)
        if household is not None:
            return places.areas.get(household.village_id)
    return next((found for role in turn.person.roles if (found := places.village_of(role.area_id))), None)


async def offered_places(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """At most eight: what the person's sentence may mean; else what else lies near where their photo was
    taken; else the landmarks of their village, or of where they last reported; else one of each village."""
    places = turn.world.places
    home = await home_village(turn)
    said = answers.get("statement")
    match = places.find_place(said, home_village_id=home.area_id if home else None) if said else None
    if match is not None and match.choices:
        return meant(match)[:OFFERED_LARGEST]
    if (point := await _photo_point(turn, answers)) is not None and (near := _others_near(places, point)):
        return near
    reports = await case_vault.reports_of(turn.tx, turn.person.id, limit=1)
    earlier = [row for row in reports if len(row["place"]) <= PLACE_CHARS and places.village_of(row["area_id"])]
    options = [Option(f"{EARLIER}{row['id']}", row["place"]) for row in earlier]
    if home is None and earlier:
        home = places.village_of(earlier[0]["area_id"])
    if home is not None:
        options += [_landmark(home, one) for one in places.landmarks_of(home.area_id)]
    else:
        options += [_main(places, village) for village in places.villages]
    by_label = {str(option.label): option for option in options}
    return tuple(by_label.values())[:OFFERED_LARGEST]


async def suppose_photo_place(turn: Turn, answers: Mapping[str, Any]) -> Doubt | None:
    """Where the first photo that says so was taken: a place to be confirmed, unless the words name one."""
    said = answers.get("statement")
    if said and turn.world.places.find_place(said) is not None:
        return None
    point = await _photo_point(turn, answers)
    if point is None:
        return None
    taken = In("place", lat=point.lat, lng=point.lng, datum=point.datum)
    reading = Facts(turn.world, turn.world.day(turn.now_ms)).place_of(taken)
    if not isinstance(reading, Answer):
        return None
    return Doubt(reading.value, "of_photo", {"place": reading.value["label"].replace(" ", "")})


async def _photo_point(turn: Turn, answers: Mapping[str, Any]) -> Point | None:
    """Where the first photo that says so was taken, if that is inside the township."""
    refs = [ref for _, ref, _ in answers.get("photos") or () if media.is_id(ref)]
    for row in await media.get_many(turn.tx, refs):
        if row["lat"] is not None:
            point = Point(row["lat"], row["lng"], row["datum"] or "WGS-84")
            if turn.world.places.locate(point) is not None:
                return point
    return None


def _others_near(places: Gazetteer, point: Point) -> list[Option]:
    """Landmarks around a point, but the nearest one: it was supposed, and is not meant."""
    near = places.nearest_landmarks(point, limit=OFFERED_LARGEST + 1)
    return [_landmark(places.areas[one.landmark.village_id], one.landmark) for one in near[1:]]


def _landmark(village: Area, landmark: Landmark) -> Option:
    return Option(f"{LANDMARK}{landmark.landmark_id}", f"{village.name} {landmark.name}")


def _main(places: Gazetteer, village: Area) -> Option:
    """A village by its best known landmark."""
    landmarks = places.landmarks_of(village.area_id)
    return _landmark(village, landmarks[0]) if landmarks else Option(f"{AREA}{village.area_id}", village.name)


def meant(match: PlaceMatch) -> list[Option]:
    """What words that name a place may mean: one option, or several to choose from."""
    if match.village is None:
        return [
            _landmark(one.village, one.landmark)
            if one.landmark is not None
            else Option(f"{AREA}{one.village.area_id}", one.village.name)
            for one in match.choices
        ]
    names = [match.village.name, *(one.name for one in (match.hamlet, match.landmark) if one is not None)]
    label = " ".join((*names, match.rest) if match.rest else names)[:PLACE_CHARS]
    if match.landmark is not None:
        return [Option(f"{LANDMARK}{match.landmark.landmark_id}", label)]
    return [Option(f"{AREA}{(match.hamlet or match.village).area_id}", label)]


async def search_place(turn: Turn, answers: Mapping[str, Any], said: str) -> Sequence[Option]:
    """What typed words may mean; words that name none are kept, in the person's own village if it is known."""
    words = said.strip()
    if not any(character.isalnum() for character in words) or len(words) > PLACE_CHARS:
        return ()
    home = await home_village(turn)
    match = turn.world.places.find_place(words, home_village_id=home.area_id if home else None)
    if match is not None:
        return meant(match)[:OFFERED_LARGEST]
    if home is None:
        return (Option(WORDS, words, exact=False),)
    return (Option(f"{WORDS}{home.area_id}", f"{home.name} {words}"[:PLACE_CHARS], exact=False),)


def without_village(answers: Answers) -> bool:
    """Whether the place is nothing but words that say no village: then the village is asked for."""
    place = answers.get("place")
    return isinstance(place, dict) and place.get("id", WORDS) == WORDS and place.get("area_id") is None


async def offered_villages(turn: Turn, answers: Mapping[str, Any]) -> Sequence[Option]:
    """The villages a place may be in, first the one where its photo was taken; of too many the first ones."""
    places = turn.world.places
    point = await _photo_point(turn, answers)
    here = places.locate(point) if point is not None else None
    villages = sorted(places.villages, key=lambda one: one is not here) if here is not None else places.villages
    return [_village(one) for one in villages[:VILLAGES_LARGEST]]


async def search_villages(turn: Turn, _: Mapping[str, Any], said: str) -> Sequence[Option]:
    """The villages that typed words name, also by a place that lies in them."""
    match = turn.world.places.find_place(said)
    if match is None:
        return ()
    named = [match.village] if match.village is not None else [choice.village for choice in match.choices]
    return [_village(one) for one in dict.fromkeys(named)][:OFFERED_LARGEST]


def _village(village: Area) -> Option:
    return Option(f"{AREA}{village.area_id}", village.name)


async def place_in_sentence(turn: Turn, said: str) -> tuple[dict[str, Any] | None, bool]:
    """The place that a free sentence names beyond doubt (as a form's answer), and whether it names any at all."""
    home = await home_village(turn)
    match = turn.world.places.find_place(said, home_village_id=home.area_id if home else None)
    if match is None or match.village is None:
        return None, match is not None
    return place_answer(match, said), True


async def spot_of(turn: Turn, answers: Answers) -> Spot:
    """Where the answers of a report say that it is; raises PersonError when that place is no longer known.

    Words without a village are a detail of the village that was asked for.
    """
    world = turn.world
    answer, village = answers["place"], answers.get("village")
    chosen = str(answer.get("id", ""))
    label = str(answer.get("label", ""))[:PLACE_CHARS]
    if village is not None:
        area_id = answering_area(world.places, int(village["id"][1:]))
        return Spot(f"{village['label']} {label}"[:PLACE_CHARS], area_id)
    if chosen[:1] == EARLIER:
        case = await cases.case(turn.tx, int(chosen[1:]))
        if case is None:
            raise PersonError("report_place_gone", step="place")
        return Spot(case.place, case.area_id, case.landmark_id, case.lat, case.lng)
    if chosen[:1] == LANDMARK:
        landmark = world.places.landmarks.get(int(chosen[1:]))
        if landmark is None:
            raise PersonError("report_place_gone", step="place")
        return Spot(
            label, landmark.village_id, landmark.landmark_id, round(landmark.point.lat, 6), round(landmark.point.lng, 6)
        )
    area_id = int(chosen[1:]) if chosen[:1] in (AREA, WORDS) and chosen[1:] else answer.get("area_id")
    return Spot(
        label,
        answering_area(world.places, area_id),
        answer.get("landmark_id"),
        answer.get("lat"),
        answer.get("lng"),
        answer.get("accuracy_m"),
    )


async def first_near(turn: Turn, kind: str, spot: Spot) -> Row | None:
    """The oldest open case of the same kind at the same place, if there was one lately (D47: the first one counts).

    Columns: id, number, received_ms.
    """
    if spot.lat is None or spot.lng is None:
        return None
    policy = turn.world.policy.report
    return await cases.first_near(
        turn.tx,
        kind,
        rules.cells_near(spot.lat, spot.lng, policy.same_place_m),
        since_ms=turn.now_ms - policy.same_place_hours * HOUR_MS,
        lat=spot.lat,
        lng=spot.lng,
        reach=rules.degrees_for(policy.same_place_m, spot.lat),
    )


async def reported_before(turn: Turn, answers: Answers) -> Text | None:
    """What the review says when something of the kind was reported there lately: which number, and how long ago.

    Never who reported it, but to that person.
    """
    try:
        spot = await spot_of(turn, answers)
    except PersonError:
        return None  # said at the submission, with the question once more
    first = await first_near(turn, answers["kind"], spot)
    if first is None:
        return None
    own = await case_vault.is_reporter(turn.tx, first["id"], turn.person.id)
    unit, count = rules.ago(turn.now_ms - first["received_ms"])
    return text(
        "report.before.own" if own else "report.before",
        ago=text(f"ago.{unit}", count=count),
        number=first["number"],
        kind=text(f"form.report.kind.option.{answers['kind']}"),
    )


def answering_area(places: Gazetteer, area_id: int | None) -> int:
    """The village that an area is or lies in; the town for words that name no known place."""
    village = places.village_of(area_id) if area_id is not None else None
    if village is not None:
        return village.area_id
    town = places.town
    assert town is not None, "a township without a town can't be imported"
    return town.area_id
