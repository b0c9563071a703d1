"""Many seeds, each a town of crashes and faults. SIM_SEEDS: how many; `python -m tests.sim --seed N` replays one."""

from __future__ import annotations

import os

import pytest

from tests.sim.play import SimPlay
from tests.sim.town import Report, run_seed
from tests.sim.township import TownshipPlay

SEEDS = int(os.environ.get("SIM_SEEDS", "1200"))
TOWNSHIP_SEEDS = SEEDS // 4
CHUNK = 50


def told(report: Report, play: str) -> str:
    """How to see it again, and what was broken."""
    return f"python -m tests.sim --play {play} --seed {report.seed}: {report.broken[0]}"


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_promise_is_kept(first: int) -> None:
    reports = [run_seed(seed, play=SimPlay) for seed in range(first, min(first + CHUNK, SEEDS))]
    failed = [told(report, "sim") for report in reports if report.broken]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("first", range(0, TOWNSHIP_SEEDS, CHUNK))
def test_the_township_keeps_every_promise(first: int) -> None:
    reports = [run_seed(seed, play=TownshipPlay) for seed in range(first, min(first + CHUNK, TOWNSHIP_SEEDS))]
    failed = [told(report, "township") for report in reports if report.broken]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize("play", [SimPlay, TownshipPlay])
def test_the_same_seed_plays_the_same_way(play: type[SimPlay] | type[TownshipPlay]) -> None:
    once, again = run_seed(7, play=play, trace=True), run_seed(7, play=play, trace=True)
    assert len(once.trace) > 50
    assert once.trace == again.trace
    assert run_seed(8, play=play, trace=True).trace != once.trace


def test_the_simulation_is_rough() -> None:
    reports = [run_seed(seed) for seed in range(40)]
    assert sum(report.crashes for report in reports) > 150
    assert sum(report.repeats for report in reports) > 20
    assert sum(report.updates for report in reports) > 1_000
