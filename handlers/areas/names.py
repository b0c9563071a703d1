"""Find the places a Chinese sentence names: of all readings the one that explains most letters."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from handlers.areas.places import Area, Landmark, PlaceChoice, PlaceMatch

MAX_CHARS = 500
HITS_LARGEST = 4  # of a kind and a village: a sentence that names more of them is no place
WIDER = ("自治区", "自治县", "街道", "镇", "乡", "县", "区", "市", "省")
S = TypeVar("S", Area, Landmark)
_GLUE = "的里在边上附近旁跟前 ,，、:："


@dataclass(frozen=True, slots=True)
class Hit:
    """A name at a place of the sentence, and what has it."""

    start: int
    name: str
    found: Sequence[Any]

    @property
    def end(self) -> int:
        """Where the name ends."""
        return self.start + len(self.name)


class Names:
    """Names by their first letter."""

    def __init__(self, by_name: Mapping[str, Sequence[Any]]) -> None:
        self._by_first: dict[str, list[tuple[str, Sequence[Any]]]] = {}
        for name, found in by_name.items():
            if name:
                self._by_first.setdefault(name[0], []).append((name, found))

    def __iter__(self) -> Iterator[str]:
        return (name for named in self._by_first.values() for name, _ in named)

    def hits(self, said: str) -> list[Hit]:
        """Every place at which a name stands, also inside another one."""
        return [
            Hit(at, name, found)
            for at, letter in enumerate(said)
            for name, found in self._by_first.get(letter, ())
            if said.startswith(name, at)
        ]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the sentence: names that don't overlap, and what they name."""

    village: Hit | None = None
    hamlet: Hit | None = None
    landmark: Hit | None = None
    wider: tuple[Hit, ...] = ()

    @property
    def own(self) -> tuple[Hit, ...]:
        """The names of the place itself, the largest first."""
        return tuple(hit for hit in (self.village, self.hamlet, self.landmark) if hit is not None)

    @property
    def letters(self) -> int:
        """How many letters it explains."""
        return sum(len(hit.name) for hit in (*self.own, *self.wider))

    @property
    def rank(self) -> tuple[int, bool, int]:
        """More letters first; then a landmark after its village; then what stands first."""
        after = self.landmark is None or self.village is None or self.landmark.start >= self.village.end
        return self.letters, after, -min((hit.start for hit in self.own), default=0)

    def covers(self, hit: Hit) -> bool:
        """Whether letters of a name are explained as something else."""
        return any(_overlap(hit, other) for other in (*self.own, *self.wider))

    def rest(self, said: str) -> str:
        """The sentence without the names, those of wider places too."""
        for hit in sorted((*self.own, *self.wider), key=lambda one: -one.start):
            said = f"{said[: hit.start]} {said[hit.end :]}"
        return " ".join(said.strip(_GLUE).split())

    def words(self) -> str:
        """The names as they were said."""
        return "".join(hit.name for hit in self.own)


class NameFinder:
    """Compiled once from the villages, their hamlets and landmarks, and the names of the places around them."""

    def __init__(
        self,
        villages: Sequence[Area],
        hamlets: Mapping[int, Sequence[Area]],
        landmarks: Mapping[int, Sequence[Landmark]],
        wider: Iterable[str] = (),
    ) -> None:
        """`wider`: the names of township, county and province, which are set aside («青禾塬镇李家湾村»)."""
        self._villages = Names(_by_name((village, _village_names(village)) for village in villages))
        ids = [village.area_id for village in villages]
        self._hamlets = {key: Names(_by_name(map(_names, hamlets.get(key, ())))) for key in ids}
        by_village = {key: _by_name(map(_names, landmarks.get(key, ()))) for key in ids}
        self._landmarks = {key: Names(names) for key, names in by_village.items()}
        by_id = {village.area_id: village for village in villages}
        everywhere: dict[str, list[PlaceChoice]] = {}
        for village_id, names in by_village.items():
            for name, found in names.items():
                everywhere.setdefault(name, []).extend(PlaceChoice(by_id[village_id], one) for one in found)
        self._everywhere = Names(everywhere)
        everything = {name for named in (self._villages, *self._hamlets.values(), self._everywhere) for name in named}
        self.pattern = _any_of({*everything, *(name for one in wider for name in _wider_names(one))})
        self._wider = Names({name: (None,) for one in wider for name in _wider_names(one)})

    def find(self, text: str, home_village_id: int | None) -> PlaceMatch | None:
        """See `Gazetteer.find_place`."""
        said = unicodedata.normalize("NFKC", text)[:MAX_CHARS]
        wider = self._wider.hits(said)
        mentions = self._villages.hits(said)
        readings = self._readings(said, mentions, wider)
        alone = self._landmark_alone(said, wider, home_village_id)
        if not readings:
            return alone[1]
        best = max(readings.values(), key=lambda one: one.rank)
        if alone[0].letters > best.letters and all(alone[0].covers(hit) for hit in mentions):
            return alone[1]  # what looked like a village was the beginning of a wider name
        rivals = {
            area_id: one
            for area_id, one in readings.items()
            if one.rank == best.rank or not any(best.covers(hit) for hit in one.own[:1])
        }
        exact = {area_id: one for area_id, one in rivals.items() if one.landmark or one.hamlet}
        chosen = exact or rivals
        if len(chosen) == 1:
            return _match(said, next(iter(chosen.values())), next(iter(chosen)))
        choices = tuple(choice for area_id, one in chosen.items() if (choice := _choice(one, area_id)))
        return PlaceMatch(None, None, None, next(iter(chosen.values())).words(), said, choices)

    def _readings(self, said: str, mentions: Sequence[Hit], wider: Sequence[Hit]) -> dict[int, Reading]:
        """The best reading for each village that may be named, in the order of the sentence."""
        found: dict[int, Reading] = {}
        ids = dict.fromkeys(village.area_id for hit in mentions for village in hit.found)
        for area_id in ids:
            own = [hit for hit in mentions if any(village.area_id == area_id for village in hit.found)]
            ways = itertools.product(
                _longest(own),
                (None, *_longest(self._hamlets[area_id].hits(said))),
                (None, *_longest(self._landmarks[area_id].hits(said))),
            )
            readings = (
                Reading(village, hamlet, landmark, _aside(wider, village, hamlet, landmark))
                for village, hamlet, landmark in ways
                if _apart(village, hamlet, landmark)
            )
            found[area_id] = max(readings, key=lambda one: one.rank)
        return found

    def _landmark_alone(
        self, said: str, wider: Sequence[Hit], home_village_id: int | None
    ) -> tuple[Reading, PlaceMatch | None]:
        """The best reading without any village: a landmark's name, or nothing but wider names."""
        ways = [Reading(landmark=hit, wider=_aside(wider, hit)) for hit in self._everywhere.hits(said)]
        if not ways:
            return Reading(wider=_aside(wider)), None
        reading = max(ways, key=lambda one: (one.letters, len(one.words())))
        hit = reading.landmark
        assert hit is not None
        at_home = [choice for choice in hit.found if choice.village.area_id == home_village_id]
        chosen = at_home or (hit.found if len(hit.found) == 1 else [])
        rest = reading.rest(said)
        if chosen:
            return reading, PlaceMatch(chosen[0].village, None, chosen[0].landmark, hit.name, rest)
        return reading, PlaceMatch(None, None, None, hit.name, rest, tuple(hit.found))


