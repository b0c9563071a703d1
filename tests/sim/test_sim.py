"""Many seeds, each a town of crashes and faults: a sample of them with every change (`programme.py`)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.sim.programme import PLAYS, replay, sample
from tests.sim.soak import chunks_of
from tests.sim.town import Report, run_seed

CHUNK = 25
ONCE_BROKEN = [
    ("sim", 9_170_978),  # a worker lost its server while it started, when the last calm began
    ("sim", 9_181_866),  # the clock had the lock again and again, and people waited
    *(("wechat", seed) for seed in (700_311, 700_405, 700_628, 701_468)),  # a late letter's number
    *(("wechat-township", seed) for seed in (700_023, 701_294)),
    ("wechat", 150),  # what was typed came late, after answers to later messages had pushed its question out of sight
    *(("wechat-township", seed) for seed in (800_006, 800_151)),  # staff still answered when the end was declared
    ("wechat-township", 65),  # staff wrote while what waited for them came, and had new pictures to wait for
]


@pytest.mark.parametrize(("play", "first", "count"), chunks_of(sample(), 0, CHUNK))
def test_every_promise_is_kept(play: str, first: int, count: int) -> None:
    reports = [run_seed(seed, play=PLAYS[play]) for seed in range(first, first + count)]
    failed = [f"{replay(play, report.seed)}: {report.broken[0]}" for report in reports if report.broken]
    assert not failed, "\n".join(failed)
    if play in ("sim", "wechat") and count == CHUNK:
        assert is_rough(reports)


@pytest.mark.parametrize(("play", "seed"), ONCE_BROKEN)
def test_what_was_once_broken_is_whole(play: str, seed: int) -> None:
    assert run_seed(seed, play=PLAYS[play]).broken == []


def is_rough(reports: Sequence[Report]) -> bool:
    """Whether so much went wrong that promises were hard to keep."""
    seeds = len(reports)
    return (
        sum(report.crashes for report in reports) > 3.75 * seeds
        and sum(report.repeats for report in reports) > 0.2 * seeds
        and sum(report.updates for report in reports) > 25 * seeds
    )


@pytest.mark.parametrize("name", PLAYS)
def test_the_same_seed_plays_the_same_way(name: str) -> None:
    play = PLAYS[name]
    once, again = run_seed(7, play=play, trace=True), run_seed(7, play=play, trace=True)
    assert len(once.trace) > 50
    assert once.trace == again.trace
    assert run_seed(8, play=play, trace=True).trace != once.trace


def test_a_soak_plays_every_seed_once_and_the_plays_side_by_side() -> None:
    wanted = {"sim": 23, "wechat": 10}
    chunks = chunks_of(wanted, 1_000, 5)
    played = [(play, seed) for play, first, count in chunks for seed in range(first, first + count)]
    assert sorted(played) == sorted((play, 1_000 + at) for play, count in wanted.items() for at in range(count))
    assert [play for play, _, _ in chunks] == ["sim", "wechat", "sim", "sim", "wechat", "sim", "sim"]
