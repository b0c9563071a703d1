"""How well test sentences are understood: right at once, among what is offered, what is taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.understanding.example import Line, hears


@dataclass
class Matrix:
    """The outcome of sentences. `taken`: (what it is, what it was taken for) → how often."""

    sentences: int = 0
    at_once: int = 0
    offered: int = 0
    opened: int = 0
    others: int = 0
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: list[tuple[Line, str]] = field(default_factory=list)

    @property
    def right_at_once(self) -> float:
        """The share that is right without a question."""
        return self.at_once / self.sentences

    @property
    def right_or_offered(self) -> float:
        """The share that is right without a question, or one of at most three buttons."""
        return (self.at_once + self.offered) / self.sentences

    @property
    def falsely_reported(self) -> float:
        """The share of what reports nothing that opens a report all the same."""
        return self.opened / max(self.others, 1)


def judged(lines: Iterable[Line]) -> Matrix:
    """Understand sentences as those who say them mean them."""
    found = Matrix()
    for line in lines:
        said = hears(line.role, line.words).judged
        names = [one.saying for one in said.sayings]
        sure = said.sureness == "sure"
        found.sentences += 1
        found.at_once += sure and names[0] == line.saying
        found.offered += not sure and line.saying in names
        if line.saying != "report":
            found.others += 1
            found.opened += sure and names[0] == "report"
        if not (sure and names[0] == line.saying):
            took = " ".join(names) if names else "nothing"
            found.taken[(line.saying, took if sure else f"? {took}")] += 1
            found.missed.append((line, took if sure else f"? {took}"))
    return found