def _any_of(names: Collection[str]) -> re.Pattern[str]:
    """Any of some names, the longest first, with what is said around a place behind it («桥头底下»)."""
    several = sorted((name for name in names if len(name) > 1), key=lambda one: (-len(one), one))
    around = "(?:底下|跟前|门口|后头|前头|旁边|边上|附近|里头|上头|对面)?"
    return re.compile(f"(?:{'|'.join(map(re.escape, several))}){around}") if several else re.compile("(?!)")


def _match(said: str, reading: Reading, area_id: int) -> PlaceMatch:
    assert reading.village is not None
    village = next(one for one in reading.village.found if one.area_id == area_id)
    hamlet = reading.hamlet.found[0] if reading.hamlet else None
    landmark = reading.landmark.found[0] if reading.landmark else None
    return PlaceMatch(village, hamlet, landmark, reading.words(), reading.rest(said))


def _choice(reading: Reading, area_id: int) -> PlaceChoice:
    assert reading.village is not None
    village = next(one for one in reading.village.found if one.area_id == area_id)
    return PlaceChoice(village, reading.landmark.found[0] if reading.landmark else None)


def _apart(*hits: Hit | None) -> bool:
    there = [hit for hit in hits if hit is not None]
    return not any(_overlap(one, other) for one, other in itertools.combinations(there, 2))


def _aside(wider: Sequence[Hit], *taken: Hit | None) -> tuple[Hit, ...]:
    """The wider names beside those taken, the longest first where two overlap."""
    kept: list[Hit] = []
    for hit in sorted(wider, key=lambda one: -len(one.name)):
        if not any(_overlap(hit, other) for other in (*taken, *kept) if other is not None):
            kept.append(hit)
    return tuple(kept)


def _longest(hits: Sequence[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda one: -len(one.name))[:HITS_LARGEST]


def _overlap(one: Hit, other: Hit) -> bool:
    return one.start < other.end and other.start < one.end


def _names(spot: S) -> tuple[S, tuple[str, ...]]:
    return spot, (spot.name, *spot.aliases)


def _village_names(village: Area) -> tuple[str, ...]:
    short = village.name.removesuffix("村")
    return (village.name, *village.aliases, *((short, short + "村") if len(short) > 1 else ()))


def _by_name(named: Iterable[tuple[S, Iterable[str]]]) -> dict[str, list[S]]:
    found: dict[str, list[S]] = {}
    for spot, names in named:
        for name in dict.fromkeys(unicodedata.normalize("NFKC", one) for one in names):
            found.setdefault(name, []).append(spot)
    return found


def _wider_names(name: str) -> tuple[str, ...]:
    """A township, county or province with its kind and without it."""
    plain = unicodedata.normalize("NFKC", name)
    kind = next((one for one in WIDER if plain.endswith(one) and len(plain) - len(one) > 1), "")
    return tuple(one for one in dict.fromkeys((plain, plain.removesuffix(kind))) if one)
