"""What people may say, as it lies beside the texts: `locales/<language>/sayings/*.txt`, and the model learnt from it.

`alike.txt` has words that mean the same, `always.txt` those that always win, every other file example sentences.
`digest` tells whether the stored model
was learnt from these very sentences, read in this very way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from bot.talk.understanding.examples import Example, read_examples
from bot.talk.understanding.features import Meanings, read_alike
from bot.talk.understanding.model import Model

LOCALES = Path(__file__).parents[2] / "locales"
MODEL = LOCALES / "sayings.json"
ALIKE = "alike.txt"
ALWAYS = "always.txt"
_TALK = Path(__file__).parents[1] / "talk"
_WAYS_OF_READING = ("numerals.py", "quantity.py", "understanding/*.py")


def files() -> Iterator[Path]:
    """All files of sentences and of words alike, in a fixed order."""
    yield from sorted(LOCALES.glob("*/sayings/*.txt"))


def examples() -> Iterator[Example]:
    """All example sentences of all languages."""
    for path in files():
        if path.name not in (ALIKE, ALWAYS):
            yield from read_examples(path.read_text("utf-8").splitlines())


def alike() -> dict[str, str]:
    """Words of all languages → the name of what they mean."""
    found: dict[str, str] = {}
    for path in files():
        if path.name == ALIKE:
            found |= read_alike(path.read_text("utf-8").splitlines())
    return found


def digest() -> str:
    """What a model is learnt from, in one word: it changes with any sentence and with the way they are read."""
    seen = hashlib.sha256()
    for path in (*files(), *(one for pattern in _WAYS_OF_READING for one in sorted(_TALK.glob(pattern)))):
        seen.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return seen.hexdigest()[:16]


@lru_cache(maxsize=1)
def meanings() -> Meanings:
    """The words alike, compiled once."""
    return Meanings(alike())


@lru_cache(maxsize=1)
def model() -> Model:
    """The stored model, loaded when the first words are understood."""
    return Model(json.loads(MODEL.read_text("utf-8")))


def always(said: str) -> str:
    """The saying that words always are, whatever else they say (fire, erase, stop), or ""."""
    hits = (saying for words, but, saying in _always() if words in said and not any(one in said for one in but))
    return next(hits, "")


@lru_cache(maxsize=1)
def _always() -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """The table of `always.txt`: words, the words beside which they don't count, their saying."""
    found = []
    for path in files():
        if path.name == ALWAYS:
            for one in read_examples(path.read_text("utf-8").splitlines()):
                words, *but = one.words.split(" !")
                found.append((words, tuple(but), one.saying))
    return tuple(found)
