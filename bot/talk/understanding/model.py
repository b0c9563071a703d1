"""The ranking: which of the things that can be said a message is, and how sure that is. Pure, without any library.

A model of one weight for each feature and saying; how they are learnt is `bot/spoken/learning.py`, where they are
stored `locales/model.json`. The features of a message are weighted by how rare they are, added up and made chances.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, sqrt
from typing import Any

from bot.talk.frozen import dataclass

STEPS = 100  # a stored weight of 1.0
OWN_ALIKE = 0.55  # from here on a township's own sentence is what was said; the cosine of their features
OWN_WEIGHT = 6.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A saying and its chance, 0 to 1."""

    saying: str
    chance: float


@dataclass(frozen=True, slots=True)
class Own:
    """A township's own example: its saying, its features and their length."""

    saying: int
    features: frozenset[str]
    length: float


class Model:
    """Weights of features for sayings. `stored` is what `learning` writes: sayings, bias, features, rare."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.sayings: tuple[str, ...] = tuple(stored["sayings"])
        self._bias = [weight / STEPS for weight in stored["bias"]]
        # feature → how rare it is, then pairs of a saying's place and its weight
        self._features: Mapping[str, Sequence[int]] = stored["features"]
        self._unknown = stored["unknown"] / STEPS

    def rank(self, features: Sequence[str], own: Iterable[Own] = ()) -> list[Ranked]:
        """All sayings with their chances, the likeliest first; the same features give the same list everywhere."""
        known = [row for one in features if (row := self._features.get(one)) is not None]
        strange = len(features) - len(known)
        length = sqrt(sum(row[0] * row[0] for row in known) / (STEPS * STEPS) + strange * self._unknown**2) or 1.0
        sums = [0] * len(self.sayings)
        for row in known:
            rare = row[0]
            for at in range(1, len(row), 2):
                sums[row[at]] += rare * row[at + 1]
        scale = 1 / (STEPS * STEPS * length)
        scores = [bias + total * scale for bias, total in zip(self._bias, sums, strict=True)]
        for saying, alike in self._alike(features, length, own):
            scores[saying] += OWN_WEIGHT * alike
        return self._chances(scores)

    def own(self, saying: str, features: Sequence[str]) -> Own:
        """A township's own example, ready to compare. Raises ValueError for a saying that nobody declares."""
        return Own(self.sayings.index(saying), frozenset(features), self._length(features))

    def _length(self, features: Iterable[str]) -> float:
        return sqrt(sum(self._rare(one) ** 2 for one in features)) or 1.0

    def _rare(self, feature: str) -> float:
        row = self._features.get(feature)
        return self._unknown if row is None else row[0] / STEPS

    def _alike(self, features: Sequence[str], length: float, own: Iterable[Own]) -> Iterable[tuple[int, float]]:
        for one in own:
            shared = sum(self._rare(feature) ** 2 for feature in features if feature in one.features)
            alike = shared / (length * one.length)
            if alike >= OWN_ALIKE:
                yield one.saying, alike

    def _chances(self, scores: Sequence[float]) -> list[Ranked]:
        highest = max(scores)
        raised = [exp(score - highest) for score in scores]
        total = sum(raised)
        ranked = (Ranked(saying, one / total) for saying, one in zip(self.sayings, raised, strict=True))
        return sorted(ranked, key=lambda one: (-one.chance, one.saying))
