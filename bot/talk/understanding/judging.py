"""How sure is sure: what a ranking is worth to somebody who may say some of its sayings and not others. Pure.

The bounds were chosen on the sentences of `tests/understanding` (decision 0030): the lowest at which what is taken for
sure is wrong in less than one of thirty new sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal

from bot.talk.frozen import dataclass
from bot.talk.understanding.model import Ranked

SURE, CLEAR = 0.45, 1.8  # so likely, and so many times as likely as the next one
LIKELY, FAR = 0.25, 2.5  # or less likely, and further ahead
CAREFUL = 0.6  # of what is worse when it is wrong
OTHERS_SAY = 0.15  # how likely somebody says what only others may, against what they may
POSSIBLE = 0.05
OFFERED = 3
TOGETHER = 0.3  # what is offered is at least so likely, taken together

Sureness = Literal["sure", "half", "none"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What was understood: one saying (`sure`), up to three that it may be (`half`), or nothing."""

    sureness: Sureness
    sayings: tuple[Ranked, ...] = ()

    @property
    def best(self) -> str:
        """The likeliest saying, "" for nothing."""
        return self.sayings[0].saying if self.sayings else ""


def judge(ranked: Sequence[Ranked], may_say: Callable[[str], bool], careful: Collection[str] = ()) -> Judged:
    """Weigh a ranking for somebody. `careful`: sayings that must be likelier than others before they count as sure."""
    mine = [one for one in ranked if may_say(one.saying)]
    others = sum(one.chance for one in ranked) - sum(one.chance for one in mine)
    whole = sum(one.chance for one in mine) + OTHERS_SAY * others
    if not mine or not whole:
        return Judged("none")
    first = Ranked(mine[0].saying, mine[0].chance / whole)
    second = mine[1].chance / whole if len(mine) > 1 else 0.0
    sure, likely = (CAREFUL, CAREFUL) if first.saying in careful else (SURE, LIKELY)
    if (first.chance >= sure and first.chance >= CLEAR * second) or (
        first.chance >= likely and first.chance >= FAR * second
    ):
        return Judged("sure", (first,))
    offered = tuple(Ranked(one.saying, one.chance / whole) for one in mine[:OFFERED])
    offered = tuple(one for one in offered if one.chance >= POSSIBLE)
    return Judged("half", offered) if sum(one.chance for one in offered) >= TOGETHER else Judged("none")
