"""What the ranking sees of a message: runs of symbols, meanings that several words share, and its slots. Pure.

A symbol is a Chinese character, a Latin word, a figure or an opaque slot; punctuation and spaces say nothing, because
people who dictate have none. Dialect and written words that mean the same («啥», «什么») are one *meaning*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from bot.talk.letters import HAN
from bot.talk.understanding.slots import Read

LONGEST_RUN = 3
SYMBOLS_LARGEST = 160  # of a longer message the beginning tells the matter
STEM = 4
PAIRED = 4  # meanings so near to each other are one feature, too
_SYMBOL = re.compile(rf"[{HAN}]|[a-z']+|[0-9]+|[?？]")
_EDGES = ("^", "$")


class Meanings:
    """Words that mean the same, compiled once. `alike`: word → the name of its meaning."""

    def __init__(self, alike: Mapping[str, str]) -> None:
        self._of = {word.lower(): f"={meaning}" for word, meaning in alike.items()}
        words = sorted(self._of, key=len, reverse=True)
        self._words = re.compile("|".join(_bounded(one) for one in words) or "(?!)")

    def features(self, read: Read) -> list[str]:
        """The features of a message, each once, in a fixed order."""
        plain: list[str] = []
        meant: list[str] = []
        for piece in read.pieces():
            if not isinstance(piece, str) and piece.opaque:
                plain.append(f"<{piece.kind}>")
                meant.append(plain[-1])
                continue
            words = (piece if isinstance(piece, str) else read.words(piece)).lower()
            plain += _plain(words)
            meant += self._meant(words)
            if len(plain) >= SYMBOLS_LARGEST:
                break
        found = dict.fromkeys(plain := plain[:SYMBOLS_LARGEST])
        for length in range(2, LONGEST_RUN + 1):
            found.update(dict.fromkeys(_runs(plain, length)))
        found.update(dict.fromkeys(f"{one[:STEM]}~" for one in plain if len(one) > STEM and one.isalpha()))
        found.update(dict.fromkeys(_of_meanings(meant[:SYMBOLS_LARGEST])))
        found.update(dict.fromkeys(f"[{slot.kind}]" for slot in read.slots))
        return list(found)

    def _meant(self, words: str) -> Iterator[str]:
        at = 0
        for one in self._words.finditer(words):
            yield from _plain(words[at : one.start()])
            yield self._of[one.group()]
            at = one.end()
        yield from _plain(words[at:])


def _bounded(word: str) -> str:
    """A word as it is looked for: one of Latin letters only as a whole."""
    return rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)


def _plain(words: str) -> Iterator[str]:
    for one in _SYMBOL.findall(words):
        yield "#" if one.isdigit() else one


def _runs(symbols: list[str], length: int) -> Iterator[str]:
    edged = [_EDGES[0], *symbols, _EDGES[1]]
    return (" ".join(edged[at : at + length]) for at in range(len(edged) - length + 1))


def _of_meanings(symbols: list[str]) -> Iterator[str]:
    """Each meaning, each with what stands beside it, and those that stand near each other in any order."""
    edged = [_EDGES[0], *symbols, _EDGES[1]]
    for left, right in pairwise(edged):
        if left[0] == "=" or right[0] == "=":
            yield f"{left}/{right}"
    told = [one for one in symbols if one[0] in "=<"]
    for at, one in enumerate(told):
        yield one
        for other in told[at + 1 : at + PAIRED]:
            if other != one:
                yield "&".join(sorted((one, other)))


def read_alike(lines: Iterable[str]) -> dict[str, str]:
    """Read «what: 什么 啥 甚么»: a meaning and its words, a line each; «|» between words that hold spaces.

    Raises ValueError for a word that has two meanings.
    """
    found: dict[str, str] = {}
    for line in lines:
        meaning, colon, words = line.strip().partition(":")
        if not colon or line.startswith("#"):
            continue
        for word in (one.strip() for one in (words.split("|") if "|" in words else words.split())):
            if word and found.setdefault(word, meaning) != meaning:
                raise ValueError(f"{word} means {found[word]} and {meaning}")
    return found
