"""Pairwise: what it promises of any stories, and what it comes to with those that there are."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stories.conftest import CHANNELS, ENGINES, PLAYED, play_of
from tests.stories.pairwise import Play, chosen

stories = st.builds("{}.py::test_{}".format, st.sampled_from("ab"), st.integers(0, 99))
some_channels = st.sampled_from([each for count in (1, 2, 3) for each in combinations(CHANNELS, count)])


def every(channels: tuple[str, ...]) -> set[Play]:
    """Each of those channels on each engine."""
    return set(product(channels, ENGINES))


def parts(plays: set[Play]) -> tuple[set[str], set[str]]:
    """The channels and the engines that occur."""
    return {channel for channel, _ in plays}, {engine for _, engine in plays}


def holds(possible: dict[str, set[Play]], plays: dict[str, set[Play]]) -> None:
    """Every pair of the three occurs that can."""
    assert possible.keys() == plays.keys()
    files: dict[str, list[str]] = defaultdict(list)
    for story, of_story in plays.items():
        assert of_story <= possible[story]
        assert parts(of_story) == parts(possible[story]), f"{story} plays only {of_story}"
        files[story.partition("::")[0]].append(story)
    for file, stories in files.items():
        met = set().union(*(plays[story] for story in stories))
        assert met == set().union(*(possible[story] for story in stories)), f"{file} plays only {met}"


@given(st.dictionaries(stories, some_channels.map(every), min_size=1))
def test_every_pair_of_story_channel_and_engine_occurs(possible: dict[str, set[Play]]) -> None:
    holds(possible, chosen(possible))


def test_another_story_changes_no_other() -> None:
    possible = {f"a.py::test_{number}": every(CHANNELS) for number in range(40)}
    plays = chosen(possible)
    for new in possible:
        before = chosen({story: of_story for story, of_story in possible.items() if story != new})
        assert before == {story: of_story for story, of_story in plays.items() if story != new}


def test_what_a_story_plays_is_known_for_ever() -> None:
    plays = chosen({f"a.py::test_{number}": every(CHANNELS) for number in range(40)})
    assert plays["a.py::test_0"] == {("telegram", "sqlite"), ("web", "sqlite"), ("wechat", "postgres")}
    assert sum(map(len, plays.values())) == 3 * 40
    for play in every(CHANNELS):
        assert 10 <= sum(play in of_story for of_story in plays.values()) <= 30


def test_the_stories_of_this_run_play_so(request: pytest.FixtureRequest) -> None:
    possible, plays = request.config.stash[PLAYED]
    holds(possible, plays)
    items = {found for item in request.session.items if (found := play_of(item))}
    assert items <= {(story, play) for story, of_story in plays.items() for play in of_story}
