"""Example sentences as a township or a translator writes them. Pure.

A file has sections «[saying]» with a sentence a line; «#» begins a remark. «{place}» stands for any slot of that kind:
which one it is teaches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.talk.frozen import dataclass
from bot.talk.understanding.slots import Read, Reader, Slot, read

_HEAD = re.compile(r"\[([a-z_]+)\]")
_HOLE = re.compile(r"\{([a-z]+)\}")
_FILLED = "\u25a1"  # stands where a hole is; no reader takes it for a word


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence and the saying that it is an example of."""

    saying: str
    words: str


def read_examples(lines: Iterable[str]) -> Iterator[Example]:
    """Read a file of examples; raises ValueError for a sentence that stands in no section."""
    saying = ""
    for number, line in enumerate(lines, start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        head = _HEAD.fullmatch(words)
        if head:
            saying = head[1]
        elif not saying:
            raise ValueError(f"line {number}: «{words}» stands in no section")
        else:
            yield Example(saying, words)


def read_example(words: str, readers: Sequence[Reader]) -> Read:
    """Read an example sentence: its holes are slots of their kind, the rest as any message is read."""
    said, holes, at = "", [], 0
    for hole in _HOLE.finditer(words):
        said += words[at : hole.start()]
        holes.append(Slot(hole[1], len(said), len(said) + len(_FILLED)))
        said, at = said + _FILLED, hole.end()
    said += words[at:]
    tidy = " ".join(said.split())
    if tidy != said:
        raise ValueError(f"«{words}» has spaces to spare")
    return read(said, (lambda _: holes, *readers))
