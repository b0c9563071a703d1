"""Which story plays on which channel and engine: pairwise, not every combination of the three.

Each story plays on each of its channels, and on each engine at least once; over each file each channel meets each
engine. What a story plays comes from a hash of its name, so a new story changes no other's. Where the stories of a
file leave a channel and an engine apart, the one with the least hash plays that, too.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import product

Play = tuple[str, str]  # a channel, an engine


def chosen(possible: Mapping[str, Collection[Play]]) -> dict[str, set[Play]]:
    """Of what each story (`<file>::<name>`) can play, what it plays."""
    plays = {story: _own(story, of_story) for story, of_story in possible.items()}
    files: dict[str, list[str]] = defaultdict(list)
    for story in sorted(possible, key=lambda story: (_number(story), story)):
        files[story.partition("::")[0]].append(story)
    for stories in files.values():
        met = {play for story in stories for play in plays[story]}
        for missing in {play for story in stories for play in possible[story]} - met:
            plays[next(story for story in stories if missing in possible[story])].add(missing)
    return plays


def _own(story: str, possible: Collection[Play]) -> set[Play]:
    """An engine for each channel, not the same one for all; every engine where that leaves one out."""
    channels, engines = ({play[at] for play in possible} for at in (0, 1))
    mixed = [each for each in product(sorted(engines), repeat=len(channels)) if set(each) == engines]
    if not mixed:
        return set(possible)
    picked = set(zip(sorted(channels), mixed[_number(story) % len(mixed)], strict=True))
    assert picked <= set(possible), f"{story} can not play each channel on each engine"
    return picked


def _number(story: str) -> int:
    """The same for a name in every process and on every day."""
    return int.from_bytes(hashlib.sha256(story.encode()).digest()[:8])
