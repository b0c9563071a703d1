"""What stands in a message: weights, days, places, plates, each with the span of its words. Pure.

A reader is a function of the tidied words that finds slots of its own kinds; the product adds readers for what only
it knows. Readers are given strongest first: where two slots overlap the earlier reader's stays, of one reader's own
the longer one, so that spans never overlap and what is left over is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bot.talk import letters
from bot.talk.frozen import dataclass
from bot.talk.numerals import FORMAL

LONGEST = 1_000  # characters that are read; what stands behind them is kept by whoever keeps the words
_POINT = re.compile(r"(?<=[0-9])[。｡·•・‧](?=[0-9])")  # a phone's keyboard has them where the point is
# «叁拾斤», as account books have it; elsewhere these letters are a name's (陆建国) or another word's (收拾).
_CAPITALS = re.compile("(?<!收)[壹贰叁肆伍陆柒捌玖拾佰仟萬貳參叄陸點]+(?= ?(?:公斤|千克|斤|吨|立方|方))")


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of a message with its meaning. `said[start:end]` are its words.

    `opaque`: which words they are tells nothing of the matter (a name, a number), only that such a thing stands there.
    """

    kind: str
    start: int
    end: int
    value: Any = None
    opaque: bool = True


Reader = Callable[[str], Iterable[Slot]]


@dataclass(frozen=True, slots=True)
class Read:
    """Tidied words and their slots, in their order."""

    said: str
    slots: tuple[Slot, ...] = ()

    def of(self, *kinds: str) -> list[Slot]:
        """The slots of some kinds, in their order."""
        return [slot for slot in self.slots if slot.kind in kinds]

    def first(self, kind: str) -> Any:
        """The value of the first slot of a kind, or None."""
        return next((slot.value for slot in self.slots if slot.kind == kind), None)

    def words(self, slot: Slot) -> str:
        """The words of a slot."""
        return self.said[slot.start : slot.end]

    def rest(self) -> str:
        """What no slot explains, a space where one stood."""
        return " ".join(" ".join(part for part in self.pieces() if isinstance(part, str)).split())

    def pieces(self) -> Iterator[str | Slot]:
        """The message in its order: words that no slot explains, and the slots."""
        at = 0
        for slot in self.slots:
            if slot.start > at:
                yield self.said[at : slot.start]
            yield slot
            at = slot.end
        if at < len(self.said):
            yield self.said[at:]


def tidied(words: str) -> str:
    """Words as readers get them: full-width forms and capital numerals of a weight made plain, runs of spaces made one,
    at most `LONGEST` characters.
    """
    plain = _POINT.sub(".", letters.tidy(words[:LONGEST]))
    return _CAPITALS.sub(lambda found: found[0].translate(FORMAL), plain)


def read(words: str, readers: Sequence[Reader]) -> Read:
    """Read a message with all readers, the strongest first."""
    said = tidied(words)
    taken = bytearray(len(said))
    kept: list[Slot] = []
    for reader in readers:
        for slot in sorted(reader(said), key=lambda one: (one.start - one.end, one.start)):
            if 0 <= slot.start < slot.end <= len(said) and not any(taken[slot.start : slot.end]):
                taken[slot.start : slot.end] = b"\1" * (slot.end - slot.start)
                kept.append(slot)
    kept.sort(key=lambda one: one.start)
    return Read(said, tuple(kept))
