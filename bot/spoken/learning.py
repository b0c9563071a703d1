"""Learn the model of `locales/sayings.json` from the example sentences: `make learn`.

Logistic regression over all sayings at once, in its dual form: a weight for each pair of sentence and saying, by which
the sentences' own features are added up. The sentences are few (thousands) and the features many (ten thousands), so
that this takes seconds. It starts from nothing and has no chance in it: the same sentences give the same decisions.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log, sqrt
from typing import Any

import numpy as np

from bot.spoken import stored
from bot.talk.understanding.examples import Example, read_example
from bot.talk.understanding.model import STEPS
from bot.talk.understanding.readers import READERS

ROUNDS = 200
PULL = 5e-6  # the weight decay: how much a sentence must surprise to be learnt by heart
SMALLEST = 0.15  # weights below it are left out


def learn(examples: Sequence[Example]) -> dict[str, Any]:
    """Learn a model from sentences: what `Model` takes. Raises ValueError for a sentence that can't be read."""
    meanings = stored.meanings()
    sentences = [meanings.features(read_example(one.words, READERS)) for one in examples]
    sayings = sorted({one.saying for one in examples})
    truth = np.array([sayings.index(one.saying) for one in examples])
    seen = Counter(feature for sentence in sentences for feature in sentence)
    rare = {feature: round(log(1 + len(sentences) / count), 2) for feature, count in seen.items()}
    lengths = [sqrt(sum(rare[one] ** 2 for one in sentence)) or 1.0 for sentence in sentences]
    alike = _alike(sentences, rare, lengths)
    parts, bias = _solve(alike, truth, len(sayings))
    weights: dict[str, Any] = defaultdict(lambda: np.zeros(len(sayings)))
    for sentence, length, part in zip(sentences, lengths, parts, strict=True):
        for one in sentence:
            weights[one] += part * (rare[one] / length)
    return {
        "sayings": sayings,
        "bias": [round(float(one) * STEPS) for one in bias],
        "unknown": round(log(1 + len(sentences)) * STEPS / 2),
        "features": {one: _row(rare[one], weights[one]) for one in sorted(weights)},
    }


def _alike(sentences: Sequence[Sequence[str]], rare: dict[str, float], lengths: Sequence[float]) -> Any:
    """How alike each two sentences are: the cosine of their features."""
    holders: dict[str, list[int]] = defaultdict(list)
    for number, sentence in enumerate(sentences):
        for one in sentence:
            holders[one].append(number)
    alike = np.zeros((len(sentences), len(sentences)))
    for feature, held in holders.items():
        at = np.array(held)
        alike[np.ix_(at, at)] += rare[feature] ** 2
    size = np.array(lengths)
    return alike / size[:, None] / size[None, :]


def _solve(alike: Any, truth: Any, count: int) -> tuple[Any, Any]:
    """Weights for (sentence, saying) and a bias for each saying, by accelerated gradient steps in the dual."""
    told = np.eye(count)[truth]
    number = len(truth)
    step = 2.0 / (np.linalg.eigvalsh(alike)[-1] / number + PULL)
    parts, before, bias = np.zeros_like(told), np.zeros_like(told), np.log(told.mean(axis=0) + 1 / number)
    for turn in range(ROUNDS):
        ahead = parts + (turn / (turn + 3)) * (parts - before)
        scores = alike @ ahead + bias
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        before, parts = parts, ahead - step * ((chances - told) / number + PULL * ahead)
    return parts, bias


def _row(rare: float, weights: Any) -> list[int]:
    """A feature as it is stored: how rare it is, then a saying's place and its weight, again and again."""
    row = [round(rare * STEPS)]
    for place in np.flatnonzero(np.abs(weights) >= SMALLEST):
        row += [int(place), round(float(weights[place]) * STEPS)]
    return row


def store(model: dict[str, Any], digest: str) -> str:
    """A model as text, a feature a line, so that a change of few sentences is a change of few lines."""
    head = {"learnt_from": digest, **{name: part for name, part in model.items() if name != "features"}}
    rows = ((json.dumps(one, ensure_ascii=False), row) for one, row in model["features"].items())
    lines = (f"{one}:{json.dumps(row, separators=(',', ':'))}" for one, row in rows)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]},\n"features":{{\n' + ",\n".join(lines) + "\n}}\n"


def main() -> None:
    """Learn, and write what was learnt."""
    stored.MODEL.write_text(store(learn(list(stored.examples())), stored.digest()), "utf-8")


if __name__ == "__main__":
    main()
