"""Many seeds, each a town of crashes and faults. SIM_SEEDS: how many; `python -m tests.sim --seed N` replays one.

Of the seeds two in three play on an ordinary platform, the others in WeChat.
"""

from __future__ import annotations

import os

import pytest

from tests.sim.__main__ import PLAYS
from tests.sim.town import run_seed

SEEDS = int(os.environ.get("SIM_SEEDS", "1200"))
SHARES = {"sim": SEEDS * 2 // 3, "wechat": SEEDS // 3, "township": SEEDS // 6, "wechat-township": SEEDS // 12}
CHUNK = 50
CHUNKS = [(play, first) for play, share in SHARES.items() for first in range(0, share, CHUNK)]


@pytest.mark.parametrize(("play", "first"), CHUNKS)
def test_every_promise_is_kept(play: str, first: int) -> None:
    reports = [run_seed(seed, play=PLAYS[play]) for seed in range(first, min(first + CHUNK, SHARES[play]))]
    failed = [
        f"python -m tests.sim --play {play} --seed {report.seed}: {report.broken[0]}"
        for report in reports
        if report.broken
    ]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("name", PLAYS)
def test_the_same_seed_plays_the_same_way(name: str) -> None:
    play = PLAYS[name]
    once, again = run_seed(7, play=play, trace=True), run_seed(7, play=play, trace=True)
    assert len(once.trace) > 50
    assert once.trace == again.trace
    assert run_seed(8, play=play, trace=True).trace != once.trace


@pytest.mark.parametrize("play", ["sim", "wechat"])
def test_the_simulation_is_rough(play: str) -> None:
    reports = [run_seed(seed, play=PLAYS[play]) for seed in range(40)]
    assert sum(report.crashes for report in reports) > 150
    assert sum(report.repeats for report in reports) > 20
    assert sum(report.updates for report in reports) > 1_000
