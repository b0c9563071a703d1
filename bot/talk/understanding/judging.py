"""How sure is sure: what a ranking is worth to somebody who may say some of its sayings and not others. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from bot.talk.frozen import dataclass
from bot.talk.understanding.model import Ranked

SURE = 0.50  # measured on the sentences of tests/understanding
CLEAR = 1.8  # and so many times as likely as the next one
POSSIBLE = 0.08
OFFERED = 3
TOGETHER = 0.30  # what is offered is at least so likely, taken together

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


def judge(ranked: Sequence[Ranked], may_say: Callable[[str], bool]) -> Judged:
    """Weigh a ranking. What somebody may not say takes its chance with it: the rest gets no likelier by that."""
    open_to = [one for one in ranked if may_say(one.saying)]
    if not open_to:
        return Judged("none")
    first = open_to[0]
    second = open_to[1].chance if len(open_to) > 1 else 0.0
    if first.chance >= SURE and first.chance >= CLEAR * second:
        return Judged("sure", (first,))
    offered = tuple(one for one in open_to[:OFFERED] if one.chance >= POSSIBLE)
    if offered and sum(one.chance for one in offered) >= TOGETHER:
        return Judged("half", offered)
    return Judged("none")
