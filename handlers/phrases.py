"""A command's name with more behind it: «点名 11月20日», «领奖2026-0001 732948», «points 张三». Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.talk.hearing import bare

LONGEST_PHRASE = 24  # characters
_BEHIND = re.compile(r"[\s:：,，、]+(?=\S)|(?=.*[0-9])")


def with_rest(said: str, phrases: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each way to read words as (command, what stands behind its name), the longest name first.

    `phrases`: bare words → command. Behind the name stands a space, a colon or a comma, or at once what holds a figure.
    """
    for end in range(min(len(said) - 1, LONGEST_PHRASE), 0, -1):
        between = _BEHIND.match(said, end)
        name = phrases.get(bare(said[:end])) if between is not None and said[end - 1].isalnum() else None
        if name is not None and between is not None:
            yield name, said[between.end() :].strip()
