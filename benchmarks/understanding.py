"""How well and how fast words are understood: `make bench`, or `python -m benchmarks.understanding` with the table."""

from __future__ import annotations

import time
import tracemalloc

from bot.spoken import stored
from bot.talk.understanding.readers import READERS
from bot.talk.understanding.slots import read
from tests.understanding.example import LONG, hears, sentences, world
from tests.understanding.matrix import judged

ROUNDS = 5
SHOWN = 15


def _load() -> None:
    """Load what is loaded when the first words are understood."""
    stored.model.cache_clear()
    stored.meanings.cache_clear()
    stored.model()
    stored.meanings()


def _long_ms(words: str) -> float:
    """The least of some rounds with a message as long as can be."""
    taken_ms = []
    for _ in range(ROUNDS):
        began = time.process_time()
        stored.model().rank(stored.meanings().features(read(words, READERS)))
        taken_ms.append((time.process_time() - began) * 1_000)
    return min(taken_ms)


def run() -> dict[str, float]:
    """Understand the test sentences; print what is taken for what, and give the figures."""
    began = time.process_time()
    _load()
    loading_ms = (time.process_time() - began) * 1_000
    tracemalloc.start()
    _load()
    mib = tracemalloc.get_traced_memory()[0] / 1_048_576
    tracemalloc.stop()
    model = stored.model()
    lines, _ = sentences(), world()
    found = judged(lines)
    began = time.process_time()
    for _ in range(ROUNDS):
        for line in lines:
            hears(line.role, line.words)
    whole_ms = (time.process_time() - began) * 1_000 / (ROUNDS * len(lines))
    features = [stored.meanings().features(read(line.words, READERS)) for line in lines]
    began = time.process_time()
    for _ in range(ROUNDS):
        for one in features:
            model.rank(one)
    rank_ms = (time.process_time() - began) * 1_000 / (ROUNDS * len(lines))
    longest_ms = max(_long_ms(words) for words in LONG)
    for (said, taken), count in found.taken.most_common(SHOWN):
        print(f"  {count:3}  {said:14} taken for {taken}")
    figures = {
        "understanding.right_at_once": found.right_at_once,
        "understanding.right_or_offered": found.right_or_offered,
        "understanding.falsely_reported": found.falsely_reported,
        "understanding.message_ms": whole_ms,
        "understanding.rank_ms": rank_ms,
        "understanding.longest_ms": longest_ms,
        "understanding.model_mib": mib,
        "understanding.loading_ms": loading_ms,
    }
    for name, value in figures.items():
        print(f"  {name:32} {value:.3f}")
    return figures


if __name__ == "__main__":
    run()
