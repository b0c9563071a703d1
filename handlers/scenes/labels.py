"""What is printed beside each code. Of a household the village and the card's number, nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.talk.messages import Text, Words, text
from handlers.areas import codes
from handlers.areas.index import Gazetteer
from handlers.areas.places import Area
from storage.database import Tx
from storage.people import households


@dataclass(frozen=True, slots=True)
class Label:
    """One code: its scene, on which sheet it stands, what it is called, where it is, what it is good for."""

    scene: str
    group: Text
    title: Words
    place: str
    hint: Text


async def labels(tx: Tx, places: Gazetteer, kinds: Collection[str], village: Area | None = None) -> Sequence[Label]:
    """The labels of these kinds (`codes.KINDS`), of one village or of all, village by village."""
    order = {one.area_id: at for at, one in enumerate(places.villages)}
    chosen = order if village is None else {village.area_id: 0}
    found: list[Label] = []
    if "station" in kinds:
        stations = [one for one in places.stations if one.village_id in chosen]
        stations.sort(key=lambda one: (chosen[one.village_id], one.code))
        found += [_spot(places, "station", codes.of_station(one), one.name, one.village_id) for one in stations]
    if "sign" in kinds:
        spots = sorted(places.landmarks.values(), key=lambda one: (chosen.get(one.village_id, -1), one.name))
        found += [
            _spot(places, "sign", codes.of_landmark(places, one), one.name, one.village_id)
            for one in spots
            if one.village_id in chosen
        ]
    if "door" in kinds:
        rows = await households.cards(tx, village_id=village.area_id if village is not None else None)
        ordered = sorted((chosen[row["village_id"]], row["card_no"], row["village_id"]) for row in rows)
        found += [_door(places, card_no, village_id) for _, card_no, village_id in ordered]
    return found


def _spot(places: Gazetteer, kind: codes.Kind, scene: str, name: str, village_id: int) -> Label:
    hint, group = text(f"label.{kind}.hint"), text(f"label.{kind}.group")
    return Label(scene, group, name, places.areas[village_id].name, hint)


def _door(places: Gazetteer, card_no: str, village_id: int) -> Label:
    village = places.areas[village_id].name
    return Label(
        codes.of_household(card_no),
        text("label.door.group", village=village),
        text("label.door.title", card=card_no),
        village,
        text("label.door.hint"),
    )
