"""Many seeds, each a town of crashes and faults. SIM_SEEDS: how many; `python -m tests.sim --seed N` replays one."""

from __future__ import annotations

import os

import pytest

from tests.sim.town import run_seed

SEEDS = int(os.environ.get("SIM_SEEDS", "2000"))
CHUNK = 50


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_promise_is_kept(first: int) -> None:
    failed = [
        f"python -m tests.sim --seed {report.seed}: {report.broken[0]}"
        for report in map(run_seed, range(first, min(first + CHUNK, SEEDS)))
        if report.broken
    ]
    assert not failed, "\n".join(failed)


def test_the_same_seed_plays_the_same_way() -> None:
    once, again = run_seed(7, trace=True), run_seed(7, trace=True)
    assert len(once.trace) > 50
    assert once.trace == again.trace
    assert run_seed(8, trace=True).trace != once.trace


def test_the_simulation_is_rough() -> None:
    reports = [run_seed(seed) for seed in range(40)]
    assert sum(report.crashes for report in reports) > 150
    assert sum(report.repeats for report in reports) > 20
    assert sum(report.updates for report in reports) > 1_000
