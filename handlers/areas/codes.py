"""What a printed code stands for: a station, a sign at a landmark, a household's door. Pure.

A scene is spelt with the register's own names, not with ids of rows: a sign of metal outlives a database that had to
be imported anew. It has letters, digits, `_` and `-` only and at most 32 of them, so that it fits a scene of
WeChat's, a start parameter of Telegram's, a link and a button.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from handlers.areas.index import Gazetteer
from handlers.areas.places import Landmark, Station
from handlers.areas.rules import card_number

Kind = Literal["station", "sign", "door"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HASHED = "-"  # begins a code that stands for words which a scene can't hold
HASH_CHARS = 16
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,23}")
_SCENE = rf"({'|'.join(KINDS)})-([A-Za-z0-9_-]{{1,24}})(?![A-Za-z0-9_-])"
_ALONE = re.compile(_SCENE)
_IN_LINK = re.compile(rf"[?&](?:join|start)={_SCENE}")


@dataclass(frozen=True, slots=True)
class Scene:
    """A printed code, read. `code`: see `station_with`, `landmark_with`; a door's is its card's number."""

    kind: Kind
    code: str


def read(said: str) -> Scene | None:
    """The scene that words are, alone or in a link; None when they are none."""
    found = _ALONE.fullmatch(said.strip()) or _IN_LINK.search(said)
    return Scene(cast(Kind, found[1]), found[2]) if found else None


def of_station(station: Station) -> str:
    """The scene of a station."""
    return f"station-{_station_code(station)}"


def of_landmark(places: Gazetteer, landmark: Landmark) -> str:
    """The scene of a sign at a landmark."""
    return f"sign-{_landmark_code(places, landmark)}"


def of_household(card_no: str) -> str:
    """The scene of a household's door."""
    return f"door-{card_no}"


def station_with(places: Gazetteer, code: str) -> Station | None:
    """The station of a scene's code."""
    return next((one for one in places.stations if _station_code(one) == code), None)


def landmark_with(places: Gazetteer, code: str) -> Landmark | None:
    """The landmark of a scene's code."""
    return next((one for one in places.landmarks.values() if _landmark_code(places, one) == code), None)


def card_with(code: str) -> str | None:
    """The card number of a door's code."""
    return card_number(code)


def _station_code(station: Station) -> str:
    return station.code if _PLAIN.fullmatch(station.code) else HASHED + _hash(station.code)


def _landmark_code(places: Gazetteer, landmark: Landmark) -> str:
    """A landmark has no number of its own: its village's code and its name are what an import knows it by."""
    return _hash(f"{places.areas[landmark.village_id].code} {landmark.name}")


def _hash(words: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(words.encode()).digest()).decode()[:HASH_CHARS]
