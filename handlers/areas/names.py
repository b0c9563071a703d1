"""Find the places a Chinese sentence names: longest name first, no dictionary of words needed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from handlers.areas.places import Area, Landmark, PlaceChoice, PlaceMatch

MAX_CHARS = 500
Spot = Area | Landmark
S = TypeVar("S", Area, Landmark)
_GLUE = "的里在边上附近旁跟前 ,，、:："


class NameFinder:
    """Compiled once from the villages, their hamlets and landmarks."""

    def __init__(
        self,
        villages: Sequence[Area],
        hamlets: Mapping[int, Sequence[Area]],
        landmarks: Mapping[int, Sequence[Landmark]],
    ) -> None:
        self._villages = _by_name((village, _village_names(village)) for village in villages)
        ids = [village.area_id for village in villages]
        self._hamlets = {key: _by_name(map(_names, hamlets.get(key, ()))) for key in ids}
        self._landmarks = {key: _by_name(map(_names, landmarks.get(key, ()))) for key in ids}
        self._by_id = {village.area_id: village for village in villages}
        self._any_village = _pattern(self._villages)
        self._landmark_in = {key: _pattern(names) for key, names in self._landmarks.items()}
        self._hamlet_in = {key: _pattern(names) for key, names in self._hamlets.items()}
        everywhere: dict[str, list[PlaceChoice]] = {}
        for village_id, names in self._landmarks.items():
            for name, found in names.items():
                everywhere.setdefault(name, []).extend(PlaceChoice(self._by_id[village_id], one) for one in found)
        self._everywhere = everywhere
        self._any_landmark = _pattern(everywhere)

    def find(self, text: str, home_village_id: int | None) -> PlaceMatch | None:
        """See `Gazetteer.find_place`."""
        said = unicodedata.normalize("NFKC", text)[:MAX_CHARS]
        mentions = list(self._any_village.finditer(said)) if self._villages else []
        named = {one.area_id: one for hit in mentions for one in self._villages[hit.group()]}
        if not named:
            return self._landmark_alone(said, home_village_id)
        matches = [self._within(said, hit, one) for hit in mentions for one in self._villages[hit.group()]]
        exact = [match for match in matches if match.landmark or match.hamlet]
        if len(named) == 1:
            return (exact or matches)[0]
        best = exact if exact else matches
        if len({match.village.area_id for match in best if match.village}) == 1:
            return best[0]
        choices = tuple(PlaceChoice(match.village, match.landmark) for match in best if match.village)
        return PlaceMatch(None, None, None, best[0].said, said, choices)

    def _within(self, said: str, hit: re.Match[str], village: Area) -> PlaceMatch:
        """The landmark and hamlet named after the village (or, failing that, before it)."""
        after, before = said[hit.end() :], said[: hit.start()]
        hamlet_hit = self._first(self._hamlet_in[village.area_id], after)
        landmark_hit = self._first(self._landmark_in[village.area_id], after) or self._first(
            self._landmark_in[village.area_id], before
        )
        hamlet = self._hamlets[village.area_id][hamlet_hit][0] if hamlet_hit else None
        landmark = self._landmarks[village.area_id][landmark_hit][0] if landmark_hit else None
        words = [hit.group(), *(word for word in (hamlet_hit, landmark_hit) if word)]
        return PlaceMatch(village, hamlet, landmark, "".join(words), _without(said, words))

    @staticmethod
    def _first(pattern: re.Pattern[str], text: str) -> str | None:
        found = pattern.search(text)
        return found.group() if found else None

    def _landmark_alone(self, said: str, home_village_id: int | None) -> PlaceMatch | None:
        if not self._everywhere:
            return None
        hits = [hit.group() for hit in self._any_landmark.finditer(said)]
        if not hits:
            return None
        word = max(hits, key=len)
        choices = self._everywhere[word]
        at_home = [choice for choice in choices if choice.village.area_id == home_village_id]
        chosen = at_home or (choices if len(choices) == 1 else [])
        if chosen:
            return PlaceMatch(chosen[0].village, None, chosen[0].landmark, word, _without(said, [word]))
        return PlaceMatch(None, None, None, word, _without(said, [word]), tuple(choices))


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


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Matches the longest name at a position; nothing at all when there are no names."""
    ordered = sorted(names, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)) if ordered else r"(?!)")


def _without(said: str, words: Iterable[str]) -> str:
    for word in words:
        said = said.replace(word, " ", 1)
    return " ".join(said.strip(_GLUE).split())
